//! `jumper attach PID`

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jumper_session::{Outcome, Patience, Pid, Program, Recording};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::keep;
use super::run::options;
use crate::args::{AttachArgs, HoldArg};
use crate::error::CliError;
use crate::output::Target;
use crate::terminal::{self, Progress};

/// How often to look whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) fn attach(arguments: &AttachArgs) -> Result<u8, CliError> {
    let duration = arguments.duration.map(checked_duration).transpose()?;
    if arguments.record.hold == Some(HoldArg::Agent) {
        return Err(CliError::Usage(
            "the agent is loaded when a program starts, which this one has; attach with --hold ptrace or --hold none"
                .into(),
        ));
    }
    let options = options(&arguments.record, HoldArg::Ptrace)?;
    let target = Target::of(&arguments.output, true)?;
    keep::check(&arguments.record.session, &target)?;
    let over = terminal::end_by_default(&[SIGINT, SIGTERM, SIGHUP])?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| CliError::Failed(format!("cannot wait for signals: {error}")))?;
    let (pid, name) = (Pid::new(arguments.pid), format!("pid-{}", arguments.pid));
    let kept = keep::place(
        &arguments.record.session,
        &target,
        &name,
        &Program::default(),
        pid,
    );
    let recording = Recording::start(pid, options.with_kept(kept), Patience::ASecond)?;
    let outcome = watch(&recording, duration, &mut signals);
    over.store(true, Ordering::Relaxed);
    let session = recording.finish(Program::default(), outcome)?;
    keep::keep(session, &name, &arguments.record.session, &target)?;
    Ok(0)
}

/// Waits for the end: of the time, of the program, or of the user's patience.
fn watch(recording: &Recording, duration: Option<Duration>, signals: &mut Signals) -> Outcome {
    let deadline = duration.and_then(|duration| Instant::now().checked_add(duration));
    let progress = Progress::new();
    loop {
        match signals.pending().next() {
            Some(SIGINT) => return Outcome::Detached,
            Some(signal) => return Outcome::Interrupted { signal },
            None => {}
        }
        if recording.is_over() {
            return Outcome::Unknown;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Outcome::Detached;
        }
        progress.tell(|| {
            let far = recording.progress();
            let seconds = far.elapsed.as_secs();
            format!(
                "process {}, {seconds} s, {} samples, {} lost; Ctrl-C ends",
                recording.pid(),
                far.samples,
                far.lost
            )
        });
        std::thread::sleep(left.map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY)));
    }
}

pub(super) fn checked_duration(seconds: f64) -> Result<Duration, CliError> {
    let duration = Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| {
        CliError::Usage(format!(
            "a duration of {seconds} s is none; pass a positive number with -d"
        ))
    })
}
