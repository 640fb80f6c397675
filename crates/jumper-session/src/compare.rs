//! Two recordings side by side: what takes longer now, and whether that is more than chance.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use crate::short_path::path_end;
use crate::tree::NodeKind;
use crate::{FrameTree, NodeId, ProcessorOptions, Session, remove_importlib};

/// How many standard errors a difference must have to count: 19 of 20 that are chance have fewer.
const STANDARD_ERRORS: f64 = 1.96;
/// What a node of a comparison stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// All threads of this name.
    Thread {
        /// The name; empty where there is none.
        name: String,
    },
    /// A function, called along the path that leads here.
    Function {
        /// The qualified name where there is one, else the plain name.
        name: String,
        /// The end of the path of its file, which does not change with the place of a checkout.
        file: String,
    },
    /// What a node did itself, where that is a node of its own.
    Itself,
}

/// One of the two recordings at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Wall time of the node and all below it.
    pub time: Duration,
    /// Wall time of the node itself.
    pub self_time: Duration,
    /// The samples that `time` was added up from.
    pub samples: u64,
}

/// A node of a [`Comparison`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What it stands for.
    pub label: Label,
    /// How far it lies below its thread: 0 for the thread itself.
    pub depth: usize,
    /// The first recording.
    pub before: Side,
    /// The second.
    pub after: Side,
    parent: Option<usize>,
}

impl Compared {
    /// How much more time it takes, in seconds; less than 0 where it takes less.
    pub fn change(&self) -> f64 {
        self.after.time.as_secs_f64() - self.before.time.as_secs_f64()
    }

    /// The standard error of [`change`](Self::change), in seconds, from counting samples.
    ///
    /// Each sample stands for a stretch of time that begins anywhere in it, so that the number of samples of something that
    /// takes a certain time varies like that of independent events (Poisson): by its square root.
    pub fn error(&self) -> f64 {
        let of = |side: Side| {
            let samples = side.samples as f64;
            match side.samples {
                0 => 0.0,
                _ => side.time.as_secs_f64().powi(2) / samples,
            }
        };
        (of(self.before) + of(self.after)).sqrt()
    }

    /// Whether the change is more than chance explains, 19 times in 20.
    pub fn is_significant(&self) -> bool {
        let change = self.change().abs();
        change > 0.0 && change > STANDARD_ERRORS * self.error()
    }
}

/// Two recordings in one tree.
///
/// Nodes are the same when they are the same function, called along the same path in threads of the same name, whatever
/// line it is at, wherever its file lies and however many threads, processes or hosts there were. The frames of importing itself
/// are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    nodes: Vec<Compared>,
}

/// Compares two sessions, or two [selections](crate::Selection) of one.
pub fn compare(before: &Session, after: &Session) -> Comparison {
    let mut both = Both::default();
    both.add(before, |node| &mut node.before);
    both.add(after, |node| &mut node.after);
    Comparison {
        nodes: both.in_order(),
    }
}

impl Comparison {
    /// All nodes in pre-order, of siblings those first that changed most.
    pub fn nodes(&self) -> &[Compared] {
        &self.nodes
    }

    /// All threads together.
    pub fn total(&self) -> (Duration, Duration) {
        let threads = self.nodes.iter().filter(|node| node.depth == 0);
        threads.fold(Default::default(), |(before, after), node| {
            (before + node.before.time, after + node.after.time)
        })
    }

    /// Whether the change of [all threads together](Self::total) is more than chance explains, 19 times in 20.
    pub fn is_total_significant(&self) -> bool {
        let (before, after) = self.total();
        let change = (after.as_secs_f64() - before.as_secs_f64()).abs();
        change > 0.0 && change > STANDARD_ERRORS * self.total_error()
    }

    /// The standard error of the change of all threads together, in seconds.
    pub fn total_error(&self) -> f64 {
        let threads = self.nodes.iter().filter(|node| node.depth == 0);
        let squares: f64 = threads.map(|thread| thread.error().powi(2)).sum();
        squares.sqrt()
    }

    /// Functions by themselves, wherever they are called from, those first whose own time changed most. `time` is then
    /// `self_time` as well: what is below a function called from itself would count twice.
    pub fn functions(&self) -> Vec<Compared> {
        let mut known: HashMap<&Label, usize> = HashMap::new();
        let mut functions: Vec<Compared> = Vec::new();
        for node in &self.nodes {
            if !matches!(node.label, Label::Function { .. }) {
                continue;
            }
            let index = *known.entry(&node.label).or_insert_with(|| {
                functions.push(Compared {
                    label: node.label.clone(),
                    depth: 0,
                    before: Side::default(),
                    after: Side::default(),
                    parent: None,
                });
                functions.len() - 1
            });
            let sum = &mut functions[index];
            for (sum, side) in [(&mut sum.before, node.before), (&mut sum.after, node.after)] {
                sum.self_time += side.self_time;
                sum.time += side.self_time;
                sum.samples += own_samples(side);
            }
        }
        functions.sort_by(|one, other| other.change().abs().total_cmp(&one.change().abs()));
        functions
    }
}

/// Roughly how many of the samples of a node are its own.
fn own_samples(side: Side) -> u64 {
    let share = side.self_time.as_secs_f64() / side.time.as_secs_f64();
    match share.is_finite() {
        true => (side.samples as f64 * share).round() as u64,
        false => 0,
    }
}

#[derive(Default)]
struct Both {
    nodes: Vec<Compared>,
    known: HashMap<(Option<usize>, Label), usize>,
}

impl Both {
    fn add(&mut self, session: &Session, side: impl Fn(&mut Compared) -> &mut Side) {
        let tree = remove_importlib(FrameTree::build(session), &ProcessorOptions::default());
        // Where each node of the tree is here. Parents come first.
        let mut places: HashMap<NodeId, usize> = HashMap::new();
        for (id, depth) in tree.walk() {
            let node = tree.node(id);
            let parent = node
                .parent()
                .and_then(|parent| places.get(&parent).copied());
            let place = self.place(parent, label(session, node.kind()), depth);
            places.insert(id, place);
            let side = side(&mut self.nodes[place]);
            side.time += node.time();
            side.self_time += node.self_time();
            side.samples += node.sample_count();
        }
    }

    fn place(&mut self, parent: Option<usize>, label: Label, depth: usize) -> usize {
        let nodes = &mut self.nodes;
        *self
            .known
            .entry((parent, label))
            .or_insert_with_key(|(_, label)| {
                nodes.push(Compared {
                    label: label.clone(),
                    depth,
                    before: Side::default(),
                    after: Side::default(),
                    parent,
                });
                nodes.len() - 1
            })
    }

    /// The nodes in pre-order.
    fn in_order(self) -> Vec<Compared> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        let mut pending = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            match node.parent {
                Some(parent) => children[parent].push(index),
                None => pending.push(index),
            }
        }
        let by_change = |list: &mut Vec<usize>| {
            // The last is taken first.
            list.sort_by(|&one, &other| {
                let change = |index: usize| self.nodes[index].change().abs();
                change(one)
                    .total_cmp(&change(other))
                    .then(Reverse(one).cmp(&Reverse(other)))
            });
        };
        by_change(&mut pending);
        let mut ordered: Vec<Compared> = Vec::with_capacity(self.nodes.len());
        let mut places = vec![0; self.nodes.len()];
        while let Some(index) = pending.pop() {
            places[index] = ordered.len();
            let node = &self.nodes[index];
            ordered.push(Compared {
                parent: node.parent.map(|parent| places[parent]),
                ..node.clone()
            });
            let mut below = std::mem::take(&mut children[index]);
            by_change(&mut below);
            pending.append(&mut below);
        }
        ordered
    }
}

fn label(session: &Session, kind: NodeKind) -> Label {
    match kind {
        NodeKind::Thread(thread) => Label::Thread {
            name: session.thread_name(thread).unwrap_or_default().to_owned(),
        },
        NodeKind::Function(function) => {
            let function = session.function(function);
            Label::Function {
                name: function.display_name().to_owned(),
                file: path_end(function.file).to_owned(),
            }
        }
        _ => Label::Itself,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Function, Host, Manifest, NewSample, SessionBuilder, ThreadState, Timestamp};

    /// A recording at 1 ms with so many samples of each stack of functions, in files below `root`.
    fn session(root: &str, line: u32, stacks: &[(&[&str], u64)]) -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let thread = builder.add_thread(process, 1, Some("MainThread"));
        for (stack, samples) in stacks {
            let frames: Vec<_> = stack
                .iter()
                .map(|name| {
                    let file = format!("{root}/project/{name}.py");
                    let function = builder.intern_function(&Function {
                        name,
                        qualname: None,
                        file: &file,
                        first_line: line,
                        hidden: false,
                    });
                    (function, line + 3)
                })
                .collect();
            let stack = builder.intern_stack_frames(frames);
            for _ in 0..*samples {
                builder.push_sample(NewSample {
                    time: Timestamp::from_nanos(0),
                    duration: Duration::from_millis(1),
                    thread,
                    task: None,
                    state: ThreadState::NONE,
                    stack,
                });
            }
        }
        builder.finish(Manifest::default())
    }

    fn name(node: &Compared) -> &str {
        match &node.label {
            Label::Function { name, .. } | Label::Thread { name } => name,
            Label::Itself => "",
        }
    }

    #[test]
    fn functions_are_matched_whatever_their_lines_and_wherever_their_files() {
        let before = session(
            "/home/me",
            1,
            &[(&["main", "load"], 1000), (&["main", "sum"], 500)],
        );
        let after = session(
            "/ci/7",
            9,
            &[(&["main", "load"], 1010), (&["main", "sum"], 900)],
        );
        let compared = compare(&before, &after);
        let nodes: Vec<_> = compared
            .nodes()
            .iter()
            .map(|node| {
                (
                    name(node),
                    node.depth,
                    node.before.samples,
                    node.after.samples,
                )
            })
            .collect();
        assert_eq!(
            nodes,
            [
                ("MainThread", 0, 1500, 1910),
                ("main", 1, 1500, 1910),
                ("sum", 2, 500, 900),
                ("load", 2, 1000, 1010),
            ]
        );
        assert_eq!(
            compared.total(),
            (Duration::from_millis(1500), Duration::from_millis(1910))
        );
        let significant: Vec<_> = compared
            .nodes()
            .iter()
            .filter(|node| node.is_significant())
            .map(name)
            .collect();
        assert_eq!(significant, ["MainThread", "main", "sum"]);
        assert!((compared.nodes()[2].change() - 0.4).abs() < 1e-9);
    }

    #[test]
    fn what_is_new_or_gone_is_on_one_side_only() {
        let before = session("", 1, &[(&["main", "old"], 100)]);
        let after = session("", 1, &[(&["main", "new", "newer"], 100)]);
        let compared = compare(&before, &after);
        let of = |wanted: &str| {
            let node = compared.nodes().iter().find(|node| name(node) == wanted);
            let node = node.expect("it is there");
            (
                node.before.samples,
                node.after.samples,
                node.is_significant(),
            )
        };
        assert_eq!(of("old"), (100, 0, true));
        assert_eq!(of("newer"), (0, 100, true));
        assert_eq!(of("main"), (100, 100, false));
    }

    #[test]
    fn functions_are_added_up_over_all_their_callers() {
        let before = session(
            "",
            1,
            &[(&["a", "work"], 10), (&["b", "work"], 20), (&["b"], 5)],
        );
        let after = session(
            "",
            1,
            &[(&["a", "work"], 40), (&["b", "work"], 50), (&["b"], 5)],
        );
        let functions = compare(&before, &after).functions();
        let first = &functions[0];
        assert_eq!(name(first), "work");
        assert_eq!((first.before.samples, first.after.samples), (30, 90));
        assert_eq!(first.after.self_time, Duration::from_millis(90));
        let b = functions
            .iter()
            .find(|node| name(node) == "b")
            .expect("it is there");
        assert_eq!(
            (b.before.samples, b.after.samples, b.is_significant()),
            (5, 5, false)
        );
    }

    #[test]
    fn the_same_recording_has_not_changed() {
        let one = session("", 1, &[(&["a", "b"], 10), (&["a"], 3)]);
        let compared = compare(&one, &one);
        assert!(
            compared
                .nodes()
                .iter()
                .all(|node| node.change() == 0.0 && !node.is_significant())
        );
        let empty = SessionBuilder::new().finish(Manifest::default());
        assert!(compare(&empty, &empty).nodes().is_empty());
    }
}
