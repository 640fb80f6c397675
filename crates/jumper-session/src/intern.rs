//! Finding the handle of a stack that is known already.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::hash::{BuildIntHasher, IntMap};
use crate::tables::{Site, SiteId, StackTable};
use crate::{FunctionId, Place, StackId};

/// The stacks of a table by their contents, which it does not repeat: a row takes five to ten bytes here. A recording may
/// have millions of stacks, and these are most of what a recorder has in memory.
#[derive(Debug, Default)]
pub(crate) struct StackInterner {
    sites: IntMap<Site, SiteId>,
    stacks: HashTable<StackId>,
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
        let is_it = |&id: &StackId| table.site_id(id) == site && table.parent(id) == parent;
        if let Some(&known) = self.stacks.find(hash(parent, site), is_it) {
            return known;
        }
        let id = table.push(parent, site);
        match self.stacks.len() < self.stacks.capacity() {
            true => self.insert(table, id),
            false => self.grow(table),
        }
        id
    }

    /// Makes room for twice as many, from the table and in its order: that takes less memory and less time than to move what is
    /// here from one place to a larger one.
    fn grow(&mut self, table: &StackTable) {
        self.stacks = HashTable::new();
        self.stacks = HashTable::with_capacity(2 * table.len().max(512));
        for row in 0..table.len() {
            self.insert(table, StackId::from_len(row));
        }
    }

    fn insert(&mut self, table: &StackTable, id: StackId) {
        let hash_of = |&id: &StackId| hash(table.parent(id), table.site_id(id));
        self.stacks.insert_unique(hash_of(&id), id, hash_of);
    }
}

fn hash(parent: Option<StackId>, site: SiteId) -> u64 {
    let parent = parent.map_or(u32::MAX, StackId::as_u32);
    BuildIntHasher::default().hash_one(u64::from(parent) << 32 | u64::from(site.as_u32()))
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
