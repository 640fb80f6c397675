//! What a program and its machine use: processor, memory, storage, threads.
//!
//! The module exists so that the numbers next to a recording can be trusted as much as its stacks. From that follow
//! its rules:
//! - **Unknown is not zero.** A file that may not be read, or a rate before there are two readings, is `None`.
//! - **Rates come from counters.** Cumulative counters are read and differenced per process, where a process is its
//!   number *and* its start time, so that one that ends takes nothing back and a reused number is noticed.
//! - **A sample never waits.** No reading is stretched over an interval of its own, and none fails: what cannot be
//!   read is missing from the sample, the rest is there.
//!
//! It must not know how often it is asked, where samples are kept or how they are shown, and it must not look into
//! the observed program beyond what `/proc` says: see proc(5) for every file that is named here.
//!
//! One file per source ([`Collector`]) over one shared [`Scan`] of the observed processes; what may be slow or fail is a
//! [`Source`], and asked on a thread of its own. Names of metrics and levels are those of JUmPER where it has one, so that
//! its users find their columns again.
//!
//! ```
//! use jumper_sampler::Pid;
//! use jumper_sampler::metrics::{Level, MetricsSampler};
//!
//! let mut sampler = MetricsSampler::new(Pid::new(std::process::id()))?;
//! let rss = sampler.position("rss").expect("bug: a standard metric is missing");
//! let row = sampler.sample().row(Level::Process).expect("bug: the process level is always sampled");
//! assert!(row.values[rss].is_some_and(|gibibytes| gibibytes > 0.0));
//! # Ok::<(), jumper_sampler::metrics::MetricsError>(())
//! ```

mod account;
mod background;
mod census;
mod cgroup;
mod children;
mod collector;
mod counters;
mod counts;
mod cpu;
mod cpu_set;
mod disks;
mod energy;
mod error;
mod faults;
mod file_system;
mod frequency;
mod gpu;
mod group_cpu;
mod group_memory;
mod io;
mod kept;
mod level;
mod limits;
mod membership;
mod memory;
mod metric;
mod network;
mod options;
mod pressure;
mod process;
mod processes;
mod procfs;
mod rate;
mod roots;
mod sampler;
mod scrape;
mod slurm;
mod source;
mod system_calls;
mod watch;

pub use collector::{Collector, Scan};
pub use error::MetricsError;
pub use gpu::{GpuInfo, gpus};
pub use level::Level;
pub use limits::{Limit, LimitSource, Limits};
pub use metric::{Kind, Metric, Unit};
pub use options::MetricsOptions;
pub use roots::Roots;
pub use sampler::{Cost, MetricsRow, MetricsSample, MetricsSampler};
pub use scrape::{Endpoint, Scrape};
pub use source::{Answer, Question, Source, SourceError};
