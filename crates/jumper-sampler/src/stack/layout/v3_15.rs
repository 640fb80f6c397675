//! CPython 3.15. As 3.14; each thread's chain of frames ends in one that is no function and lies in the thread
//! state.

use super::debug_offsets::{
    self, CodeWords, FrameWords, InterpreterWords, RuntimeWords, ThreadWords, Words,
};
use super::{FrameLayout, Layout, LayoutError, ObjectLayout, Version, v3_14};
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
        ident: 30,
        native_id: 31,
        datastack_chunk: 32,
    },
    frame: FrameWords {
        size: 39,
        previous: 40,
        executable: 41,
        instruction_pointer: 42,
        locals: 43,
        owner: 44,
    },
    code: CodeWords {
        size: 47,
        file: 48,
        name: 49,
        qualname: 50,
        line_table: 51,
        first_line: 52,
        arg_count: 53,
        variables: 54,
        kinds: 55,
        instructions: 56,
    },
};

fn base() -> Layout {
    let before = v3_14::base();
    Layout {
        frame: FrameLayout {
            hidden_owners: 3..4,
            ..before.frame
        },
        object: ObjectLayout {
            cached_keys: 888,
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
