//! Putting a directory in place as a whole.
//!
//! A crash, a full disk or a kill at any moment leaves under the final name either what was there before
//! or the new session, or, for the moment between two renames, nothing; the old one is then beside it in a
//! hidden directory whose name ends in `.partial`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::format::{journal, manifest, schema};

/// Makes a directory at `path` with what `fill` puts into it, in place of a session that may be there. `own` is one that we
/// are recording; others that are being recorded are left alone.
pub(super) fn replace(
    path: &Path,
    own: Option<&Path>,
    fill: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<()> {
    let target = resolve(path, is_session)?;
    if own != Some(target.as_path()) && journal::is_being_written(&target) {
        return Err(Error::BeingRecorded { path: path.into() });
    }
    replace_at(path, &target, fill)
}

/// The same in place of what `is_replaceable`.
pub(crate) fn replace_if(
    path: &Path,
    is_replaceable: fn(&Path) -> bool,
    fill: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<()> {
    replace_at(path, &resolve(path, is_replaceable)?, fill)
}

/// Puts it at `target`, which people call `path`.
fn replace_at(
    path: &Path,
    target: &Path,
    fill: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<()> {
    let fail = |error| Error::write(path, error);
    let parent = parent_of(target);
    let staging = hidden_directory(parent).map_err(fail)?;
    fill(staging.path())
        .and_then(|()| sync_directory(staging.path()))
        .map_err(fail)?;
    put_in_place(staging, target, parent).map_err(fail)
}

/// Whether [`replace`] could put a directory at `path`, tried out with an empty one beside it.
pub(super) fn check(path: &Path) -> Result<()> {
    let target = resolve(path, is_session)?;
    if journal::is_being_written(&target) {
        return Err(Error::BeingRecorded { path: path.into() });
    }
    let tried = hidden_directory(parent_of(&target));
    tried.map(drop).map_err(|error| Error::write(path, error))
}

/// Where the directory really goes: through links, and only over nothing, an empty directory or one that can be replaced.
fn resolve(path: &Path, is_replaceable: fn(&Path) -> bool) -> Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.file_name().is_some() => {
            Ok(path.into())
        }
        Err(error) => Err(Error::write(path, error)),
        // A link that leads nowhere is something that is not ours, too.
        Ok(_) => match path.canonicalize() {
            Ok(target) if is_empty(&target) || is_replaceable(&target) => Ok(target),
            _ => Err(Error::Occupied { path: path.into() }),
        },
    }
}

fn is_empty(target: &Path) -> bool {
    fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none())
}

/// Whether a directory is a session of ours and nothing else.
fn is_session(target: &Path) -> bool {
    (manifest::is_session(target) || journal::is_in(target)) && holds_only_a_session(target)
}

/// Whether nothing is at `path` yet but an empty directory.
#[cfg(feature = "record")]
pub(super) fn is_free(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => {
            error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err()
        }
    }
}

/// Whether nothing is in the directory but what sessions have: replacing it would take the rest along.
fn holds_only_a_session(target: &Path) -> bool {
    let is_ours = |name: &str| {
        name == schema::MANIFEST || name == schema::JOURNAL || name.ends_with(".parquet")
    };
    let mut entries = fs::read_dir(target).into_iter().flatten();
    entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_ours)))
}

fn parent_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A directory that removes itself unless it is kept, on the file system where its contents will stay.
fn hidden_directory(parent: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".jumper-").suffix(".partial");
    #[cfg(unix)]
    {
        // As open as the user's umask says, like any other output: a session is for sharing, and the
        // default of a temporary directory would close it to all but its owner.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(parent)
}

fn put_in_place(staging: TempDir, target: &Path, parent: &Path) -> io::Result<()> {
    // Removed with the old session in it when this function ends.
    let aside = hidden_directory(parent)?;
    let old = aside.path().join("old");
    let had_old = match fs::rename(target, &old) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if let Err(error) = fs::rename(staging.path(), target) {
        if had_old && fs::rename(&old, target).is_err() {
            // Better a stray directory than a lost session.
            let _ = aside.keep();
        }
        return Err(error);
    }
    // It has another name now: there is nothing left to remove.
    let _ = staging.keep();
    sync_directory(parent)
}

/// Makes the names in a directory durable, where the platform can.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        fs::File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_on_the_way_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jumper");
        let head = br#"{"format": {"name": "jumper-session", "version": 1}}"#;
        let half = |staging: &Path| {
            fs::write(staging.join("samples.parquet"), "half")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        assert!(replace(&path, None, half).is_err());
        assert!(!path.exists());

        replace(&path, None, |staging| {
            fs::write(staging.join("manifest.json"), head)
        })
        .unwrap();
        let error = replace(&path, None, half).unwrap_err().to_string();
        assert!(error.contains("no space left; free some space"), "{error}");
        assert_eq!(fs::read(path.join("manifest.json")).unwrap(), head);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
