//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// Makes a file at `path` of what `fill` writes: beside it first, then renamed, so that an older one is never left cut off.
/// A link stays a link, and what it points to is replaced.
///
/// # Errors
/// What `fill` says, and where the system refuses.
pub fn replace_file<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&File) -> Result<(), E>,
) -> Result<(), E> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let file = beside(&target)?;
    fill(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
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
