//! What can keep a [`MetricsSampler`](super::MetricsSampler) from starting. Once it runs, nothing is an error.

use std::io;
use std::path::PathBuf;

use crate::Pid;

/// Why resources cannot be sampled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// There is no such process, or no longer.
    #[error(
        "there is no process {pid}: it has ended or never existed; `ps -e` lists those that run"
    )]
    NoSuchProcess {
        /// The process asked for.
        pid: Pid,
    },
    /// A file that everything else builds on could not be read.
    #[error("cannot read `{path}`; is /proc mounted, and not hidden by the mount option hidepid?", path = path.display())]
    Proc {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A collector brings a metric whose name is taken.
    #[error("there is already a metric `{name}`; give the collector's metric another name")]
    DuplicateMetric {
        /// The name that both have.
        name: String,
    },
    /// There is no level of that name.
    #[error("there is no level `{name}`; there are process, user, system, slurm and container")]
    UnknownLevel {
        /// What was asked for.
        name: String,
    },
    /// Metrics cannot be read from there.
    #[error("`{text}` is no address of metrics: {why}; write [NAME=]http://HOST:PORT/PATH")]
    Endpoint {
        /// What was asked for.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
}
