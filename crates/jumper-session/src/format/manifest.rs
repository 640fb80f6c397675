//! `manifest.json`: read first, because it says whether the rest can be read at all.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::format::{open_file, schema};
use crate::{Format, Manifest};

/// The most bytes of a manifest; a real one has a few thousand.
const MAX_BYTES: u64 = 16 << 20;

/// The part of a manifest that every version has.
#[derive(Deserialize)]
struct Head {
    format: HeadFormat,
}

#[derive(Deserialize)]
struct HeadFormat {
    name: String,
    version: u64,
}

/// Reads and checks the manifest of the session directory `session`.
pub(super) fn read(session: &Path) -> Result<Manifest> {
    let json = read_bytes(session)?;
    // In two steps: the manifest of a later version need not look like ours in anything but its head.
    let head: Head = serde_json::from_slice(&json).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => not_ours(session),
        _ => from_json(session, &error),
    })?;
    check_head(session, &head.format)?;
    serde_json::from_slice(&json).map_err(|error| from_json(session, &error))
}

/// Writes the manifest into the directory `session` and syncs it.
pub(super) fn write(manifest: &Manifest, session: &Path) -> io::Result<()> {
    let mut json = serde_json::to_vec_pretty(manifest)?;
    json.push(b'\n');
    if json.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("its manifest would be larger than 16 MiB"));
    }
    let mut file = fs::File::create_new(session.join(schema::MANIFEST))?;
    file.write_all(&json)?;
    file.sync_all()
}

/// Puts the manifest into a journal, in place of the one that is there.
#[cfg(feature = "record")]
pub(super) fn replace(manifest: &Manifest, journal: &Path) -> io::Result<()> {
    let staging = journal.join("manifest.new");
    fs::write(&staging, serde_json::to_vec(manifest)?)?;
    fs::rename(staging, journal.join(schema::MANIFEST))
}

/// Whether the directory `session` has a manifest of a Jumper session of any version.
pub(super) fn is_session(session: &Path) -> bool {
    read_bytes(session)
        .ok()
        .and_then(|json| serde_json::from_slice::<Head>(&json).ok())
        .is_some_and(|head| head.format.name == Format::NAME)
}

fn read_bytes(session: &Path) -> Result<Vec<u8>> {
    let file = open_file(session, schema::MANIFEST).map_err(|error| match error {
        Error::Incomplete { path, .. } => Error::NotASession {
            path,
            detail: "it has no manifest.json",
        },
        other => other,
    })?;
    let mut json = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut json)
        .map_err(|error| Error::read(&session.join(schema::MANIFEST), error))?;
    match json.len() as u64 > MAX_BYTES {
        true => Err(damaged(session, "it is larger than 16 MiB".into())),
        false => Ok(json),
    }
}

fn check_head(session: &Path, format: &HeadFormat) -> Result<()> {
    if format.name != Format::NAME {
        return Err(not_ours(session));
    }
    if format.version > u64::from(Format::VERSION) {
        return Err(Error::NewerFormat {
            path: session.into(),
            found: format.version,
            supported: Format::VERSION,
        });
    }
    match format.version {
        0 => Err(damaged(session, "there is no format version 0".into())),
        _ => Ok(()),
    }
}

fn from_json(session: &Path, error: &serde_json::Error) -> Error {
    match error.is_eof() {
        true => Error::Incomplete {
            path: session.into(),
            file: schema::MANIFEST,
        },
        false => damaged(session, error.to_string()),
    }
}

fn not_ours(session: &Path) -> Error {
    Error::NotASession {
        path: session.into(),
        detail: "its manifest.json is of something else",
    }
}

fn damaged(session: &Path, detail: String) -> Error {
    Error::Damaged {
        path: session.into(),
        file: schema::MANIFEST,
        column: None,
        detail,
    }
}
