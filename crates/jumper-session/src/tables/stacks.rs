//! Call stacks as a prefix tree.

use crate::tables::NONE_U32;
use crate::{FunctionId, StackId};

/// One row of the [`StackTable`]: the innermost frame of a stack and the stack that called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    /// The calling stack; `None` for an outermost frame.
    pub parent: Option<StackId>,
    /// The function that runs.
    pub function: FunctionId,
    /// The line it is at, counted from 1; 0 is unknown.
    pub line: u32,
}

/// Every distinct stack once, sharing its outer frames with all others; `stacks.parquet` on disk.
///
/// Rows are in topological order: a parent's number is smaller than its child's. One forward pass
/// therefore sees every caller before its callees, and no stack can contain itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackTable {
    parents: Vec<u32>,
    functions: Vec<FunctionId>,
    lines: Vec<u32>,
}

impl StackTable {
    /// The row of a stack.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn get(&self, id: StackId) -> Stack {
        Stack {
            parent: self.parent(id),
            function: self.functions[id.index()],
            line: self.lines[id.index()],
        }
    }

    /// How many stacks there are.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there is no stack.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// All stacks in the order of their handles, parents before children.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (StackId, Stack)> + '_ {
        (0..self.len()).map(|row| {
            let id = StackId::from_len(row);
            (id, self.get(id))
        })
    }

    /// The frames of a stack, innermost first, each with its current line (0 is unknown).
    pub fn frames(&self, id: StackId) -> StackFrames<'_> {
        StackFrames {
            stacks: self,
            next: Some(id),
        }
    }

    fn parent(&self, id: StackId) -> Option<StackId> {
        let raw = self.parents[id.index()];
        (raw != NONE_U32).then(|| StackId::from_raw(raw))
    }

    pub(crate) fn push(&mut self, stack: Stack) -> StackId {
        let id = StackId::from_len(self.parents.len());
        assert!(
            stack.parent < Some(id),
            "bug: a stack must be interned after its parent"
        );
        self.parents
            .push(stack.parent.map_or(NONE_U32, StackId::as_u32));
        self.functions.push(stack.function);
        self.lines.push(stack.line);
        id
    }
}

/// The frames of one stack from the innermost outwards; made by [`StackTable::frames`].
#[derive(Clone, Debug)]
pub struct StackFrames<'a> {
    stacks: &'a StackTable,
    next: Option<StackId>,
}

impl Iterator for StackFrames<'_> {
    type Item = (FunctionId, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let stack = self.stacks.get(self.next?);
        self.next = stack.parent;
        Some((stack.function, stack.line))
    }
}
