//! `jumper convert IN OUT`

use jumper_session::formats::{self, FileFormat};

use crate::args::ConvertArgs;
use crate::error::CliError;
use crate::input;
use crate::select::select;
use crate::terminal::Progress;

pub(crate) fn convert(arguments: &ConvertArgs) -> Result<u8, CliError> {
    let session = select(input::open(&arguments.input)?, &arguments.select)?;
    let (out, format) = (&arguments.output, arguments.to.as_deref());
    Progress::during("writing the session", || {
        match format.and_then(FileFormat::find) {
            Some(format) => format.save(&session, out),
            None => formats::save(&session, out),
        }
    })?;
    Ok(0)
}
