//! What each kind of GPU has in common: somebody to ask.

use super::reading::{GpuInfo, Reading};

/// Asks the GPUs of one maker. Calls may take long, or never return: they are made on a thread of their own.
pub(super) trait Driver: Send {
    /// The GPUs, in the order of their numbers. They stay the same.
    fn gpus(&self) -> &[GpuInfo];

    /// Reads all of them, in that order, behind what is in `readings`. `pids` are the processes of which somebody wants to know,
    /// and nobody does where it is `None`; the driver may tell of others too.
    fn read(&mut self, pids: Option<&[u32]>, readings: &mut Vec<Reading>);
}
