//! The thread that writes what there is into the journal, so that it survives whatever ends the recording.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumper_sampler::{SysPaths, Timestamp as Clock};

use super::stop::Stop;
use super::{from_clock, lock};
use crate::error::Result;
use crate::format::Journal;
use crate::{Error, Manifest, Program, Python, SessionBuilder, StacksSummary};

/// How often. What was recorded since the last time is lost with the recorder.
const EVERY: Duration = Duration::from_millis(500);

/// Where a recording is kept while it goes on, and what is recorded, as far as that is known in the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The directory that the session will be. Nothing may be there but an empty directory or a session, which is replaced
    /// when the recording is finished.
    pub path: PathBuf,
    /// The program.
    pub program: Program,
}

/// What is known of the stacks so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    pub(super) stacks: StacksSummary,
    pub(super) python: Option<Python>,
    pub(super) sys_paths: SysPaths,
}

#[derive(Debug)]
pub(super) struct Keeper {
    journal: Journal,
    /// What every version of the manifest has.
    manifest: Manifest,
    builder: Arc<Mutex<SessionBuilder>>,
    live: Arc<Mutex<Live>>,
}

/// What is left when the thread ends: the journal, and why it could not be written, if so.
pub(super) type Left = (Keeper, Option<Error>);

impl Keeper {
    /// Begins the journal, so that what cannot be written is known before anything is recorded.
    pub(super) fn start(
        journal: Journal,
        manifest: Manifest,
        builder: Arc<Mutex<SessionBuilder>>,
        live: Arc<Mutex<Live>>,
    ) -> Result<Self> {
        let mut keeper = Self {
            journal,
            manifest,
            builder,
            live,
        };
        keeper.write_live()?;
        Ok(keeper)
    }

    /// Writes until the recording ends. What cannot be written ends it.
    pub(super) fn run(mut self, stop: &Stop) -> Left {
        while stop.sleep_until(Clock::now().after(EVERY)) {
            if let Err(error) = self.write_live() {
                stop.now();
                return (self, Some(error));
            }
        }
        (self, None)
    }

    /// Writes what is there by now.
    fn write_live(&mut self) -> Result<()> {
        let live = lock(&self.live).clone();
        self.write(&Manifest {
            end: from_clock(Clock::now()),
            python: live.python,
            sys_path: live.sys_paths.path,
            sys_prefixes: live.sys_paths.prefixes,
            stacks: Some(live.stacks),
            ..self.manifest.clone()
        })
    }

    /// The same, with this manifest.
    pub(super) fn write(&mut self, manifest: &Manifest) -> Result<()> {
        self.journal.append(&self.builder, manifest)
    }

    /// The journal, when nobody writes it any more.
    pub(super) fn into_journal(self) -> Journal {
        self.journal
    }
}
