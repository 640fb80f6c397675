//! Several recordings as one: the ranks of a job, the hosts of a cluster, the runs of a benchmark.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::error::{Error, Result};
use crate::tables::{Cell, Function, MetricColumn, NewSample, Place};
use crate::{
    Hold, Host, HostId, Manifest, MetricsSummary, Outcome, ProcessId, Program, Session,
    SessionBuilder, StackId, StacksSummary, ThreadId, Timestamp,
};

/// Recordings whose clocks differ by less, on the same machine, have the same clock: what is left is how exactly the
/// anchors were taken.
const SAME_CLOCK_NS: i128 = 1_000_000_000;
/// So many programs are named in a description.
const NAMED: usize = 3;

/// Makes one session of several: all their machines, processes, threads, samples, metrics and cells, on the clock of the first.
///
/// What is the same in two of them is one in the result: machines that are described alike, processes of one machine
/// with the same number and command, threads of one process with the same number and name. Recordings of other
/// machines are put on the first one's clock by the time of day, as exactly as their machines agree on that.
///
/// # Errors
/// [`Error::NothingToMerge`] without any, and [`Error::MergeConflict`] where two measure something different
/// under the same name.
pub fn merge(sessions: &[Session]) -> Result<Session> {
    let first = sessions.first().ok_or(Error::NothingToMerge)?;
    let mut merger = Merger::default();
    for session in sessions {
        merger.add(session, shift(first, session))?;
    }
    let manifest = manifest(sessions, |session| shift(first, session));
    Ok(merger.finish(manifest))
}

/// Puts sessions into one.
#[derive(Default)]
pub(crate) struct Merger {
    builder: SessionBuilder,
    hosts: Vec<(Host, HostId)>,
    processes: HashMap<(HostId, u32, Option<String>), ProcessId>,
    threads: HashMap<(ProcessId, u64, Option<String>), ThreadId>,
    metrics: Vec<MetricColumn>,
}

/// What rows of a session are in the result.
pub(crate) struct Added {
    pub(crate) threads: Vec<ThreadId>,
    pub(crate) stacks: Vec<StackId>,
}

impl Merger {
    /// Adds all of a session, with so many nanoseconds added to its times.
    pub(crate) fn add(&mut self, session: &Session, shift: i128) -> Result<Added> {
        let moved = |time| moved(time, shift);
        let hosts: Vec<HostId> = session.hosts().iter().map(|host| self.host(host)).collect();
        let processes: Vec<ProcessId> = session
            .processes()
            .iter()
            .map(|(id, process)| {
                let host = hosts[process.host.index()];
                self.process(host, process.pid, session.process_command(id))
            })
            .collect();
        let threads: Vec<ThreadId> = session
            .threads()
            .iter()
            .map(|(id, thread)| {
                let process = processes[thread.process.index()];
                let name = session.thread_name(id);
                let merged = self.thread(process, thread.native_id, name);
                self.builder.add_lost(merged, thread.lost);
                merged
            })
            .collect();
        let stacks = self.stacks(session);
        for sample in session.samples().iter() {
            self.builder.push_sample(NewSample {
                time: moved(sample.time),
                duration: sample.duration,
                thread: threads[sample.thread.index()],
                task: sample.task,
                state: sample.state,
                stack: sample.stack.map(|stack| stacks[stack.index()]),
            });
        }
        for (_, cell) in session.cells().iter() {
            let source = self.builder.intern_string(session.string(cell.source));
            self.builder.push_cell(Cell {
                process: processes[cell.process.index()],
                start: moved(cell.start),
                end: cell.end.map(moved),
                source,
                ..cell
            });
        }
        self.metrics(session, &hosts, moved)?;
        Ok(Added { threads, stacks })
    }

    pub(crate) fn finish(self, manifest: Manifest) -> Session {
        self.builder.finish(manifest)
    }

    fn host(&mut self, host: &Host) -> HostId {
        let known = self.hosts.iter().find(|(other, _)| other == host);
        if let Some(&(_, id)) = known {
            return id;
        }
        let id = self.builder.add_host(host.clone());
        self.hosts.push((host.clone(), id));
        id
    }

    fn process(&mut self, host: HostId, pid: u32, command: Option<&str>) -> ProcessId {
        let key = (host, pid, command.map(str::to_owned));
        let builder = &mut self.builder;
        known(&mut self.processes, key, || {
            builder.add_process(host, pid, command)
        })
    }

    fn thread(&mut self, process: ProcessId, native_id: u64, name: Option<&str>) -> ThreadId {
        let key = (process, native_id, name.map(str::to_owned));
        let builder = &mut self.builder;
        known(&mut self.threads, key, || {
            builder.add_thread(process, native_id, name)
        })
    }

    /// The stacks of a session in the result, by their rows.
    fn stacks(&mut self, session: &Session) -> Vec<StackId> {
        let builder = &mut self.builder;
        let functions: Vec<_> = session
            .frames()
            .iter()
            .map(|(id, _)| {
                let function: Function<'_> = session.function(id);
                builder.intern_function(&function)
            })
            .collect();
        let mut stacks: Vec<StackId> = Vec::with_capacity(session.stacks().len());
        // A parent comes before its children.
        for (_, stack) in session.stacks().iter() {
            let class = stack
                .class
                .map(|class| builder.intern_string(session.string(class)));
            let place = Place {
                line: stack.line,
                extent: stack.extent,
                class,
            };
            let parent = stack.parent.map(|parent| stacks[parent.index()]);
            stacks.push(builder.intern_stack(parent, functions[stack.function.index()], place));
        }
        stacks
    }

    fn metrics(
        &mut self,
        session: &Session,
        hosts: &[HostId],
        moved: impl Fn(Timestamp) -> Timestamp,
    ) -> Result<()> {
        let metrics = session.metrics();
        let mut places = Vec::new();
        for column in metrics.columns() {
            let known = self
                .metrics
                .iter()
                .position(|other| other.name == column.name);
            let place = match known {
                Some(place) => {
                    let other = &self.metrics[place];
                    if (&other.unit, other.kind) != (&column.unit, column.kind) {
                        return Err(Error::MergeConflict {
                            name: column.name.clone(),
                        });
                    }
                    place
                }
                None => {
                    self.builder.declare_metric(column.clone())?;
                    self.metrics.push(column.clone());
                    self.metrics.len() - 1
                }
            };
            places.push(place);
        }
        let mut values = vec![None; self.metrics.len()];
        for row in 0..metrics.len() {
            values.fill(None);
            for (column, &place) in places.iter().enumerate() {
                values[place] = metrics.values(crate::MetricId::from_len(column))[row];
            }
            let level = self
                .builder
                .intern_string(session.string(metrics.levels()[row]));
            let host = hosts[metrics.hosts()[row].index()];
            self.builder
                .push_metrics(moved(metrics.times()[row]), host, level, &values);
        }
        Ok(())
    }
}

fn known<K: Eq + Hash, V: Copy>(map: &mut HashMap<K, V>, key: K, new: impl FnOnce() -> V) -> V {
    *map.entry(key).or_insert_with(new)
}

/// A time so many nanoseconds later.
pub(crate) fn moved(time: Timestamp, shift: i128) -> Timestamp {
    let nanos = i128::from(time.as_nanos()) + shift;
    Timestamp::from_nanos(nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
}

/// What to add to the times of `session`, in nanoseconds, to have them on the clock of `reference`.
fn shift(reference: &Session, session: &Session) -> i128 {
    let zero = |session: &Session| {
        let clock = session.manifest().clock;
        i128::from(clock.unix_ns) - i128::from(clock.monotonic.as_nanos())
    };
    let shift = zero(session) - zero(reference);
    let names = |session: &Session| {
        session
            .hosts()
            .iter()
            .map(|host| host.name.clone())
            .collect()
    };
    let (one, other): (Vec<String>, Vec<String>) = (names(reference), names(session));
    match one == other && shift.abs() < SAME_CLOCK_NS {
        true => 0,
        false => shift,
    }
}

fn manifest(sessions: &[Session], shift: impl Fn(&Session) -> i128) -> Manifest {
    let all = || sessions.iter().map(Session::manifest);
    let starts = sessions
        .iter()
        .map(|session| moved(session.start(), shift(session)));
    let ends = sessions
        .iter()
        .map(|session| moved(session.end(), shift(session)));
    let mut notes = union(all().map(|manifest| &manifest.notes));
    if sessions.len() > 1 {
        notes.push(format!("merged from {} recordings", sessions.len()));
    }
    let prefixes = union(all().filter_map(|manifest| manifest.sys_prefixes.as_ref()));
    Manifest {
        jumper_version: env!("CARGO_PKG_VERSION").into(),
        python: common(all().map(|manifest| manifest.python.clone())).flatten(),
        sys_path: common(all().map(|manifest| manifest.sys_path.clone())).flatten(),
        sys_prefixes: (!prefixes.is_empty()).then_some(prefixes),
        program: program(sessions),
        clock: sessions[0].manifest().clock,
        start: starts.min().unwrap_or_default(),
        end: ends.max().unwrap_or_default(),
        outcome: common(all().map(|manifest| manifest.outcome)).unwrap_or(Outcome::Unknown),
        cpu_time: all().map(|manifest| manifest.cpu_time).sum(),
        stacks: all()
            .filter_map(|manifest| manifest.stacks)
            .reduce(both_stacks),
        metrics: all()
            .filter_map(|manifest| manifest.metrics)
            .reduce(both_metrics),
        thresholds: common(all().map(|manifest| manifest.thresholds)).flatten(),
        is_part: all().any(|manifest| manifest.is_part),
        notes,
        ..Manifest::default()
    }
}

/// All texts of the lists, each once.
pub(crate) fn union<'a>(lists: impl Iterator<Item = &'a Vec<String>>) -> Vec<String> {
    let mut known = HashSet::new();
    let texts = lists.flatten().filter(|text| known.insert(text.as_str()));
    texts.cloned().collect()
}

pub(crate) fn both_stacks(one: StacksSummary, other: StacksSummary) -> StacksSummary {
    StacksSummary {
        interval: one.interval.max(other.interval),
        max_interval: one.max_interval.max(other.max_interval),
        hold: match one.hold == other.hold {
            true => one.hold,
            false => Hold::Unknown,
        },
        ticks: one.ticks.saturating_add(other.ticks),
        late_ticks: one.late_ticks.saturating_add(other.late_ticks),
        partial: one.partial.saturating_add(other.partial),
        span: one.span.saturating_add(other.span),
        ..StacksSummary::default()
    }
}

pub(crate) fn both_metrics(one: MetricsSummary, other: MetricsSummary) -> MetricsSummary {
    MetricsSummary {
        interval: one.interval.max(other.interval),
        samples: one.samples.saturating_add(other.samples),
        late: one.late.saturating_add(other.late),
        cpu: one.cpu.saturating_add(other.cpu),
    }
}

/// The value that all have, if they all have the same.
pub(crate) fn common<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// What is known of the program, where it is one; else the names of some.
fn program(sessions: &[Session]) -> Program {
    let programs = || sessions.iter().map(|session| &session.manifest().program);
    if let Some(program) = common(programs()) {
        return program.clone();
    }
    let mut names: Vec<&str> = Vec::new();
    for program in programs() {
        if !names.contains(&program.description.as_str()) {
            names.push(&program.description);
        }
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let mut description = names.join("; ");
    if more > 0 {
        description.push_str(&format!("; and {more} more"));
    }
    Program {
        description,
        argv: common(programs().map(|program| program.argv.clone())).unwrap_or_default(),
        cwd: common(programs().map(|program| program.cwd.clone())).flatten(),
        pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{ClockAnchor, FrameTree, ThreadState};

    /// A recording of one sample of a second at 5 s of its clock, which begins `zero` seconds after 1970.
    fn session(host: &str, pid: u32, zero: i64, function: &str, unit: &str) -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host {
            name: host.into(),
            ..Host::default()
        });
        let process = builder.add_process(host, pid, Some("python a.py"));
        let thread = builder.add_thread(process, pid.into(), Some("MainThread"));
        builder.add_lost(thread, 1);
        let function = builder.intern_function(&Function {
            name: function,
            qualname: None,
            file: "a.py",
            first_line: 1,
            hidden: false,
        });
        let class = Some(builder.intern_string("Worker"));
        let place = Place {
            line: 3,
            class,
            ..Place::default()
        };
        let stack = builder.intern_stack_frames([(function, place)]);
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(5_000_000_000),
            duration: Duration::from_secs(1),
            thread,
            task: None,
            state: ThreadState::ON_CPU,
            stack,
        });
        let column = MetricColumn {
            name: "memory".into(),
            unit: unit.into(),
            ..MetricColumn::default()
        };
        builder.declare_metric(column).expect("a good name");
        let level = builder.intern_string("process");
        let time = Timestamp::from_nanos(4_000_000_000);
        builder.push_metrics(time, host, level, &[Some(f64::from(pid))]);
        let source = builder.intern_string("a cell");
        builder.push_cell(Cell {
            process,
            start: time,
            end: Some(time.after(Duration::from_secs(1))),
            source,
            outcome: crate::CellOutcome::Ok,
        });
        builder.finish(Manifest {
            clock: ClockAnchor {
                unix_ns: zero * 1_000_000_000,
                ..ClockAnchor::default()
            },
            start: Timestamp::from_nanos(4_000_000_000),
            end: Timestamp::from_nanos(5_000_000_000),
            stacks: Some(StacksSummary::default()),
            ..Manifest::default()
        })
    }

    #[test]
    fn what_is_the_same_is_one_and_time_adds_up() {
        let sessions = [
            session("a", 7, 100, "work", "bytes"),
            session("a", 7, 100, "work", "bytes"),
            session("a", 8, 100, "rest", "bytes"),
        ];
        let merged = merge(&sessions).expect("they fit");
        assert_eq!((merged.hosts().len(), merged.processes().len()), (1, 2));
        assert_eq!((merged.threads().len(), merged.frames().len()), (2, 2));
        assert_eq!(merged.lost(), 3);
        assert_eq!(merged.manifest().stacks.expect("there are").samples, 3);
        let tree = FrameTree::build(&merged);
        assert_eq!(tree.total(), Duration::from_secs(3));
        let times: Vec<_> = tree
            .roots()
            .map(|root| tree.node(root).time().as_secs())
            .collect();
        assert_eq!(times, [2, 1]);
        let classes = merged
            .stacks()
            .iter()
            .map(|(_, stack)| merged.string(stack.class.expect("one")));
        assert!(classes.eq(["Worker", "Worker"]));
        assert_eq!(merged.metrics().len(), 3);
    }

    #[test]
    fn other_machines_are_put_on_the_clock_of_the_first() {
        let sessions = [
            session("a", 7, 100, "work", ""),
            session("b", 7, 160, "work", ""),
        ];
        let merged = merge(&sessions).expect("they fit");
        assert_eq!((merged.hosts().len(), merged.processes().len()), (2, 2));
        let times = merged
            .samples()
            .times()
            .iter()
            .map(|time| time.as_nanos() / 1_000_000_000);
        assert!(times.eq([5, 65]));
        let cells = merged.cells().iter().map(|(_, cell)| {
            let seconds = cell.start.as_nanos() / 1_000_000_000;
            (cell.process.index(), seconds, merged.string(cell.source))
        });
        assert!(cells.eq([(0, 4, "a cell"), (1, 64, "a cell")]));
        assert_eq!(merged.duration(), Duration::from_secs(61));
        assert_eq!(merged.manifest().notes, ["merged from 2 recordings"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let sessions = [
            session("a", 7, 0, "f", "bytes"),
            session("a", 7, 0, "f", "GB"),
        ];
        let error = merge(&sessions).expect_err("bytes are no GB").to_string();
        assert!(error.contains("`memory`"), "{error}");
        assert!(merge(&[]).is_err());
    }
}
