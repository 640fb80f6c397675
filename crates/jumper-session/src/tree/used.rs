//! What a node used of the machine, besides time.

use crate::Resources;

/// Amounts of a node of a tree that has them. Most nodes have none of their own, and these take no memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Used(Option<Box<Amounts>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Amounts {
    own: Resources,
    absorbed: Resources,
}

impl Used {
    /// What was used while the node was the innermost frame.
    pub(crate) fn own(&self) -> Resources {
        self.0.as_ref().map_or_else(Resources::default, |it| it.own)
    }

    /// What nodes below used that were removed.
    pub(crate) fn absorbed(&self) -> Resources {
        let amounts = self.0.as_ref();
        amounts.map_or_else(Resources::default, |it| it.absorbed)
    }

    pub(crate) fn add_own(&mut self, amounts: Resources) {
        self.0.get_or_insert_default().own += amounts;
    }

    pub(crate) fn take_own(&mut self) -> Resources {
        let amounts = self.0.as_mut();
        amounts.map_or_else(Resources::default, |it| std::mem::take(&mut it.own))
    }

    pub(crate) fn add_absorbed(&mut self, amounts: Resources) {
        self.0.get_or_insert_default().absorbed += amounts;
    }
}
