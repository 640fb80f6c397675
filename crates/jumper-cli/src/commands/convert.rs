//! `jumper convert IN OUT`

use std::time::Duration;

use jumper_session::formats::FileFormat;
use jumper_session::{Error, Parts};

use crate::args::ConvertArgs;
use crate::error::CliError;
use crate::input;
use crate::select::{judge, select};
use crate::terminal::{Progress, say};

pub(crate) fn convert(arguments: &ConvertArgs) -> Result<u8, CliError> {
    let session = input::open(&arguments.input, Parts::ALL)?;
    let mut session = judge(select(session, &arguments.select)?, &arguments.judge);
    if let Some(seconds) = arguments.interval {
        // What is no span of time is none of any length.
        let interval = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        session = session.resample(interval).map_err(|error| match error {
            Error::NoInterval => CliError::Usage(error.to_string()),
            error => error.into(),
        })?;
    }
    let (out, format) = (&arguments.output, arguments.to.as_deref());
    let format = match format.and_then(FileFormat::find) {
        Some(format) => format,
        None => FileFormat::of_name(out)?,
    };
    Progress::during("writing the session", || format.save(&session, out))?;
    if let Some(lost) = format.drops(&session) {
        say(&format!("{} has no room for {lost}", format.title));
    }
    Ok(0)
}
