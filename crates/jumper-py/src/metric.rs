//! Metrics that are read by calling Python.

use jumper_session::sources::{Answer, Kind, Metric, Question, Source, SourceError, Unit};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// What Python's `jumper.Metric` is made of: name, unit, kind, callable, help.
pub(crate) type Parts = (String, String, String, Py<PyAny>, String);

/// A metric whose value is what a callable returns. It is called on a thread of its own, which has Python's lock only meanwhile.
pub(crate) struct Called {
    metric: Metric,
    callable: Py<PyAny>,
}

impl Called {
    pub(crate) fn new((name, unit, kind, callable, help): Parts) -> PyResult<Self> {
        let kind = match kind.as_str() {
            "gauge" => Kind::Gauge,
            "counter" => Kind::Counter,
            kind => {
                let text = format!("the kind of a metric is gauge or counter, not {kind:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        let metric = Metric::new(name.into(), Unit::Other(unit.into()), kind, "");
        Ok(Self {
            metric: Metric {
                help: help.into(),
                ..metric
            },
            callable,
        })
    }
}

impl Source for Called {
    fn name(&self) -> &str {
        &self.metric.name
    }

    fn metrics(&self) -> &[Metric] {
        std::slice::from_ref(&self.metric)
    }

    fn read(&mut self, _question: &Question, answer: &mut Answer) -> Result<(), SourceError> {
        // There is nobody to call while the interpreter ends.
        let called = Python::try_attach(|py| call(self.callable.bind(py)));
        let value = called.ok_or(SourceError::Absent)?;
        answer.own().push(value.map_err(SourceError::Failed)?);
        Ok(())
    }
}

/// Calls it. `None` is unknown.
fn call(callable: &Bound<'_, PyAny>) -> Result<Option<f64>, String> {
    let result = callable.call0().map_err(|error| error.to_string())?;
    let number = result.extract::<Option<f64>>();
    number.map_err(|_| {
        let kind = result.get_type().name().map(|name| name.to_string());
        format!(
            "it returns {}, which is no number",
            kind.unwrap_or_default()
        )
    })
}
