//! The part of a layout that is needed to copy a stack, as plain numbers.
//!
//! It is handed to the agent in another process through shared memory, where there may be no type whose
//! bits can be wrong.

use super::{Layout, Position, TopFrame, VariablesFormat};

/// What the walker has to know. All offsets are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct WalkLayout {
    pub(crate) thread_size: u64,
    /// Where the thread state points to the innermost frame, or to its `_PyCFrame`.
    pub(crate) top_frame: u64,
    /// Where a `_PyCFrame` points to the frame, if there is one in between.
    pub(crate) top_frame_in_cframe: u64,
    /// If frames lie in a data stack.
    pub(crate) datastack_chunk: u64,
    pub(crate) frame_size: u64,
    pub(crate) code: u64,
    /// The bits of the pointer to the code object that are no part of the address.
    pub(crate) code_tag: u64,
    pub(crate) previous: u64,
    pub(crate) position: u64,
    /// Whether the position is a C `int` rather than a pointer.
    pub(crate) position_is_index: u64,
    /// If frames have owners.
    pub(crate) owner: u64,
    /// The owners from here up to there mark frames that are no Python functions.
    pub(crate) hidden_owners_start: u64,
    pub(crate) hidden_owners_end: u64,
    pub(crate) code_size: u64,
    pub(crate) identity_start: u64,
    pub(crate) identity_end: u64,
    /// The name, the qualified name if there is one, and the file of a code object.
    pub(crate) code_texts: [u64; 3],
    pub(crate) line_table: u64,
    pub(crate) ascii_data: u64,
    pub(crate) compact_data: u64,
    /// The first local variable of a frame.
    pub(crate) locals: u64,
    /// The height of its stack of values and whether C code called it, where those tell that it is being left.
    pub(crate) stack_top: u64,
    pub(crate) is_entry: u64,
    /// The names of a code object's variables.
    pub(crate) variables: u64,
    /// Their kinds, or, where there are none, what is known of parameters in cells.
    pub(crate) kinds: u64,
    pub(crate) arg_count: u64,
    pub(crate) locals_count: u64,
    pub(crate) cells: u64,
    pub(crate) cell_to_arg: u64,
    pub(crate) tuple_items: u64,
    /// `PyCell_Type`.
    pub(crate) cell_type: u64,
}

impl WalkLayout {
    /// For what a version does not have.
    pub(crate) const NONE: u64 = u64::MAX;

    pub(crate) fn of(layout: &Layout) -> Self {
        let some = |offset: Option<usize>| offset.map_or(Self::NONE, |offset| offset as u64);
        let (thread, frame, code) = (&layout.thread, &layout.frame, &layout.code);
        let (top_frame, top_frame_in_cframe) = match thread.top_frame {
            TopFrame::Field(offset) => (offset, Self::NONE),
            TopFrame::Cframe {
                cframe,
                current_frame,
            } => (cframe, current_frame),
        };
        let (position, position_is_index) = match frame.position {
            Position::Index { offset, .. } => (offset, true),
            Position::Pointer { offset } => (offset, false),
        };
        let none = Self::NONE;
        let [kinds, arg_count, locals_count, cells, cell_to_arg] = match code.variables_format {
            VariablesFormat::Kinds { kinds } => [kinds as u64, none, none, none, none],
            VariablesFormat::Tuples {
                arg_count,
                locals_count,
                cells,
                cell_to_arg,
            } => {
                let [arg_count, locals_count, cells, cell_to_arg] =
                    [arg_count, locals_count, cells, cell_to_arg].map(|offset| offset as u64);
                [none, arg_count, locals_count, cells, cell_to_arg]
            }
        };
        Self {
            thread_size: thread.size as u64,
            top_frame: top_frame as u64,
            top_frame_in_cframe,
            datastack_chunk: some(thread.datastack_chunk),
            frame_size: frame.size as u64,
            code: frame.code as u64,
            code_tag: frame.code_tag,
            previous: frame.previous as u64,
            position: position as u64,
            position_is_index: position_is_index.into(),
            owner: some(frame.owner),
            hidden_owners_start: frame.hidden_owners.start.into(),
            hidden_owners_end: frame.hidden_owners.end.into(),
            code_size: code.size as u64,
            identity_start: code.identity.start as u64,
            identity_end: code.identity.end as u64,
            code_texts: [
                some(Some(code.name)),
                some(code.qualname),
                some(Some(code.file)),
            ],
            line_table: code.line_table as u64,
            ascii_data: layout.object.ascii_data,
            compact_data: layout.object.compact_data,
            locals: frame.locals as u64,
            stack_top: some(frame.leaving.map(|leaving| leaving.stack_top)),
            is_entry: some(frame.leaving.map(|leaving| leaving.is_entry)),
            variables: code.variables as u64,
            kinds,
            arg_count,
            locals_count,
            cells,
            cell_to_arg,
            tuple_items: layout.object.tuple_items,
            cell_type: layout.object.cell_type,
        }
    }

    /// The size of the front of a code object.
    pub(crate) fn code_size(&self) -> usize {
        self.code_size as usize
    }

    /// The part of the front of a code object that never changes.
    pub(crate) fn identity<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        let range = self.identity_start as usize..self.identity_end as usize;
        head.get(range).unwrap_or_default()
    }
}
