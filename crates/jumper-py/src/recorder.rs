//! Recording the own process.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jumper_session::{
    HoldMode, Kept, Outcome, Parts, Patience, PerProcess, Pid, Program, RecordOptions, Recording,
    SysPaths,
};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error::{from_record, from_session};
use crate::metric::{Called, Parts as MetricParts};
use crate::session::Session;

/// Records all threads of this process between `start` and `stop`.
#[pyclass(frozen, module = "jumper._native")]
pub(crate) struct Recorder {
    options: RecordOptions,
    /// Where its sessions are kept while they are recorded and from then on.
    session: Option<PathBuf>,
    /// Never locked while Python's lock is waited for. A child that is forked has none: the threads of its parent's recording
    /// are the parent's.
    running: PerProcess<Mutex<Option<Running>>>,
}

/// A recording, and what it is of.
struct Running {
    recording: Recording,
    program: Program,
}

impl Recorder {
    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running
            .get()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Recorder {
    #[new]
    #[pyo3(signature = (interval, metrics_interval = None, threads = Vec::new(), session = None))]
    fn new(
        interval: f64,
        metrics_interval: Option<f64>,
        threads: Vec<u32>,
        session: Option<PathBuf>,
    ) -> PyResult<Self> {
        let options = RecordOptions::default()
            .with_hold(HoldMode::Signal)
            .with_threads(threads)
            .with_interval(interval);
        let options = options.and_then(|options| match metrics_interval {
            Some(seconds) => options.with_metrics_interval(seconds),
            None => Ok(options.without_metrics()),
        });
        Ok(Self {
            options: options.map_err(|error| from_record(&error))?,
            session,
            running: PerProcess::new(),
        })
    }

    /// Whether a recording is going on in this process.
    #[getter]
    fn is_running(&self) -> bool {
        self.running().is_some()
    }

    #[pyo3(signature = (description, argv, metrics = Vec::new()))]
    fn start(
        &self,
        py: Python<'_>,
        description: String,
        argv: Vec<String>,
        metrics: Vec<MetricParts>,
    ) -> PyResult<()> {
        let metrics: Vec<Called> = metrics
            .into_iter()
            .map(Called::new)
            .collect::<PyResult<_>>()?;
        py.detach(|| {
            let mut running = self.running();
            if running.is_some() {
                return Err(PyRuntimeError::new_err(
                    "this profiler is running already; stop it first",
                ));
            }
            let cwd = std::env::current_dir().ok();
            let program = Program {
                description,
                argv,
                cwd: cwd.map(|path| path.display().to_string()),
                ..Program::default()
            };
            let kept = self.session.clone().map(|path| Kept {
                path,
                program: program.clone(),
                is_required: true,
                parts: Parts::ALL,
            });
            let options = self.options.clone().with_kept(kept);
            let recording = Recording::start(Pid::own(), options, Patience::ASecond)
                .map_err(|error| from_record(&error))?;
            for metric in metrics {
                let added = recording.add_source(Box::new(metric));
                added.map_err(|error| from_record(&error))?;
            }
            *running = Some(Running { recording, program });
            Ok(())
        })
    }

    #[pyo3(signature = (sys_path, sys_prefixes))]
    fn stop(
        &self,
        py: Python<'_>,
        sys_path: Vec<String>,
        sys_prefixes: Vec<String>,
    ) -> PyResult<Session> {
        py.detach(|| {
            let running = self.running().take();
            let Running {
                mut recording,
                program,
            } = running.ok_or_else(|| {
                PyRuntimeError::new_err("this profiler is not running; start it first")
            })?;
            recording.set_sys_paths(SysPaths {
                path: Some(sys_path),
                prefixes: Some(sys_prefixes),
            });
            let session = recording.finish(program, Outcome::Detached);
            session
                .map(Session::from)
                .map_err(|error| from_session(&error))
        })
    }
}
