//! What ran, how long, and how good the sampling was.

use std::time::Duration;

use jumper_session::{Host, Outcome, Session};
use serde::Serialize;

use super::text::{line, path_line};
use crate::facts;

/// What a session says about itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Recording {
    /// What ran.
    pub(crate) program: String,
    /// The version of Jumper that recorded it.
    pub(crate) jumper_version: String,
    /// The interpreter, such as `CPython 3.12.4`.
    pub(crate) python: Option<String>,
    /// When recording began, where it was recorded: `2026-11-21 10:00:00 +0100`.
    pub(crate) recorded: String,
    /// The same in seconds since 1970-01-01 00:00 UTC.
    pub(crate) start_unix_s: f64,
    pub(crate) duration_s: f64,
    /// What the program used of CPUs, over all its threads.
    pub(crate) cpu_time_s: Option<f64>,
    /// How it ended, for people: `finished`, `exited with status 3`, …
    pub(crate) outcome: String,
    /// The exit status of the program, where it ended with one.
    pub(crate) exit_status: Option<i32>,
    /// Null where no stacks were recorded, as are the figures below.
    pub(crate) samples: Option<u64>,
    /// Samples that were attempted and thrown away.
    pub(crate) lost: Option<u64>,
    /// Samples of which only the outer part is proven.
    pub(crate) partial: Option<u64>,
    /// Looks that came late, or not at all.
    pub(crate) late: Option<u64>,
    /// The time between two looks that was aimed at.
    pub(crate) interval_s: Option<f64>,
    /// How often the recorder looked.
    pub(crate) rate_hz: Option<f64>,
    /// How often it meant to.
    pub(crate) wanted_rate_hz: Option<f64>,
    pub(crate) hosts: Vec<HostRow>,
    /// Where the session is; null for what is in memory only.
    pub(crate) path: Option<String>,
    /// What a reader should be told, one line each.
    pub(crate) notes: Vec<String>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct HostRow {
    pub(crate) name: String,
    pub(crate) os: String,
    pub(crate) cpus: Option<u32>,
    pub(crate) memory_bytes: Option<u64>,
    /// The names of its GPUs.
    pub(crate) gpus: Vec<String>,
}

impl Recording {
    pub(crate) fn of(session: &Session) -> Self {
        let manifest = session.manifest();
        let stacks = manifest.stacks;
        let rates = stacks.and_then(|stacks| facts::rates(&stacks));
        let seconds = |duration: Duration| duration.as_secs_f64();
        Self {
            program: line(&facts::program(session)),
            jumper_version: line(&manifest.jumper_version),
            python: facts::python(session),
            recorded: facts::recorded(session),
            start_unix_s: manifest.clock.unix_nanos_at(session.start()) as f64 / 1e9,
            duration_s: seconds(session.duration()),
            cpu_time_s: manifest.cpu_time.map(seconds),
            outcome: facts::outcome(session).unwrap_or_else(|| "finished".into()),
            exit_status: match manifest.outcome {
                Outcome::Finished { exit_status } => Some(exit_status),
                _ => None,
            },
            samples: stacks.map(|stacks| stacks.samples),
            lost: stacks.map(|stacks| stacks.lost),
            partial: stacks.map(|stacks| stacks.partial),
            late: stacks.map(|stacks| stacks.late_ticks),
            interval_s: stacks.map(|stacks| seconds(stacks.interval)),
            rate_hz: rates.map(|(reached, _)| reached),
            wanted_rate_hz: rates.map(|(_, wanted)| wanted),
            hosts: session.hosts().iter().map(HostRow::of).collect(),
            path: session
                .path()
                .map(|path| path_line(&path.display().to_string())),
            notes: manifest.notes.iter().map(|note| line(note)).collect(),
        }
    }
}

impl Recording {
    /// Leaves so many hosts, GPUs and notes.
    pub(crate) fn bound(&mut self, limit: usize) {
        self.hosts.truncate(limit);
        for host in &mut self.hosts {
            host.gpus.truncate(limit);
        }
        self.notes.truncate(limit);
    }
}

impl HostRow {
    fn of(host: &Host) -> Self {
        Self {
            name: line(&host.name),
            os: line(&host.os),
            cpus: Some(host.cpus).filter(|cpus| *cpus > 0),
            memory_bytes: Some(host.memory_bytes).filter(|bytes| *bytes > 0),
            gpus: host.gpus.iter().map(|gpu| line(&gpu.name)).collect(),
        }
    }
}
