//! The place where sessions go that nobody gave a place: the last ones are kept, so that a recording can be
//! looked at again without having been planned.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use crate::{Result, Session};

/// A directory of sessions that keeps the newest ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// How many sessions are kept.
    pub const KEPT: usize = 20;

    /// The store in the user's data directory: `$XDG_DATA_HOME/jumper/sessions`, by default under
    /// `~/.local/share` (XDG Base Directory Specification). Without a home it is in the directory for
    /// temporary files.
    pub fn of_user() -> Self {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let data = absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
        Self::at(
            data.unwrap_or_else(std::env::temp_dir)
                .join("jumper/sessions"),
        )
    }

    /// The store in this directory, which is made when it is first needed.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Where the sessions are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a session belongs that begins at this time of day (in nanoseconds since 1970) and is called `name`, of the
    /// process `pid`. The directory around it is made.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn place(&self, unix_ns: i64, name: &str, pid: u32) -> Result<PathBuf> {
        fs::create_dir_all(&self.directory)
            .map_err(|error| crate::Error::write(&self.directory, error))?;
        let path = self.directory.join(file_name(unix_ns, name, pid));
        Session::check_destination(&path)?;
        Ok(path)
    }

    /// Removes the oldest sessions beyond [`KEPT`](Self::KEPT). What cannot be removed is left, and so are recordings that
    /// go on or were not finished: nobody has seen them yet.
    pub fn prune(&self) {
        let finished = self.sessions().into_iter();
        let finished = finished.filter(|path| !Session::is_unfinished(path));
        for old in finished.skip(Self::KEPT) {
            let _ = fs::remove_dir_all(old);
        }
    }

    /// Saves a session under its time and `name`, and removes the oldest beyond [`KEPT`](Self::KEPT). The
    /// session then knows its path.
    ///
    /// # Errors
    /// If it cannot be written. What cannot be removed is left.
    pub fn add(&self, session: &mut Session, name: &str) -> Result<()> {
        let manifest = session.manifest();
        let start = manifest.clock.unix_nanos_at(session.start());
        session.save_as(self.place(start, name, manifest.program.pid)?)?;
        self.prune();
        Ok(())
    }

    /// The sessions, the newest first, and the recordings that were not finished.
    pub fn sessions(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        let is_session = |path: &PathBuf| {
            path.extension() == Some(OsStr::new("jumper"))
                && (path.join("manifest.json").is_file() || Session::is_unfinished(path))
        };
        let mut sessions: Vec<PathBuf> = entries.filter(is_session).collect();
        // Names begin with the time, so that their order is that of recording.
        sessions.sort_unstable_by(|one, other| other.file_name().cmp(&one.file_name()));
        sessions
    }
}

/// The time in UTC, the name and the process: unique, and in order of time.
fn file_name(unix_ns: i64, name: &str, pid: u32) -> String {
    let time = DateTime::from_timestamp_nanos(unix_ns);
    let safe = |character: char| {
        if character.is_alphanumeric() || "._-".contains(character) {
            character
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(safe).take(60).collect();
    format!("{}-{name}-{pid}.jumper", time.format("%Y%m%dT%H%M%S%3fZ"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Manifest, SessionBuilder, Timestamp};

    fn session(start_ns: i64) -> Session {
        let start = Timestamp::from_nanos(start_ns);
        SessionBuilder::new().finish(Manifest {
            start,
            end: start,
            ..Manifest::default()
        })
    }

    #[test]
    fn the_newest_sessions_are_kept() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = Store::at(directory.path().join("not/there/yet"));
        for second in 0..Store::KEPT as i64 + 3 {
            store
                .add(&mut session(second * 1_000_000_000), "../odd name")
                .expect("it can be saved");
        }
        let kept = store.sessions();
        assert_eq!(kept.len(), Store::KEPT);
        let newest = kept[0]
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert_eq!(newest, "19700101T000022000Z-.._odd_name-0.jumper");
        assert!(Session::open(&kept[19]).is_ok());
    }

    #[test]
    fn recordings_that_were_not_finished_stay() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = Store::at(directory.path());
        // The oldest of all.
        let unfinished = directory.path().join("00000000T000000000Z-a-1.jumper");
        fs::create_dir_all(unfinished.join("journal")).expect("it can be made");
        let head = br#"{"format": {"name": "jumper-session", "version": 1}}"#;
        fs::write(unfinished.join("journal/manifest.json"), head).expect("there is room");
        for second in 0..Store::KEPT as i64 + 3 {
            store
                .add(&mut session(second * 1_000_000_000), "a")
                .expect("it can be saved");
        }
        assert!(unfinished.is_dir());
        assert_eq!(store.sessions().len(), Store::KEPT + 1);
    }

    #[test]
    fn what_is_no_session_is_left_alone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let stranger = directory.path().join("00000000.jumper");
        fs::create_dir(&stranger).expect("it can be made");
        let store = Store::at(directory.path());
        for second in 0..Store::KEPT as i64 + 1 {
            store
                .add(&mut session(second * 1_000_000_000), "a")
                .expect("it can be saved");
        }
        assert!(stranger.is_dir());
    }
}
