//! `jumper convert IN OUT`

use std::time::Duration;

use jumper_session::formats::{self, FileFormat};
use jumper_session::{Error, Parts};

use crate::args::ConvertArgs;
use crate::error::CliError;
use crate::input;
use crate::select::{judge, select};
use crate::terminal::Progress;

pub(crate) fn convert(arguments: &ConvertArgs) -> Result<u8, CliError> {
    let session = input::open(&arguments.input, Parts::ALL)?;
    let session = select(session, &arguments.select)?;
    let mut session = judge(session, &arguments.judge);
    if let Some(seconds) = arguments.interval {
        // What is no span of time is none of any length.
        let interval = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        session = session.resample(interval).map_err(|error| match error {
            Error::NoInterval => CliError::Usage(error.to_string()),
            error => error.into(),
        })?;
    }
    let (out, format) = (&arguments.output, arguments.to.as_deref());
    Progress::during("writing the session", || {
        match format.and_then(FileFormat::find) {
            Some(format) => format.save(&session, out),
            None => formats::save(&session, out),
        }
    })?;
    Ok(0)
}
