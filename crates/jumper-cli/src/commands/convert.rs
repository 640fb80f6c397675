//! `jumper convert IN OUT`

use jumper_session::formats;

use crate::args::ConvertArgs;
use crate::error::CliError;
use crate::input;
use crate::select::{judge, select};
use crate::terminal::Progress;

pub(crate) fn convert(arguments: &ConvertArgs) -> Result<u8, CliError> {
    let session = select(input::open(&arguments.input)?, &arguments.select)?;
    let session = judge(session, &arguments.judge);
    Progress::during("writing the session", || {
        formats::save(&session, &arguments.output)
    })?;
    Ok(0)
}
