//! The native half of the Python package `jumper`, imported as `jumper._native`.
//!
//! Registration only: what Python sees of the recorder is in `recorder`, of metrics of one's own in `metric`, of sessions in `session`. The contract
//! is `python/jumper/_native.pyi`.

mod command;
mod error;
mod metric;
mod recorder;
mod session;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::command::main;
    #[pymodule_export]
    use crate::error::JumperError;
    #[pymodule_export]
    use crate::recorder::Recorder;
    #[pymodule_export]
    use crate::session::Session;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name that Python uses")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    use super::*;

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        Ok(())
    }
}
