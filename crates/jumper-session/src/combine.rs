//! Several recordings as one that was paused: the calls of a function, the runs of a program.

use crate::error::{Error, Result};
use crate::merge::{Merger, both_metrics, both_stacks, common, moved, union};
use crate::{Manifest, Outcome, Session, StacksSummary, StartStack};

/// Makes one session of several, as pyinstrument's `Session.combine` does: one after the other, as if nothing was between them,
/// so that their lengths add up. The one that began first is the first, and gives the name of the program and the clock.
///
/// What is the same in two of them is one in the result, as in [`merge`](crate::merge), which leaves each at its own time.
///
/// # Errors
/// [`Error::NothingToMerge`] without any, and [`Error::MergeConflict`] where two measure something different
/// under the same name.
pub fn combine(sessions: &[Session]) -> Result<Session> {
    let mut order: Vec<&Session> = sessions.iter().collect();
    order.sort_by_key(|session| session.manifest().clock.unix_nanos_at(session.start()));
    let first = *order.first().ok_or(Error::NothingToMerge)?;
    let mut merger = Merger::default();
    let mut start_stack = None;
    let mut end = first.start();
    for (place, session) in order.iter().enumerate() {
        let shift = i128::from(end.as_nanos()) - i128::from(session.start().as_nanos());
        let added = merger.add(session, shift)?;
        if let (0, Some((thread, stack))) = (place, session.start_stack()) {
            start_stack = Some(StartStack {
                thread: added.threads[thread.index()].as_u32(),
                stack: stack.map(|stack| added.stacks[stack.index()].as_u32()),
            });
        }
        end = moved(session.end().max(session.start()), shift);
    }
    let manifest = Manifest {
        start: first.start(),
        end,
        start_stack,
        ..manifest(first.manifest(), &order)
    };
    Ok(merger.finish(manifest))
}

/// What does not depend on how times are moved.
fn manifest(first: &Manifest, order: &[&Session]) -> Manifest {
    let all = || order.iter().map(|session| session.manifest());
    let known = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let mut notes = union(all().map(|manifest| &manifest.notes));
    if order.len() > 1 {
        notes.push(format!(
            "combined from {} recordings, one after the other without the time between them",
            order.len()
        ));
    }
    Manifest {
        jumper_version: env!("CARGO_PKG_VERSION").into(),
        python: common(all().map(|manifest| manifest.python.clone())).flatten(),
        sys_path: known(union(
            all().filter_map(|manifest| manifest.sys_path.as_ref()),
        )),
        sys_prefixes: known(union(
            all().filter_map(|manifest| manifest.sys_prefixes.as_ref()),
        )),
        program: first.program.clone(),
        clock: first.clock,
        outcome: common(all().map(|manifest| manifest.outcome)).unwrap_or(Outcome::Unknown),
        cpu_time: all().map(|manifest| manifest.cpu_time).sum(),
        stacks: all()
            .filter_map(|manifest| manifest.stacks)
            .reduce(with_both_intervals),
        metrics: all()
            .filter_map(|manifest| manifest.metrics)
            .reduce(both_metrics),
        notes,
        ..Manifest::default()
    }
}

/// Both summaries as one that says which intervals there were.
fn with_both_intervals(one: StacksSummary, other: StacksSummary) -> StacksSummary {
    let max = |stacks: StacksSummary| stacks.max_interval.unwrap_or(stacks.interval);
    let interval = one.interval.min(other.interval);
    let max_interval = max(one).max(max(other));
    StacksSummary {
        interval,
        max_interval: (max_interval > interval).then_some(max_interval),
        ..both_stacks(one, other)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        ClockAnchor, Function, Host, MetricColumn, NewSample, Program, SessionBuilder, ThreadState,
        Timestamp,
    };

    const S: i64 = 1_000_000_000;

    /// A recording that began `from` seconds after 1970, with a sample and a measurement in each second.
    fn session(from: i64, seconds: i64, name: &str) -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 7, None);
        // Of another number than in others.
        for id in 0..from % 2 {
            builder.add_thread(process, 100 + id as u64, None);
        }
        let thread = builder.add_thread(process, 7, Some("MainThread"));
        let function = builder.intern_function(&Function {
            name,
            qualname: None,
            file: "a.py",
            first_line: 1,
            hidden: false,
        });
        let stack = builder.intern_stack(None, function, 1);
        let column = MetricColumn {
            name: "memory".into(),
            ..MetricColumn::default()
        };
        builder.declare_metric(column).expect("a good name");
        let level = builder.intern_string("process");
        for second in 1..=seconds {
            let time = Timestamp::from_nanos((5 + second) * S);
            builder.push_sample(NewSample {
                time,
                duration: Duration::from_secs(1),
                thread,
                task: None,
                state: ThreadState::NONE,
                stack: Some(stack),
            });
            builder.push_metrics(time, host, level, &[Some(1.0)]);
        }
        builder.finish(Manifest {
            clock: ClockAnchor {
                monotonic: Timestamp::from_nanos(5 * S),
                unix_ns: from * S,
                utc_offset_s: 0,
            },
            start: Timestamp::from_nanos(5 * S),
            end: Timestamp::from_nanos((5 + seconds) * S),
            program: Program {
                description: name.into(),
                ..Program::default()
            },
            sys_path: Some(vec!["/lib".into(), format!("/{name}")]),
            cpu_time: Some(Duration::from_secs(1)),
            start_stack: Some(StartStack {
                thread: thread.as_u32(),
                stack: Some(stack.as_u32()),
            }),
            stacks: Some(StacksSummary {
                interval: Duration::from_secs(seconds as u64),
                ..StacksSummary::default()
            }),
            ..Manifest::default()
        })
    }

    #[test]
    fn the_second_begins_where_the_first_ends() {
        let combined = combine(&[session(101, 2, "b"), session(40, 3, "a")]).expect("they fit");
        assert_eq!(combined.duration(), Duration::from_secs(5));
        let times = |times: &[Timestamp]| -> Vec<i64> {
            times.iter().map(|time| time.as_nanos() / S).collect()
        };
        assert_eq!(times(combined.samples().times()), [6, 7, 8, 9, 10]);
        assert_eq!(times(combined.metrics().times()), [6, 7, 8, 9, 10]);
        let names = combined.samples().iter().map(|sample| {
            let stack = combined.stacks().get(sample.stack.expect("one"));
            combined.function(stack.function).name
        });
        assert!(names.eq(["a", "a", "a", "b", "b"]));
        let manifest = combined.manifest();
        assert_eq!(manifest.program.description, "a");
        assert_eq!(manifest.cpu_time, Some(Duration::from_secs(2)));
        let sys_path = ["/lib", "/a", "/b"].map(String::from);
        assert_eq!(manifest.sys_path, Some(sys_path.to_vec()));
        let stacks = manifest.stacks.expect("there are");
        assert_eq!(stacks.interval, Duration::from_secs(2));
        assert_eq!(stacks.max_interval, Some(Duration::from_secs(3)));
        let (thread, stack) = combined.start_stack().expect("there is one");
        assert_eq!(combined.thread_name(thread), Some("MainThread"));
        let stack = combined.stacks().get(stack.expect("it had a frame"));
        assert_eq!(combined.function(stack.function).name, "a");
    }

    #[test]
    fn one_alone_is_the_same_and_none_is_an_error() {
        let alone = session(40, 3, "a");
        let combined = combine(std::slice::from_ref(&alone)).expect("it fits");
        assert_eq!(combined.manifest().notes, alone.manifest().notes);
        assert_eq!(combined.samples(), alone.samples());
        assert!(matches!(combine(&[]), Err(Error::NothingToMerge)));
    }
}
