//! Processor time: of processes by their own clocks and `/proc/PID/stat`, of the machine from `/proc/stat`, of a control group as the
//! kernel counts it.
//!
//! The clock of a process is exact to the nanosecond; what its parent finds in its own counters when it has ended, and what
//! the machine did, is told in ticks of mostly 10 ms. The totals do not drift.

use std::time::Duration;

use super::collector::{Collector, Scan};
use super::counters::Counter;
use super::cpu_set::CpuSet;
use super::group_cpu::GroupCpu;
use super::kept::KeptFile;
use super::level::Level;
use super::limits::Limits;
use super::metric::{Kind, Metric, Unit, counter, gauge};
use super::procfs::{MachineUnits, value_of};
use super::rate::{Rate, Since};
use crate::Timestamp;

/// Where in the metrics what begins.
const AVERAGE: usize = 0;
const TIMES: usize = 3;
const SWITCHES: usize = 6;
const EACH: usize = 7;

/// The processors that the root may run on are asked for again after so long.
const AFFINITY_LASTS: Duration = Duration::from_secs(1);

/// Fills what begins with `cpu_`, but for frequencies, and `ctx_switches`.
///
/// As in JUmPER, 100 % is all processors busy and not one of them. JUmPER takes the processors that the monitor may
/// run on; here they are those of the observed root process, the largest number seen so far: a program may bind its
/// main thread to a single one while its other threads run elsewhere. A descendant can be allowed more processors
/// than the root, and then the utilisation can exceed 100 %; it is not cut off. A job or a container has what its limits give it.
#[derive(Debug)]
pub(super) struct Cpu {
    metrics: Vec<Metric>,
    rates: [Rate; Level::ALL.len()],
    groups: [Option<GroupCpu>; Level::ALL.len()],
    first: [[Since; 3]; Level::ALL.len()],
    status: KeptFile,
    asked_at: Option<Timestamp>,
    root_cpus: Option<u32>,
    online: Option<CpuSet>,
    limit: Option<f64>,
    stat: KeptFile,
    machine: Machine,
}

impl Cpu {
    pub(super) fn new(scan: &Scan) -> Self {
        let online = std::fs::read_to_string(scan.roots().sys("devices/system/cpu/online"))
            .ok()
            .and_then(|list| CpuSet::parse(&list));
        let mut stat = KeptFile::new(scan.roots().proc("stat"));
        let mut machine = Machine::default();
        if let Some(text) = stat.text() {
            machine.find_processors(text);
        }
        let limit = Limits::of_root(scan.root(), scan.roots()).cpus();
        Self {
            metrics: metrics(&machine),
            rates: Default::default(),
            groups: Level::ALL.map(|level| {
                let (group, membership) = scan.group(level)?;
                GroupCpu::of(group, &membership.groups)
            }),
            first: Default::default(),
            status: KeptFile::new(scan.roots().proc(&format!("{}/status", scan.root()))),
            asked_at: None,
            root_cpus: None,
            online,
            limit,
            stat,
            machine,
        }
    }

    /// How many processors are 100 %.
    fn available(&self, level: Level) -> Option<f64> {
        let online = self.online.as_ref().map(|online| f64::from(online.len()));
        match level {
            Level::Process => self.root_cpus.map(f64::from),
            Level::Slurm | Level::Container => self.limit.or(online),
            _ => online,
        }
    }

    /// How many processors the root may run on.
    fn ask_for_affinity(&mut self, scan: &Scan) {
        let is_due = self
            .asked_at
            .is_none_or(|at| scan.time().saturating_duration_since(at) >= AFFINITY_LASTS);
        if !is_due || !scan.processes().has_root() {
            return;
        }
        self.asked_at = Some(scan.time());
        let list = self.status.text().and_then(|status| {
            status
                .lines()
                .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        });
        let Some(allowed) = list.and_then(CpuSet::parse) else {
            return;
        };
        // The list may name processors that the machine could have and has not.
        let count = match &self.online {
            Some(online) => allowed.shared_with(online),
            None => allowed.len(),
        };
        self.root_cpus = self.root_cpus.max((count > 0).then_some(count));
    }

    /// Nanoseconds since the first sample: all, in user programs, in the kernel.
    fn used(&mut self, level: Level, scan: &Scan) -> [Option<u64>; 3] {
        if let Some(group) = &mut self.groups[level as usize] {
            let first = &mut self.first[level as usize];
            let nanos = group.nanos(scan.units());
            return std::array::from_fn(|at| first[at].growth(nanos[at]));
        }
        let nanos_per_tick = scan.units().nanos_per_tick();
        let total = |counter| scan.processes().total(level, counter);
        let ticks = |counter| total(counter).map(|ticks| ticks * nanos_per_tick);
        [
            total(Counter::CpuNanos),
            ticks(Counter::UserTicks),
            ticks(Counter::SystemTicks),
        ]
    }
}

impl Collector for Cpu {
    fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    fn begin(&mut self, scan: &Scan) {
        self.ask_for_affinity(scan);
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        if level == Level::System {
            let text = self.stat.text();
            let switches = text.and_then(|text| value_of(text, "ctxt "));
            self.machine.collect(text, scan.units(), values);
            values[SWITCHES] = self.rates[level as usize].per_second(scan.time(), switches);
            return;
        }
        if !scan.has_processes(level) {
            return;
        }
        let used = self.used(level, scan);
        let per_second = self.rates[level as usize].per_second(scan.time(), used[0]);
        if !scan.is_empty(level) {
            let shares = per_second.zip(self.available(level));
            values[AVERAGE] = shares.map(|(nanos, cpus)| nanos / 1e7 / cpus);
        }
        for (value, nanos) in values[TIMES..SWITCHES].iter_mut().zip(used) {
            *value = nanos.map(|nanos| nanos as f64 / 1e9);
        }
    }
}

fn metrics(machine: &Machine) -> Vec<Metric> {
    let mut metrics = vec![
        gauge(
            "cpu_util_avg",
            Unit::Percent,
            "processor time used, as a share of all processors that the program may run on (process level), that are \
             online (user and system level), or that its limits give a job or a container",
        ),
        gauge(
            "cpu_util_min",
            Unit::Percent,
            "utilisation of the processor that has least to do (system level only)",
        ),
        gauge(
            "cpu_util_max",
            Unit::Percent,
            "utilisation of the processor that has most to do (system level only)",
        ),
        counter(
            "cpu_time",
            Unit::Seconds,
            "processor time used since the first sample, summed over processors",
        ),
        counter(
            "cpu_time_user",
            Unit::Seconds,
            "the part of it that was used in programs",
        ),
        counter(
            "cpu_time_system",
            Unit::Seconds,
            "the part of it that was used in the kernel on their behalf",
        ),
        gauge(
            "ctx_switches",
            Unit::PerSecond,
            "switches of processors from one thread to another (system level only: the kernel forgets those of threads that \
             have ended)",
        ),
    ];
    metrics.extend(machine.processors.iter().map(|processor| {
        Metric::new(
            format!("cpu_util_{}", processor.number).into(),
            Unit::Percent,
            Kind::Gauge,
            "utilisation of the processor with this number (system level only)",
        )
    }));
    metrics
}

/// The processors of the machine, from `/proc/stat`.
#[derive(Debug, Default)]
struct Machine {
    all: Processor,
    processors: Vec<Processor>,
    busy: [u64; 3],
}

#[derive(Debug, Default)]
struct Processor {
    number: u32,
    /// What it had done when its utilisation was known last.
    before: Option<Ticks>,
}

impl Processor {
    /// What it did since it was known last. Ticks are coarse: while none has passed, nothing is known.
    fn since_before(&mut self, now: Ticks) -> Option<Ticks> {
        let grown = self.before.map(|before| now.since(&before));
        if grown.is_none_or(|grown| grown.all() > 0) {
            self.before = Some(now);
        }
        grown.filter(|grown| grown.all() > 0)
    }
}

impl Machine {
    fn find_processors(&mut self, text: &str) {
        self.processors
            .extend(lines(text).map(|(number, _)| Processor {
                number,
                before: None,
            }));
    }

    fn collect(&mut self, text: Option<&str>, units: MachineUnits, values: &mut [Option<f64>]) {
        let Some(text) = text else { return };
        let all = text.lines().find_map(|line| line.strip_prefix("cpu "));
        let Some(all) = all.and_then(Ticks::parse) else {
            return;
        };
        if let Some(grown) = self.all.since_before(all) {
            values[AVERAGE] = Some(grown.utilisation());
            for (busy, grown) in self.busy.iter_mut().zip(grown.busy()) {
                *busy += grown;
            }
        }
        for (value, ticks) in values[TIMES..SWITCHES].iter_mut().zip(self.busy) {
            *value = Some((ticks * units.nanos_per_tick()) as f64 / 1e9);
        }
        let mut processors = self
            .processors
            .iter_mut()
            .zip(&mut values[EACH..])
            .peekable();
        for (number, fields) in lines(text) {
            // One that is switched off has no line, and one that came later no column.
            while processors
                .next_if(|(known, _)| known.number < number)
                .is_some()
            {}
            if let Some((known, value)) = processors.next_if(|(known, _)| known.number == number) {
                let grown = Ticks::parse(fields).and_then(|now| known.since_before(now));
                *value = grown.map(|grown| grown.utilisation());
            }
        }
        let each = || values[EACH..].iter().flatten().copied();
        let (least, most) = (each().reduce(f64::min), each().reduce(f64::max));
        (values[1], values[2]) = (least, most);
    }
}

/// The processors of `/proc/stat` by their numbers, with the fields of each.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.lines().filter_map(|line| {
        let (number, fields) = line.strip_prefix("cpu")?.split_once(' ')?;
        Some((number.parse().ok()?, fields))
    })
}

/// What processors did, in clock ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ticks {
    /// In programs and guests, also nice ones.
    user: u64,
    /// In the kernel, for programs and for devices.
    system: u64,
    idle: u64,
    /// Idle while something waits for storage. proc(5) warns that it can fall.
    io_wait: u64,
    /// Wanted by this machine and given to another one by the hypervisor: neither work nor idle.
    stolen: u64,
}

impl Ticks {
    /// The fields behind the name. Those of guests, which follow, are contained in the first two.
    fn parse(fields: &str) -> Option<Self> {
        let mut ticks = [0u64; 8];
        let mut fields = fields.split_ascii_whitespace();
        for tick in &mut ticks {
            *tick = fields.next()?.parse().ok()?;
        }
        let [user, nice, system, idle, io_wait, irq, soft_irq, stolen] = ticks;
        Some(Self {
            user: user.saturating_add(nice),
            system: system.saturating_add(irq).saturating_add(soft_irq),
            idle,
            io_wait,
            stolen,
        })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            idle: self.idle.saturating_sub(before.idle),
            io_wait: self.io_wait.saturating_sub(before.io_wait),
            stolen: self.stolen.saturating_sub(before.stolen),
        }
    }

    /// Spent on work: all, in programs, in the kernel.
    fn busy(&self) -> [u64; 3] {
        [self.user + self.system, self.user, self.system]
    }

    fn all(&self) -> u64 {
        self.user + self.system + self.idle + self.io_wait + self.stolen
    }

    /// Of ticks that are some.
    fn utilisation(&self) -> f64 {
        100.0 * (self.user + self.system) as f64 / self.all() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  24236 10 3294 164642 1662 5 68 45 7 8\n\
                        cpu0 11167 0 1369 84133 251 0 15 20 0 0\n\
                        cpu2 13069 10 1925 80509 1411 5 53 25 7 8\nintr 1 2 3\n";

    #[test]
    fn busy_is_work_and_neither_waiting_nor_stolen() {
        let expected = Ticks {
            user: 24236 + 10,
            system: 3294 + 5 + 68,
            idle: 164_642,
            io_wait: 1662,
            stolen: 45,
        };
        let line = STAT
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("cpu "));
        assert_eq!(line.and_then(Ticks::parse), Some(expected));
        assert_eq!(Ticks::parse("1 2 3"), None);
    }

    #[test]
    fn io_wait_that_falls_does_not_make_utilisation_wrong() {
        let ticks = |user, idle, io_wait| Ticks {
            user,
            idle,
            io_wait,
            ..Ticks::default()
        };
        let (before, after) = (ticks(100, 100, 50), ticks(150, 150, 49));
        assert_eq!(after.since(&before).utilisation(), 50.0);
    }

    #[test]
    fn while_no_tick_has_passed_nothing_is_known() {
        let mut machine = Machine::default();
        machine.find_processors(STAT);
        assert_eq!(
            metrics(&machine).last().map(|metric| &*metric.name),
            Some("cpu_util_2")
        );
        let units = MachineUnits::read().expect("bug: no auxiliary vector");
        let mut sample = |text: &str| {
            let mut values = [None; EACH + 2];
            machine.collect(Some(text), units, &mut values);
            [
                values[0],
                values[1],
                values[2],
                values[EACH],
                values[EACH + 1],
            ]
        };
        assert_eq!(sample(STAT), [None; 5]);
        assert_eq!(sample(STAT), [None; 5]);
        // The first processor is switched off, and a new one is there.
        let later = "cpu  24246 10 3294 164652 1662 5 68 45 7 8\ncpu2 13079 10 1925 80539 1411 5 53 25 7 8\n\
                     cpu3 1 1 1 1 1 1 1 1\n";
        assert_eq!(
            sample(later),
            [Some(50.0), Some(25.0), Some(25.0), None, Some(25.0)]
        );
    }
}
