//! Reports in files: there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jumper_session::{Session, replace_file};

use crate::{RenderError, RenderOptions, Renderer};

/// Writes a report to `path`: beside it first, then renamed, so that an older report is never left cut off. A
/// link stays a link, and what it points to is replaced. A device or a pipe is written to as it is.
///
/// # Errors
/// [`RenderError::Unwritable`] where the file cannot be written; else those of the renderer.
pub fn render_to_file(
    renderer: &dyn Renderer,
    session: &Session,
    options: &RenderOptions,
    path: &Path,
) -> Result<(), RenderError> {
    write_to_file(path, |out| renderer.render(session, options, out))
}

/// Writes what `write` writes to `path`, in the same way.
///
/// # Errors
/// [`RenderError::Unwritable`] where the file cannot be written; else those of `write`.
pub fn write_to_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    let unwritable = |source| RenderError::Unwritable {
        path: path.to_owned(),
        source,
    };
    let written = if is_special(path) {
        let file = OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(unwritable)?;
        write_through(write, &file)
    } else {
        replace_file(path, |file| write_through(write, file))
    };
    written.map_err(|error| match error {
        RenderError::Write(source) => unwritable(source),
        error => error,
    })
}

/// Finds out whether [`render_to_file`] could write to `path`, so that no work is put into a report that has
/// nowhere to go. Leaves nothing behind.
///
/// # Errors
/// [`RenderError::Unwritable`].
pub fn check_file(path: &Path) -> Result<(), RenderError> {
    let checked = match path {
        path if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        path if is_special(path) => Ok(()),
        path => jumper_session::check_file(path),
    };
    checked.map_err(|source| RenderError::Unwritable {
        path: path.to_owned(),
        source,
    })
}

fn write_through(
    write: impl FnOnce(&mut dyn Write) -> Result<(), RenderError>,
    file: &File,
) -> Result<(), RenderError> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    Ok(out.flush()?)
}

/// What is written to and not replaced.
fn is_special(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}
