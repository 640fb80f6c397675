//! What a [`MetricsSampler`](super::MetricsSampler) is to measure.

use super::level::Level;

/// What is measured, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsOptions {
    /// Whose use; see [`Level`]. Default: process and system.
    pub levels: Vec<Level>,
}

impl Default for MetricsOptions {
    fn default() -> Self {
        Self {
            levels: vec![Level::Process, Level::System],
        }
    }
}

impl MetricsOptions {
    /// These options with other levels, in whatever order and number; none is the default again.
    #[must_use]
    pub fn with_levels(self, levels: impl IntoIterator<Item = Level>) -> Self {
        let mut levels: Vec<Level> = levels.into_iter().collect();
        levels.sort_unstable();
        levels.dedup();
        if levels.is_empty() {
            return Self {
                levels: Self::default().levels,
            };
        }
        Self { levels }
    }
}
