//! The thread that writes what there is into the journal, so that it survives whatever ends the recording.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumper_sampler::Timestamp as Clock;

use super::inbox::Inbox;
use super::stop::Stop;
use super::{from_clock, lock};
use crate::error::Result;
use crate::format::Journal;
use crate::{Error, Manifest, Parts, Program};

/// How often, at least. What was recorded since the last time is lost with the recorder.
const EVERY: Duration = Duration::from_millis(500);

/// Where a recording is kept while it goes on, and what is recorded, as far as that is known in the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The directory that the session will be. Nothing may be there but an empty directory or a session, which is replaced
    /// when the recording is finished.
    pub path: PathBuf,
    /// The program.
    pub program: Program,
    /// Whether a recording that cannot be kept is not to be made at all. Otherwise a note says so.
    pub is_required: bool,
    /// What is read of the session when the recording is finished.
    pub parts: Parts,
}

#[derive(Debug)]
pub(super) struct Keeper {
    journal: Journal,
    inbox: Arc<Inbox>,
    /// As far as it is known, by now.
    manifest: Arc<Mutex<Manifest>>,
}

/// What is left when the thread ends: the journal, and why it could not be written, if so.
pub(super) type Left = (Keeper, Option<Error>);

impl Keeper {
    /// Begins the journal, so that what cannot be written is known before anything is recorded.
    pub(super) fn start(
        journal: Journal,
        manifest: Arc<Mutex<Manifest>>,
        inbox: Arc<Inbox>,
    ) -> Result<Self> {
        let mut keeper = Self {
            journal,
            inbox,
            manifest,
        };
        keeper.write_live()?;
        keeper.inbox.set_kept();
        Ok(keeper)
    }

    /// Writes until the recording ends. What cannot be written ends it.
    pub(super) fn run(mut self, stop: &Stop) -> Left {
        loop {
            let deadline = Clock::now().after(EVERY);
            if !stop.sleep_until_or(deadline, || self.inbox.has_enough()) {
                return (self, None);
            }
            if let Err(error) = self.write_live() {
                stop.now();
                return (self, Some(error));
            }
        }
    }

    /// Writes what is there by now.
    fn write_live(&mut self) -> Result<()> {
        let manifest = lock(&self.manifest).clone();
        self.write(&Manifest {
            end: from_clock(Clock::now()),
            ..manifest
        })
    }

    /// The same, with this manifest.
    pub(super) fn write(&mut self, manifest: &Manifest) -> Result<()> {
        let part = self.inbox.empty(|builder| self.journal.take(builder));
        self.journal.append(part, manifest)
    }

    /// The journal, when nobody writes it any more.
    pub(super) fn into_journal(self) -> Journal {
        self.journal
    }
}
