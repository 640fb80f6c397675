//! Keeping what was recorded: first the session, which cannot be made again, then the report.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jumper_session::{Kept, Pid, Program, Session, Store};

use crate::error::CliError;
use crate::output::Target;
use crate::terminal::{Progress, say};

/// Finds out whether session and report can be written, before anything is recorded. `wanted` is where the user wants the session.
pub(super) fn check(wanted: &Option<PathBuf>, target: &Target) -> Result<(), CliError> {
    if let Some(path) = wanted {
        Session::check_destination(path)?;
    }
    target.check()
}

/// Where the recording of `program` is kept while it goes on. `None` where nothing can be kept that nobody has asked for.
pub(super) fn place(
    wanted: &Option<PathBuf>,
    target: &Target,
    name: &str,
    program: &Program,
    pid: Pid,
) -> Option<Kept> {
    let path = match (wanted, target) {
        (Some(path), _) | (None, Target::Session { path }) => Some(path.clone()),
        (None, _) => {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
            Store::of_user().place(now, name, pid.get()).ok()
        }
    };
    path.map(|path| Kept {
        path,
        program: program.clone(),
        is_required: wanted.is_some() || matches!(target, Target::Session { .. }),
        parts: target.needs(),
    })
}

/// Saves the session, unless it is where it belongs, and makes the report. The report is made also where the session cannot
/// be kept.
pub(super) fn keep(
    mut session: Session,
    name: &str,
    wanted: &Option<PathBuf>,
    target: &Target,
) -> Result<(), CliError> {
    let saved = match (wanted, target) {
        _ if session.path().is_some() => {
            Store::of_user().prune();
            Ok(())
        }
        (Some(path), _) => save(&mut session, path),
        (None, Target::Session { .. }) => Ok(()),
        (None, _) => {
            let added = Progress::during("writing the session", || {
                Store::of_user().add(&mut session, name)
            });
            if let Err(error) = added {
                say(&format!("warning: the session is not kept: {error}"));
            }
            Ok(())
        }
    };
    target.write(&session)?;
    saved?;
    if let Some(note) = unfinished(&session) {
        return Err(CliError::Failed(note));
    }
    tell(&session, target);
    Ok(())
}

/// Why a recording that was kept is not a session, if it is none.
fn unfinished(session: &Session) -> Option<String> {
    let path = session.path()?;
    let note = session.manifest().notes.last();
    Session::is_unfinished(path).then(|| note.cloned().unwrap_or_default())
}

fn save(session: &mut Session, path: &Path) -> Result<(), CliError> {
    Ok(Progress::during("writing the session", || {
        session.save_as(path)
    })?)
}

/// Says where things are, unless the report itself does.
fn tell(session: &Session, target: &Target) {
    match target {
        Target::Stream { renderer, .. } if renderer.about().name == "text" => return,
        Target::Stream { .. } => {}
        Target::File { path, .. } => say(&format!("report in {}", shown(path))),
        Target::Session { path } => return say(&format!("session in {}", shown(path))),
    }
    if let Some(path) = session.path() {
        say(&format!("session in {}", shown(path)));
    }
}

fn shown(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}
