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

/// What a frame is without its callers: the part of a [`Stack`] that many stacks have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Site {
    pub(crate) function: FunctionId,
    pub(crate) place: Place,
}

/// A row of the sites of a [`StackTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SiteId(u32);

impl SiteId {
    pub(crate) const fn as_u32(self) -> u32 {
        self.0
    }
}

/// Every distinct stack once, sharing its outer frames with all others; `stacks.parquet` on disk.
///
/// Rows are in topological order: a parent's number is smaller than its child's. One forward pass
/// therefore sees every caller before its callees, and no stack can contain itself.
///
/// Eight bytes a row: programs have millions of stacks, but stand at some thousand places, which are kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackTable {
    parents: Vec<u32>,
    sites: Vec<SiteId>,
    /// Indexed by [`SiteId`].
    distinct_sites: Vec<Site>,
}

impl StackTable {
    /// The row of a stack.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn get(&self, id: StackId) -> Stack {
        let site = self.site(id);
        Stack {
            parent: self.parent(id),
            function: site.function,
            line: site.place.line,
            extent: site.place.extent,
            class: site.place.class,
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
        self.site(id).place.class
    }

    /// Whether any stack has a class.
    pub(crate) fn has_classes(&self) -> bool {
        self.distinct_sites
            .iter()
            .any(|site| site.place.class.is_some())
    }

    pub(crate) fn parent(&self, id: StackId) -> Option<StackId> {
        let raw = self.parents[id.index()];
        (raw != NONE_U32).then(|| StackId::from_raw(raw))
    }

    /// The innermost frame of a stack.
    pub(crate) fn function_and_line(&self, id: StackId) -> (FunctionId, u32) {
        let site = self.site(id);
        (site.function, site.place.line)
    }

    pub(crate) fn site_id(&self, id: StackId) -> SiteId {
        self.sites[id.index()]
    }

    fn site(&self, id: StackId) -> &Site {
        &self.distinct_sites[self.site_id(id).0 as usize]
    }

    /// Adds a site. That it is new is the caller's to know.
    pub(crate) fn push_site(&mut self, site: Site) -> SiteId {
        // There are no more sites than stacks, whose number is bounded.
        let id = SiteId(StackId::from_len(self.distinct_sites.len()).as_u32());
        self.distinct_sites.push(site);
        id
    }

    pub(crate) fn push(&mut self, parent: Option<StackId>, site: SiteId) -> StackId {
        let id = StackId::from_len(self.parents.len());
        assert!(
            parent < Some(id),
            "bug: a stack must be interned after its parent"
        );
        self.parents.push(parent.map_or(NONE_U32, StackId::as_u32));
        self.sites.push(site);
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
