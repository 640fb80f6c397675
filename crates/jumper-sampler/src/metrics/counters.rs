//! What is totalled over the processes of a level.

use super::account::Reading;
use super::process::{IoCounters, Stat};

/// A counter that is totalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    /// Processor time in nanoseconds.
    CpuNanos,
    /// Processor time in user programs, in clock ticks.
    UserTicks,
    /// Processor time in the kernel, in clock ticks.
    SystemTicks,
    /// Page faults without a reading from storage.
    MinorFaults,
    /// Page faults with one.
    MajorFaults,
    /// Bytes from storage.
    ReadBytes,
    /// Bytes to storage.
    WriteBytes,
    /// Reading system calls.
    ReadCalls,
    /// Writing system calls.
    WriteCalls,
}

pub(super) const COUNTERS: usize = 9;

/// One value for each counter.
pub(super) type PerCounter<T> = [T; COUNTERS];

/// The counters of one process, as read. `cpu_nanos` is its own clock, where it has one that can be read.
pub(super) fn readings(
    stat: &Stat,
    io: Option<IoCounters>,
    cpu_nanos: Option<u64>,
    nanos_per_tick: u64,
) -> PerCounter<Option<Reading>> {
    let mixed = |value: fn(&IoCounters) -> u64| io.as_ref().map(|io| Reading::mixed(value(io)));
    let nanos = |ticks: u64| ticks.saturating_mul(nanos_per_tick);
    let (user, system) = (stat.user_ticks, stat.system_ticks);
    let mut readings = [None; COUNTERS];
    readings[Counter::CpuNanos as usize] = Some(Reading {
        own: cpu_nanos.unwrap_or_else(|| nanos(user.own + system.own)),
        folded: nanos(user.folded + system.folded),
    });
    readings[Counter::UserTicks as usize] = Some(user);
    readings[Counter::SystemTicks as usize] = Some(system);
    readings[Counter::MinorFaults as usize] = Some(stat.minor_faults);
    readings[Counter::MajorFaults as usize] = Some(stat.major_faults);
    readings[Counter::ReadBytes as usize] = mixed(|io| io.read_bytes);
    readings[Counter::WriteBytes as usize] = mixed(|io| io.write_bytes);
    readings[Counter::ReadCalls as usize] = mixed(|io| io.read_calls);
    readings[Counter::WriteCalls as usize] = mixed(|io| io.write_calls);
    readings
}
