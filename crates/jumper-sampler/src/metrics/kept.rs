//! Files that are read again and again: opened once, and read from the start each time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

/// A small text file of the kernel's that stays open.
///
/// The kernel makes the text anew for each read from the start. Where the file does not exist, or no longer, it is looked for
/// again with each read, which costs as much as a read would.
#[derive(Debug)]
pub(super) struct KeptFile {
    path: PathBuf,
    makes: Makes,
    file: Option<File>,
    bytes: Vec<u8>,
}

/// How the kernel makes the text of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    /// All of it at once, so that a read that leaves room has it all.
    AtOnce,
    /// Record by record, so that only a read that gives nothing says that it was all.
    Records,
}

impl KeptFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self::that_makes(path, Makes::AtOnce)
    }

    /// A list, such as that of the disks.
    pub(super) const fn of_records(path: PathBuf) -> Self {
        Self::that_makes(path, Makes::Records)
    }

    const fn that_makes(path: PathBuf, makes: Makes) -> Self {
        Self {
            path,
            makes,
            file: None,
            bytes: Vec::new(),
        }
    }

    /// The text by now; `None` where it cannot be read.
    pub(super) fn text(&mut self) -> Option<&str> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path).ok()?),
        };
        match read_from_start(file, &mut self.bytes, self.makes) {
            Ok(count) => std::str::from_utf8(&self.bytes[..count]).ok(),
            Err(_) => {
                self.file = None;
                None
            }
        }
    }
}

/// Reads all of a file into `bytes`, which grows where it must; returns how much that was.
pub(super) fn read_from_start(file: &File, bytes: &mut Vec<u8>, makes: Makes) -> io::Result<usize> {
    let mut filled = 0;
    loop {
        if bytes.len() < filled + SPACE {
            bytes.resize(filled + 2 * SPACE, 0);
        }
        match file.read_at(&mut bytes[filled..], filled as u64) {
            Ok(0) => return Ok(filled),
            Ok(count) => {
                filled += count;
                if makes == Makes::AtOnce && filled < bytes.len() {
                    return Ok(filled);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Room for one more read: as much as the kernel makes at once.
const SPACE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_anew_each_time_and_found_again() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a");
        let mut kept = KeptFile::new(path.clone());
        assert_eq!(kept.text(), None);
        std::fs::write(&path, "one").expect("it is ours");
        assert_eq!(kept.text(), Some("one"));
        let long = "0123456789".repeat(10_000);
        std::fs::write(&path, &long).expect("it is ours");
        assert_eq!(kept.text(), Some(long.as_str()));
        std::fs::write(&path, "two").expect("it is ours");
        assert_eq!(kept.text(), Some("two"));
    }
}
