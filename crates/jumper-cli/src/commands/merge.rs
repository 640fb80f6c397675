//! `jumper merge SESSION... -o OUT`

use jumper_session::{Parts, combine, formats, merge};

use crate::args::MergeArgs;
use crate::error::CliError;
use crate::input;
use crate::terminal::Progress;

pub(crate) fn run(arguments: &MergeArgs) -> Result<u8, CliError> {
    let sessions = arguments
        .sessions
        .iter()
        .map(|path| input::open(path, Parts::ALL));
    let sessions = sessions.collect::<Result<Vec<_>, _>>()?;
    let merged = match arguments.combine {
        true => combine(&sessions)?,
        false => merge(&sessions)?,
    };
    Progress::during("writing the session", || {
        formats::save(&merged, &arguments.output)
    })?;
    Ok(0)
}
