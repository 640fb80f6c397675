//! Finding a child of a row again, in a tree that grows.
//!
//! A table of hashes over millions of rows is in no cache: every look at it waits for the memory. But what is looked for is
//! nearly always near what was looked for last, and most rows have few children. So children are chained, eight bytes a row,
//! and only those of rows with many are hashed.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::tables::NONE_U32;

/// A table whose rows have parents, and keys that differ between children of one parent.
pub(crate) trait Family {
    /// The row above, if there is one.
    fn parent(&self, row: u32) -> Option<u32>;
    /// What tells a row from its siblings.
    fn key(&self, row: u32) -> u32;
}

/// Up to this many siblings are compared one by one.
const FEW: usize = 8;

/// The children of each row of a [`Family`]. `S` makes the hashes: where keys come from a file, it must be one that resists
/// keys which were chosen to collide.
#[derive(Debug)]
pub(crate) struct Siblings<S> {
    /// Of what has no parent, and then of each row.
    links: Vec<Links>,
    /// All children of parents that have more than [`FEW`].
    many: HashTable<u32>,
    hasher: S,
}

/// Rows, or [`NONE_U32`].
#[derive(Clone, Copy, Debug)]
struct Links {
    /// The child that was added last.
    youngest: u32,
    /// The sibling that was added before.
    older: u32,
}

impl Links {
    const NONE: Self = Self {
        youngest: NONE_U32,
        older: NONE_U32,
    };
}

impl<S: Default> Default for Siblings<S> {
    fn default() -> Self {
        Self {
            links: vec![Links::NONE],
            many: HashTable::new(),
            hasher: S::default(),
        }
    }
}

impl<S: BuildHasher> Siblings<S> {
    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.links.truncate(1);
        self.links[0] = Links::NONE;
        self.many.clear();
    }

    /// The child of `parent` with this key.
    pub(crate) fn find(&self, family: &impl Family, parent: Option<u32>, key: u32) -> Option<u32> {
        let mut children = self.youngest_first(parent);
        let known = children.by_ref().take(FEW);
        let mut known = known.filter(|&row| family.key(row) == key);
        known.next().or_else(|| {
            let has_more = children.next().is_some();
            let is_it = |&row: &u32| family.parent(row) == parent && family.key(row) == key;
            let hash = has_more.then(|| self.hash(parent, key))?;
            self.many.find(hash, is_it).copied()
        })
    }

    /// Adds the next row, which is in the table already and was not [found](Self::find).
    pub(crate) fn push(&mut self, family: &impl Family) {
        let row = self.links.len() as u32 - 1;
        let parent = family.parent(row);
        let above = &mut self.links[slot(parent)];
        let older = std::mem::replace(&mut above.youngest, row);
        self.links.push(Links {
            older,
            ..Links::NONE
        });
        // With the first that is too many the others come too.
        let new = match self.youngest_first(parent).take(FEW + 2).count() {
            0..=FEW => 0,
            len if len == FEW + 1 => len,
            _ => 1,
        };
        let mut next = row;
        for _ in 0..new {
            let hash_of = |&row: &u32| self.hasher.hash_one(both(family, row));
            self.many.insert_unique(hash_of(&next), next, hash_of);
            next = self.links[slot(Some(next))].older;
        }
    }

    fn youngest_first(&self, parent: Option<u32>) -> impl Iterator<Item = u32> {
        let known = |row: u32| (row != NONE_U32).then_some(row);
        let youngest = self.links[slot(parent)].youngest;
        let older = move |&row: &u32| known(self.links[slot(Some(row))].older);
        std::iter::successors(known(youngest), older)
    }

    fn hash(&self, parent: Option<u32>, key: u32) -> u64 {
        self.hasher.hash_one(together(parent, key))
    }
}

fn both(family: &impl Family, row: u32) -> u64 {
    together(family.parent(row), family.key(row))
}

fn together(parent: Option<u32>, key: u32) -> u64 {
    u64::from(parent.unwrap_or(NONE_U32)) << 32 | u64::from(key)
}

/// Where the links of a row are.
fn slot(row: Option<u32>) -> usize {
    row.map_or(0, |row| row as usize + 1)
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    impl Family for Vec<(Option<u32>, u32)> {
        fn parent(&self, row: u32) -> Option<u32> {
            self[row as usize].0
        }

        fn key(&self, row: u32) -> u32 {
            self[row as usize].1
        }
    }

    #[test]
    fn every_child_is_found_however_many_there_are() {
        let mut rows: Vec<(Option<u32>, u32)> = Vec::new();
        let mut siblings = Siblings::<RandomState>::default();
        let parents = [None, Some(0), Some(1), None, Some(1)];
        // In turns, so that the children of each parent lie apart.
        for key in 0..40 {
            for (number, parent) in parents.into_iter().enumerate() {
                let key = key * 2 + number as u32 / 3;
                // The last parents get few.
                if key < 10 || number != 2 {
                    assert_eq!(siblings.find(&rows, parent, key), None);
                    rows.push((parent, key));
                    siblings.push(&rows);
                }
            }
        }
        for (row, &(parent, key)) in rows.iter().enumerate() {
            assert_eq!(siblings.find(&rows, parent, key), Some(row as u32));
        }
        assert_eq!(siblings.find(&rows, Some(0), 1), None);
        assert_eq!(siblings.find(&rows, Some(7), 0), None);
    }
}
