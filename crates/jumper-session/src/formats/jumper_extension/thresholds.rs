//! From which share of a resource on JUmPER calls a cell bound by it.

use std::collections::BTreeMap;

/// Thresholds by their name.
pub(super) type Thresholds = BTreeMap<String, f64>;

/// JUmPER's own.
const DEFAULT: [(&str, f64); 7] = [
    ("memory_ratio", 0.8),
    ("cpu_ratio", 0.7),
    ("gpu_util_ratio", 0.8),
    ("gpu_memory_ratio", 0.8),
    ("gpu_alloc_min_mem_gb", 0.1),
    ("gpu_util_idle_threshold", 0.05),
    ("gpu_alloc_min_fraction", 0.5),
];

/// What a session has that nobody set any for.
pub(super) fn default() -> Thresholds {
    DEFAULT.map(|(name, value)| (name.into(), value)).into()
}
