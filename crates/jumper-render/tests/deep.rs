//! Reports of a recursion of a hundred thousand calls.

use std::time::Duration;

use jumper_render::{Diff, DiffForm, RenderOptions, renderers};
use jumper_session::{
    Function, Host, Manifest, NewSample, Session, SessionBuilder, ThreadState, Timestamp,
};

const DEPTH: usize = 100_000;

/// A recording of a function that calls itself, and of another one at the bottom.
fn deep_session(millis: u64) -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let functions = ["down", "bottom"].map(|name| {
        builder.intern_function(&Function {
            name,
            qualname: None,
            file: "/app/deep.py",
            first_line: 1,
            hidden: false,
        })
    });
    let calls = (1..DEPTH).map(|_| functions[0]).chain([functions[1]]);
    let stack = builder.intern_stack_frames(calls.map(|function| (function, 2)));
    for time in 1..100 {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(time),
            duration: Duration::from_millis(millis),
            thread,
            task: None,
            state: ThreadState::NONE,
            stack,
        });
    }
    builder.finish(Manifest {
        sys_path: Some(vec!["/app".into()]),
        ..Manifest::default()
    })
}

#[test]
fn every_report_of_a_hundred_thousand_calls_is_made() {
    // A thread with a small stack: whatever recursed over the frames would not come back from here.
    let work = || {
        let [before, after] = [1, 9].map(deep_session);
        for renderer in renderers() {
            let mut out = Vec::new();
            let made = renderer.render(&before, &RenderOptions::default(), &mut out);
            made.unwrap_or_else(|error| panic!("{}: {error}", renderer.about().name));
            assert!(!out.is_empty());
        }
        let mut out = Vec::new();
        let diff = Diff::of(&before, &after);
        diff.write(DiffForm::Text, &mut out)
            .expect("it is in memory");
        assert!(String::from_utf8(out).expect("text").contains("bottom"));
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work)
        .expect("a thread");
    thread.join().expect("it did not overflow");
}
