//! Sessions in other files than our own directories, one module each: read into a [`Session`], and written from one.
//!
//! [`open`] finds out what is at a path by what it holds, [`save`] what it is to be by its name. A format more is a module and
//! an entry of [`FORMATS`].

pub mod archive;
pub mod jumper_extension;
pub mod pyinstrument;
mod seconds;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{Parts, Session};

/// A kind of file or directory that a session can be read from and written to.
#[derive(Clone, Copy, Debug)]
pub struct FileFormat {
    /// What `jumper convert --to` calls it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// How the names of such files end, with the dot; `None` where a name says nothing.
    pub extension: Option<&'static str>,
    /// What of a session such files have no room for, if it is in this one.
    drops: fn(&Session) -> Option<&'static str>,
    is_it: fn(Found<'_>) -> bool,
    /// At least the parts that are asked for.
    read: fn(&Path, Parts) -> Result<Session>,
    write: fn(&Session, &Path) -> Result<()>,
}

/// What is at a path.
#[derive(Clone, Copy)]
enum Found<'a> {
    Directory(&'a Path),
    /// A file with these first bytes.
    File(&'a [u8]),
}

/// All of them, our own first.
pub const FORMATS: &[FileFormat] = &[
    FileFormat {
        name: "jumper",
        title: "a session",
        extension: Some(".jumper"),
        drops: |_| None,
        is_it: |found| matches!(found, Found::Directory(path) if !jumper_extension::is_at(path)),
        read: |path, parts| Session::read(path, parts),
        write: |session, path| session.save(path),
    },
    FileFormat {
        name: "zip",
        title: "a session in a zip file",
        extension: Some(".zip"),
        drops: |_| None,
        is_it: |found| matches!(found, Found::File(start) if start.starts_with(b"PK")),
        read: |path, parts| archive::read_parts(path, parts),
        write: |session, path| archive::write(session, path),
    },
    FileFormat {
        name: "pyinstrument",
        title: "a session of pyinstrument",
        extension: Some(".pyisession"),
        drops: |session| {
            let has_none = session.metrics().is_empty() && session.cells().is_empty();
            (!has_none).then_some("metrics and cells")
        },
        is_it: |found| matches!(found, Found::File(start) if start.trim_ascii_start().starts_with(b"{")),
        // All of it comes out of one pass.
        read: |path, _| pyinstrument::read(path),
        write: |session, path| pyinstrument::write(session, path),
    },
    FileFormat {
        name: "jumper-extension",
        title: "a session of JUmPER",
        // A directory of any name, or a zip file like ours, which tells them apart by what is in it.
        extension: None,
        drops: |session| (!session.samples().is_empty()).then_some("stacks"),
        is_it: |found| matches!(found, Found::Directory(path) if jumper_extension::is_at(path)),
        read: |path, _| jumper_extension::read(path),
        write: |session, path| jumper_extension::write(session, path),
    },
];

impl FileFormat {
    /// The format of this [name](Self::name).
    pub fn find(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// The format that a name stands for.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`] where it says nothing.
    pub fn of_name(path: &Path) -> Result<&'static Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_named = |format: &&Self| {
            let extension = format.extension;
            extension.is_some_and(|extension| name.ends_with(extension))
        };
        let named = FORMATS.iter().find(is_named);
        named.ok_or_else(|| Error::UnknownFormat { path: path.into() })
    }

    /// What of the session is lost in such a file, for people; `None` where all of it is kept.
    pub fn drops(&self, session: &Session) -> Option<&'static str> {
        (self.drops)(session)
    }

    /// Writes the session to `path`, whatever that is called.
    ///
    /// # Errors
    /// What the format's own writer says.
    pub fn save(&self, session: &Session, path: &Path) -> Result<()> {
        (self.write)(session, path)
    }
}

/// Reads the session at `path`, in whichever of the [`FORMATS`] it is.
///
/// # Errors
/// As [`Session::open`], and for the others whatever is wrong with them, or that it is none of these.
pub fn open(path: &Path) -> Result<Session> {
    read(path, Parts::ALL)
}

/// The same for parts of it, as [`Session::read`].
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path, parts: Parts) -> Result<Session> {
    let metadata = fs::metadata(path).map_err(|error| Error::read(path, error))?;
    let mut start = Vec::new();
    let found = match metadata.is_dir() {
        true => Found::Directory(path),
        // Not a pipe: opening one would wait for a writer, perhaps for ever.
        false if metadata.is_file() => {
            let file = File::open(path).map_err(|error| Error::read(path, error))?;
            file.take(64)
                .read_to_end(&mut start)
                .map_err(|error| Error::read(path, error))?;
            Found::File(&start)
        }
        false => Found::File(&[]),
    };
    match FORMATS.iter().find(|format| (format.is_it)(found)) {
        Some(format) => (format.read)(path, parts),
        None => Err(Error::NotASession {
            path: path.into(),
            detail: "it is neither a directory nor a file of a known format",
        }),
    }
}

/// Writes the session to `path`, as what its name says: it ends with the extension of one of the [`FORMATS`].
///
/// # Errors
/// [`Error::UnknownFormat`] for another name, and what the format's own writer says.
pub fn save(session: &Session, path: &Path) -> Result<()> {
    FileFormat::of_name(path)?.save(session, path)
}

/// The extensions that [`save`] knows.
pub(crate) fn extensions() -> String {
    let all: Vec<&str> = FORMATS
        .iter()
        .filter_map(|format| format.extension)
        .collect();
    all.join(", ")
}
