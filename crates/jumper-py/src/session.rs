//! Sessions as Python objects.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jumper_render::{RenderOptions, Renderer, render_to_file, renderer};
use jumper_session::{Query, combine, formats};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use serde_json::Value;

use crate::error::{from_render, from_selection, from_session};

/// A recording that has ended.
#[pyclass(frozen, module = "jumper._native")]
pub(crate) struct Session {
    session: jumper_session::Session,
}

impl From<jumper_session::Session> for Session {
    fn from(session: jumper_session::Session) -> Self {
        Self { session }
    }
}

#[pymethods]
impl Session {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let session = py.detach(|| formats::open(&path));
        session
            .map(Self::from)
            .map_err(|error| from_session(&error))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| formats::save(&self.session, &path))
            .map_err(|error| from_session(&error))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a keyword in Python")]
    #[pyo3(signature = (*, time = None, cell = None, threads = vec![], processes = vec![], levels = vec![], mode = "wall"))]
    fn select(
        &self,
        py: Python<'_>,
        time: Option<&str>,
        cell: Option<&str>,
        threads: Vec<String>,
        processes: Vec<u32>,
        levels: Vec<String>,
        mode: &str,
    ) -> PyResult<Self> {
        let query = Query {
            time: time.map(parse).transpose()?,
            cells: cell.map(parse).transpose()?,
            threads,
            processes,
            tasks: Vec::new(),
            levels,
            mode: parse(mode)?,
        };
        let select = || {
            let selection = self.session.find(&query)?;
            self.session.clone().select(&selection)
        };
        py.detach(select)
            .map(Self::from)
            .map_err(|error| from_selection(&error))
    }

    fn resample(&self, py: Python<'_>, interval: f64) -> PyResult<Self> {
        // What is no span of time is none of any length.
        let interval = Duration::try_from_secs_f64(interval).unwrap_or_default();
        py.detach(|| self.session.clone().resample(interval))
            .map(Self::from)
            .map_err(|error| from_selection(&error))
    }

    #[staticmethod]
    fn combine(py: Python<'_>, session1: &Self, session2: &Self) -> PyResult<Self> {
        let sessions = [session1.session.clone(), session2.session.clone()];
        py.detach(|| combine(&sessions))
            .map(Self::from)
            .map_err(|error| from_session(&error))
    }

    #[pyo3(signature = (name, **options))]
    fn render<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (renderer, options) = chosen(name, options)?;
        let rendered = py.detach(|| {
            let mut out = Vec::new();
            renderer
                .render(&self.session, &options, &mut out)
                .map(|()| out)
        });
        rendered
            .map(|out| PyBytes::new(py, &out))
            .map_err(|error| from_render(&error))
    }

    #[pyo3(signature = (name, path, **options))]
    fn render_to_file(
        &self,
        py: Python<'_>,
        name: &str,
        path: PathBuf,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let (renderer, options) = chosen(name, options)?;
        let write = || render_to_file(renderer, &self.session, &options, &path);
        py.detach(write).map_err(|error| from_render(&error))
    }

    #[getter]
    fn start_time(&self) -> f64 {
        let unix_ns = self
            .session
            .manifest()
            .clock
            .unix_nanos_at(self.session.start());
        unix_ns as f64 / 1e9
    }

    #[getter]
    fn duration(&self) -> f64 {
        self.session.duration().as_secs_f64()
    }

    #[getter]
    fn cpu_time(&self) -> Option<f64> {
        self.session
            .manifest()
            .cpu_time
            .map(|time| time.as_secs_f64())
    }

    #[getter]
    fn sample_count(&self) -> usize {
        self.session.samples().len()
    }

    #[getter]
    fn lost_sample_count(&self) -> u64 {
        self.session.lost()
    }

    #[getter]
    fn target_description(&self) -> &str {
        &self.session.manifest().program.description
    }

    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.session.path().map(Into::into)
    }

    fn __repr__(&self) -> String {
        let (samples, seconds) = (
            self.session.samples().len(),
            self.session.duration().as_secs_f64(),
        );
        format!("<Session of {samples} samples in {seconds:.3} s>")
    }
}

/// The renderer, and its options from Python's keywords. What JSON has no word for is no option.
fn chosen(
    name: &str,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<(&'static dyn Renderer, RenderOptions)> {
    let renderer = renderer(name).map_err(|error| from_render(&error))?;
    let mut options = RenderOptions::default();
    if let Some(keywords) = keywords {
        let json = keywords.py().import("json")?;
        let text: String = json.call_method1("dumps", (keywords,))?.extract()?;
        let given: BTreeMap<String, Value> = serde_json::from_str(&text)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        options = RenderOptions::of(renderer, given).map_err(|error| from_render(&error))?;
    }
    Ok((renderer, options))
}

fn parse<T: FromStr<Err: ToString>>(text: &str) -> PyResult<T> {
    text.parse()
        .map_err(|error: T::Err| PyValueError::new_err(error.to_string()))
}
