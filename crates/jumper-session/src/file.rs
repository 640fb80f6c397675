//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Makes a file at `path` of what `fill` writes: beside it first, then renamed, so that an older one is never left cut off.
/// A link stays a link, and what it points to is replaced.
///
/// # Errors
/// What `fill` says, and where the system refuses, or something is there that is not a regular file.
pub fn replace_file<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&File) -> Result<(), E>,
) -> Result<(), E> {
    let target = target_of(path)?;
    let file = beside(&target)?;
    fill(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Where a file at `path` really goes.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.into()),
        Err(error) => Err(error),
        // A link that leads nowhere is somebody's, and a device or a pipe would not be one any more.
        Ok(_) => match fs::canonicalize(path) {
            Ok(target) if fs::metadata(&target)?.is_file() => Ok(target),
            _ => Err(io::Error::other("it is not a regular file")),
        },
    }
}

/// Finds out whether [`replace_file`] could make a file at `path`. Leaves nothing behind.
///
/// # Errors
/// Where the system refuses.
pub fn check_file(path: &Path) -> io::Result<()> {
    beside(path).map(drop)
}

/// A temporary file in the directory of `path`, with the permissions of any new file.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".jumper-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn refused(path: &Path) -> String {
        let error = replace_file::<io::Error>(path, |_| Ok(())).expect_err("it is no file");
        error.to_string()
    }

    #[test]
    fn what_is_no_regular_file_is_left_alone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path().join("nowhere"), &link).expect("a link");
        assert_eq!(refused(&link), "it is not a regular file");
        assert_eq!(refused(directory.path()), "it is not a regular file");
        assert_eq!(refused(Path::new("/dev/null")), "it is not a regular file");
        let file = directory.path().join("file");
        fs::write(&file, "old").expect("there is room");
        let other = directory.path().join("other");
        std::os::unix::fs::symlink(&file, &other).expect("a link");
        replace_file::<io::Error>(&other, |mut out| io::Write::write_all(&mut out, b"new"))
            .expect("a link to a file");
        assert_eq!(fs::read(&file).expect("it is there"), b"new");
        assert!(other.is_symlink());
    }
}
