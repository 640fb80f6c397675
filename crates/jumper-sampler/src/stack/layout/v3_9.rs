//! CPython 3.9. Frames are objects on the heap, linked by `f_back`.

use super::{
    CodeLayout, DictKeysFormat, FrameLayout, InstanceFormat, IntFormat, InterpreterLayout, Layout,
    LineFormat, ObjectLayout, Position, ThreadLayout, TopFrame, VariablesFormat,
};

pub(super) fn layout() -> Layout {
    Layout {
        interpreters_head: 32,
        interpreter: InterpreterLayout {
            next: 0,
            threads_head: 8,
            modules: 856,
            sysdict: 872,
        },
        thread: ThreadLayout {
            size: 264,
            next: 8,
            interpreter: 16,
            ident: 176,
            native_id: None,
            top_frame: TopFrame::Field(24),
            datastack_chunk: None,
        },
        frame: FrameLayout {
            size: 368,
            code: 32,
            previous: 24,
            position: Position::Index {
                offset: 104,
                unit: 1,
            },
            owner: None,
            code_tag: 0,
            hidden_owners: 0..0,
            locals: 360,
            leaving: None,
        },
        code: CodeLayout {
            size: 128,
            identity: 8..128,
            first_line: 40,
            file: 104,
            name: 112,
            qualname: None,
            line_table: 120,
            line_format: LineFormat::Lnotab,
            instructions: 0,
            variables: 72,
            variables_format: VariablesFormat::Tuples {
                arg_count: 16,
                locals_count: 28,
                cells: 88,
                cell_to_arg: 96,
            },
        },
        object: ObjectLayout {
            ascii_data: 48,
            compact_data: 72,
            int: IntFormat::Size,
            dict_keys: DictKeysFormat::Size,
            values_data: 0,
            instance: InstanceFormat::Dict,
            cached_keys: 864,
            tuple_items: 24,
            cell_type: 0,
        },
    }
}
