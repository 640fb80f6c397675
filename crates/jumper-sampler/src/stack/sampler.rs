//! [`StackSampler`]: one look at what every Python thread of a process is doing.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::agent::Agent;
use super::capture::{Capture, Proven};
use super::class::ClassKey;
use super::code::{CodeCache, Function, FunctionKey, NothingNew};
use super::hold::{HoldError, HoldMode, Holder, KnownObject, Target};
use super::known::{Known, Root};
use super::layout::Version;
use super::memory::{Address, Fault, Memory, ProcessMemory, u64_at};
use super::names::ThreadNames;
use super::objects::Objects;
use super::runtime::{Runtime, fault_error};
use super::sample::{Frame, LostReason, SampleOutcome, ThreadInfo, ThreadKey, ThreadSample};
use super::sys_paths::{self, SysPaths};
use super::threads::{self, ListError, Listed, Tids};
use super::walk::WalkError;
use crate::proc::{self, RunCount, TaskFiles, TaskState};
use crate::{Error, Pid, Tid, Timestamp};

/// How often a read that turned out torn is tried again before the sample is lost.
const ATTEMPTS: usize = 4;
/// Looks that follow each other faster than this share one list of threads.
const RELIST_AFTER: Duration = Duration::from_micros(200);
/// The longest pause, in ticks, between two attempts to learn a thread's name.
const LONGEST_NAME_PAUSE: u64 = 1 << 12;

/// One entry of the last tick.
struct Seen {
    state: Address,
    on_cpu: bool,
    outcome: SampleOutcome,
    shared: usize,
    unchanged: bool,
}

/// Looks at the stacks of all Python threads of one process.
///
/// Everything is read from outside of the interpreter: its lock is never taken, nothing is imported into it,
/// none of its memory is written.
///
/// Use it from one thread. With [`HoldMode::Ptrace`] that is a requirement of the kernel.
pub struct StackSampler {
    pid: Pid,
    memory: ProcessMemory,
    runtime: Runtime,
    holder: Holder,
    codes: CodeCache,
    capture: Capture,
    second: Capture,
    known: HashMap<Address, Known>,
    infos: Vec<ThreadInfo>,
    tids: Tids,
    names: HashMap<Address, ThreadNames>,
    list: Vec<Listed>,
    seen: Vec<Seen>,
    /// The threads that are looked at; all where it is empty.
    chosen: BTreeSet<Tid>,
    tick: u64,
    /// Whether that tick came to its end.
    complete: bool,
    time: Timestamp,
    /// When the list of threads was read last.
    listed_at: Timestamp,
}

impl StackSampler {
    /// Finds the CPython runtime of `pid` and gets ready to read it.
    ///
    /// # Errors
    /// A process that is gone, that is no CPython, that is one of an unknown version, that is not ours to
    /// read, and one whose interpreter does not run (yet) are different [errors](Error). Nothing has been
    /// done to the process in any case.
    pub fn attach(pid: Pid, mode: HoldMode) -> Result<Self, Error> {
        Self::with(pid, || Holder::new(mode, pid))
    }

    /// As [`attach`](Self::attach), to a process that was started with the `agent`: threads that run are then read at a
    /// fraction of the cost. [`hold_mode`](Self::hold_mode) says whether the agent is there; where it is not, because
    /// the program is linked statically, say, ptrace is used.
    ///
    /// # Errors
    /// As for `attach`.
    pub fn attach_through(pid: Pid, agent: &Agent) -> Result<Self, Error> {
        Self::with(pid, || match agent.signaller(pid) {
            Some(signaller) => Holder::through_agent(signaller, pid),
            None => Holder::new(HoldMode::Ptrace, pid),
        })
    }

    /// The `holder` is asked for once there are threads: an agent that is going to be there is there by then.
    fn with(pid: Pid, holder: impl FnOnce() -> Result<Holder, Error>) -> Result<Self, Error> {
        let runtime = Runtime::find(pid)?;
        let memory = ProcessMemory::of(pid);
        let mut sampler = Self {
            pid,
            memory,
            holder: Holder::Nothing,
            codes: CodeCache::default(),
            capture: Capture::new(&runtime.layout),
            second: Capture::new(&runtime.layout),
            runtime,
            known: HashMap::new(),
            infos: Vec::new(),
            tids: Tids::of(pid),
            names: HashMap::new(),
            list: Vec::new(),
            seen: Vec::new(),
            chosen: BTreeSet::new(),
            tick: 0,
            complete: false,
            time: Timestamp::now(),
            listed_at: Timestamp::from_nanos(0),
        };
        sampler.check()?;
        sampler.holder = holder()?;
        Ok(sampler)
    }

    /// Makes sure that the layout fits: a runtime with threads whose states point back to it.
    fn check(&mut self) -> Result<(), Error> {
        let mut result = Err(ListError::Torn);
        for _ in 0..ATTEMPTS {
            result = threads::list(&self.memory, &self.runtime, &mut self.list);
            if result.is_ok() {
                break;
            }
        }
        match result {
            Ok(()) if self.list.is_empty() => Err(Error::NotReady { pid: self.pid }),
            Ok(()) => Ok(()),
            Err(ListError::Fault(fault)) => Err(fault_error(self.pid, fault)),
            Err(ListError::Torn) => Err(Error::Inconsistent {
                pid: self.pid,
                version: self.runtime.version,
                detail: "its list of threads leads nowhere",
            }),
        }
    }

    /// The process that is looked at.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The Python that it runs.
    pub fn version(&self) -> Version {
        self.runtime.version
    }

    /// Looks only at these threads from now on, which need not exist yet; at all threads where there are none. Others are left
    /// alone entirely.
    pub fn choose_threads(&mut self, threads: impl IntoIterator<Item = Tid>) {
        self.chosen = threads.into_iter().collect();
    }

    /// How running threads are held.
    pub fn hold_mode(&self) -> HoldMode {
        self.holder.mode()
    }

    /// What a frame calls.
    pub fn function(&self, key: FunctionKey) -> &Function {
        self.codes.function(key)
    }

    /// All functions seen so far, in the order of their keys.
    pub fn functions(&self) -> &[Function] {
        self.codes.functions()
    }

    /// The name of a class: the last part of its `tp_name`.
    pub fn class_name(&self, key: ClassKey) -> &str {
        self.codes.classes().name(key)
    }

    /// All names of classes seen so far, in the order of their keys.
    pub fn class_names(&self) -> &[String] {
        self.codes.classes().names()
    }

    /// What the program's `sys` says now of where its modules and libraries are: that of the interpreter which was there first.
    /// Takes about two hundred system calls.
    pub fn sys_paths(&self) -> SysPaths {
        sys_paths::read(&self.memory, &self.runtime)
    }

    /// A thread that was seen.
    pub fn thread(&self, key: ThreadKey) -> &ThreadInfo {
        &self.infos[key.index()]
    }

    /// All threads seen so far, also those that have ended, in the order of their keys. A name may be put
    /// right after a thread was first seen.
    pub fn threads(&self) -> &[ThreadInfo] {
        &self.infos
    }

    /// The last look once more, if there was one and nothing failed in it.
    pub fn last(&self) -> Option<Tick<'_>> {
        self.complete.then_some(Tick { sampler: self })
    }

    /// Looks at every thread once. The result stands until the next call.
    ///
    /// # Errors
    /// Only what ends the recording: the process has gone, its memory is closed to us, or the interpreter in
    /// it has ended (it exits, or runs another program now). A thread that cannot be read is a
    /// [lost sample](SampleOutcome::Lost).
    pub fn sample(&mut self) -> Result<Tick<'_>, Error> {
        self.tick += 1;
        self.complete = false;
        self.seen.clear();
        self.relist()?;
        self.time = Timestamp::now();
        let list = std::mem::take(&mut self.list);
        for listed in &list {
            self.look_at(*listed, &list)?;
        }
        self.list = list;
        let tick = self.tick;
        self.known.retain(|_, known| known.seen == tick);
        self.complete = true;
        Ok(Tick { sampler: self })
    }

    fn relist(&mut self) -> Result<(), Error> {
        let age = Timestamp::now().saturating_duration_since(self.listed_at);
        if age < RELIST_AFTER && !self.list.is_empty() {
            return Ok(());
        }
        self.listed_at = Timestamp::now();
        for _ in 0..ATTEMPTS {
            match threads::list(&self.memory, &self.runtime, &mut self.list) {
                Ok(()) if self.list.is_empty() => return Err(Error::NotReady { pid: self.pid }),
                Ok(()) => return Ok(()),
                Err(ListError::Fault(fault)) => return Err(fault_error(self.pid, fault)),
                Err(ListError::Torn) => {}
            }
        }
        // Threads come and go too fast, or the interpreter is gone. The threads known from before are looked
        // at all the same: what cannot be proven is lost.
        self.list.clear();
        self.list
            .extend(self.known.values().map(|known| known.listed));
        self.list.sort_unstable_by_key(|listed| listed.state);
        match self.memory.pointer(self.runtime.address) {
            Err(fault) => Err(fault_error(self.pid, fault)),
            Ok(_) if self.list.is_empty() => Err(Error::NotReady { pid: self.pid }),
            Ok(_) => Ok(()),
        }
    }

    /// Looks at one thread and notes what came of it.
    fn look_at(&mut self, listed: Listed, all: &[Listed]) -> Result<(), Error> {
        let Some(mut known) = self.recognise(listed, all) else {
            return Ok(());
        };
        known.seen = self.tick;
        if !self.chosen.is_empty() && !self.chosen.contains(&known.tid) {
            self.known.insert(listed.state, known);
            return Ok(());
        }
        self.learn_name(&mut known);
        let look = self.look(&mut known);
        if let Look::Done {
            on_cpu,
            outcome,
            unchanged,
        } = look
            && !(outcome == SampleOutcome::Stack && known.frames.is_empty())
        {
            self.seen.push(Seen {
                state: listed.state,
                on_cpu,
                outcome,
                shared: known.shared,
                unchanged,
            });
            if !matches!(outcome, SampleOutcome::Lost(_)) {
                known.shared = known.frames.len();
            }
        }
        self.known.insert(listed.state, known);
        match look {
            Look::Failed(fault) => Err(fault_error(self.pid, fault)),
            _ => Ok(()),
        }
    }

    /// The thread behind a thread state, new or known. `None` for one that has not started or has just ended.
    fn recognise(&mut self, listed: Listed, all: &[Listed]) -> Option<Known> {
        match self.known.remove(&listed.state) {
            Some(known) if known.listed == listed => return Some(known),
            _ => {}
        }
        let tid = self.tids.find(&self.memory, &listed, all)?;
        let files = TaskFiles::open(self.pid, tid).ok()?;
        let key = ThreadKey(u32::try_from(self.infos.len()).ok()?);
        self.infos.push(ThreadInfo {
            tid,
            name: self.kernel_name(tid),
        });
        Some(Known {
            key,
            listed,
            files,
            tid,
            frames: Vec::new(),
            root: Root::default(),
            raw: Vec::new(),
            replaced: 0,
            shared: 0,
            blocked_since: None,
            named: false,
            next_naming: 0,
            naming_pause: 1,
            seen: self.tick,
        })
    }

    /// What to call a thread that Python has no name for.
    fn kernel_name(&self, tid: Tid) -> String {
        if tid.get() == self.pid.get() {
            return "MainThread".into();
        }
        let main = proc::thread_comm(self.pid, Tid::new(self.pid.get()));
        // A thread has its process's name until someone gives it one of its own.
        let own = proc::thread_comm(self.pid, tid)
            .filter(|name| Some(name) != main.as_ref() && !name.is_empty());
        own.unwrap_or_else(|| format!("thread {tid}"))
    }

    /// Asks Python for the thread's name, ever less often while there is none.
    fn learn_name(&mut self, known: &mut Known) {
        if known.named || self.tick < known.next_naming {
            return;
        }
        known.next_naming = self.tick + known.naming_pause;
        known.naming_pause = (known.naming_pause * 2).min(LONGEST_NAME_PAUSE);
        let objects = Objects::new(&self.memory, &self.runtime.layout);
        let modules = known
            .listed
            .interpreter
            .wrapping_add(self.runtime.layout.interpreter.modules);
        let Ok(modules) = self.memory.pointer(modules) else {
            return;
        };
        let names = self.names.entry(known.listed.interpreter).or_default();
        if let Some(name) = names.name(objects, modules, known.listed.ident) {
            self.infos[known.key.index()].name = name;
            known.named = true;
        }
    }

    fn look(&mut self, known: &mut Known) -> Look {
        let mut lost = LostReason::Torn;
        // The most frames that an attempt has proven, which `known` then holds.
        let mut proven = 0;
        for _ in 0..ATTEMPTS {
            // What ran at the last look mostly does so at this one.
            let (state, before) = if known.blocked_since.is_none() && known.files.is_running() {
                (TaskState::Running, None)
            } else {
                let before = known.files.run_count();
                if before.is_some() && known.blocked_since == before {
                    return Look::Done {
                        on_cpu: false,
                        outcome: SampleOutcome::Stack,
                        unchanged: true,
                    };
                }
                (known.files.state(), before)
            };
            let (attempt, on_cpu) = match state {
                TaskState::Gone => return Look::Nothing,
                TaskState::Blocked => (self.read_blocked(known, before), false),
                TaskState::Running if self.holder.mode() == HoldMode::Nothing => {
                    (self.read_unheld(known, &mut proven), true)
                }
                TaskState::Running => (self.read_held(known), true),
            };
            match attempt {
                Ok(()) => {
                    return Look::Done {
                        on_cpu,
                        outcome: SampleOutcome::Stack,
                        unchanged: false,
                    };
                }
                Err(Miss::Gone) => return Look::Nothing,
                Err(Miss::Fault(fault)) => return Look::Failed(fault),
                Err(Miss::Lost(reason)) => lost = reason,
            }
        }
        known.blocked_since = None;
        let outcome = match proven {
            // A thread that ended meanwhile could not be read, and there was nothing to see any more.
            0 if !self.is_still_there(known) => return Look::Nothing,
            0 => SampleOutcome::Lost(lost),
            _ => SampleOutcome::Partial,
        };
        Look::Done {
            on_cpu: true,
            outcome,
            unchanged: false,
        }
    }

    /// Whether the thread is still one of Python's. Looks anew.
    fn is_still_there(&mut self, known: &Known) -> bool {
        let mut now = Vec::new();
        let listed = threads::list(&self.memory, &self.runtime, &mut now);
        // Next time all of them are listed anew.
        self.listed_at = Timestamp::from_nanos(0);
        listed.is_err() || now.contains(&known.listed)
    }

    /// A blocked thread holds still by itself, which is proven if it was not given a CPU meanwhile.
    fn read_blocked(&mut self, known: &mut Known, before: Option<RunCount>) -> Result<(), Miss> {
        let taken = self
            .capture
            .take(&self.memory, known.listed.state, &self.codes);
        let stood = match before {
            Some(_) => {
                known.files.run_count() == before && known.files.state() == TaskState::Blocked
            }
            None => self.read_again(known.listed.state)?.whole,
        };
        if !stood {
            return Err(Miss::Lost(LostReason::Torn));
        }
        taken.map_err(|error| self.miss(error))?;
        self.settle(known, usize::MAX)?;
        known.blocked_since = before;
        Ok(())
    }

    fn read_held(&mut self, known: &mut Known) -> Result<(), Miss> {
        known.blocked_since = None;
        let target = Target {
            thread: known.tid,
            state: known.listed.state,
            layout: &self.runtime.walk,
        };
        let read = self
            .holder
            .read(target, &self.memory, &self.codes, &mut self.capture);
        let taken = match read {
            Ok(taken) => taken,
            Err(HoldError::Gone) => return Err(Miss::Gone),
            Err(HoldError::Denied | HoldError::Unanswered) => {
                return Err(Miss::Lost(LostReason::NotHeld));
            }
        };
        taken.map_err(|error| self.miss(error))?;
        self.settle(known, usize::MAX)
    }

    /// Reads a thread that goes on running, and keeps what is proven if it is more than was `proven` before.
    fn read_unheld(&mut self, known: &mut Known, proven: &mut usize) -> Result<(), Miss> {
        known.blocked_since = None;
        let state = known.listed.state;
        let taken = self.capture.take(&self.memory, state, &NothingNew);
        taken.map_err(|error| self.miss(error))?;
        // A frame that is given up meanwhile may lose its link to the next one outwards, so that the chain seems to end there.
        if !known.root.accepts(self.capture.frames().last()) {
            return Err(Miss::Lost(LostReason::Torn));
        }
        let found = self.read_again(state)?;
        if found.depth > *proven {
            self.settle(known, found.depth)?;
            *proven = found.depth;
        }
        if found.whole {
            Ok(())
        } else {
            Err(Miss::Lost(LostReason::Torn))
        }
    }

    /// How much of the stack reading it once more proves.
    fn read_again(&mut self, state: Address) -> Result<Proven, Miss> {
        let taken = self.second.take(&self.memory, state, &NothingNew);
        taken.map_err(|error| self.miss(error))?;
        let proven = self.capture.proven_by(&self.second);
        if let Some(depth) = proven.moved {
            self.capture.forget_class(depth);
        }
        Ok(proven)
    }

    /// Turns the outer `depth` frames of what was captured into frames. The thread may run again by now.
    fn settle(&mut self, known: &mut Known, depth: usize) -> Result<(), Miss> {
        // The list of threads is older than the capture: by then, the state may have been freed or become another's.
        let owner = u64_at(
            self.capture.thread_state(),
            self.runtime.layout.thread.ident,
        );
        if owner != known.listed.ident {
            return Err(Miss::Gone);
        }
        let (memory, runtime, codes) = (&self.memory, &self.runtime, &mut self.codes);
        let (layout, snapshot) = (&runtime.layout, self.capture.snapshot());
        let all = self.capture.frames();
        let frames = &all[all.len().saturating_sub(depth)..];
        for (address, head, traits) in self.capture.codes() {
            // What is unproven may be no code object at all.
            if frames.len() < all.len() && !frames.iter().any(|frame| frame.code == address) {
                continue;
            }
            let learnt = codes.learn(memory, &snapshot, runtime, (address, head, traits));
            if let Some(traits) = learnt.map_err(|_| Miss::Lost(LostReason::NotCode))? {
                let known = KnownObject::code(&runtime.walk, address, head, traits);
                self.holder.note_known(known);
            }
        }
        for (address, head) in self.capture.types() {
            if codes.learn_class(memory, &snapshot, address, head)
                && let Some(known) = KnownObject::class(address, head)
            {
                self.holder.note_known(known);
            }
        }
        // The outer part of a stack is mostly that of the look before. A code object or
        // class at a reused address may look the same.
        let pairs = frames.iter().rev().zip(known.raw.iter().rev());
        let same = match known.replaced == codes.replaced() {
            true => pairs.take_while(|(new, old)| new == old).count(),
            false => 0,
        };
        let (new, gone) = (&frames[..frames.len() - same], known.frames.len() - same);
        // Until all is well again, nothing of it counts as known.
        known.raw.clear();
        known.frames.drain(..gone);
        let mut located = Vec::with_capacity(new.len());
        for frame in new {
            let (function, location) = codes
                .locate(layout, frame.code, frame.position)
                .ok_or(Miss::Lost(LostReason::NotCode))?;
            located.push(Frame::at(function, location, codes.class(frame.class)));
        }
        known.frames.splice(..0, located);
        known.raw.extend_from_slice(frames);
        known.replaced = codes.replaced();
        known.shared = known.shared.min(same);
        Ok(())
    }

    fn miss(&mut self, error: WalkError) -> Miss {
        match error {
            WalkError::Torn => Miss::Lost(LostReason::Torn),
            WalkError::TooDeep => {
                self.capture.grow();
                self.second.grow();
                Miss::Lost(LostReason::Torn)
            }
            WalkError::Fault(fault) => Miss::Fault(fault),
        }
    }
}

/// What came of looking at a thread, several attempts together.
enum Look {
    /// There is nothing to report: the thread has ended.
    Nothing,
    Done {
        on_cpu: bool,
        outcome: SampleOutcome,
        unchanged: bool,
    },
    Failed(Fault),
}

/// Why one attempt gave no stack.
enum Miss {
    Gone,
    Lost(LostReason),
    Fault(Fault),
}

/// What one look at a process gave.
pub struct Tick<'a> {
    sampler: &'a StackSampler,
}

impl<'a> Tick<'a> {
    /// When it was taken.
    pub fn time(&self) -> Timestamp {
        self.sampler.time
    }

    /// Which look it was, counted from 1. What a sample says of the one before refers to the look before.
    pub fn number(&self) -> u64 {
        self.sampler.tick
    }

    /// The sampler, to look functions and threads up.
    pub fn sampler(&self) -> &'a StackSampler {
        self.sampler
    }

    /// One sample for each thread that runs Python code, in the runtime's order.
    pub fn threads(&self) -> impl Iterator<Item = ThreadSample<'a>> + use<'a> {
        let sampler = self.sampler;
        sampler.seen.iter().map(move |seen| {
            let known = &sampler.known[&seen.state];
            let frames = match seen.outcome {
                SampleOutcome::Stack | SampleOutcome::Partial => known.frames.as_slice(),
                SampleOutcome::Lost(_) => &[],
            };
            let Seen {
                on_cpu,
                outcome,
                shared,
                unchanged,
                ..
            } = *seen;
            ThreadSample {
                thread: known.key,
                on_cpu,
                outcome,
                frames,
                shared,
                unchanged,
            }
        })
    }
}
