//! What sources record into: what they say is interned, and goes to disk meanwhile.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use jumper_sampler::Pid;

use super::inbox::Inbox;
use super::stop::Stop;
use super::{Kept, RecordError, journal, lock, spawn};
use crate::error::Result;
use crate::format::Journal;
use crate::{Manifest, Session, SessionBuilder};

/// A recording that its sources fill, any number of them on any threads. [`Recording`](crate::Recording) is one whose
/// sources look at a process.
///
/// Where it is [kept](Kept), what is recorded goes to disk twice a second and out of the memory, but for what may be
/// referred to again: texts, functions and stacks. Where much comes at once, it goes earlier.
#[derive(Debug)]
pub struct Recorder {
    inbox: Arc<Inbox>,
    /// As far as it is known.
    manifest: Arc<Mutex<Manifest>>,
    stop: Arc<Stop>,
    kept: Option<Kept>,
    /// What the session is to say of it.
    note: Option<String>,
    /// Taken when the recording ends.
    keeper: Option<JoinHandle<journal::Left>>,
    /// The process that records. A child that it forks has this value, but not the threads.
    process: Pid,
}

impl Drop for Recorder {
    /// A recording that nobody finishes is given up: its threads end by themselves.
    fn drop(&mut self) {
        if self.is_ours() {
            self.stop.now();
        } else {
            // The handle of a thread that does not exist here must not be touched.
            std::mem::forget(self.keeper.take());
        }
    }
}

impl Recorder {
    /// Starts with what is in `builder` already. `manifest` is what is known of the recording so far; its `program` is that of
    /// `kept`.
    ///
    /// # Errors
    /// Where it cannot be kept, or no thread be started for that.
    pub fn start(
        builder: SessionBuilder,
        manifest: Manifest,
        kept: Option<Kept>,
    ) -> Result<Self, RecordError> {
        let stop = Arc::<Stop>::default();
        let mut recorder = Self {
            inbox: Arc::new(Inbox::new(builder, Arc::clone(&stop))),
            manifest: Arc::new(Mutex::new(manifest)),
            stop,
            kept,
            keeper: None,
            note: None,
            process: Pid::own(),
        };
        if let Some(kept) = recorder.kept.take() {
            lock(&recorder.manifest).program.clone_from(&kept.program);
            let is_new = !kept.path.exists();
            match recorder.keeper(&kept) {
                Ok(keeper) => {
                    let stop = recorder.stop();
                    recorder.keeper = Some(spawn("jumper-journal", move || keeper.run(&stop))?);
                    recorder.kept = Some(kept);
                }
                Err(error) if kept.is_required => return Err(error.into()),
                Err(error) => {
                    // What was begun; never what was there before.
                    if is_new {
                        let _ = std::fs::remove_dir_all(&kept.path);
                    }
                    recorder.note = Some(format!("the session is not kept: {error}"));
                }
            }
        }
        Ok(recorder)
    }

    fn keeper(&self, kept: &Kept) -> Result<journal::Keeper> {
        let journal = Journal::beside(&kept.path)?;
        journal::Keeper::start(journal, self.manifest(), self.inbox())
    }

    /// Has a source record something. The others wait meanwhile, and so does this one while what is recorded comes faster than
    /// it can be written.
    pub fn record<T>(&self, source: impl FnOnce(&mut SessionBuilder) -> T) -> T {
        source(&mut self.inbox.open())
    }

    /// Whether it takes no more: it is finished, or cannot be kept.
    pub fn is_over(&self) -> bool {
        self.stop.is_raised()
    }

    /// Whether this process is the one that started the recording, not a copy of it made by `fork`.
    pub fn is_ours(&self) -> bool {
        self.process == Pid::own()
    }

    pub(super) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    pub(super) fn manifest(&self) -> Arc<Mutex<Manifest>> {
        Arc::clone(&self.manifest)
    }

    pub(super) fn stop(&self) -> Arc<Stop> {
        Arc::clone(&self.stop)
    }

    /// Ends the recording. `manifest` is the final one; what the tables know better is written over it, as
    /// [`SessionBuilder::finish`] does.
    ///
    /// One that was kept is then a session on disk, of which the parts that were asked for are read. If that cannot be made of
    /// it, for lack of space say, it stays what it was, and a note in the session says so: [`Session::repair`] tries again.
    ///
    /// # Errors
    /// Where what was kept cannot be read any more.
    pub fn finish(mut self, manifest: Manifest) -> Result<Session> {
        self.end(manifest)
    }

    /// The same for one who cannot give it away. It takes no more then.
    pub(super) fn end(&mut self, mut manifest: Manifest) -> Result<Session> {
        manifest.notes.extend(self.note.take());
        self.stop.now();
        let keeper = self.keeper.take().and_then(|thread| thread.join().ok());
        match (keeper, self.kept.take()) {
            (Some(left), Some(kept)) => self.finish_kept(left, &kept, manifest),
            _ => Ok(self.take_builder().finish(manifest)),
        }
    }

    /// Makes a session of the journal. Where that fails, what is in the journal is the session.
    fn finish_kept(
        &self,
        (mut keeper, failed): journal::Left,
        kept: &Kept,
        manifest: Manifest,
    ) -> Result<Session> {
        let failed = match failed {
            None => keeper.write(&manifest).err(),
            failed => failed,
        };
        // All of it is on disk, and its memory is wanted for reading that.
        drop(self.take_builder());
        let journal = keeper.into_journal();
        let place = journal.session().to_owned();
        let note = match failed {
            None => match journal.finish(&kept.path, manifest) {
                Ok(()) => return Session::read(&kept.path, kept.parts),
                Err(error) => format!("the recording is whole but not finished: {error}"),
            },
            Some(error) => format!("the recording ends early: {error}"),
        };
        let mut session = Session::open(&place)?;
        session.manifest.notes.push(format!(
            "{note}; then finish it with `jumper repair {}`",
            place.display()
        ));
        Ok(session)
    }

    fn take_builder(&self) -> SessionBuilder {
        self.inbox.empty(std::mem::take)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Function, Host, NewSample, Parts, Program, StacksSummary, ThreadState, Timestamp};

    /// Two sources, each with samples of a thread of its own.
    fn recorded(kept: Option<Kept>) -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 7, None);
        let threads = [0, 1].map(|id| builder.add_thread(process, id, None));
        let manifest = Manifest {
            stacks: Some(StacksSummary::default()),
            ..Manifest::default()
        };
        let recorder =
            Recorder::start(builder, manifest.clone(), kept).expect("it can be recorded");
        std::thread::scope(|scope| {
            for thread in threads {
                let recorder = &recorder;
                scope.spawn(move || {
                    for time in 0..1000 {
                        recorder.record(|builder| {
                            let function = builder.intern_function(&Function {
                                name: "work",
                                qualname: None,
                                file: "a.py",
                                first_line: 1,
                                hidden: false,
                            });
                            let stack = builder.intern_stack_frames([(function, time % 7)]);
                            builder.push_sample(NewSample {
                                time: Timestamp::from_nanos(time.into()),
                                duration: Duration::from_nanos(1),
                                thread,
                                task: None,
                                state: ThreadState::NONE,
                                stack,
                            });
                        });
                    }
                });
            }
        });
        assert!(!recorder.is_over() && recorder.is_ours());
        recorder.finish(manifest).expect("a session")
    }

    #[test]
    fn many_sources_fill_one_session_in_memory_and_on_disk() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let kept = Kept {
            is_required: true,
            path: directory.path().join("a.jumper"),
            program: Program {
                description: "two sources".into(),
                ..Program::default()
            },
            parts: Parts::NONE,
        };
        let (in_memory, on_disk) = (recorded(None), recorded(Some(kept.clone())));
        assert_eq!(
            (in_memory.parts(), on_disk.parts()),
            (Parts::ALL, Parts::NONE)
        );
        assert_eq!(in_memory.row_counts(), on_disk.row_counts());
        let counts = on_disk.row_counts();
        assert_eq!(
            (counts.samples, counts.stacks, counts.functions),
            (2000, 7, 1)
        );
        let whole = Session::open(&kept.path).expect("a session");
        assert_eq!(whole.manifest().stacks.expect("some").samples, 2000);
        assert_eq!(whole.samples().total(), in_memory.samples().total());
    }
}
