//! Call stacks as a prefix tree.

use crate::tables::NONE_U32;
use crate::{FunctionId, StackId, StringId};

/// One row of the [`StackTable`]: the innermost frame of a stack and the stack that called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    /// The calling stack; `None` for an outermost frame.
    pub parent: Option<StackId>,
    /// The function that runs.
    pub function: FunctionId,
    /// The line it is at, counted from 1; 0 is unknown.
    pub line: u32,
    /// The rest of the place it is at.
    pub extent: Extent,
    /// The class whose method it runs, where that is known.
    pub class: Option<StringId>,
}

/// Where a function is, and for whom it runs: what the frames of one function can differ in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// The line it is at, counted from 1; 0 is unknown.
    pub line: u32,
    /// The rest of the place.
    pub extent: Extent,
    /// The class whose method it runs, where that is known.
    pub class: Option<StringId>,
}

impl From<u32> for Place {
    fn from(line: u32) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }
}

/// What is known of a place in a source text beyond its line. Twelve bytes: 2^32 - 1 stands for what is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    column: u32,
    end_line: u32,
    end_column: u32,
}

impl Default for Extent {
    fn default() -> Self {
        Self::new(None, None, None)
    }
}

impl Extent {
    /// The extent from a column to a column of another or the same line.
    pub fn new(column: Option<u32>, end_line: Option<u32>, end_column: Option<u32>) -> Self {
        Self {
            column: column.unwrap_or(NONE_U32),
            end_line: end_line.unwrap_or(NONE_U32),
            end_column: end_column.unwrap_or(NONE_U32),
        }
    }

    /// How many bytes of the line, in UTF-8, are before it.
    pub fn column(self) -> Option<u32> {
        known(self.column)
    }

    /// The line that it ends in, counted from 1.
    pub fn end_line(self) -> Option<u32> {
        known(self.end_line)
    }

    /// How many bytes of the end line, in UTF-8, are before its end.
    pub fn end_column(self) -> Option<u32> {
        known(self.end_column)
    }
}

fn known(number: u32) -> Option<u32> {
    (number != NONE_U32).then_some(number)
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
    extents: Vec<Extent>,
    classes: Vec<u32>,
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
            extent: self.extents[id.index()],
            class: self.class(id),
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

    /// The class whose method the innermost frame of a stack runs, where that is known.
    pub(crate) fn class(&self, id: StackId) -> Option<StringId> {
        known(self.classes[id.index()]).map(StringId::from_raw)
    }

    pub(crate) fn parent(&self, id: StackId) -> Option<StackId> {
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
        self.extents.push(stack.extent);
        self.classes
            .push(stack.class.map_or(NONE_U32, StringId::as_u32));
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
