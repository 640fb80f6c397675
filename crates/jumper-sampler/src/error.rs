//! What can keep the sampler from a process. One variant for each thing that the caller would do about it.

use std::io;
use std::path::PathBuf;

use crate::Pid;
use crate::stack::Version;

/// Why a Python process cannot be sampled.
///
/// A single sample that fails is not an error: it is a [lost sample](crate::SampleOutcome::Lost), which is
/// counted, and the recording goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such process, or no longer.
    #[error(
        "there is no process {pid}: it has ended or never existed; `ps -e` lists those that run"
    )]
    NoSuchProcess {
        /// The process asked for.
        pid: Pid,
    },
    /// The process is there, and no CPython runtime is in it.
    #[error(
        "process {pid} (`{executable}`) is not a CPython program; pass the PID of the Python process itself, \
         which may be a child of this one"
    )]
    NotPython {
        /// The process asked for.
        pid: Pid,
        /// The program that it runs.
        executable: String,
    },
    /// The process runs a Python whose memory layout is not known here.
    #[error(
        "process {pid} runs {version}, which is not supported yet; supported are CPython 3.9 to 3.15 with the \
         global interpreter lock"
    )]
    UnsupportedPython {
        /// The process asked for.
        pid: Pid,
        /// What it runs.
        version: Version,
    },
    /// The system refuses to let this user look into the process.
    #[error(
        "no permission to read process {pid}; run as the same user or as root, allow tracing with \
         `sysctl kernel.yama.ptrace_scope=0`, or give the container `--cap-add SYS_PTRACE`"
    )]
    PermissionDenied {
        /// The process asked for.
        pid: Pid,
    },
    /// The process is a Python that has not come up yet, or is already shutting down.
    #[error(
        "the Python runtime of process {pid} is not running (still starting, or ending); try again"
    )]
    NotReady {
        /// The process asked for.
        pid: Pid,
    },
    /// What lies in the process's memory contradicts the version that it says it is.
    #[error(
        "the memory of process {pid} does not look like {version} ({detail}); if this is an unmodified CPython, \
         please report it"
    )]
    Inconsistent {
        /// The process asked for.
        pid: Pid,
        /// The version that it claims.
        version: Version,
        /// What did not fit.
        detail: &'static str,
    },
    /// A program file of the process cannot be understood.
    #[error("cannot read the symbols of `{path}`: {detail}", path = path.display())]
    BadExecutable {
        /// The file, as seen from our side.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file under `/proc` could not be read.
    #[error("cannot read `{path}`", path = path.display())]
    Proc {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No signal is free to read this process's own threads with.
    #[error(
        "SIGURG and every real-time signal of this process are taken, so its threads cannot be read; free one of them"
    )]
    NoFreeSignal,
    /// There is no memory to read this process's own threads into.
    #[error(
        "cannot map memory to read threads into: {0}; is the address space limited (ulimit -v)?"
    )]
    NoArena(#[source] io::Error),
}

impl Error {
    /// Turns a failure to read `path` of `pid` into the variant that says what to do.
    pub(crate) fn from_proc(pid: Pid, path: PathBuf, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::ENOENT | libc::ESRCH) => Self::NoSuchProcess { pid },
            Some(libc::EACCES | libc::EPERM) => Self::PermissionDenied { pid },
            _ => Self::Proc { path, source },
        }
    }

    /// Whether waiting may help: the process is about to become a Python that runs.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::NotReady { .. } | Self::NotPython { .. } | Self::Inconsistent { .. }
        )
    }
}
