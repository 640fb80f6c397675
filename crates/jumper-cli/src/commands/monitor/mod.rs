//! `jumper monitor`: what a program and the machine use, with a table that lives and an address for Prometheus.

mod live;
mod serve;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jumper_session::sources::Scrape;
use jumper_session::{Level, Outcome, Pid, Program, RecordOptions, Recording};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::attach::checked_duration;
use super::keep;
use super::run::{Forwarder, end_as, shortened, wait_for_end};
use crate::args::MonitorArgs;
use crate::error::CliError;
use crate::output::Target;
use crate::terminal;
use live::Live;
use serve::Server;

/// How often to look whether the user has had enough.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) fn monitor(arguments: &MonitorArgs) -> Result<u8, CliError> {
    let has_program = !arguments.program.is_empty();
    let duration = arguments.duration.map(checked_duration).transpose()?;
    let options = options(arguments)?;
    let target = Target::of(&arguments.output, !has_program)?;
    keep::check(&arguments.session, &target)?;
    let server = arguments
        .prometheus
        .as_deref()
        .map(Server::bind)
        .transpose()?;
    let task = Task {
        arguments,
        options,
        target,
        server,
        duration,
    };
    if has_program {
        task.with_program()
    } else {
        task.without_program()
    }
}

fn options(arguments: &MonitorArgs) -> Result<RecordOptions, CliError> {
    let mut levels = arguments.level.clone();
    if arguments.program.is_empty() {
        if levels.contains(&Level::Process) {
            return Err(CliError::Usage(
                "the level process is that of a program; put one behind `--`, or choose another level, such as user or system"
                    .into(),
            ));
        }
        if levels.is_empty() {
            levels.push(Level::System);
        }
    }
    let options = RecordOptions::default().with_metrics_interval(arguments.interval)?;
    Ok(match levels.is_empty() {
        true => options,
        false => options.with_levels(levels),
    })
}

/// What is to be done, now that it is known to be possible.
struct Task<'a> {
    arguments: &'a MonitorArgs,
    options: RecordOptions,
    target: Target,
    server: Option<Server>,
    duration: Option<Duration>,
}

/// Whoever looks on while it is done. They end when this is dropped.
struct Audience {
    _live: Option<Live>,
    _server: Option<serve::Serving>,
}

impl Task<'_> {
    fn with_program(mut self) -> Result<u8, CliError> {
        let command = &self.arguments.program;
        let signals = Forwarder::listen()?;
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .spawn()
            .map_err(|error| {
                CliError::Failed(format!("cannot start `{}`: {error}", command[0].display()))
            })?;
        let forwarding = signals.forward_to(&child)?;
        let name = Path::new(&command[0])
            .file_stem()
            .unwrap_or(OsStr::new("program"));
        let (name, program) = (name.display().to_string(), self.program());
        let recording = self.start(Pid::new(child.id()), &name, &program);
        let audience = recording
            .as_ref()
            .ok()
            .map(|recording| self.audience(recording));
        let outcome = match self.duration {
            None => wait_for_end(&child),
            Some(duration) => wait_at_most(&mut child, duration),
        };
        let is_left = outcome == Outcome::Detached;
        let session = recording.and_then(|recording| Ok(recording.finish(program, outcome)?));
        drop(audience);
        forwarding.stop();
        let status = match is_left {
            true => None,
            false => Some(child.wait().map_err(|error| {
                CliError::Failed(format!("cannot wait for the program: {error}"))
            })?),
        };
        let kept = session
            .and_then(|session| keep::keep(session, &name, &self.arguments.session, &self.target));
        match (kept, status) {
            (Ok(()), status) => Ok(status.map_or(0, end_as)),
            (Err(error), Some(status)) if !status.success() => {
                crate::report(&error);
                Ok(end_as(status))
            }
            (Err(error), _) => Err(error),
        }
    }

    fn without_program(mut self) -> Result<u8, CliError> {
        let over = terminal::end_by_default(&[SIGINT, SIGTERM, SIGHUP])?;
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|error| CliError::Failed(format!("cannot wait for signals: {error}")))?;
        let program = self.program();
        let recording = self.start(Pid::own(), "monitor", &program)?;
        let audience = self.audience(&recording);
        let outcome = watch(&recording, self.duration, &mut signals);
        over.store(true, Ordering::Relaxed);
        let session = recording.finish(program, outcome)?;
        drop(audience);
        keep::keep(session, "monitor", &self.arguments.session, &self.target)?;
        Ok(0)
    }

    /// What the report says was run.
    fn program(&self) -> Program {
        let argv = self
            .arguments
            .program
            .iter()
            .map(|word| word.display().to_string());
        let argv: Vec<String> = argv.collect();
        Program {
            description: match argv.is_empty() {
                true => "the machine".into(),
                false => shortened(&argv),
            },
            argv,
            cwd: std::env::current_dir()
                .ok()
                .map(|path| path.display().to_string()),
            ..Program::default()
        }
    }

    fn start(&self, pid: Pid, name: &str, program: &Program) -> Result<Recording, CliError> {
        let kept = keep::place(&self.arguments.session, &self.target, name, program, pid);
        let recording = Recording::start_to_measure(pid, self.options.clone().with_kept(kept))?;
        for endpoint in &self.arguments.scrape {
            recording.add_source(Box::new(Scrape::new(endpoint.clone())))?;
        }
        Ok(recording)
    }

    fn audience(&mut self, recording: &Recording) -> Audience {
        let watcher = recording.watcher().expect("bug: resources are measured");
        Audience {
            _live: Live::start(watcher.clone(), &self.arguments.output),
            _server: self.server.take().and_then(|server| server.start(watcher)),
        }
    }
}

/// Waits for the end: of the time, or of the user's patience.
fn watch(recording: &Recording, duration: Option<Duration>, signals: &mut Signals) -> Outcome {
    let deadline = duration.and_then(|duration| Instant::now().checked_add(duration));
    loop {
        match signals.pending().next() {
            Some(SIGINT) => return Outcome::Detached,
            Some(signal) => return Outcome::Interrupted { signal },
            None => {}
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if recording.is_over() || left.is_some_and(|left| left.is_zero()) {
            return Outcome::Detached;
        }
        std::thread::sleep(left.map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY)));
    }
}

/// Waits for the end of the program, or of the time; the program then goes on.
fn wait_at_most(child: &mut Child, duration: Duration) -> Outcome {
    let deadline = Instant::now().checked_add(duration);
    loop {
        if let Some(outcome) = super::run::peek(rustix::process::Pid::from_child(child)) {
            return outcome;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Outcome::Detached;
        }
        std::thread::sleep(left.map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY)));
    }
}
