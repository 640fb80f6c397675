//! What is read of a GPU, whoever made it.

use std::collections::HashMap;

/// A GPU of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuInfo {
    /// What its maker calls it, such as `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Its memory; `None` is unknown.
    pub memory_bytes: Option<u64>,
}

/// One look at one GPU. Everything may be unknown, and is, where the driver or the device does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// The share of the time in which something ran on it, in percent.
    pub(super) util: Option<f64>,
    /// The share of the time in which its memory was read or written, in percent.
    pub(super) band: Option<f64>,
    /// Its memory that is in use, in bytes.
    pub(super) memory: Option<u64>,
    /// In watts.
    pub(super) power: Option<f64>,
    /// In degrees Celsius.
    pub(super) temperature: Option<f64>,
    /// Of its processors, in megahertz.
    pub(super) clock: Option<f64>,
    /// Of its memory, in megahertz.
    pub(super) memory_clock: Option<f64>,
    /// What keeps its clocks down.
    pub(super) throttle: Option<Throttle>,
    /// What it has taken since the driver was loaded, in joules.
    pub(super) energy: Option<f64>,
    /// Who uses it.
    pub(super) processes: Processes,
}

/// Why clocks are lower than they could be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttle {
    /// It would take more power than it may.
    pub(super) power: bool,
    /// It is too hot.
    pub(super) thermal: bool,
    /// Anything else, other than that there is nothing to do.
    pub(super) other: bool,
}

/// What the processes on one GPU use of it, by their numbers here. A process that is not listed uses nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Processes {
    /// Memory in bytes; `None` of a process of which the driver does not tell, and as a whole of all.
    pub(super) memory: Option<HashMap<u32, Option<u64>>>,
    /// How busy they keep it, likewise.
    pub(super) busy: Option<HashMap<u32, Option<Busy>>>,
}

/// How busy one process keeps a GPU, as shares of the time in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Busy {
    /// As [`Reading::util`].
    pub(super) util: f64,
    /// As [`Reading::band`]; `None` where the driver does not tell by process.
    pub(super) band: Option<f64>,
}

/// What somebody has of a GPU: everybody, or some processes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Share {
    /// As [`Reading::util`].
    pub(super) util: Option<f64>,
    /// As [`Reading::band`].
    pub(super) band: Option<f64>,
    /// As [`Reading::memory`].
    pub(super) memory: Option<u64>,
}

impl Reading {
    /// What everybody has.
    pub(super) fn whole(&self) -> Share {
        Share {
            util: self.util,
            band: self.band,
            memory: self.memory,
        }
    }
}

impl Processes {
    /// What these have together.
    pub(super) fn share_of(&self, pids: &[u32]) -> Share {
        let busy = self.busy.as_ref().and_then(|all| {
            let mut theirs = pids.iter().filter_map(|pid| all.get(pid));
            theirs.try_fold((0.0, Some(0.0)), |(util, band), busy| {
                let busy = (*busy)?;
                Some((util + busy.util, add(band, busy.band)))
            })
        });
        let memory = self.memory.as_ref().and_then(|all| {
            let theirs = pids.iter().filter_map(|pid| all.get(pid));
            theirs.copied().sum::<Option<u64>>()
        });
        Share {
            // Each process's share is rounded, and the engines of a GPU work side by side.
            util: busy.map(|(util, _)| util.min(100.0)),
            band: busy.and_then(|(_, band)| band).map(|band| band.min(100.0)),
            memory,
        }
    }
}

fn add(sum: Option<f64>, value: Option<f64>) -> Option<f64> {
    Some(sum? + value?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(memory: &[(u32, Option<u64>)], busy: &[(u32, f64)]) -> Processes {
        let busy = busy.iter().map(|&(pid, util)| {
            (
                pid,
                Some(Busy {
                    util,
                    band: Some(util / 2.0),
                }),
            )
        });
        Processes {
            memory: Some(memory.iter().copied().collect()),
            busy: Some(busy.collect()),
        }
    }

    #[test]
    fn processes_have_what_they_use_and_not_the_device() {
        let all = processes(
            &[(1, Some(10)), (2, Some(20)), (3, None)],
            &[(1, 30.0), (2, 80.0)],
        );
        let of = |pids: &[u32]| {
            let Share { util, band, memory } = all.share_of(pids);
            (util, band, memory)
        };
        assert_eq!(of(&[1]), (Some(30.0), Some(15.0), Some(10)));
        assert_eq!(of(&[1, 2]), (Some(100.0), Some(55.0), Some(30)));
        assert_eq!(of(&[7]), (Some(0.0), Some(0.0), Some(0)));
        assert_eq!(
            of(&[1, 3]).2,
            None,
            "one that is not known makes the sum unknown"
        );
    }

    #[test]
    fn processes_that_nobody_tells_of_are_unknown() {
        assert_eq!(Processes::default().share_of(&[1]), Share::default());
    }
}
