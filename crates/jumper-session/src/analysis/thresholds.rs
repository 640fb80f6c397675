//! From where on a level is short of something.

use serde::{Deserialize, Serialize};

/// What a level must reach to be given a [`PerformanceTag`](crate::PerformanceTag). Names and defaults are those of JUmPER 0.4;
/// one that is not in a file has its default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// `memory-bound`: the share of the memory limit that is used on average.
    pub memory_ratio: f64,
    /// `cpu-bound`: the average utilisation of all CPUs, 1 being all of them.
    pub cpu_ratio: f64,
    /// `gpu-util-bound`: the average utilisation of the GPUs.
    pub gpu_util_ratio: f64,
    /// `gpu-memory-bound`: the share of a GPU's memory that is used on average.
    pub gpu_memory_ratio: f64,
    /// `gpu-allocated-but-not-used`: the memory of a GPU from which on it counts as allocated, in GiB.
    pub gpu_alloc_min_mem_gb: f64,
    /// `gpu-allocated-but-not-used`: the utilisation up to which a GPU counts as idle.
    pub gpu_util_idle_threshold: f64,
    /// `gpu-allocated-but-not-used`: the share of the measurements in which it must be both.
    pub gpu_alloc_min_fraction: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            memory_ratio: 0.8,
            cpu_ratio: 0.7,
            gpu_util_ratio: 0.8,
            gpu_memory_ratio: 0.8,
            gpu_alloc_min_mem_gb: 0.1,
            gpu_util_idle_threshold: 0.05,
            gpu_alloc_min_fraction: 0.5,
        }
    }
}

impl Thresholds {
    /// The threshold with this name, to be read or changed. `None` where there is none: those that there are are
    /// [`NAMES`](Self::NAMES).
    pub fn get_mut(&mut self, name: &str) -> Option<&mut f64> {
        Some(match name {
            "memory_ratio" => &mut self.memory_ratio,
            "cpu_ratio" => &mut self.cpu_ratio,
            "gpu_util_ratio" => &mut self.gpu_util_ratio,
            "gpu_memory_ratio" => &mut self.gpu_memory_ratio,
            "gpu_alloc_min_mem_gb" => &mut self.gpu_alloc_min_mem_gb,
            "gpu_util_idle_threshold" => &mut self.gpu_util_idle_threshold,
            "gpu_alloc_min_fraction" => &mut self.gpu_alloc_min_fraction,
            _ => return None,
        })
    }

    /// The names of all thresholds.
    pub const NAMES: [&str; 7] = [
        "memory_ratio",
        "cpu_ratio",
        "gpu_util_ratio",
        "gpu_memory_ratio",
        "gpu_alloc_min_mem_gb",
        "gpu_util_idle_threshold",
        "gpu_alloc_min_fraction",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_does_not_say_is_the_default() {
        let thresholds: Thresholds =
            serde_json::from_str(r#"{"cpu_ratio": 0.5, "of_a_later_release": 1}"#).unwrap();
        let expected = Thresholds {
            cpu_ratio: 0.5,
            ..Thresholds::default()
        };
        assert_eq!(thresholds, expected);
    }

    #[test]
    fn every_name_is_that_of_the_file() {
        let mut changed = Thresholds::default();
        for (number, name) in Thresholds::NAMES.into_iter().enumerate() {
            *changed.get_mut(name).unwrap() = number as f64;
        }
        let json = serde_json::to_value(changed).unwrap();
        assert_eq!(json.as_object().unwrap().len(), Thresholds::NAMES.len());
        for (number, name) in Thresholds::NAMES.into_iter().enumerate() {
            assert_eq!(json[name], number as f64, "{name}");
        }
        assert_eq!(changed.get_mut("cpu"), None);
    }
}
