//! What can be said of a function besides its time.

use std::ops::AddAssign;

/// Something of which a program uses an amount.
///
/// What is gained and what is given back are two of them: a function that allocates and one that frees as much would else
/// look like two that do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Processor time, in seconds.
    CpuTime,
    /// By how much memory grew where it grew, in bytes.
    MemoryGained,
    /// By how much memory shrank where it shrank, in bytes.
    MemoryFreed,
    /// Data fetched from storage, in bytes.
    BytesRead,
    /// Data sent to storage, in bytes.
    BytesWritten,
    /// Time of GPUs that were busy, in seconds: two of them busy for one second are two.
    GpuTime,
    /// By how much the memory of GPUs grew where it grew, in bytes.
    GpuMemoryGained,
    /// By how much the memory of GPUs shrank where it shrank, in bytes.
    GpuMemoryFreed,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CpuTime,
        Self::MemoryGained,
        Self::MemoryFreed,
        Self::BytesRead,
        Self::BytesWritten,
        Self::GpuTime,
        Self::GpuMemoryGained,
        Self::GpuMemoryFreed,
    ];

    /// The name in files, such as `cpu_time`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuTime => "cpu_time",
            Self::MemoryGained => "memory_gained",
            Self::MemoryFreed => "memory_freed",
            Self::BytesRead => "bytes_read",
            Self::BytesWritten => "bytes_written",
            Self::GpuTime => "gpu_time",
            Self::GpuMemoryGained => "gpu_memory_gained",
            Self::GpuMemoryFreed => "gpu_memory_freed",
        }
    }

    /// The unit of its amounts: `s` or `B`.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::CpuTime | Self::GpuTime => "s",
            _ => "B",
        }
    }
}

/// An amount of each [`Resource`], in its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resources([f64; Resource::ALL.len()]);

impl Resources {
    /// The amount of one.
    pub fn get(&self, resource: Resource) -> f64 {
        self.0[resource as usize]
    }

    /// Whether there is nothing of anything.
    pub fn is_nothing(&self) -> bool {
        self.0.iter().all(|amount| *amount == 0.0)
    }

    pub(super) fn add(&mut self, resource: Resource, amount: f64) {
        self.0[resource as usize] += amount;
    }

    /// Adds so many times what another has.
    pub(super) fn add_times(&mut self, other: &Self, times: f64) {
        for (amount, other) in self.0.iter_mut().zip(other.0) {
            *amount += other * times;
        }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, other: Self) {
        self.add_times(&other, 1.0);
    }
}
