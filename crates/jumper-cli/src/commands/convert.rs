//! `jumper convert IN OUT`

use jumper_session::{Parts, formats};

use crate::args::ConvertArgs;
use crate::error::CliError;
use crate::input;
use crate::select::select;
use crate::terminal::Progress;

pub(crate) fn convert(arguments: &ConvertArgs) -> Result<u8, CliError> {
    let session = input::open(&arguments.input, Parts::ALL)?;
    let session = select(session, &arguments.select)?;
    Progress::during("writing the session", || {
        formats::save(&session, &arguments.output)
    })?;
    Ok(0)
}
