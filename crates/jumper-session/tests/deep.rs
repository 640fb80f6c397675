//! A stack of a hundred thousand calls, as a recursion gives it, through all that is done with sessions.

use std::time::Duration;

use jumper_session::*;

const DEPTH: usize = 100_000;

/// A recording of that depth: mostly of one function that calls itself, below others.
fn deep_session() -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, Some("python deep.py"));
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let functions = ["down", "helper", "<lambda>"].map(|name| {
        builder.intern_function(&Function {
            name,
            qualname: Some(name),
            file: "/app/deep.py",
            first_line: 1,
            hidden: name == "helper",
        })
    });
    let deep = |depth: usize| (0..depth).map(move |row| (functions[row % 5 % 3], 2));
    let whole = builder.intern_stack_frames(deep(DEPTH));
    let half = builder.intern_stack_frames(deep(DEPTH / 2));
    for (row, stack) in [whole, half, None, whole].into_iter().enumerate() {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos((row as i64 + 1) * 1_000_000),
            duration: Duration::from_millis(1),
            thread,
            task: None,
            state: ThreadState::ON_CPU,
            stack,
        });
    }
    builder.finish(Manifest {
        end: Timestamp::from_nanos(4_000_000),
        ..Manifest::default()
    })
}

/// What must not depend on where the session has been: how deep its tree is, and how long.
fn check(session: &Session, millis: u64) {
    let tree = FrameTree::build(session);
    let deepest = tree.walk().map(|(_, depth)| depth).max();
    assert_eq!(deepest, Some(DEPTH));
    assert_eq!(tree.total(), Duration::from_millis(millis));
}

#[test]
fn a_hundred_thousand_calls_deep_through_everything() {
    // A thread with a small stack: whatever recursed over the frames would not come back from here.
    let work = || {
        let session = deep_session();
        check(&session, 4);
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jumper", "a.zip", "a.pyisession"] {
            let path = folder.path().join(name);
            formats::save(&session, &path).unwrap();
            check(&formats::open(&path).unwrap(), 4);
        }
        let begin = Timestamp::from_nanos(500_000);
        let some = Selection::all().between(begin, Timestamp::from_nanos(3_500_000));
        check(&session.clone().select(&some).unwrap(), 3);
        let coarse = session.clone().resample(Duration::from_millis(2));
        check(&coarse.unwrap(), 4);
        let pair = [session.clone(), session.clone()];
        check(&merge(&pair).unwrap(), 8);
        check(&combine(&pair).unwrap(), 8);
        let comparison = compare(&pair[0], &pair[1]);
        assert!(comparison.nodes().len() > DEPTH);
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work)
        .unwrap();
    thread.join().unwrap();
}
