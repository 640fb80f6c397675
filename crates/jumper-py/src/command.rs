//! The `jumper` command that the package installs.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

/// Runs the command with these arguments, the first of which is its own name, and returns its exit status.
#[pyfunction]
#[pyo3(signature = (arguments, python = None))]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>, python: Option<PathBuf>) -> u8 {
    let context = jumper_cli::Context { python };
    py.detach(|| jumper_cli::main(arguments, &context))
}
