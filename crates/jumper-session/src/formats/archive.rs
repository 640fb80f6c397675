//! A session directory in a zip file, for sending: one of ours, or of JUmPER.
//!
//! Our tables are compressed as they are and are stored; what others have packed anew may be deflated. Only the files
//! of a session are looked at, alone or in one directory; a name that leads elsewhere, a link, or more bytes than
//! the file can hold in good faith are errors.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Component, Path};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::{Error, Result};
use crate::file::replace_file;
use crate::formats::jumper_extension;
use crate::{Parts, Session};

/// Bytes that every archive may unpack to.
const FREE_BYTES: u64 = 64 << 20;
/// And so many more for each byte of its own. Our tables are compressed already: packed once more they hardly shrink. JUmPER's
/// have the same number for every CPU that nothing runs on.
const BYTES_PER_BYTE: u64 = 100;

/// Reads a session from a zip file.
///
/// # Errors
/// [`Error::Archive`] for a file that is damaged, leads elsewhere or unpacks to too much, and what is wrong with the session in
/// it.
pub fn read(path: impl AsRef<Path>) -> Result<Session> {
    read_parts(path.as_ref(), Parts::ALL)
}

/// The same for parts of it, as [`Session::read`].
pub(super) fn read_parts(path: &Path, parts: Parts) -> Result<Session> {
    let fail = |error| Error::read(path, error);
    let file = File::open(path).map_err(fail)?;
    let bytes = file.metadata().map_err(fail)?.len();
    let unpacked = tempfile::tempdir().map_err(fail)?;
    let limit = FREE_BYTES.saturating_add(bytes.saturating_mul(BYTES_PER_BYTE));
    unpack(file, unpacked.path(), limit).map_err(|fault| match fault {
        Fault::Io(error) => fail(error),
        Fault::Archive(detail) => Error::Archive {
            path: path.into(),
            detail,
        },
    })?;
    let session = match jumper_extension::is_at(unpacked.path()) {
        true => jumper_extension::read_within(unpacked.path(), Some(bytes)),
        false => Session::read(unpacked.path(), parts),
    };
    let mut session = session.map_err(|error| error.in_place_of(path))?;
    session.path = Some(path.canonicalize().unwrap_or_else(|_| path.into()));
    Ok(session)
}

/// Writes a session as a zip file, beside its place first.
///
/// # Errors
/// [`Error::Write`] when the system refuses.
pub fn write(session: &Session, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let fail = |error| Error::write(path, error);
    let staging = tempfile::tempdir().map_err(fail)?;
    let tables = staging.path().join("session.jumper");
    session.save(&tables)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let prefix = format!("{}.jumper/", stem.strip_suffix(".jumper").unwrap_or(&stem));
    let pack = |file: &File| pack(&tables, file, &prefix, CompressionMethod::Stored);
    replace_file(path, pack).map_err(fail)
}

/// Packs the files of a directory, with `prefix` in front of their names.
pub(super) fn pack(
    directory: &Path,
    packed: &File,
    prefix: &str,
    method: CompressionMethod,
) -> io::Result<()> {
    let mut archive = ZipWriter::new(packed);
    let options = SimpleFileOptions::default()
        .compression_method(method)
        .large_file(true);
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    // The same session makes the same archive.
    names.sort_unstable();
    for file in names {
        archive
            .start_file(format!("{prefix}{}", file.to_string_lossy()), options)
            .map_err(io::Error::other)?;
        io::copy(&mut File::open(directory.join(file))?, &mut archive)?;
    }
    archive.finish().map(drop).map_err(io::Error::other)
}

enum Fault {
    Io(io::Error),
    Archive(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Of what is being unpacked.
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof => Self::Archive(error.to_string()),
            _ => Self::Io(error),
        }
    }
}

impl From<ZipError> for Fault {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            other => Self::Archive(other.to_string()),
        }
    }
}

/// Unpacks the files of a session into `directory`, at most `limit` bytes.
fn unpack(file: impl Read + Seek, directory: &Path, limit: u64) -> Result<(), Fault> {
    let mut archive = ZipArchive::new(file)?;
    let mut left = limit;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        if entry.is_symlink() {
            return Err(Fault::Archive(format!("`{name}` in it is a link")));
        }
        let Some(file) = file_of_session(&name)? else {
            continue;
        };
        if entry.is_dir() {
            continue;
        }
        let mut out =
            File::create_new(directory.join(file)).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Fault::Archive(format!("`{file}` is in it twice")),
                _ => Fault::Io(error),
            })?;
        let copied = io::copy(&mut entry.take(left + 1), &mut out)?;
        left = left
            .checked_sub(copied)
            .ok_or_else(|| Fault::Archive(format!("it unpacks to more than {limit} bytes")))?;
    }
    Ok(())
}

/// Which file of a session a name in an archive stands for, if any. One that leads elsewhere is a fault.
fn file_of_session(name: &str) -> Result<Option<&str>, Fault> {
    let leads_elsewhere = name.contains('\\')
        || Path::new(name)
            .components()
            .any(|component| !matches!(component, Component::Normal(_) | Component::CurDir));
    if leads_elsewhere {
        return Err(Fault::Archive(format!("`{name}` in it leads elsewhere")));
    }
    let file = name.rsplit('/').next().unwrap_or_default();
    let is_deep = name.matches('/').count() > 1;
    let is_known =
        file == "manifest.json" || file.ends_with(".parquet") || jumper_extension::is_table(file);
    Ok((is_known && !is_deep).then_some(file))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::{Manifest, Program, SessionBuilder};

    fn session() -> Session {
        SessionBuilder::new().finish(Manifest {
            program: Program {
                description: "python a.py".into(),
                ..Program::default()
            },
            ..Manifest::default()
        })
    }

    /// A zip file with these members.
    fn packed(path: &Path, members: &[(&str, &[u8])]) {
        let mut archive = ZipWriter::new(File::create(path).expect("there is room"));
        for (name, bytes) in members {
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            archive.start_file(*name, options).expect("a good name");
            archive.write_all(bytes).expect("there is room");
        }
        archive.finish().expect("there is room");
    }

    #[test]
    fn a_session_is_packed_and_read_back() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.jumper.zip");
        write(&session(), &path).expect("there is room");
        let read = super::super::open(&path).expect("a session");
        assert_eq!(read.manifest().program.description, "python a.py");
        let names: Vec<_> = fs::read_dir(directory.path())
            .expect("it is there")
            .collect();
        assert_eq!(names.len(), 1, "{names:?}");
        let archive = ZipArchive::new(File::open(&path).expect("it is there")).expect("a zip file");
        assert!(
            archive
                .file_names()
                .all(|name| name.is_ok_and(|name| name.starts_with("a.jumper/")))
        );
    }

    #[test]
    fn what_leads_elsewhere_is_refused_and_nothing_is_written_there() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.zip");
        for name in [
            "../manifest.json",
            "/tmp/manifest.json",
            "a/../../samples.parquet",
            "..\\x",
        ] {
            packed(&path, &[(name, b"{}")]);
            let error = read(&path).expect_err("it leads elsewhere").to_string();
            assert!(
                error.contains("leads elsewhere; pack the directory"),
                "{name}: {error}"
            );
        }
        packed(
            &path,
            &[("a/manifest.json", b"{}"), ("b/manifest.json", b"{}")],
        );
        let error = read(&path).expect_err("which one").to_string();
        assert!(error.contains("is in it twice"), "{error}");
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.zip");
        packed(&path, &[("samples.parquet", &vec![0; 100 << 20])]);
        let error = read(&path).expect_err("a bomb").to_string();
        assert!(error.contains("it unpacks to more than"), "{error}");
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_an_error_or_a_session() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.zip");
        write(&session(), &path).expect("there is room");
        let whole = fs::read(&path).expect("it is there");
        for at in (0..whole.len()).step_by(11) {
            fs::write(&path, &whole[..at]).expect("there is room");
            let error = super::super::open(&path)
                .expect_err("it is cut")
                .to_string();
            assert!(error.contains("a.zip"), "{error}");
            let mut changed = whole.clone();
            changed[at] ^= 0x41;
            fs::write(&path, changed).expect("there is room");
            if let Err(error) = super::super::open(&path) {
                assert!(error.to_string().contains("a.zip"), "{error}");
            }
        }
    }
}
