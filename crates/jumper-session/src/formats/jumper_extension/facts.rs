//! What JUmPER's manifest says about the machine and the recording.

use std::path::Path;
use std::time::Duration;

use super::manifest::Monitor;
use super::{MANIFEST, damaged};
use crate::error::Result;
use crate::formats::seconds::{MAX_SECONDS, nanos};
use crate::{Gpu, Host, Timestamp};

/// More GPUs than any machine has.
pub(super) const MAX_GPUS: u32 = 1 << 16;

/// What `monitor` of the manifest says, as we keep it.
pub(super) struct Facts {
    pub(super) host: Host,
    pub(super) interval: Duration,
    pub(super) start: Option<Timestamp>,
    pub(super) stop: Option<Timestamp>,
    /// When it was started, in nanoseconds since 1970-01-01 UTC.
    pub(super) unix_ns: Option<i64>,
}

impl Facts {
    pub(super) fn new(path: &Path, monitor: &Monitor) -> Result<Self> {
        let wrong = |key: &str, detail: &str| {
            damaged(path, MANIFEST, Some(&format!("monitor.{key}")), detail)
        };
        let seconds = |key: &str, value: Option<f64>| match value {
            Some(seconds) if seconds.abs() > MAX_SECONDS => {
                Err(wrong(key, "it is more than 292 years"))
            }
            value => Ok(value.map(nanos)),
        };
        let memory = |key: &str, gibibytes: f64| match (0.0..=MAX_GIBIBYTES).contains(&gibibytes) {
            true => Ok((gibibytes * BYTES_PER_GIBIBYTE).round() as u64),
            false => Err(wrong(key, "it is not an amount of memory")),
        };
        let interval = seconds("interval", monitor.interval)?.unwrap_or(1_000_000_000);
        let Ok(interval) = u64::try_from(interval) else {
            return Err(wrong("interval", "it is negative"));
        };
        let gpus = monitor.num_gpus.unwrap_or_default();
        if gpus > MAX_GPUS {
            return Err(wrong("num_gpus", "no machine has so many"));
        }
        let gpu = Gpu {
            name: monitor.gpu_name.clone().unwrap_or_default(),
            memory_bytes: memory("gpu_memory", monitor.gpu_memory.unwrap_or_default())?,
        };
        let mut host = Host {
            os: monitor.os.clone().unwrap_or_default(),
            cpus: monitor.num_cpus.unwrap_or_default(),
            system_cpus: monitor.num_system_cpus.unwrap_or_default(),
            gpus: vec![gpu; gpus as usize],
            ..Host::default()
        };
        for (level, limit) in monitor.memory_limits.iter().flatten() {
            if let Some(limit) = *limit {
                let limit = memory(&format!("memory_limits.{level}"), limit)?;
                host.memory_limits.insert(level.clone(), limit);
            }
        }
        host.memory_bytes = host
            .memory_limits
            .get("system")
            .copied()
            .unwrap_or_default();
        let timestamp = |nanos: Option<i64>| nanos.map(Timestamp::from_nanos);
        let start = timestamp(seconds("start_time", monitor.start_time)?);
        let stop = timestamp(seconds("stop_time", monitor.stop_time)?);
        if stop.is_some() && stop < start {
            return Err(wrong("stop_time", "it is before `monitor.start_time`"));
        }
        Ok(Self {
            host,
            interval: Duration::from_nanos(interval),
            start,
            stop,
            unix_ns: seconds("wallclock_start_time", monitor.wallclock_start_time)?,
        })
    }
}

pub(super) const BYTES_PER_GIBIBYTE: f64 = (1_u64 << 30) as f64;

/// More than all addresses of 64 bits.
const MAX_GIBIBYTES: f64 = (1_u64 << 34) as f64;

/// How far a time zone is from UTC, in seconds east, where its name says so. JUmPER has names such as `CET`, by which
/// more than one zone is called; what we write says it, such as `UTC+02:00`.
pub(super) fn utc_offset(timezone: Option<&str>) -> Option<i32> {
    let timezone = timezone?;
    if matches!(timezone, "UTC" | "GMT") {
        return Some(0);
    }
    let offset = timezone.strip_prefix("UTC")?;
    let (sign, offset) = match offset.strip_prefix('-') {
        Some(offset) => (-1, offset),
        None => (1, offset.strip_prefix('+')?),
    };
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    (hours < 24 && minutes < 60).then(|| sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_known_only_where_the_name_says_it() {
        for (name, expected) in [
            (None, None),
            (Some("UTC"), Some(0)),
            (Some("UTC+05:45"), Some(20_700)),
            (Some("UTC-03:30"), Some(-12_600)),
            (Some("CET"), None),
            (Some("UTC+"), None),
            (Some("UTC+99:00"), None),
            (Some("UTC+-1:00"), None),
            (Some(""), None),
        ] {
            assert_eq!(utc_offset(name), expected, "{name:?}");
        }
    }
}
