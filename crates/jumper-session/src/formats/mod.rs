//! Sessions in other files than our own directories, one module each: read into a [`Session`], and written from one.
//!
//! [`open`] finds out what a file is by what it holds, [`save`] what it is to be by its name. A format more is a module and a
//! line in [`FORMATS`].

pub mod archive;
pub mod pyinstrument;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{Parts, Session};

/// A kind of file that a session can be read from and written to.
#[derive(Clone, Copy, Debug)]
pub struct FileFormat {
    /// What people call it.
    pub name: &'static str,
    /// How the names of such files end, with the dot.
    pub extension: &'static str,
    /// Whether a file is one, by its first bytes.
    is_it: fn(&[u8]) -> bool,
    /// At least the parts that are asked for.
    read: fn(&Path, Parts) -> Result<Session>,
    write: fn(&Session, &Path) -> Result<()>,
}

/// All of them.
pub const FORMATS: &[FileFormat] = &[
    FileFormat {
        name: "a session in a zip file",
        extension: ".zip",
        is_it: |start| start.starts_with(b"PK"),
        read: |path, parts| archive::read_parts(path, parts),
        write: |session, path| archive::write(session, path),
    },
    FileFormat {
        name: "a session of pyinstrument",
        extension: ".pyisession",
        is_it: |start| start.trim_ascii_start().starts_with(b"{"),
        // All of it comes out of one pass.
        read: |path, _| pyinstrument::read(path),
        write: |session, path| pyinstrument::write(session, path),
    },
];

/// The extension of our own directories.
const OWN: &str = ".jumper";

/// Reads the session at `path`: a directory of ours, or a file in one of the [`FORMATS`].
///
/// # Errors
/// As [`Session::open`], and for a file whatever is wrong with it, or that it is none of these.
pub fn open(path: &Path) -> Result<Session> {
    read(path, Parts::ALL)
}

/// The same for parts of it, as [`Session::read`].
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path, parts: Parts) -> Result<Session> {
    let metadata = fs::metadata(path).map_err(|error| Error::read(path, error))?;
    if !metadata.is_file() {
        return Session::read(path, parts);
    }
    let mut start = Vec::new();
    let file = File::open(path).map_err(|error| Error::read(path, error))?;
    file.take(64)
        .read_to_end(&mut start)
        .map_err(|error| Error::read(path, error))?;
    match FORMATS.iter().find(|format| (format.is_it)(&start)) {
        Some(format) => (format.read)(path, parts),
        None => Err(Error::NotASession {
            path: path.into(),
            detail: "it is neither a directory nor a file of a known format",
        }),
    }
}

/// Writes the session to `path`, as what its name says: `.jumper`, or the extension of one of the [`FORMATS`].
///
/// # Errors
/// [`Error::UnknownFormat`] for another name, and what the format's own writer says.
pub fn save(session: &Session, path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(OWN) {
        return session.save(path);
    }
    match FORMATS
        .iter()
        .find(|format| name.ends_with(format.extension))
    {
        Some(format) => (format.write)(session, path),
        None => Err(Error::UnknownFormat { path: path.into() }),
    }
}

/// The extensions that [`save`] knows.
pub(crate) fn extensions() -> String {
    let others = FORMATS.iter().map(|format| format.extension);
    let all: Vec<&str> = std::iter::once(OWN).chain(others).collect();
    all.join(", ")
}
