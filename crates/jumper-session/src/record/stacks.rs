//! The thread that samples stacks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumper_sampler::{
    Agent, Beat, Error, HoldMode, Pid, SampleOutcome, StackSampler, SysPaths, ThreadSample, Tick,
    Ticker, Tid, Timestamp as Clock, wake_exactly,
};

use super::inbox::Inbox;
use super::source::Source;
use super::stop::Stop;
use super::sys_paths::Schedule;
use super::{RecordOptions, facts, from_clock, lock, python};
use crate::{
    Extent, Function, FunctionId, Manifest, NewSample, Place, ProcessId, Python, SessionBuilder,
    StackId, StacksSummary, StringId, ThreadId, ThreadState,
};

/// How often to look for the interpreter of a program that was just started. It is there within some 10 ms.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How often later: a program that is not Python after this many looks will hardly become one.
const LOOK_SELDOM: Duration = Duration::from_millis(20);
const EAGER_LOOKS: u32 = 2000;

/// What the thread found out, apart from the samples.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) ticks: u64,
    pub(super) late: u64,
    /// From the first look to the last.
    pub(super) span: Duration,
    pub(super) python: Option<Python>,
    pub(super) sys_paths: SysPaths,
    /// Samples of which only the outer part is proven.
    pub(super) partial: u64,
    /// How threads were held in the end.
    pub(super) hold: Option<HoldMode>,
    pub(super) notes: Vec<String>,
}

impl Summary {
    /// What is left of a thread that panicked. Its message has been printed.
    pub(super) fn of_failure() -> Self {
        let note =
            "stacks end early: their recorder failed, which is a bug of jumper; please report it";
        Self {
            notes: vec![note.into()],
            ..Self::default()
        }
    }
}

/// Attaches to a process that is expected to be a Python, and may be just coming up.
pub(super) fn attach_within(pid: Pid, hold: HoldMode, patience: Duration) -> Result<Source, Error> {
    let deadline = Clock::now().after(patience);
    loop {
        match Source::attach(pid, hold) {
            Err(error) if error.is_transient() && Clock::now() < deadline => {
                std::thread::sleep(LOOK_EVERY)
            }
            result => return result,
        }
    }
}

pub(super) struct Recorder {
    pid: Pid,
    options: RecordOptions,
    /// Kept as long as the program may run another one, which loads it anew.
    agent: Option<Agent>,
    process: ProcessId,
    inbox: Arc<Inbox>,
    /// What others see of the summary.
    live: Arc<Mutex<Manifest>>,
    stop: Arc<Stop>,
    /// The kernel threads seen so far, which stay the same when the process runs another program (exec).
    by_tid: HashMap<Tid, ThreadId>,
    first_look: Option<Clock>,
    summary: Summary,
}

impl Recorder {
    pub(super) fn new(
        pid: Pid,
        options: RecordOptions,
        agent: Option<Agent>,
        process: ProcessId,
        inbox: Arc<Inbox>,
        live: Arc<Mutex<Manifest>>,
        stop: Arc<Stop>,
    ) -> Self {
        Self {
            pid,
            options,
            agent,
            process,
            inbox,
            live,
            stop,
            by_tid: HashMap::new(),
            first_look: None,
            summary: Summary::default(),
        }
    }

    /// Samples until the recording ends or the process does. A process that becomes another program is
    /// attached to anew.
    pub(super) fn run(mut self, first: Option<Source>) -> Summary {
        wake_exactly();
        let mut attached = first;
        loop {
            let result = match attached.take() {
                Some(source) => self.sample_all(source),
                None => self
                    .attach()
                    .map_err(End::Final)
                    .and_then(|source| self.sample_all(source)),
            };
            match result {
                Ok(()) => return self.summary,
                // The interpreter ended, and the process may become another program.
                Err(End::Interpreter) => {}
                Err(End::Final(error)) => {
                    self.note_end(&error);
                    return self.summary;
                }
            }
        }
    }

    /// Looks for an interpreter until there is one or the recording ends. The error says why there is none.
    fn attach(&self) -> Result<Source, Error> {
        let mut looks = 0;
        let mut reason = None;
        loop {
            let attached = match &self.agent {
                Some(agent) => StackSampler::attach_through(self.pid, agent).map(Source::of),
                None => Source::attach(self.pid, self.options.hold),
            };
            match attached {
                Err(error) if error.is_transient() => reason = Some(error),
                // What the program was while it lived says more than that it is gone.
                Err(error @ Error::NoSuchProcess { .. }) => return Err(reason.unwrap_or(error)),
                result => return result,
            }
            looks += 1;
            let pause = if looks < EAGER_LOOKS {
                LOOK_EVERY
            } else {
                LOOK_SELDOM
            };
            if !self.stop.sleep_until(Clock::now().after(pause)) {
                return Err(reason.expect("bug: there was a look"));
            }
        }
    }

    /// Says in the session why there are no stacks, where there are none.
    fn note_end(&mut self, error: &Error) {
        let note = match (&self.summary.python, error) {
            (Some(_), Error::NoSuchProcess { .. } | Error::NotReady { .. }) => return,
            (None, Error::NoSuchProcess { .. } | Error::NotReady { .. }) => {
                "no stacks: the program ended before its interpreter was up".into()
            }
            (None, error) => format!("no stacks: {error}"),
            (Some(_), error) => format!("stacks end early: {error}"),
        };
        self.summary.notes.push(note);
    }

    /// Samples one interpreter until the recording ends, which is `Ok`, or the interpreter does.
    fn sample_all(&mut self, mut source: Source) -> Result<(), End> {
        source.choose_threads(&self.options.threads);
        let version = source.with(StackSampler::version);
        self.summary.python = Some(python(version, self.pid));
        {
            let mut live = lock(&self.live);
            live.python.clone_from(&self.summary.python);
            let hold = super::hold(source.with(StackSampler::hold_mode));
            live.stacks.get_or_insert_default().hold = hold;
        }
        if let Some(command) = facts::command_line(self.pid) {
            self.inbox
                .open()
                .set_process_command(self.process, &command);
        }
        let mut translation = Translation::since(Clock::now());
        let mut ticker = Ticker::start(self.options.interval);
        let mut sys_paths = Schedule::start();
        let mut looked = false;
        let result = loop {
            let deadline = ticker.next_deadline();
            if !self.stop.sleep_until(deadline.due) {
                self.learn_sys_paths(&source);
                break Ok(());
            }
            self.count(deadline.reached());
            let seen = translation.number;
            match source.look(self.options.interval, seen, |tick| {
                self.append(tick, &mut translation);
            }) {
                Ok(()) => looked = true,
                Err(error) if error.is_transient() => break Err(End::Interpreter),
                Err(error) => break Err(End::Final(error)),
            }
            if sys_paths.is_due() {
                self.learn_sys_paths(&source);
            }
        };
        // A program that ends may be attached to once more, without its agent, and never be looked at.
        if looked {
            self.note_hold(source.with(StackSampler::hold_mode));
        }
        // Names are found a little after the threads themselves.
        source.with(|sampler| {
            let mut builder = self.inbox.open();
            for (&id, thread) in translation.threads.iter().zip(sampler.threads()) {
                if let Some(id) = id {
                    builder.set_thread_name(id, &thread.name);
                }
            }
        });
        result
    }

    /// Asks the program where its modules are. What cannot be read, as when it ends, stays what it was.
    fn learn_sys_paths(&mut self, source: &Source) {
        let known = &mut self.summary.sys_paths;
        known.update(source.with(StackSampler::sys_paths));
        let mut live = lock(&self.live);
        live.sys_path.clone_from(&known.path);
        live.sys_prefixes.clone_from(&known.prefixes);
    }

    /// Says in the session where the agent was meant to hold threads and something else did.
    fn note_hold(&mut self, hold: HoldMode) {
        self.summary.hold = Some(hold);
        let note = "the agent was not there for all of the program (linked statically, replaced by exec, or its signal \
                    taken), so that ptrace held threads, which costs more";
        let noted = self.summary.notes.iter().any(|other| other == note);
        if self.agent.is_some() && hold != HoldMode::Agent && !noted {
            self.summary.notes.push(note.into());
        }
    }

    fn count(&mut self, beat: Beat) {
        let first = *self.first_look.get_or_insert(beat.at);
        self.summary.span = beat.at.saturating_duration_since(first);
        self.summary.ticks += 1;
        self.summary.late += beat.missed(self.options.interval);
        let mut live = lock(&self.live);
        let stacks = live.stacks.get_or_insert_default();
        *stacks = StacksSummary {
            ticks: self.summary.ticks,
            late_ticks: self.summary.late,
            partial: self.summary.partial,
            span: self.summary.span,
            ..*stacks
        };
    }

    fn append(&mut self, tick: &Tick<'_>, translation: &mut Translation) {
        let mut builder = self.inbox.open();
        let chosen = &self.options.threads;
        translation.learn(tick, &mut builder, self.process, chosen, &mut self.by_tid);
        // A sample stands for the time since the look before it, however late either was.
        let duration = tick.time().saturating_duration_since(translation.previous);
        translation.previous = tick.time();
        // Samples say what is as before with respect to the look before, which another recording may have had.
        let follows = tick.number() == translation.number + 1;
        translation.number = tick.number();
        for sample in tick.threads() {
            let Some(thread) = translation.threads[sample.thread.index()] else {
                continue;
            };
            match sample.outcome {
                SampleOutcome::Lost(_) => builder.add_lost(thread, 1),
                SampleOutcome::Stack | SampleOutcome::Partial => {
                    if sample.outcome == SampleOutcome::Partial {
                        self.summary.partial += 1;
                    }
                    let stack = translation.stack(&sample, follows, &mut builder);
                    let state = if sample.on_cpu {
                        ThreadState::ON_CPU
                    } else {
                        ThreadState::default()
                    };
                    let time = from_clock(tick.time());
                    builder.push_sample(NewSample {
                        time,
                        duration,
                        thread,
                        task: None,
                        state,
                        stack,
                    });
                }
            }
        }
    }
}

/// Why sampling ended before the recording did.
enum End {
    /// The interpreter is gone; the process may not be.
    Interpreter,
    /// There is nothing more to sample.
    Final(Error),
}

/// Stands for the inner frames of a stack of which only the outer part is proven.
const UNPROVEN: Function<'_> = Function {
    name: "[unproven]",
    qualname: None,
    file: "",
    first_line: 0,
    hidden: false,
};

/// From what one sampler calls things to what the session does.
#[derive(Debug)]
struct Translation {
    functions: Vec<FunctionId>,
    classes: Vec<StringId>,
    /// `None` for one that is not recorded.
    threads: Vec<Option<ThreadId>>,
    /// The last stack of each thread, and of each of its frames the stack that ends there, outermost first.
    stacks: Vec<(Option<StackId>, Vec<StackId>)>,
    /// When the last look was, and its number.
    previous: Clock,
    number: u64,
}

impl Translation {
    fn since(previous: Clock) -> Self {
        Self {
            functions: Vec::new(),
            classes: Vec::new(),
            threads: Vec::new(),
            stacks: Vec::new(),
            previous,
            number: 0,
        }
    }

    /// Takes over the functions, classes and threads that are new since the last tick.
    fn learn(
        &mut self,
        tick: &Tick<'_>,
        builder: &mut SessionBuilder,
        process: ProcessId,
        chosen: &[u32],
        by_tid: &mut HashMap<Tid, ThreadId>,
    ) {
        let first_look = self.threads.is_empty();
        for function in &tick.sampler().functions()[self.functions.len()..] {
            self.functions.push(builder.intern_function(&Function {
                name: &function.name,
                qualname: function.qualname.as_deref(),
                file: &function.file,
                first_line: function.first_line,
                hidden: function.hidden,
            }));
        }
        for class in &tick.sampler().class_names()[self.classes.len()..] {
            self.classes.push(builder.intern_string(class));
        }
        for thread in &tick.sampler().threads()[self.threads.len()..] {
            if !chosen.is_empty() && !chosen.contains(&thread.tid.get()) {
                self.threads.push(None);
                continue;
            }
            // A number may become another thread's, but not that of the main one, also where a program that takes the place of
            // another is found at the same addresses.
            let is_main = thread.tid.get() == tick.sampler().pid().get();
            let known = by_tid.get(&thread.tid).copied();
            let known = known.filter(|_| first_look || is_main);
            let id = known.unwrap_or_else(|| {
                builder.add_thread(process, thread.tid.get().into(), Some(&thread.name))
            });
            by_tid.insert(thread.tid, id);
            self.threads.push(Some(id));
        }
        self.stacks.resize(self.threads.len(), (None, Vec::new()));
    }

    fn stack(
        &mut self,
        sample: &ThreadSample<'_>,
        follows: bool,
        builder: &mut SessionBuilder,
    ) -> Option<StackId> {
        let (last, path) = &mut self.stacks[sample.thread.index()];
        if follows && sample.unchanged && last.is_some() {
            return *last;
        }
        path.truncate(if follows { sample.shared } else { 0 });
        let new = sample.frames.len().saturating_sub(path.len());
        for frame in sample.frames[..new].iter().rev() {
            let function = self.functions[frame.function.index()];
            let location = frame.location();
            let place = Place {
                line: frame.line.unwrap_or(0),
                extent: Extent::new(location.column, location.end_line, location.end_column),
                class: frame.class.map(|class| self.classes[class.index()]),
            };
            path.push(builder.intern_stack(path.last().copied(), function, place));
        }
        *last = path.last().copied();
        if sample.outcome == SampleOutcome::Partial {
            // What lies further in than is proven has a name of its own, so that its time is nobody else's.
            let unproven = builder.intern_function(&UNPROVEN);
            *last = Some(builder.intern_stack(*last, unproven, 0));
        }
        *last
    }
}
