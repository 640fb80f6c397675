//! The Firefox Profiler's processed profiles (<https://profiler.firefox.com>), by the library that samply writes them with.
//!
//! A thread there is a thread here, a metric of a level is a counter track, and the run of a cell is a marker on the main thread of
//! its process.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use fxprof_processed_profile as fx;
use jumper_session::{
    Cell, FunctionId, Parts, ProcessId, Session, StackId, ThreadId, ThreadState, Timestamp,
};

use super::counters::{Counter, Quantity};
use super::frame::outermost_first;
use super::owners::{Numbers, cell_outcome, process_name, thread_name};
use crate::paths::Paths;
use crate::{About, RenderError, RenderOptions, Renderer, facts};

const ABOUT: About = About {
    name: "firefox",
    help: "a profile for the Firefox Profiler, with metrics and cells",
    extensions: &["firefox.json"],
    media_type: "application/json",
    is_binary: false,
    options: &[],
};

/// The renderer `firefox`.
pub(crate) struct Firefox;

impl Renderer for Firefox {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::ALL
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let mut builder = Builder::new(session);
        builder.add_samples();
        builder.add_counters();
        builder.add_cells();
        serde_json::to_writer(&mut *out, &builder.profile)?;
        writeln!(out)?;
        Ok(())
    }
}

struct Builder<'a> {
    session: &'a Session,
    profile: fx::Profile,
    processes: Vec<fx::ProcessHandle>,
    threads: Vec<fx::ThreadHandle>,
    /// Of each process the thread that its counters and cells are shown with.
    main_threads: Vec<fx::ThreadHandle>,
}

impl<'a> Builder<'a> {
    /// A profile that has the processes and the threads.
    fn new(session: &'a Session) -> Self {
        let start_ns = session.manifest().clock.unix_nanos_at(session.start());
        let start = Duration::from_nanos(start_ns.max(0).unsigned_abs());
        let interval = session
            .sample_interval()
            .unwrap_or(Duration::from_millis(1));
        let mut profile = fx::Profile::new(
            facts::program_name(session),
            fx::ReferenceTimestamp::from_duration_since_unix_epoch(start),
            fx::SamplingInterval::from_nanos(
                u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX),
            ),
        );
        profile.set_symbolicated(true);
        if let Some(host) = session.hosts().first() {
            profile.set_os_name(&host.os);
        }
        let mut builder = Self {
            session,
            profile,
            processes: Vec::new(),
            threads: Vec::new(),
            main_threads: Vec::new(),
        };
        builder.add_owners();
        builder
    }

    fn add_owners(&mut self) {
        let session = self.session;
        let numbers = Numbers::of(session);
        let mains: Vec<Option<ThreadId>> = session
            .processes()
            .iter()
            .map(|(id, _)| main_thread(session, id))
            .collect();
        let (start, end) = (
            moment(session, session.start()),
            moment(session, session.end()),
        );
        for (id, _) in session.processes().iter() {
            let name = process_name(session, id);
            let process = self.profile.add_process(&name, numbers.process(id), start);
            self.profile.set_process_end_time(process, end);
            self.processes.push(process);
        }
        for (id, thread) in session.threads().iter() {
            let process = self.processes[thread.process.index()];
            let is_main = mains[thread.process.index()] == Some(id);
            let handle = self
                .profile
                .add_thread(process, numbers.thread(id), start, is_main);
            self.profile
                .set_thread_name(handle, &thread_name(session, id));
            self.profile.set_thread_end_time(handle, end);
            self.threads.push(handle);
        }
        for (index, main) in mains.into_iter().enumerate() {
            let main = match main {
                Some(main) => self.threads[main.index()],
                None => self.add_stand_in(self.processes[index]),
            };
            self.main_threads.push(main);
        }
        // There is no profile without a thread.
        if self.processes.is_empty() {
            let name = facts::program_name(session);
            let process = self
                .profile
                .add_process(name, numbers.spare_process(0), start);
            let main = self.add_stand_in(process);
            self.processes.push(process);
            self.main_threads.push(main);
        }
    }

    /// A thread for a process of which none was seen.
    fn add_stand_in(&mut self, process: fx::ProcessHandle) -> fx::ThreadHandle {
        let start = moment(self.session, self.session.start());
        let thread = self.profile.add_thread(process, 0, start, true);
        self.profile.set_thread_name(thread, "no thread was seen");
        thread
    }

    fn add_samples(&mut self) {
        let session = self.session;
        let mut stacks = Stacks {
            session,
            paths: Paths::of(session),
            labels: HashMap::new(),
            known: HashMap::new(),
            chain: Vec::new(),
        };
        for sample in session.samples().iter() {
            let thread = self.threads[sample.thread.index()];
            let stack = stacks.of(&mut self.profile, sample.thread, thread, sample.stack);
            let cpu = match sample.state.contains(ThreadState::ON_CPU) {
                true => {
                    fx::CpuDelta::from_nanos(sample.duration.as_nanos().try_into().unwrap_or(0))
                }
                false => fx::CpuDelta::ZERO,
            };
            let time = moment(session, sample.time);
            self.profile.add_sample(thread, time, stack, cpu, 1);
        }
    }

    fn add_counters(&mut self) {
        let session = self.session;
        for counter in Counter::all(session) {
            let process = counter.process(session).map_or(0, ProcessId::index);
            let (category, quantity) = match counter.quantity(session) {
                quantity @ Quantity::Bytes(_) => ("Memory", quantity),
                quantity @ Quantity::BytesPerSecond(_) => ("Bandwidth", quantity),
                quantity => ("Metrics", quantity),
            };
            let column = session.metrics().column(counter.metric);
            let handle = self.profile.add_counter(
                self.processes[process],
                &counter.name(session),
                category,
                &column.help,
            );
            let mut before: Option<(Timestamp, f64)> = None;
            for (time, value) in counter.values(session) {
                // What is shown is the sum of what came until then, of memory, else what came at the time.
                let amount = match (quantity, before) {
                    (Quantity::Bytes(unit), Some((_, last))) => (value - last) * unit,
                    (Quantity::Bytes(unit), None) => value * unit,
                    (Quantity::BytesPerSecond(unit), Some((last, _))) => {
                        value * unit * time.since(last).as_secs_f64()
                    }
                    (Quantity::BytesPerSecond(_), None) => 0.0,
                    (Quantity::Count, before) => value - before.map_or(value, |(_, last)| last),
                    (Quantity::Level, _) => value,
                };
                // A file may say anything, and JSON has no infinity.
                if amount.is_finite() {
                    self.profile
                        .add_counter_sample(handle, moment(session, time), amount, 0);
                    before = Some((time, value));
                }
            }
        }
    }

    fn add_cells(&mut self) {
        let session = self.session;
        for (id, cell) in session.cells().iter() {
            let marker = CellMarker {
                name: self.profile.intern_string(&format!("Cell {}", id.index())),
                source: self.profile.intern_string(session.string(cell.source)),
                outcome: self.profile.intern_string(cell_outcome(&cell)),
            };
            let thread = self.main_threads[cell.process.index()];
            let timing = timing(session, &cell);
            self.profile.add_marker(thread, timing, marker);
        }
    }
}

/// When something was, since the recording began. What a file says was before that was then.
fn moment(session: &Session, time: Timestamp) -> fx::Timestamp {
    let since = time.since(session.start()).as_nanos();
    fx::Timestamp::from_nanos_since_reference(u64::try_from(since).unwrap_or(u64::MAX))
}

fn timing(session: &Session, cell: &Cell) -> fx::MarkerTiming {
    let start = moment(session, cell.start);
    match cell.end {
        Some(end) => fx::MarkerTiming::Interval(start, moment(session, end)),
        None => fx::MarkerTiming::IntervalStart(start),
    }
}

/// The thread that the kernel calls by the number of the process, else the first.
fn main_thread(session: &Session, process: ProcessId) -> Option<ThreadId> {
    let pid = u64::from(session.processes().get(process).pid);
    let threads = session
        .threads()
        .iter()
        .filter(|(_, thread)| thread.process == process);
    threads
        .min_by_key(|(_, thread)| thread.native_id != pid)
        .map(|(id, _)| id)
}

/// The stacks that the profile has by now.
struct Stacks<'a> {
    session: &'a Session,
    paths: Paths<'a>,
    labels: HashMap<FunctionId, fx::StringHandle>,
    known: HashMap<(ThreadId, StackId), fx::StackHandle>,
    chain: Vec<StackId>,
}

impl Stacks<'_> {
    fn of(
        &mut self,
        profile: &mut fx::Profile,
        id: ThreadId,
        thread: fx::ThreadHandle,
        stack: Option<StackId>,
    ) -> Option<fx::StackHandle> {
        let stack = stack?;
        if let Some(known) = self.known.get(&(id, stack)) {
            return Some(*known);
        }
        let mut chain = std::mem::take(&mut self.chain);
        outermost_first(self.session, Some(stack), &mut chain);
        let mut parent = None;
        for &stack in &chain {
            let handle = match self.known.get(&(id, stack)) {
                Some(known) => *known,
                None => {
                    let label = self.label(profile, self.session.stacks().get(stack).function);
                    let frame = fx::FrameInfo {
                        frame: fx::Frame::Label(label),
                        category_pair: fx::CategoryHandle::OTHER.into(),
                        flags: fx::FrameFlags::empty(),
                    };
                    let frame = profile.intern_frame(thread, frame);
                    profile.intern_stack(thread, parent, frame)
                }
            };
            self.known.insert((id, stack), handle);
            parent = Some(handle);
        }
        self.chain = chain;
        parent
    }

    /// The library has no room for the place of a function, so that it is a part of the name.
    fn label(&mut self, profile: &mut fx::Profile, id: FunctionId) -> fx::StringHandle {
        if let Some(known) = self.labels.get(&id) {
            return *known;
        }
        let function = self.session.function(id);
        let name = function.display_name();
        let label = match function.file {
            "" => profile.intern_string(name),
            _ => {
                let path = self.paths.short(id);
                profile.intern_string(&format!("{name} ({path}:{})", function.first_line))
            }
        };
        self.labels.insert(id, label);
        label
    }
}

/// The run of a cell.
struct CellMarker {
    name: fx::StringHandle,
    source: fx::StringHandle,
    outcome: fx::StringHandle,
}

impl fx::StaticSchemaMarker for CellMarker {
    const UNIQUE_MARKER_TYPE_NAME: &'static str = "NotebookCell";
    const CHART_LABEL: Option<&'static str> = Some("{marker.name}");
    const TABLE_LABEL: Option<&'static str> = Some("{marker.name}: {marker.data.source}");
    const FIELDS: &'static [fx::StaticSchemaMarkerField] = &[
        fx::StaticSchemaMarkerField {
            key: "source",
            label: "Source",
            format: fx::MarkerFieldFormat::String,
            flags: fx::MarkerFieldFlags::SEARCHABLE,
        },
        fx::StaticSchemaMarkerField {
            key: "outcome",
            label: "Outcome",
            format: fx::MarkerFieldFormat::String,
            flags: fx::MarkerFieldFlags::SEARCHABLE,
        },
    ];

    fn name(&self, _profile: &mut fx::Profile) -> fx::StringHandle {
        self.name
    }

    fn category(&self, _profile: &mut fx::Profile) -> fx::CategoryHandle {
        fx::CategoryHandle::OTHER
    }

    fn string_field_value(&self, field_index: u32) -> fx::StringHandle {
        match field_index {
            0 => self.source,
            _ => self.outcome,
        }
    }

    fn number_field_value(&self, _field_index: u32) -> f64 {
        unreachable!("bug: no field of a cell is a number")
    }
}
