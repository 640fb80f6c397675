//! `jumper repair SESSION`

use std::path::Path;

use jumper_session::{Parts, Session};

use crate::args::RepairArgs;
use crate::error::CliError;
use crate::input;
use crate::terminal::say;

pub(crate) fn repair(arguments: &RepairArgs) -> Result<u8, CliError> {
    let path: &Path = &arguments.session;
    if !Session::is_unfinished(path) {
        let session = input::open(path, Parts::ALL)?;
        let samples = session.samples().len();
        say(&format!(
            "nothing to repair: the session is whole, with {samples} samples"
        ));
        return Ok(0);
    }
    let repaired = input::read(|| Session::repair(path))?;
    let session = &repaired.session;
    for note in &session.manifest().notes {
        say(note);
    }
    let found = format!(
        "{:.1} s, {} samples",
        session.duration().as_secs_f64(),
        session.samples().len()
    );
    if !repaired.is_whole {
        let text = format!("the session is not whole: {found}");
        return Err(CliError::Failed(text));
    }
    say(&format!("the session is whole again: {found}"));
    Ok(0)
}
