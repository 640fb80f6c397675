//! CPython 3.10. As 3.9, with positions counted in instructions and the line table of PEP 626.

use super::{CodeLayout, FrameLayout, Layout, LineFormat, ObjectLayout, Position, v3_9};

pub(super) fn layout() -> Layout {
    let before = v3_9::layout();
    Layout {
        frame: FrameLayout {
            size: 360,
            locals: 352,
            position: Position::Index {
                offset: 96,
                unit: 2,
            },
            ..before.frame
        },
        code: CodeLayout {
            line_format: LineFormat::Linetable,
            ..before.code
        },
        object: ObjectLayout {
            cached_keys: 872,
            ..before.object
        },
        ..before
    }
}
