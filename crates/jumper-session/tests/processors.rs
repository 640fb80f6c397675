//! Processors: what each does, that none loses time, and that none minds how deep a tree is.

use std::time::Duration;

use jumper_session::*;

use crate::support::Random;

/// A frame as text: `NAME@FILE`, with `!` in front if it is hidden.
type Frames<'a> = &'a [&'a str];

/// A session that is written like a table: frames from the outside, milliseconds.
fn session(samples: &[(Frames<'_>, u64)], start: Frames<'_>) -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let thread = builder.add_thread(process, 1, Some("Main"));
    for (time, (frames, millis)) in samples.iter().enumerate() {
        let stack = stack(&mut builder, frames);
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(time as i64),
            duration: Duration::from_millis(*millis),
            thread,
            task: None,
            state: ThreadState::ON_CPU,
            stack,
        });
    }
    let start_stack = stack(&mut builder, start);
    builder.finish(Manifest {
        sys_prefixes: Some(vec!["/lib".into()]),
        start_stack: start_stack.map(|stack| StartStack {
            thread: 0,
            stack: Some(stack.as_u32()),
        }),
        ..Manifest::default()
    })
}

fn stack(builder: &mut SessionBuilder, frames: Frames<'_>) -> Option<StackId> {
    let frames: Vec<_> = frames
        .iter()
        .map(|text| {
            let (name, file) = text.split_once('@').unwrap_or((text, "/app/t.py"));
            let function = builder.intern_function(&Function {
                name: name.trim_start_matches('!'),
                qualname: None,
                file,
                first_line: u32::from(!file.is_empty()),
                hidden: name.starts_with('!'),
            });
            (function, 1)
        })
        .collect();
    builder.intern_stack_frames(frames)
}

const AGGREGATED: TreeOptions = TreeOptions {
    timeline: false,
    self_nodes: true,
    scope: Scope::Session,
    resources: true,
    states: true,
};
const TIMELINE: TreeOptions = TreeOptions {
    timeline: true,
    ..AGGREGATED
};

/// The tree in one line: name, milliseconds and, in brackets, what is below. Groups are marked with their numbers.
fn drawn(tree: &FrameTree) -> String {
    let mut text = String::new();
    let mut open = 0;
    for (id, depth) in tree.walk() {
        let node = tree.node(id);
        let name = match node.kind() {
            NodeKind::Root => "[root]",
            NodeKind::Thread(_) => "Main",
            NodeKind::SelfTime => "[self]",
            NodeKind::Function(function) => tree.function(function).name,
        };
        if depth > open {
            text += "(";
        } else if !text.is_empty() {
            text += &")".repeat(open - depth);
            text += " ";
        }
        open = depth;
        text += &format!("{name}{}", node.time().as_millis());
        if let Some(group) = node.group() {
            text += &format!("#{}", group.as_u32());
        }
    }
    text + &")".repeat(open)
}

fn assert_conserved(tree: &FrameTree) {
    for (id, _) in tree.walk_from(tree.root()) {
        let node = tree.node(id);
        let below: Duration = tree.children(id).map(|child| tree.node(child).time()).sum();
        assert_eq!(node.time(), node.self_time() + node.absorbed_time() + below);
    }
    if tree.attribution().is_none() {
        return;
    }
    // Here every sample runs on a CPU, and that is all that is known: resources are where time is.
    let totals = tree.resource_totals();
    for (id, _) in tree.walk_from(tree.root()) {
        let node = tree.node(id);
        for (resources, time) in [
            (totals[id.index()], node.time()),
            (node.own_resources(), node.self_time()),
            (node.absorbed_resources(), node.absorbed_time()),
        ] {
            let cpu = resources.get(Resource::CpuTime);
            assert!(
                (cpu - time.as_secs_f64()).abs() < 1e-9,
                "{cpu} s in {time:?}"
            );
        }
    }
}

/// The tree after one processor, and after that once more, which must not change anything.
fn processed(tree: &FrameTree, processor: Processor, options: &ProcessorOptions) -> String {
    let once = processor(tree.clone(), options);
    assert_eq!(once.total(), tree.total());
    assert_conserved(&once);
    assert_eq!(processor(once.clone(), options), once);
    drawn(&once)
}

#[test]
fn the_importer_goes_and_what_it_imported_stays() {
    let import = "exec@<frozen importlib._bootstrap>";
    let session = session(
        &[
            (&["main", import, import, "module"], 3),
            (&["main", import], 2),
            (&["main"], 1),
        ],
        &[],
    );
    let tree = FrameTree::build_with(&session, &TIMELINE);
    let options = ProcessorOptions::default();
    assert_eq!(
        drawn(&tree),
        "Main6(main6(exec5(exec3(module3([self]3)) [self]2) [self]1))"
    );
    assert_eq!(
        processed(&tree, remove_importlib, &options),
        "Main6(main6(module3([self]3) [self]2 [self]1))"
    );
    let merged = merge_consecutive_self_time(remove_importlib(tree, &options), &options);
    assert_eq!(drawn(&merged), "Main6(main6(module3([self]3) [self]3))");
}

#[test]
fn hidden_functions_go_and_what_they_called_stays() {
    let session = session(
        &[(&["main", "!helper", "work"], 3), (&["main", "!helper"], 2)],
        &[],
    );
    let tree = FrameTree::build_with(&session, &AGGREGATED);
    assert_eq!(
        processed(&tree, remove_tracebackhide, &ProcessorOptions::default()),
        "Main5(main5(work3([self]3) [self]2))"
    );
    let without_nodes = FrameTree::build(&session);
    let left = remove_tracebackhide(without_nodes, &ProcessorOptions::default());
    let main = left.children(left.roots().next().unwrap()).next().unwrap();
    assert_eq!(left.node(main).self_time(), Duration::from_millis(2));
}

#[test]
fn repeated_calls_are_added_up_and_sorted() {
    let session = session(
        &[
            (&["main", "a", "x"], 2),
            (&["main", "b"], 5),
            (&["main", "a", "y"], 4),
            (&["main", "c"], 5),
            (&["main", "a", "x"], 1),
        ],
        &[],
    );
    let tree = FrameTree::build_with(&session, &TIMELINE);
    let expected = "Main17(main17(a7(y4([self]4) x3([self]3)) b5([self]5) c5([self]5)))";
    let options = ProcessorOptions::default();
    assert_eq!(
        processed(&tree, aggregate_repeated_calls, &options),
        expected
    );
    assert_eq!(
        drawn(&FrameTree::build_with(&session, &AGGREGATED)),
        expected
    );
}

#[test]
fn many_different_calls_are_added_up_too() {
    let names: Vec<String> = (0..40).map(|number| format!("f{number}")).collect();
    let stacks: Vec<[&str; 2]> = names.iter().map(|name| ["main", name]).collect();
    let samples = stacks.iter().chain(&stacks).chain(&stacks[..7]);
    let samples: Vec<(Frames<'_>, u64)> = samples.map(|stack| (&stack[..], 1)).collect();
    let session = session(&samples, &[]);
    let tree = FrameTree::build_with(&session, &TIMELINE);
    let added = aggregate_repeated_calls(tree, &ProcessorOptions::default());
    assert_eq!(
        drawn(&added),
        drawn(&FrameTree::build_with(&session, &AGGREGATED))
    );
}

#[test]
fn an_only_own_time_is_the_functions() {
    let session = session(&[(&["main", "a"], 2), (&["main"], 1)], &[]);
    let tree = FrameTree::build_with(&session, &AGGREGATED);
    let options = ProcessorOptions::default();
    assert_eq!(
        processed(&tree, remove_unnecessary_self_time_nodes, &options),
        "Main3(main3(a2 [self]1))"
    );
}

#[test]
fn what_is_small_is_small_beside_the_whole() {
    let samples: &[(Frames<'_>, u64)] = &[
        (&["main", "large", "part"], 98),
        (&["main", "small"], 1),
        (&["main"], 1),
    ];
    let session = session(samples, &[]);
    let tree = FrameTree::build_with(&session, &AGGREGATED);
    let options = ProcessorOptions {
        filter_threshold: 0.02,
        ..ProcessorOptions::default()
    };
    assert_eq!(
        processed(&tree, remove_irrelevant_nodes, &options),
        "Main100(main100(large98(part98([self]98))))"
    );
}

#[test]
fn the_whole_of_a_session_stays_when_all_else_goes() {
    let json = |records: &str| {
        let json = format!(r#"{{"start_time": 0, "duration": 1, "frame_records": [{records}]}}"#);
        formats::pyinstrument::read_from(json.as_bytes(), "x".as_ref()).unwrap()
    };
    let (a, b) = (
        r#"[["a\u0000a.py\u00001"], 0.5]"#,
        r#"[["b\u0000a.py\u00001"], 0.25]"#,
    );
    let none = r#"[[], 0.25]"#;
    let nothing_stays = ProcessorOptions {
        filter_threshold: 2.0,
        ..ProcessorOptions::default()
    };
    for (records, expected) in [
        (format!("{a}, {b}"), Some("[root]")),
        (format!("{a}, {none}"), Some("[root]")),
        (a.to_owned(), Some("a")),
        (none.to_owned(), Some("[self]")),
        (String::new(), None),
    ] {
        let session = json(&records);
        for shape in [AGGREGATED, TIMELINE] {
            let tree = FrameTree::build_with(&session, &shape);
            let tree = remove_irrelevant_nodes(tree, &nothing_stays);
            let name = |id| match tree.node(id).kind() {
                NodeKind::Root => "[root]",
                NodeKind::Thread(_) => "a thread",
                NodeKind::SelfTime => "[self]",
                NodeKind::Function(function) => tree.function(function).name,
            };
            let tops: Vec<_> = tree.tops().map(name).collect();
            assert_eq!(tops.first().copied(), expected, "{records}");
            assert!(tops.len() < 2);
            assert_eq!(tree.total(), session.samples().total());
        }
    }
}

#[test]
fn libraries_that_call_each_other_are_a_group() {
    let session = session(
        &[
            (
                &[
                    "main",
                    "dumps@/lib/json.py",
                    "encode@/lib/json.py",
                    "default",
                ],
                4,
            ),
            (
                &[
                    "main",
                    "dumps@/lib/json.py",
                    "encode@/lib/json.py",
                    "default",
                    "len@/lib/x.py",
                ],
                3,
            ),
            (&["main", "alone@/lib/x.py", "mine"], 2),
            (&["main", "cell@<string>", "len@<built-in>"], 1),
        ],
        &[],
    );
    let tree = FrameTree::build_with(&session, &AGGREGATED);
    let options = ProcessorOptions::default();
    let tree = remove_unnecessary_self_time_nodes(tree, &options);
    assert_eq!(
        processed(&tree, group_library_frames, &options),
        "Main10(main10(dumps7#0(encode7#0(default7([self]4 len3))) alone2(mine2) cell1(len1)))"
    );
    let grouped = group_library_frames(tree.clone(), &options);
    let group = grouped.groups().next().unwrap();
    let name = |id| tree.function(grouped.node(id).function().unwrap()).name;
    let names: Vec<_> = grouped.group_nodes(group).map(name).collect();
    assert_eq!(
        (name(grouped.group_root(group)), &names[..]),
        ("dumps", &["dumps", "encode"][..])
    );
    let exits: Vec<_> = grouped.exit_nodes(group).map(name).collect();
    assert_eq!(exits, ["encode"]);

    let with = |hide: Option<&str>, show: Option<&str>| {
        let pattern = |text: Option<&str>| text.map(|text| PathPattern::new(text).unwrap());
        let options = ProcessorOptions {
            hide_regex: pattern(hide),
            show_regex: pattern(show),
            ..ProcessorOptions::default()
        };
        processed(&tree, group_library_frames, &options)
    };
    assert_eq!(
        with(Some("/app"), Some(".*json")),
        "Main10(main10#0(dumps7(encode7(default7#1([self]4#1 len3#1))) alone2#0(mine2#0) cell1(len1)))"
    );
    assert_eq!(with(None, Some("/lib/j")), drawn(&tree));
}

#[test]
fn a_group_that_loses_nodes_stays_whole() {
    let frames = [
        "main",
        "a@/lib/a.py",
        "!b@/lib/a.py",
        "c@/lib/a.py",
        "d@/lib/a.py",
    ];
    let session = session(&[(&frames, 5)], &[]);
    let options = ProcessorOptions::default();
    let tree = FrameTree::build(&session);
    let grouped = group_library_frames(tree, &options);
    let is = |tree: &FrameTree, id, name| {
        let function = tree.node(id).function();
        function.is_some_and(|function| tree.function(function).name == name)
    };
    let left = remove_tracebackhide(grouped.clone(), &options);
    assert_eq!(drawn(&left), "Main5(main5(a5#0(c5#0(d5#0))))");
    let headless = left.without(Replacement::Children, |tree, id| is(tree, id, "a"));
    assert_eq!(drawn(&headless), "Main5(main5(c5#0(d5#0)))");
    let cut = headless.without(Replacement::Nothing, |tree, id| is(tree, id, "d"));
    assert_eq!(drawn(&cut), "Main5(main5(c5))");
    assert_eq!(cut.groups().count(), 0);
    let short = grouped.without(Replacement::SelfTime, |tree, id| is(tree, id, "c"));
    assert_eq!(drawn(&short), "Main5(main5(a5#0(b5#0([self]5))))");
}

#[test]
fn the_stem_is_trimmed_down_to_where_the_recording_began() {
    let samples: &[(Frames<'_>, u64)] = &[
        (&["module", "main", "start", "work", "a"], 3),
        (&["module", "main", "start", "work", "b"], 2),
    ];
    let start = ["module", "main", "start"];
    let options = ProcessorOptions::default();
    let recorded = session(samples, &start);
    let tree = FrameTree::build_with(&recorded, &AGGREGATED);
    let below = "work5(a3([self]3) b2([self]2))";
    assert_eq!(
        processed(&tree, trim_stem, &options),
        format!("start5({below})")
    );
    let per_thread = FrameTree::build(&recorded);
    assert_eq!(
        processed(&per_thread, trim_stem, &options),
        "Main5(start5(work5(a3 b2)))"
    );

    let elsewhere = session(samples, &["module", "other"]);
    let tree = FrameTree::build_with(&elsewhere, &AGGREGATED);
    assert_eq!(
        processed(&tree, trim_stem, &options),
        format!("module5(main5(start5({below})))")
    );
    let busy = session(&[samples[0], (&["module"], 1)], &start);
    let tree = FrameTree::build_with(&busy, &AGGREGATED);
    assert_eq!(
        processed(&tree, trim_stem, &options),
        "module4(main3(start3(work3(a3([self]3)))) [self]1)"
    );
    let unknown = FrameTree::build_with(&session(samples, &[]), &AGGREGATED);
    assert_eq!(processed(&unknown, trim_stem, &options), drawn(&unknown));
}

#[test]
fn the_launcher_goes_with_all_that_it_does() {
    let launcher = "main@/x/pyinstrument/__main__.py";
    let runpy = "run@<frozen runpy>";
    let session = session(
        &[
            (&[launcher, "module@<string>", runpy, runpy, "work"], 8),
            (&[launcher, "module@<string>", "cleanup"], 1),
        ],
        &[launcher],
    );
    let options = ProcessorOptions::default();
    let tree = trim_stem(FrameTree::build_with(&session, &AGGREGATED), &options);
    let program = remove_first_pyinstrument_frames(tree.clone(), &options);
    assert_eq!(drawn(&program), "work8([self]8)");
    assert_eq!(program.total(), tree.total());
    assert_conserved(&program);
    let per_thread = remove_first_pyinstrument_frames(FrameTree::build(&session), &options);
    assert_eq!(drawn(&per_thread), "Main9(work8)");
    assert_conserved(&per_thread);
}

#[test]
fn names_in_brackets_are_no_code_of_the_application() {
    let session = session(
        &[
            (&["main", "wait", "[await]@"], 3),
            (&["main", "[out-of-context]@"], 2),
            (&["main"], 1),
        ],
        &[],
    );
    let tree = FrameTree::build_with(&session, &AGGREGATED);
    assert_eq!(
        drawn(&tree),
        "Main6(main6(wait3([await]3) [out-of-context]2 [self]1))"
    );
    let waited: Vec<_> = tree.await_times().iter().map(Duration::as_millis).collect();
    assert_eq!(waited, [3, 3, 3, 3, 3, 0, 0]);
    let application = [false, false, true, true, false, false, false];
    assert_eq!(tree.application_code(), application);
    let synthetic: Vec<_> = tree.walk().map(|(id, _)| tree.is_synthetic(id)).collect();
    assert_eq!(synthetic, [false, false, false, true, true, true]);
}

/// Sessions with some of everything that a processor looks at.
fn random_session(seed: u64) -> Session {
    random_session_of(seed, usize::MAX)
}

/// The same with at most so many samples: the first ones.
fn random_session_of(seed: u64, most: usize) -> Session {
    let mut random = Random::new(seed);
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let files = [
        "/app/a.py",
        "/app/b.py",
        "/lib/json.py",
        "/lib/re.py",
        "<frozen importlib._bootstrap>",
        "<string>",
        "",
        "/x/pyinstrument/__main__.py",
    ];
    let functions: Vec<_> = (0..30)
        .map(|number: usize| {
            let name = match number {
                0 => "[await]".to_owned(),
                1 => "[self]".to_owned(),
                // Some differ in nothing but whether they are hidden.
                _ => format!("f{}", number / 2),
            };
            builder.intern_function(&Function {
                name: &name,
                qualname: None,
                file: if number < 2 {
                    ""
                } else {
                    files[number / 2 % files.len()]
                },
                first_line: 0,
                hidden: number % 7 == 3,
            })
        })
        .collect();
    let classes = ["A", "B", "C"].map(|class| builder.intern_string(class));
    let threads = [
        builder.add_thread(process, 1, Some("Main")),
        builder.add_thread(process, 2, Some("Other")),
        builder.add_thread(process, 0, None),
    ];
    let mut frames: Vec<(FunctionId, Place)> = Vec::new();
    let used = 1 + random.below(3);
    for time in 0..random.below(400).min(most) {
        frames.truncate(frames.len().saturating_sub(random.below(4)));
        for _ in 0..random.below(4) {
            let place = Place {
                line: random.below(3) as u32,
                class: classes.get(random.below(6)).copied(),
                ..Place::default()
            };
            // Few functions, so that calls repeat.
            frames.push((functions[random.below(functions.len()) % 11], place));
        }
        let stack = builder.intern_stack_frames(frames.iter().copied());
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(time as i64),
            duration: Duration::from_nanos(random.below(5) as u64 * 1000),
            thread: threads[random.below(used)],
            task: None,
            state: ThreadState::ON_CPU,
            stack,
        });
    }
    let start = builder.intern_stack_frames([(functions[2], 0), (functions[4], 0)]);
    builder.finish(Manifest {
        sys_prefixes: Some(vec!["/lib".into()]),
        start_stack: Some(StartStack {
            thread: 0,
            stack: start.map(StackId::as_u32),
        }),
        ..Manifest::default()
    })
}

const ALL: [Processor; 9] = [
    trim_stem,
    remove_importlib,
    remove_tracebackhide,
    merge_consecutive_self_time,
    aggregate_repeated_calls,
    remove_irrelevant_nodes,
    remove_unnecessary_self_time_nodes,
    remove_first_pyinstrument_frames,
    group_library_frames,
];

fn all_tree_options() -> impl Iterator<Item = TreeOptions> {
    let scopes = [Scope::Thread, Scope::Session].into_iter();
    scopes.flat_map(|scope| {
        (0..4).map(move |bits| TreeOptions {
            timeline: bits & 1 != 0,
            self_nodes: bits & 2 != 0,
            scope,
            resources: true,
            states: true,
        })
    })
}

#[test]
fn every_processor_conserves_time_in_any_order() {
    for seed in 0..60 {
        let session = random_session(seed);
        for options in all_tree_options() {
            let tree = FrameTree::build_with(&session, &options);
            assert_eq!(tree.total(), session.samples().total(), "seed {seed}");
            assert_conserved(&tree);
            let mut random = Random::new(seed + 1000);
            let chosen = ProcessorOptions {
                filter_threshold: [0.0, 0.01, 0.1, 0.5][random.below(4)],
                hide_regex: (random.below(2) == 0).then(|| PathPattern::new("/app/b").unwrap()),
                show_regex: (random.below(2) == 0).then(|| PathPattern::new(".*json").unwrap()),
            };
            let mut after = tree.clone();
            for step in 0..12 {
                let before = after.clone();
                after = ALL[random.below(ALL.len())](after, &chosen);
                assert_eq!(after.total(), tree.total(), "seed {seed}, step {step}");
                assert_conserved(&after);
                // All of the samples were on a CPU, and none had the lock.
                for ((id, _), states) in after.walk().zip(&after.state_times()[1..]) {
                    assert_eq!(
                        states.on_cpu,
                        after.node(id).time(),
                        "seed {seed}, step {step}"
                    );
                    assert_eq!(states.gil, Duration::ZERO);
                }
                assert!(after.len() <= before.len());
                for group in after.groups() {
                    let root = after.group_root(group);
                    assert_eq!(after.group_nodes(group).next(), Some(root));
                    assert!(
                        after.group_nodes(group).count() > 1,
                        "seed {seed}, step {step}"
                    );
                }
            }
            for replacement in [
                Replacement::Children,
                Replacement::SelfTime,
                Replacement::Nothing,
            ] {
                let some = tree
                    .clone()
                    .without(replacement, |_, id| id.index() % 3 == 0);
                assert_eq!(some.total(), tree.total());
                assert_conserved(&some);
            }
        }
    }
}

/// Fails with the smallest part of a random session that does not have the property, which says why.
fn assert_of_random_sessions(seeds: u64, property: impl Fn(&Session) -> Result<(), String>) {
    for seed in 0..seeds {
        if property(&random_session(seed)).is_ok() {
            continue;
        }
        for samples in 0.. {
            let session = random_session_of(seed, samples);
            if let Err(reason) = property(&session) {
                let tree = drawn(&FrameTree::build_with(&session, &TIMELINE));
                panic!("seed {seed}, {samples} samples: {reason}\n{tree}");
            }
        }
    }
}

/// Whether each node's time is that of its own, of what was removed below it, and of its children.
fn conserved(tree: &FrameTree) -> Result<(), String> {
    for (id, _) in tree.walk_from(tree.root()) {
        let node = tree.node(id);
        let below: Duration = tree.children(id).map(|child| tree.node(child).time()).sum();
        let parts = node.self_time() + node.absorbed_time() + below;
        if node.time() != parts {
            return Err(format!("{id:?} has {:?}, not {parts:?}", node.time()));
        }
    }
    Ok(())
}

#[test]
fn every_choice_of_the_usual_processors_conserves_time() {
    assert_of_random_sessions(6, |session| {
        for shape in [TIMELINE, AGGREGATED] {
            let tree = FrameTree::build_with(session, &shape);
            let usual = default_processors(false, shape.timeline);
            for choice in 0..1 << usual.len() {
                let mut after = tree.clone();
                for (place, processor) in usual.iter().enumerate() {
                    if choice >> place & 1 == 1 {
                        after = processor(after, &ProcessorOptions::default());
                    }
                }
                let result = match after.total() == session.samples().total() {
                    true => conserved(&after),
                    false => Err(format!("{:?} in all", after.total())),
                };
                result.map_err(|reason| format!("{shape:?}, choice {choice:#b}: {reason}"))?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_coarser_session_has_the_time_of_each_thread() {
    let time_of = |session: &Session| {
        let mut times = vec![Duration::ZERO; session.threads().len()];
        for sample in session.samples().iter() {
            times[sample.thread.index()] += sample.duration;
        }
        times
    };
    assert_of_random_sessions(60, |session| {
        for micros in [1, 3, 10, 1000] {
            let interval = Duration::from_micros(micros);
            let coarse = session.clone().resample(interval).unwrap();
            if time_of(&coarse) != time_of(session) {
                return Err(format!("at {micros} us: {:?}", time_of(&coarse)));
            }
        }
        Ok(())
    });
}

#[test]
fn a_timeline_that_is_added_up_is_the_aggregated_tree() {
    let defaults = ProcessorOptions::default();
    for seed in 0..60 {
        let session = random_session(seed);
        for options in all_tree_options().filter(|options| !options.timeline) {
            let aggregated = FrameTree::build_with(&session, &options);
            let timeline = FrameTree::build_with(
                &session,
                &TreeOptions {
                    timeline: true,
                    ..options
                },
            );
            let added = aggregate_repeated_calls(timeline, &defaults);
            assert_eq!(
                drawn(&added),
                drawn(&aggregated),
                "seed {seed}, {options:?}"
            );
            let classes = |tree: &FrameTree| {
                let classes = tree.walk().map(|(id, _)| tree.node(id).class());
                classes.collect::<Vec<_>>()
            };
            let is_same = classes(&added) == classes(&aggregated);
            assert!(is_same, "seed {seed}, {options:?}");
        }
    }
}

#[test]
fn a_hundred_thousand_calls_deep_through_every_processor() {
    const DEPTH: usize = 100_000;
    // A thread with a small stack: whatever recursed over the frames would not come back from here.
    let work = || {
        let kinds = [
            "!hidden",
            "app",
            "a@/lib/a.py",
            "b@/lib/b.py",
            "exec@<frozen importlib._bootstrap>",
            "text@<string>",
            "main@/x/pyinstrument/__main__.py",
        ];
        let frames: Vec<&str> = (0..DEPTH).map(|depth| kinds[depth % kinds.len()]).collect();
        let half = &frames[..DEPTH / 2];
        let session = session(&[(&frames, 3), (half, 1), (&frames, 2)], &frames);
        let options = ProcessorOptions::default();
        for shape in all_tree_options() {
            let tree = FrameTree::build_with(&session, &shape);
            assert!(tree.len() >= DEPTH);
            for processor in ALL {
                let after = processor(tree.clone(), &options);
                assert_eq!(after.total(), Duration::from_millis(6));
            }
            for show_all in [false, true] {
                let processors = default_processors(show_all, shape.timeline);
                let after = processors
                    .into_iter()
                    .fold(tree.clone(), |tree, processor| processor(tree, &options));
                assert_eq!(after.total(), Duration::from_millis(6));
                assert_eq!(after.await_times().len(), after.application_code().len());
            }
        }
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work)
        .unwrap();
    thread.join().unwrap();
}
