//! CPython 3.14. As 3.13, with references of frames that carry a tag, and two kinds of frames for the C stack.

use super::debug_offsets::{
    self, CodeWords, FrameWords, InterpreterWords, RuntimeWords, ThreadWords, Words,
};
use super::{FrameLayout, Layout, LayoutError, ObjectLayout, Version, v3_13};
use crate::stack::memory::{Address, Memory};

const WORDS: Words = Words {
    runtime: RuntimeWords {
        size: 3,
        interpreters_head: 5,
    },
    interpreter: InterpreterWords {
        size: 6,
        next: 8,
        threads_head: 9,
        modules: 12,
        sysdict: 13,
    },
    thread: ThreadWords {
        size: 22,
        next: 24,
        interpreter: 25,
        current_frame: 26,
        ident: 27,
        native_id: 28,
        datastack_chunk: 29,
    },
    frame: FrameWords {
        size: 31,
        previous: 32,
        executable: 33,
        instruction_pointer: 34,
        locals: 35,
        owner: 36,
    },
    code: CodeWords {
        size: 39,
        file: 40,
        name: 41,
        qualname: 42,
        line_table: 43,
        first_line: 44,
        arg_count: 45,
        variables: 46,
        kinds: 47,
        instructions: 48,
    },
};

/// What the description does not say.
pub(super) fn base() -> Layout {
    let before = v3_13::base();
    Layout {
        frame: FrameLayout {
            code_tag: 3,
            hidden_owners: 3..5,
            ..before.frame
        },
        object: ObjectLayout {
            tuple_items: 32,
            ..before.object
        },
        ..before
    }
}

pub(super) fn layout(
    version: Version,
    memory: &impl Memory,
    runtime: Address,
) -> Result<Layout, LayoutError> {
    debug_offsets::layout(version, memory, runtime, &WORDS, base())
}
