//! CPython 3.11. Frames lie in chunks of a data stack; a `_PyCFrame` on the C stack points to the innermost.

use super::{
    CodeLayout, DictKeysFormat, FrameLayout, InstanceFormat, IntFormat, InterpreterLayout, Layout,
    Leaving, LineFormat, ObjectLayout, Position, ThreadLayout, TopFrame, VariablesFormat,
};

pub(super) fn layout() -> Layout {
    Layout {
        interpreters_head: 40,
        interpreter: InterpreterLayout {
            next: 0,
            threads_head: 16,
            modules: 888,
            sysdict: 904,
        },
        thread: ThreadLayout {
            size: 360,
            next: 8,
            interpreter: 16,
            ident: 152,
            native_id: Some(160),
            top_frame: TopFrame::Cframe {
                cframe: 56,
                current_frame: 8,
            },
            datastack_chunk: Some(296),
        },
        frame: FrameLayout {
            size: 80,
            code: 32,
            previous: 48,
            position: Position::Pointer { offset: 56 },
            owner: Some(69),
            code_tag: 0,
            // Every frame of 3.11 is a Python function.
            hidden_owners: 0..0,
            locals: 72,
            leaving: Some(Leaving {
                stack_top: 64,
                is_entry: 68,
            }),
        },
        code: CodeLayout {
            size: 144,
            // From `co_argcount` on: `co_warmup` before it counts down.
            identity: 56..144,
            first_line: 72,
            file: 112,
            name: 120,
            qualname: Some(128),
            line_table: 136,
            line_format: LineFormat::Locations,
            instructions: 184,
            variables: 96,
            variables_format: VariablesFormat::Kinds { kinds: 104 },
        },
        object: ObjectLayout {
            ascii_data: 48,
            compact_data: 72,
            int: IntFormat::Size,
            dict_keys: DictKeysFormat::Log2,
            values_data: 0,
            instance: InstanceFormat::ValuesOrDict,
            cached_keys: 872,
            tuple_items: 24,
            cell_type: 0,
        },
    }
}
