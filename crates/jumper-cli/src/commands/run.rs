//! `jumper run`: a program runs as it would without us, and is looked at meanwhile.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jumper_session::{Agent, HoldMode, Outcome, Patience, Pid, Program, RecordOptions, Recording};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{
    PidfdFlags, Resource, WaitId, WaitIdOptions, kill_process, pidfd_open, waitid,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::exfiltrator::origin::Origin;
use signal_hook::iterator::{Handle, SignalsInfo};
use signal_hook::low_level::siginfo::Cause;

use super::keep;
use crate::Context;
use crate::args::{HoldArg, RecordArgs, RunArgs};
use crate::error::CliError;
use crate::output::Target;
use crate::terminal;

pub(crate) fn run(arguments: &RunArgs, context: &Context) -> Result<u8, CliError> {
    let options = options(&arguments.record, HoldArg::Agent)?;
    let target = Target::of(&arguments.output, false)?;
    let invocation = Invocation::of(arguments)?;
    // An empty variable is one that is not set.
    let wanted = arguments
        .python
        .as_deref()
        .filter(|path| !path.as_os_str().is_empty());
    let python = interpreter(wanted.or(context.python.as_deref()))?;
    keep::check(&arguments.record.session, &target)?;

    let signals = Forwarder::listen()?;
    let agent = match options.hold {
        HoldMode::Agent => jumper_session::agent()
            .inspect_err(|error| terminal::say(&format!("{error}; threads are held by ptrace")))
            .ok(),
        _ => None,
    };
    let mut child = Command::new(&python)
        .args(&invocation.arguments)
        .envs(agent.iter().flat_map(Agent::environment))
        .spawn()
        .map_err(|error| {
            CliError::Failed(format!("cannot start `{}`: {error}", python.display()))
        })?;
    let forwarding = signals.forward_to(&child)?;
    let pid = Pid::new(child.id());
    let program = invocation.program(&python);
    let kept = keep::place(
        &arguments.record.session,
        &target,
        &invocation.name,
        &program,
        pid,
    );
    let options = options.with_kept(kept);
    let recording = match agent {
        Some(agent) => Recording::start_through(agent, pid, options),
        None => Recording::start(pid, options, Patience::WhileItLives),
    };
    let outcome = wait_for_end(&child);
    // The program is dead but not yet collected, so that its last figures can still be read.
    let session = match recording {
        Ok(recording) => recording.finish(program, outcome).map_err(CliError::from),
        Err(error) => Err(CliError::from(error)),
    };
    forwarding.stop();
    let status = child
        .wait()
        .map_err(|error| CliError::Failed(format!("cannot wait for the program: {error}")))?;
    let kept = session.and_then(|session| {
        keep::keep(
            session,
            &invocation.name,
            &arguments.record.session,
            &target,
        )
    });
    if let Err(error) = kept {
        // The program's status counts more than ours, but not if it hides that there is no report.
        crate::report(&error);
        return if status.success() {
            Ok(error.status())
        } else {
            Ok(end_as(status))
        };
    }
    Ok(end_as(status))
}

/// The options that `run` and `attach` share.
pub(super) fn options(arguments: &RecordArgs, default: HoldArg) -> Result<RecordOptions, CliError> {
    let nonblocking = arguments.nonblocking.then_some(HoldArg::None);
    let hold = match nonblocking.or(arguments.hold).unwrap_or(default) {
        HoldArg::Agent => HoldMode::Agent,
        HoldArg::Ptrace => HoldMode::Ptrace,
        HoldArg::None => HoldMode::Nothing,
    };
    let options = RecordOptions::default().with_interval(arguments.interval)?;
    Ok(options
        .with_metrics_interval(arguments.metrics_interval)?
        .with_levels(arguments.level.iter().copied())
        .with_hold(hold))
}

/// What is run: the arguments of the interpreter, and what to call it.
struct Invocation {
    arguments: Vec<OsString>,
    name: String,
}

impl Invocation {
    fn of(arguments: &RunArgs) -> Result<Self, CliError> {
        let with = |option: &str, rest: &[OsString]| {
            let mut all = vec![OsString::from(option)];
            all.extend_from_slice(rest);
            all
        };
        if let [module, ..] = arguments.module.as_slice() {
            return Ok(Self {
                arguments: with("-m", &arguments.module),
                name: module.display().to_string(),
            });
        }
        if !arguments.code.is_empty() {
            return Ok(Self {
                arguments: with("-c", &arguments.code),
                name: "code".into(),
            });
        }
        let script = arguments
            .script
            .first()
            .map(PathBuf::from)
            .unwrap_or_default();
        if script != Path::new("-") && !script.exists() {
            let text = format!(
                "there is no script `{}`; for a module use -m, for code -c",
                script.display()
            );
            return Err(CliError::Usage(text));
        }
        let name = script
            .file_stem()
            .unwrap_or(OsStr::new("stdin"))
            .display()
            .to_string();
        Ok(Self {
            arguments: arguments.script.clone(),
            name,
        })
    }

    fn program(&self, python: &Path) -> Program {
        let name = python.file_name().unwrap_or(python.as_os_str());
        let arguments = self
            .arguments
            .iter()
            .map(|argument| argument.display().to_string());
        let mut argv = vec![python.display().to_string()];
        argv.extend(arguments);
        let mut words = argv.clone();
        words[0] = name.display().to_string();
        Program {
            description: shortened(&words),
            argv,
            cwd: std::env::current_dir()
                .ok()
                .map(|path| path.display().to_string()),
            ..Program::default()
        }
    }
}

/// A description that fits a header. Code passed with -c can be a whole program, arguments can be thousands.
pub(super) fn shortened(words: &[String]) -> String {
    const LONGEST: usize = 300;
    let all = words.join(" ");
    let short: String = all
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(LONGEST)
        .collect();
    if short.len() < all.len() {
        format!("{short}…")
    } else {
        short
    }
}

/// The interpreter asked for, else the first one on the path.
fn interpreter(wanted: Option<&Path>) -> Result<PathBuf, CliError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &Path| -> Option<PathBuf> {
        if name.components().count() > 1 {
            return name.is_file().then(|| name.to_owned());
        }
        std::env::split_paths(&path)
            .map(|directory| directory.join(name))
            .find(|candidate| candidate.is_file())
    };
    match wanted {
        Some(wanted) => find(wanted).ok_or_else(|| {
            CliError::Usage(format!(
                "there is no interpreter `{}`; pass another with --python",
                wanted.display()
            ))
        }),
        None => ["python3", "python"]
            .iter()
            .find_map(|name| find(Path::new(name)))
            .ok_or_else(|| {
                CliError::Failed(
                    "there is no python3 on the path; name an interpreter with --python".into(),
                )
            }),
    }
}

/// Signals that were caught since the program was about to start.
pub(super) struct Forwarder {
    signals: SignalsInfo<WithOrigin>,
    /// Whether there is no program any more to pass them on to. They then do to us what they do by default.
    over: Arc<AtomicBool>,
}

/// The thread that passes them on.
pub(super) struct Forwarding {
    handle: Handle,
    thread: JoinHandle<()>,
    over: Arc<AtomicBool>,
}

impl Forwarder {
    /// Starts to catch what would otherwise end us, and with us the report.
    pub(super) fn listen() -> Result<Self, CliError> {
        // `nohup` sets SIGHUP to be ignored, a shell SIGINT and SIGQUIT where it starts a job in the background, and
        // the program is to inherit that.
        let mut all = vec![SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP];
        all.retain(|&signal| !is_ignored(signal));
        let over = terminal::end_by_default(&all)?;
        let signals = SignalsInfo::new(all)
            .map_err(|error| CliError::Failed(format!("cannot catch signals: {error}")))?;
        Ok(Self { signals, over })
    }

    /// Passes on what is sent to us.
    pub(super) fn forward_to(mut self, child: &Child) -> Result<Forwarding, CliError> {
        let (handle, over) = (self.signals.handle(), self.over);
        let pid = rustix::process::Pid::from_child(child);
        let forward = move || {
            for origin in &mut self.signals {
                if let Some(signal) = to_pass_on(&origin) {
                    // Fails only where the program has just ended.
                    let _ = kill_process(pid, signal);
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("jumper-signals".into())
            .spawn(forward);
        let thread =
            thread.map_err(|error| CliError::Failed(format!("cannot start a thread: {error}")))?;
        Ok(Forwarding {
            handle,
            thread,
            over,
        })
    }
}

impl Forwarding {
    /// Must come before the program is collected: its number may then belong to another.
    pub(super) fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.handle.close();
        let _ = self.thread.join();
    }
}

/// The signal, unless the terminal sent it: then the program, in the same process group, has got it already.
fn to_pass_on(origin: &Origin) -> Option<rustix::process::Signal> {
    let from_terminal = matches!(origin.cause, Cause::Kernel);
    rustix::process::Signal::from_named_raw(origin.signal).filter(|_| !from_terminal)
}

/// Whether a signal was set to be ignored before we started (proc(5), SigIgn).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Waits until the program has ended, without collecting it.
///
/// Not with waitpid: that would also see the stops by which the sampler holds a thread.
pub(super) fn wait_for_end(child: &Child) -> Outcome {
    let pid = rustix::process::Pid::from_child(child);
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => {
            let mut descriptors = [PollFd::new(&pidfd, PollFlags::IN)];
            while poll(&mut descriptors, None) == Err(Errno::INTR) {}
        }
        // Before Linux 5.3.
        Err(_) => {
            while peek(pid).is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
    peek(pid).unwrap_or_default()
}

/// How a program that has ended did so.
pub(super) fn peek(pid: rustix::process::Pid) -> Option<Outcome> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let status = waitid(WaitId::Pid(pid), options).ok()??;
    let exited = status
        .exit_status()
        .map(|exit_status| Outcome::Finished { exit_status });
    exited.or_else(|| {
        status
            .terminating_signal()
            .map(|signal| Outcome::Killed { signal })
    })
}

/// Ends as the program did: with its status, or by the signal that ended it.
pub(super) fn end_as(status: ExitStatus) -> u8 {
    let Some(signal) = status.signal() else {
        return status.code().unwrap_or(1) as u8;
    };
    // The core file, if there is one, is the program's; ours would overwrite it.
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = rustix::process::setrlimit(Resource::Core, none);
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    // As shells report it, for the signals that have no default handler to emulate.
    128_u8.wrapping_add(signal as u8)
}
