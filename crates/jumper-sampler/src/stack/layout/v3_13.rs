//! CPython 3.13. As 3.12, and the program says where most things lie ([`debug_offsets`]).

use super::debug_offsets::{
    self, CodeWords, FrameWords, InterpreterWords, RuntimeWords, ThreadWords, Words,
};
use super::{InstanceFormat, Layout, LayoutError, ObjectLayout, Version, v3_12};
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
        modules: 11,
        sysdict: 12,
    },
    thread: ThreadWords {
        size: 19,
        next: 21,
        interpreter: 22,
        current_frame: 23,
        ident: 24,
        native_id: 25,
        datastack_chunk: 26,
    },
    frame: FrameWords {
        size: 28,
        previous: 29,
        executable: 30,
        instruction_pointer: 31,
        locals: 32,
        owner: 33,
    },
    code: CodeWords {
        size: 34,
        file: 35,
        name: 36,
        qualname: 37,
        line_table: 38,
        first_line: 39,
        arg_count: 40,
        variables: 41,
        kinds: 42,
        instructions: 43,
    },
};

/// What the description does not say.
pub(super) fn base() -> Layout {
    let before = v3_12::layout();
    Layout {
        object: ObjectLayout {
            values_data: 8,
            instance: InstanceFormat::Inline,
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
