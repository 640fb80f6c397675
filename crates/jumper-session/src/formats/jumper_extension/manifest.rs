//! `manifest.json`, in which JUmPER keeps what is not a table.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::thresholds::Thresholds;
use super::{MANIFEST, damaged, open_file};
use crate::error::{Error, Result};

/// The most bytes of a manifest; a real one has a few thousand.
const MAX_BYTES: u64 = 16 << 20;

/// What is read and written. Whatever else is there is left out, and what is missing or null is not known.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    pub(super) version: Option<String>,
    pub(super) app: App,
    pub(super) monitor: Monitor,
    pub(super) levels: Vec<String>,
    #[serde(skip_deserializing)]
    pub(super) schemas: Schemas,
    #[serde(skip_deserializing)]
    pub(super) visualizer: Visualizer,
    pub(super) reporter: Reporter,
    #[serde(skip_deserializing)]
    pub(super) time_origin: &'static str,
    pub(super) timezone: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct App {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
}

/// Times are in seconds, amounts of memory in GiB.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Monitor {
    pub(super) interval: Option<f64>,
    pub(super) start_time: Option<f64>,
    pub(super) stop_time: Option<f64>,
    pub(super) wallclock_start_time: Option<f64>,
    pub(super) wallclock_stop_time: Option<f64>,
    pub(super) num_cpus: Option<u32>,
    pub(super) num_system_cpus: Option<u32>,
    pub(super) num_gpus: Option<u32>,
    pub(super) gpu_memory: Option<f64>,
    pub(super) gpu_name: Option<String>,
    pub(super) memory_limits: Option<BTreeMap<String, Option<f64>>>,
    #[serde(skip_deserializing)]
    pub(super) cpu_handles: [u32; 0],
    pub(super) pid: Option<u32>,
    pub(super) os: Option<String>,
    pub(super) python: Option<String>,
}

/// Which columns the tables have.
#[derive(Debug, Default, Serialize)]
pub(super) struct Schemas {
    pub(super) perf: BTreeMap<String, Vec<String>>,
    pub(super) cell_history: Vec<&'static str>,
}

/// How plots are set up at first.
#[derive(Debug, Serialize)]
pub(super) struct Visualizer {
    pub(super) default_metric_subsets: Vec<&'static str>,
    figsize: [u32; 2],
    io_window: Option<u32>,
    last_state: BTreeMap<String, u32>,
}

impl Default for Visualizer {
    fn default() -> Self {
        Self {
            default_metric_subsets: vec!["cpu", "mem", "io"],
            figsize: [5, 3],
            io_window: None,
            last_state: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reporter {
    #[serde(skip_deserializing)]
    pub(super) level: &'static str,
    #[serde(skip_deserializing)]
    pub(super) format: &'static str,
    pub(super) thresholds: Option<Thresholds>,
}

impl Default for Reporter {
    fn default() -> Self {
        Self {
            level: "process",
            format: "text",
            thresholds: None,
        }
    }
}

/// Reads the manifest of the session at `path`.
pub(super) fn read(path: &Path) -> Result<Manifest> {
    let json = bytes(path)?;
    serde_json::from_slice(&json).map_err(|error| match error.is_eof() {
        true => damaged(path, MANIFEST, None, "it is cut off"),
        false => damaged(path, MANIFEST, None, error.to_string()),
    })
}

/// The name of the program that wrote the manifest in a directory: empty if there is one that does not say, `None` if there
/// is none that can be read.
pub(super) fn app(directory: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        app: App,
    }
    let json = bytes(directory).ok()?;
    let head: Head = serde_json::from_slice(&json).ok()?;
    Some(head.app.name.unwrap_or_default())
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut json = Vec::new();
    open_file(path, MANIFEST)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut json)
        .map_err(|error| Error::read(&path.join(MANIFEST), error))?;
    match json.len() as u64 > MAX_BYTES {
        true => Err(damaged(path, MANIFEST, None, "it is larger than 16 MiB")),
        false => Ok(json),
    }
}
