//! What a session says about itself: `manifest.json`.
//!
//! Everything here is small and wanted before any table is read, so it is JSON for people and tools
//! alike. Fields that this version does not know are ignored; the version number rises only when a
//! reader that ignores them would be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Thresholds, Timestamp};

/// The manifest of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which format this is; set by the builder.
    pub format: Format,
    /// The version of Jumper that recorded the session.
    #[serde(default)]
    pub jumper_version: String,
    /// The machines, indexed by [`HostId`](crate::HostId); set by the builder.
    #[serde(default)]
    pub hosts: Vec<Host>,
    /// The observed interpreter, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Python>,
    /// The directories that modules were looked for in (`sys.path`, as last seen), where they are known. What is relative counts
    /// from [`Program::cwd`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_path: Option<Vec<String>>,
    /// The directories that Python and its libraries were installed in (`sys.prefix`, `sys.base_prefix`,
    /// `sys.exec_prefix`, `sys.base_exec_prefix`), where they are known: code inside is a library's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_prefixes: Option<Vec<String>>,
    /// The observed program.
    pub program: Program,
    /// What ties the session's clock to the time of day.
    pub clock: ClockAnchor,
    /// When recording began.
    #[serde(rename = "start_ns")]
    pub start: Timestamp,
    /// When recording ended.
    #[serde(rename = "end_ns")]
    pub end: Timestamp,
    /// Where in the program the recording was started, if it was started from within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_stack: Option<StartStack>,
    /// How the recording ended.
    #[serde(default)]
    pub outcome: Outcome,
    /// CPU time that the program used while it was recorded, over all its threads.
    #[serde(
        default,
        rename = "cpu_time_ns",
        with = "optional_nanos",
        skip_serializing_if = "Option::is_none"
    )]
    pub cpu_time: Option<Duration>,
    /// How call stacks were recorded; `None` when they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacks: Option<StacksSummary>,
    /// How metrics were recorded; `None` when they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsSummary>,
    /// Rows in the table of cells, set by the builder; `None` in sessions of the first writers, which have no such table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<u64>,
    /// What the levels of the metrics are judged by; JUmPER's defaults where nobody chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Whether it is a part of a recording that leaves out some of what ran: of what was measured nobody can tell any more what is
    /// due to what is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_part: bool,
    /// What a reader should be told about this recording, one line each.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The name and version of the session format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Always [`Format::NAME`].
    pub name: String,
    /// The version, counted from 1.
    pub version: u32,
}

impl Format {
    /// What `format.name` must be.
    pub const NAME: &'static str = "jumper-session";
    /// The version that this crate writes, and the highest that it reads.
    pub const VERSION: u32 = 1;
}

impl Default for Format {
    fn default() -> Self {
        Self {
            name: Self::NAME.into(),
            version: Self::VERSION,
        }
    }
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The machine's name.
    pub name: String,
    /// The operating system and its version.
    #[serde(default)]
    pub os: String,
    /// CPUs that the program could use; 0 is unknown.
    #[serde(default)]
    pub cpus: u32,
    /// Memory that the program could use, in bytes; 0 is unknown.
    #[serde(default)]
    pub memory_bytes: u64,
    /// What limits the CPUs that the program could use, such as `affinity` or `cgroup: /sys/fs/cgroup/cpu.max`; empty where
    /// nobody looked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cpus_limited_by: String,
    /// What limits its memory, likewise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub memory_limited_by: String,
    /// CPUs of the whole machine; 0 is unknown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub system_cpus: u32,
    /// Its GPUs, in the order of their numbers; empty where there are none or nobody looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<Gpu>,
    /// Memory that each level of the metrics could use, in bytes; a level without an entry has no limit of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memory_limits: BTreeMap<String, u64>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A graphics processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Its name, such as `NVIDIA H100`.
    #[serde(default)]
    pub name: String,
    /// Its memory in bytes; 0 is unknown.
    #[serde(default)]
    pub memory_bytes: u64,
}

/// The observed Python interpreter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Python {
    /// The version, such as `3.12.4`.
    pub version: String,
    /// The implementation, such as `CPython`.
    #[serde(default)]
    pub implementation: String,
    /// The path of the interpreter, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
}

/// The observed program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// What people call it, such as `python fib.py 30`.
    #[serde(default)]
    pub description: String,
    /// Its arguments, the program's own name first.
    #[serde(default)]
    pub argv: Vec<String>,
    /// The directory it was started in, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Its process id.
    #[serde(default)]
    pub pid: u32,
}

/// The same moment on the session's clock and on the wall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAnchor {
    /// The moment on the session's monotonic clock.
    #[serde(rename = "monotonic_ns")]
    pub monotonic: Timestamp,
    /// The same moment in nanoseconds since 1970-01-01 00:00 UTC.
    pub unix_ns: i64,
    /// The recording machine's offset from UTC at that moment, in seconds east.
    #[serde(default)]
    pub utc_offset_s: i32,
}

impl ClockAnchor {
    /// The time of day of a timestamp, in nanoseconds since 1970-01-01 00:00 UTC, clamped to an `i64`.
    pub fn unix_nanos_at(&self, time: Timestamp) -> i64 {
        let delta = i128::from(time.as_nanos()) - i128::from(self.monotonic.as_nanos());
        let nanos = i128::from(self.unix_ns) + delta;
        nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

/// The stack from which a recording was started, as row numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartStack {
    /// The row of [`ThreadTable`](crate::ThreadTable).
    pub thread: u32,
    /// The row of [`StackTable`](crate::StackTable), if there was a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<u32>,
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The program ended by itself.
    Finished {
        /// The status that it exited with.
        exit_status: i32,
    },
    /// A signal ended the program.
    Killed {
        /// The number of the signal.
        signal: i32,
    },
    /// A signal to the recorder ended the recording.
    Interrupted {
        /// The number of the signal.
        signal: i32,
    },
    /// The recorder let go of a program that went on.
    Detached,
    /// Not known, or a kind that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// How a running thread was held still while its stack was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// From outside, with `ptrace`.
    Ptrace,
    /// From inside, by a signal in whose handler it read itself.
    Agent,
    /// Not at all: of running threads only what two reads agree on is kept.
    #[default]
    None,
    /// In a way that this version does not know.
    #[serde(other)]
    Unknown,
}

/// How call stacks were recorded, and how well that went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StacksSummary {
    /// The time between two looks that was aimed at.
    #[serde(rename = "interval_ns", with = "nanos")]
    pub interval: Duration,
    /// The largest such time, where the session was put together from some that aimed at others.
    #[serde(
        default,
        rename = "max_interval_ns",
        with = "optional_nanos",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_interval: Option<Duration>,
    /// How running threads were held.
    #[serde(default)]
    pub hold: Hold,
    /// How often the recorder looked.
    #[serde(default)]
    pub ticks: u64,
    /// How many looks came later than they should have, or not at all.
    #[serde(default)]
    pub late_ticks: u64,
    /// Samples of which only the outer frames are proven: their innermost one is called `[unproven]`.
    #[serde(default)]
    pub partial: u64,
    /// The time from the first look to the last.
    #[serde(default, rename = "span_ns", with = "nanos")]
    pub span: Duration,
    /// Rows in the table of samples; set by the builder.
    #[serde(default)]
    pub samples: u64,
    /// Samples that were attempted and thrown away, over all threads; set by the builder.
    #[serde(default)]
    pub lost: u64,
}

/// How metrics were recorded, and how well that went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsSummary {
    /// The time between two measurements that was aimed at.
    #[serde(rename = "interval_ns", with = "nanos")]
    pub interval: Duration,
    /// How often the recorder measured; each time may give one row per level.
    #[serde(default)]
    pub samples: u64,
    /// How many of these measurements came later than they should have.
    #[serde(default)]
    pub late: u64,
    /// The processor time that they took, without that of drivers and other sources which are asked on the side.
    #[serde(default, rename = "cpu_ns", with = "nanos")]
    pub cpu: Duration,
}

/// A `Duration` as whole nanoseconds.
mod nanos {
    use super::{Deserialize, Duration};

    pub(super) fn serialize<S: serde::Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(crate::time::column_nanos(*duration))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}

/// A `Duration` as whole nanoseconds, or null.
pub(crate) mod optional_nanos {
    use super::{Deserialize, Duration, Serialize};

    pub(crate) fn serialize<S: serde::Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration
            .map(crate::time::column_nanos)
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_manifest_survives_json() {
        let manifest = Manifest::default();
        let json = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
        assert!(json.contains(r#""outcome":{"kind":"unknown"}"#), "{json}");
    }

    #[test]
    fn fields_and_kinds_from_a_later_release_are_tolerated() {
        let json = r#"{
            "format": {"name": "jumper-session", "version": 1, "flavour": "new"},
            "program": {}, "clock": {"monotonic_ns": 5, "unix_ns": 7},
            "start_ns": 5, "end_ns": 9, "outcome": {"kind": "hibernated", "hours": 3},
            "stacks": {"interval_ns": 1000000, "hold": "telepathy"}, "marks": []
        }"#;
        let manifest: Manifest = serde_json::from_str(json).unwrap();
        assert_eq!(manifest.outcome, Outcome::Unknown);
        let stacks = manifest.stacks.unwrap();
        assert_eq!(
            (stacks.hold, stacks.interval),
            (Hold::Unknown, Duration::from_millis(1))
        );
    }

    #[test]
    fn the_anchor_gives_the_time_of_day() {
        let clock = ClockAnchor {
            monotonic: Timestamp::from_nanos(10),
            unix_ns: 1_000,
            utc_offset_s: 0,
        };
        assert_eq!(clock.unix_nanos_at(Timestamp::from_nanos(4)), 994);
        assert_eq!(
            clock.unix_nanos_at(Timestamp::from_nanos(i64::MAX)),
            i64::MAX
        );
    }
}
