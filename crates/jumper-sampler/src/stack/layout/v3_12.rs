//! CPython 3.12. As 3.11, with frames that stand for the C stack between those of Python functions.

use super::{
    CodeLayout, FrameLayout, InstanceFormat, IntFormat, InterpreterLayout, Layout, ObjectLayout,
    ThreadLayout, TopFrame, v3_11,
};

pub(super) fn layout() -> Layout {
    let before = v3_11::layout();
    Layout {
        interpreters_head: 40,
        interpreter: InterpreterLayout {
            next: 0,
            threads_head: 72,
            modules: 944,
            sysdict: 352,
        },
        thread: ThreadLayout {
            size: 288,
            ident: 136,
            native_id: Some(144),
            top_frame: TopFrame::Cframe {
                cframe: 56,
                current_frame: 0,
            },
            datastack_chunk: Some(232),
            ..before.thread
        },
        frame: FrameLayout {
            code: 0,
            previous: 8,
            owner: Some(70),
            hidden_owners: 3..4,
            leaving: None,
            ..before.frame
        },
        code: CodeLayout {
            identity: 52..144,
            first_line: 68,
            instructions: 192,
            ..before.code
        },
        object: ObjectLayout {
            ascii_data: 40,
            compact_data: 56,
            int: IntFormat::Tag,
            instance: InstanceFormat::Tagged,
            cached_keys: 880,
            ..before.object
        },
    }
}
