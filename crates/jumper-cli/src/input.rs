//! Opening what the user names.

use std::panic;
use std::path::Path;

use jumper_session::{Parts, Session, formats};

use crate::error::CliError;
use crate::terminal::{self, Progress};

/// Opens these parts of a session.
///
/// The Parquet reader panics on some damaged files. `jumper-session` turns that into an error, but the panic
/// has printed its own lines by then: those are kept off the terminal.
pub(crate) fn open(path: &Path, parts: Parts) -> Result<Session, CliError> {
    read(|| formats::read(path, parts))
}

/// As [`open`], with another way to read it.
pub(crate) fn read<T>(work: impl FnOnce() -> jumper_session::Result<T>) -> Result<T, CliError> {
    let before = panic::take_hook();
    panic::set_hook(Box::new(|info| {
        let of_reader = |file: &str| file.contains("/parquet-") || file.contains("/arrow-");
        if !info
            .location()
            .is_some_and(|location| of_reader(location.file()))
        {
            terminal::say(&info.to_string());
        }
    }));
    let session = Progress::during("reading the session", work);
    panic::set_hook(before);
    Ok(session?)
}
