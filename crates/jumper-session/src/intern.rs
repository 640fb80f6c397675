//! Finding the handle of a stack that is known already.

use crate::hash::{BuildIntHasher, IntMap};
use crate::siblings::{Family, Siblings};
use crate::tables::{Site, SiteId, StackTable};
use crate::{FunctionId, Place, StackId};

/// The stacks of a table by their contents, which it does not repeat: a row takes eight bytes here. A recording may have
/// millions of stacks, and these are most of what a recorder has in memory.
#[derive(Debug, Default)]
pub(crate) struct StackInterner {
    sites: IntMap<Site, SiteId>,
    stacks: Siblings<BuildIntHasher>,
}

impl StackInterner {
    /// The handle of a stack in `table`, new or known. It must be the same table each time.
    pub(crate) fn intern(
        &mut self,
        table: &mut StackTable,
        parent: Option<StackId>,
        function: FunctionId,
        place: Place,
    ) -> StackId {
        let site = Site { function, place };
        let site = *self
            .sites
            .entry(site)
            .or_insert_with(|| table.push_site(site));
        let row = parent.map(StackId::as_u32);
        let known = self.stacks.find(table, row, site.as_u32());
        known.map_or_else(
            || {
                let id = table.push(parent, site);
                self.stacks.push(table);
                id
            },
            StackId::from_raw,
        )
    }
}

impl Family for StackTable {
    fn parent(&self, row: u32) -> Option<u32> {
        self.parent(StackId::from_raw(row)).map(StackId::as_u32)
    }

    fn key(&self, row: u32) -> u32 {
        self.site_id(StackId::from_raw(row)).as_u32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_found_again_however_many_there_are() {
        let (mut interner, mut table) = (StackInterner::default(), StackTable::default());
        let mut intern = |parent: Option<StackId>, line: u32| {
            let function = FunctionId::from_raw(line % 3);
            interner.intern(&mut table, parent, function, Place::from(line))
        };
        let root = intern(None, 0);
        let all: Vec<StackId> = (0..5000).map(|line| intern(Some(root), line)).collect();
        let again: Vec<StackId> = (0..5000).map(|line| intern(Some(root), line)).collect();
        assert_eq!(all, again);
        assert_eq!(intern(None, 0), root);
        assert_eq!(table.len(), 5001);
    }
}
