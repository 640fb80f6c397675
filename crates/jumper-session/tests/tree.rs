//! Trees: what they add up to, how they are ordered, how deep they may be.

use std::time::Duration;

use jumper_session::*;

use crate::support::{rich_session, saved};

type Frames<'a> = &'a [(&'a str, u32)];

/// A session that is written like a table: thread, frames from the outside, milliseconds.
fn session(samples: &[(u64, Frames<'_>, u64)]) -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let mut threads = std::collections::HashMap::new();
    for (time, (native_id, frames, millis)) in samples.iter().enumerate() {
        let thread = *threads
            .entry(native_id)
            .or_insert_with(|| builder.add_thread(process, *native_id, None));
        let frames: Vec<_> = frames
            .iter()
            .map(|(name, line)| {
                let function = Function {
                    name,
                    qualname: None,
                    file: "t.py",
                    first_line: 1,
                    hidden: false,
                };
                (builder.intern_function(&function), *line)
            })
            .collect();
        let stack = builder.intern_stack_frames(frames);
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(time as i64),
            duration: Duration::from_millis(*millis),
            thread,
            task: None,
            state: ThreadState::NONE,
            stack,
        });
    }
    builder.finish(Manifest::default())
}

/// One line per node: depth as indentation, name, time, self time, absorbed time (ms) and samples.
fn drawn(session: &Session, tree: &FrameTree) -> Vec<String> {
    tree.walk()
        .map(|(id, depth)| {
            let node = tree.node(id);
            let name = match node.kind() {
                NodeKind::Root => panic!("the root is not part of a walk"),
                NodeKind::Thread(thread) => {
                    format!("#{}", session.threads().get(thread).native_id)
                }
                NodeKind::Function(function) => session.function(function).name.into(),
                NodeKind::SelfTime => "[self]".into(),
            };
            let times = [node.time(), node.self_time(), node.absorbed_time()];
            let [time, own, absorbed] = times.map(|time| time.as_millis());
            format!(
                "{:depth$}{name} {time} {own} {absorbed} {}",
                "",
                node.sample_count()
            )
        })
        .collect()
}

fn assert_conserved(tree: &FrameTree) {
    for (id, _) in tree.walk_from(tree.root()) {
        let node = tree.node(id);
        let below: Duration = tree.children(id).map(|child| tree.node(child).time()).sum();
        assert_eq!(node.time(), node.self_time() + node.absorbed_time() + below);
        assert!(
            tree.children(id)
                .all(|child| tree.node(child).parent() == Some(id))
        );
    }
}

#[test]
fn samples_add_up_by_call_path() {
    let session = session(&[
        (9, &[("main", 1), ("a", 1)], 10),
        (9, &[("main", 2), ("b", 1)], 30),
        (9, &[("main", 3), ("a", 7), ("b", 1)], 5),
        (9, &[("main", 3)], 2),
        (4, &[("run", 1)], 100),
        (4, &[], 1),
    ]);
    let tree = FrameTree::build(&session);
    assert_eq!(
        drawn(&session, &tree),
        [
            "#9 47 0 0 4",
            " main 47 2 0 4",
            "  b 30 30 0 1",
            "  a 15 10 0 2",
            "   b 5 5 0 1",
            "#4 101 1 0 2",
            " run 100 100 0 1",
        ]
    );
    assert_eq!(tree.total(), Duration::from_millis(148));
    let main = tree.children(tree.roots().next().unwrap()).next().unwrap();
    assert_eq!(tree.node(main).line(), Some(1));
    assert_conserved(&tree);
}

#[test]
fn equal_times_keep_the_order_of_appearance() {
    let session = session(&[
        (1, &[("c", 1)], 5),
        (1, &[("a", 1)], 5),
        (1, &[("b", 1)], 6),
        (1, &[("d", 0)], 5),
    ]);
    let tree = FrameTree::build(&session);
    let expected = [
        "#1 21 0 0 4",
        " b 6 6 0 1",
        " c 5 5 0 1",
        " a 5 5 0 1",
        " d 5 5 0 1",
    ];
    assert_eq!(drawn(&session, &tree), expected);
    let last = tree.walk().last().unwrap().0;
    assert_eq!(tree.node(last).line(), None);
}

#[test]
fn small_nodes_are_absorbed() {
    let session = session(&[
        (1, &[("main", 1), ("big", 1)], 960),
        (1, &[("main", 1), ("small", 1), ("tiny", 1)], 9),
        (1, &[("main", 1), ("edge", 1)], 10),
        (1, &[("main", 1)], 21),
        (2, &[("main", 1)], 1),
    ]);
    let tree = FrameTree::build(&session);
    let filtered = remove_irrelevant_nodes(tree.clone(), &ProcessorOptions::default());
    assert_eq!(
        drawn(&session, &filtered),
        [
            "#1 1000 0 0 4",
            " main 1000 21 9 4",
            "  big 960 960 0 1",
            "  edge 10 10 0 1",
            "#2 1 0 0 1",
            " main 1 1 0 1",
        ]
    );
    assert_conserved(&filtered);

    let with = |filter_threshold| ProcessorOptions {
        filter_threshold,
        ..ProcessorOptions::default()
    };
    assert_eq!(remove_irrelevant_nodes(tree.clone(), &with(0.0)), tree);
    assert_eq!(remove_irrelevant_nodes(tree.clone(), &with(f64::NAN)), tree);
    let only_threads = remove_irrelevant_nodes(tree.clone(), &with(2.0));
    assert_eq!(only_threads.walk().count(), 2);
    assert_eq!(only_threads.total(), tree.total());
}

#[test]
fn trees_of_any_session_conserve_time_and_samples() {
    let session = rich_session();
    let tree = FrameTree::build(&session);
    assert_eq!(tree.total(), session.samples().total());
    assert_eq!(
        tree.node(tree.root()).sample_count(),
        session.samples().len() as u64
    );
    assert_eq!(tree.roots().count(), 6);
    assert_conserved(&tree);
    for filter_threshold in [0.001, 0.01, 0.05, 0.3, 1.0] {
        let options = ProcessorOptions {
            filter_threshold,
            ..ProcessorOptions::default()
        };
        let filtered = remove_irrelevant_nodes(tree.clone(), &options);
        assert_eq!(filtered.total(), tree.total());
        assert_eq!(filtered.roots().count(), 6);
        assert_conserved(&filtered);
    }
}

#[test]
fn the_same_session_gives_the_same_tree() {
    let session = rich_session();
    let (_dir, path) = saved(&session);
    let tree = FrameTree::build(&session);
    assert_eq!(FrameTree::build(&session), tree);
    assert_eq!(FrameTree::build(&Session::open(path).unwrap()), tree);
}

#[test]
fn a_walk_can_leave_out_what_is_below() {
    let session = session(&[(1, &[("a", 1), ("b", 1), ("c", 1)], 2), (1, &[("d", 1)], 1)]);
    let tree = FrameTree::build(&session);
    let mut walk = tree.walk();
    let mut depths = Vec::new();
    while let Some((id, depth)) = walk.next() {
        depths.push(depth);
        if depth == 1 {
            walk.skip_children(id);
        }
    }
    assert_eq!(depths, [0, 1, 1]);
    let a = tree.children(tree.roots().next().unwrap()).next().unwrap();
    let below: Vec<_> = tree.walk_from(a).map(|(_, depth)| depth).collect();
    assert_eq!(below, [0, 1, 2]);
}

#[test]
fn a_hundred_thousand_calls_deep() {
    const DEPTH: u32 = 100_000;
    // A thread with a small stack: whatever recursed over the frames would not come back from here.
    let work = || {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let thread = builder.add_thread(process, 1, None);
        let function = Function {
            name: "down",
            qualname: None,
            file: "t.py",
            first_line: 1,
            hidden: false,
        };
        let function = builder.intern_function(&function);
        let stack = builder.intern_stack_frames((0..DEPTH).map(|_| (function, 2)));
        for (time, stack) in [stack, None, stack].into_iter().enumerate() {
            builder.push_sample(NewSample {
                time: Timestamp::from_nanos(time as i64),
                duration: Duration::from_millis(1),
                thread,
                task: None,
                state: ThreadState::NONE,
                stack,
            });
        }
        let (_dir, path) = saved(&builder.finish(Manifest::default()));
        let session = Session::open(path).unwrap();
        assert_eq!(
            session.stacks().frames(stack.unwrap()).count(),
            DEPTH as usize
        );
        let tree = FrameTree::build(&session);
        assert_eq!(tree.walk().last().unwrap().1, DEPTH as usize);
        assert_conserved(&tree);
        let tree = remove_irrelevant_nodes(tree.clone(), &ProcessorOptions::default());
        assert_eq!(tree.walk().count(), 1 + DEPTH as usize);
        assert_eq!(tree.total(), Duration::from_millis(3));
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work)
        .unwrap();
    thread.join().unwrap();
}

#[test]
fn a_node_has_the_class_that_it_had_for_the_longest() {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let threads = [1, 2].map(|native_id| builder.add_thread(process, native_id, None));
    let [outer, inner] = ["outer", "inner"].map(|name| {
        builder.intern_function(&Function {
            name,
            qualname: None,
            file: "t.py",
            first_line: 1,
            hidden: false,
        })
    });
    let [a, b] = ["A", "B"].map(|class| Some(builder.intern_string(class)));
    let at = |line, class| Place {
        line,
        class,
        ..Place::default()
    };
    for (thread, millis, place, inner_place) in [
        (threads[0], 3, at(1, a), at(5, None)),
        (threads[0], 2, at(2, b), at(5, b)),
        (threads[0], 2, at(3, b), at(6, a)),
        (threads[0], 9, at(4, None), at(6, None)),
        (threads[1], 1, at(1, a), at(7, None)),
    ] {
        let stack = builder.intern_stack_frames([(outer, place), (inner, inner_place)]);
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(thread.index() as i64),
            duration: Duration::from_millis(millis),
            thread,
            task: None,
            state: ThreadState::NONE,
            stack,
        });
    }
    let session = builder.finish(Manifest::default());
    let tree = FrameTree::build(&session);
    let classes: Vec<_> = tree
        .walk()
        .map(|(id, _)| tree.node(id).class().map(|class| session.string(class)))
        .collect();
    // In the inner function of the first thread there is a tie, and there B was seen first.
    assert_eq!(classes, [None, Some("B"), Some("B"), None, Some("A"), None]);
    assert_eq!(tree.total(), session.samples().total());
}
