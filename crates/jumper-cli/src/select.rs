//! From the options that select a part of a session to that part.

use jumper_session::{Error, Parts, Query, Session, TimeMode};

use crate::args::{JudgeArgs, ModeArg, SelectArgs};
use crate::error::CliError;

/// What of a session must be there for [`select`].
pub(crate) fn needs(arguments: &SelectArgs) -> Parts {
    query(arguments).needs()
}

/// The part of the session that the options name.
pub(crate) fn select(session: Session, arguments: &SelectArgs) -> Result<Session, CliError> {
    let selection = session
        .find(&query(arguments))
        .map_err(|error| match error {
            Error::NotThere { .. } | Error::NoSuchCell { .. } => CliError::Usage(error.to_string()),
            error => error.into(),
        })?;
    Ok(session.select(&selection)?)
}

fn query(arguments: &SelectArgs) -> Query {
    Query {
        time: arguments.time,
        cells: arguments.cell,
        threads: arguments.thread.clone(),
        processes: arguments.process.clone(),
        tasks: arguments.task.clone(),
        levels: arguments.level.clone(),
        mode: match arguments.mode {
            ModeArg::Wall => TimeMode::Wall,
            ModeArg::Cpu => TimeMode::Cpu,
            ModeArg::Gil => TimeMode::Gil,
        },
    }
}

/// The session with the thresholds that the options name changed.
pub(crate) fn judge(session: Session, arguments: &JudgeArgs) -> Session {
    if arguments.threshold.is_empty() {
        return session;
    }
    let mut thresholds = session.manifest().thresholds.unwrap_or_default();
    for (name, number) in &arguments.threshold {
        if let Some(threshold) = thresholds.get_mut(name) {
            *threshold = *number;
        }
    }
    session.with_thresholds(thresholds)
}
