//! What a [`MetricsSampler`](super::MetricsSampler) is to measure.

use std::time::Duration;

use super::level::Level;
use super::roots::Roots;

/// What is measured, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsOptions {
    /// Whose use; see [`Level`]. Default: process and system.
    pub levels: Vec<Level>,
    /// How old the value of an expensive metric may become: the memory of processes, which the kernel counts page by page. It
    /// is read as often as it takes little of the time. Default 5 s; zero has all read anew for each sample, whatever it costs.
    pub slow_beat: Duration,
    /// Where the kernel's files are.
    pub roots: Roots,
}

impl Default for MetricsOptions {
    fn default() -> Self {
        Self {
            levels: vec![Level::Process, Level::System],
            slow_beat: Duration::from_secs(5),
            roots: Roots::default(),
        }
    }
}

impl MetricsOptions {
    /// These options with other levels, in whatever order and number; none is the default again.
    #[must_use]
    pub fn with_levels(mut self, levels: impl IntoIterator<Item = Level>) -> Self {
        self.levels = levels.into_iter().collect();
        self.levels.sort_unstable();
        self.levels.dedup();
        if self.levels.is_empty() {
            self.levels = Self::default().levels;
        }
        self
    }

    /// These options with another beat for what is expensive.
    #[must_use]
    pub fn with_slow_beat(self, slow_beat: Duration) -> Self {
        Self { slow_beat, ..self }
    }

    /// These options with other places of the kernel's files.
    #[must_use]
    pub fn with_roots(self, roots: Roots) -> Self {
        Self { roots, ..self }
    }
}
