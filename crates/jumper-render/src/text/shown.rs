//! Which calls are drawn of what libraries do among themselves, and what is said of the others.

use std::time::Duration;

use jumper_session::{FrameTree, GroupId, NodeId};

use super::fit;

/// A call of a group is drawn if it has more than this share of the whole's time itself.
const SIGNIFICANT: f64 = 0.2;

/// A group is drawn as it is if fewer calls of it would be hidden.
const FEWEST_HIDDEN: usize = 2;

/// How many characters the libraries of a group have.
const LIBRARIES: usize = 40;

/// What is put between two of them.
const BETWEEN: &str = ", ";

/// Which calls are drawn, below one that is the whole.
pub(super) struct Shown {
    is_hidden: Vec<bool>,
    groups: Vec<Hidden>,
}

/// What is hidden of a group.
#[derive(Clone, Debug, Default)]
struct Hidden {
    count: usize,
    /// As many as can be told, each once.
    libraries: Vec<String>,
    /// How long they are with what is put between them, in characters.
    length: usize,
}

impl Shown {
    /// `path` says where the code of a call is.
    pub(super) fn of(
        tree: &FrameTree,
        top: NodeId,
        mut path: impl FnMut(NodeId) -> String,
    ) -> Self {
        let mut shown = Self {
            is_hidden: vec![false; tree.len()],
            groups: vec![Hidden::default(); tree.groups().len()],
        };
        if shown.groups.is_empty() {
            return shown;
        }
        let leaves_group = leaves_group(tree);
        let threshold = SIGNIFICANT * tree.node(top).time().as_secs_f64();
        for (id, _) in tree.walk_from(top) {
            let Some(group) = tree.node(id).group() else {
                continue;
            };
            let is_drawn = tree.group_root(group) == id
                || leaves_group[id.index()]
                || own_time(tree, id).as_secs_f64() > threshold;
            if !is_drawn {
                shown.is_hidden[id.index()] = true;
                shown.groups[group.index()].count += 1;
            }
        }
        for (id, _) in tree.walk_from(top) {
            if let Some(group) = tree.node(id).group()
                && shown.is_hidden[id.index()]
            {
                let hidden = &mut shown.groups[group.index()];
                match hidden.count < FEWEST_HIDDEN {
                    true => shown.is_hidden[id.index()] = false,
                    false if hidden.length <= LIBRARIES + BETWEEN.len() => hidden.add(&path(id)),
                    false => {}
                }
            }
        }
        shown
    }

    pub(super) fn is_hidden(&self, id: NodeId) -> bool {
        self.is_hidden[id.index()]
    }

    /// How many calls of a group are hidden and which libraries they are of, if a call is where that is said.
    pub(super) fn hidden_below(&self, tree: &FrameTree, id: NodeId) -> Option<(usize, String)> {
        let group: GroupId = tree.node(id).group()?;
        let hidden = &self.groups[group.index()];
        let is_root = tree.group_root(group) == id;
        (is_root && hidden.count >= FEWEST_HIDDEN).then(|| {
            let libraries = hidden.libraries.join(BETWEEN);
            (hidden.count, truncated(libraries))
        })
    }
}

impl Hidden {
    fn add(&mut self, path: &str) {
        let library = path.split(['/', '\\', '.']).next().unwrap_or_default();
        if !library.is_empty() && !self.libraries.iter().any(|known| known == library) {
            self.length += library.chars().count() + BETWEEN.len();
            self.libraries.push(library.into());
        }
    }
}

/// As pyinstrument does it: in characters, with three dots.
fn truncated(libraries: String) -> String {
    match libraries.chars().count() > LIBRARIES {
        true => libraries
            .chars()
            .take(LIBRARIES - 3)
            .chain("...".chars())
            .collect(),
        false => libraries,
    }
}

/// For each node whether it calls something outside of its group.
fn leaves_group(tree: &FrameTree) -> Vec<bool> {
    let mut leaves = vec![false; tree.len()];
    for (id, _) in tree.walk() {
        let node = tree.node(id);
        if let Some(parent) = node.parent() {
            leaves[parent.index()] |= node.group() != tree.node(parent).group();
        }
    }
    leaves
}

/// The time of a function itself, with what is not drawn of it.
pub(super) fn own_time(tree: &FrameTree, id: NodeId) -> Duration {
    let called = tree
        .children(id)
        .filter(|&child| !tree.is_synthetic(child))
        .map(|child| tree.node(child).time());
    tree.node(id).time().saturating_sub(called.sum())
}

/// The libraries in the room that they have.
pub(super) fn fitted(libraries: String, room: Option<usize>, dots: &str) -> String {
    match room {
        Some(room) => fit::start_of(libraries, room, dots),
        None => libraries,
    }
}
