//! From errors of the crates to exceptions.

use jumper_render::RenderError;
use jumper_session::RecordError;
use jumper_session::sources::MetricsError;
use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};

create_exception!(
    jumper,
    JumperError,
    PyException,
    "What Jumper was asked for cannot be done."
);

/// A recording that could not start.
pub(crate) fn from_record(error: &RecordError) -> PyErr {
    match error {
        RecordError::Interval { .. }
        | RecordError::Metrics(MetricsError::DuplicateMetric { .. }) => {
            PyValueError::new_err(error.to_string())
        }
        error => JumperError::new_err(error.to_string()),
    }
}

/// A session that could not be read or written.
pub(crate) fn from_session(error: &jumper_session::Error) -> PyErr {
    JumperError::new_err(error.to_string())
}

/// What a session cannot be asked for, such as a part that is not there.
pub(crate) fn from_selection(error: &jumper_session::Error) -> PyErr {
    match error {
        jumper_session::Error::NotThere { .. }
        | jumper_session::Error::NoSuchCell { .. }
        | jumper_session::Error::NoInterval => PyValueError::new_err(error.to_string()),
        error => from_session(error),
    }
}

/// A report that could not be made.
pub(crate) fn from_render(error: &RenderError) -> PyErr {
    match error {
        error if error.is_usage() => PyValueError::new_err(error.to_string()),
        error => JumperError::new_err(error.to_string()),
    }
}
