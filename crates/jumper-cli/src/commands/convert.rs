//! `jumper convert IN OUT`

use std::time::Duration;

use jumper_session::formats;

use crate::args::ConvertArgs;
use crate::error::CliError;
use crate::input;
use crate::select::select;
use crate::terminal::Progress;

pub(crate) fn convert(arguments: &ConvertArgs) -> Result<u8, CliError> {
    let interval = arguments.interval.map(interval).transpose()?;
    let mut session = select(input::open(&arguments.input)?, &arguments.select)?;
    if let Some(interval) = interval {
        session = session.resample(interval);
    }
    Progress::during("writing the session", || {
        formats::save(&session, &arguments.output)
    })?;
    Ok(0)
}

fn interval(seconds: f64) -> Result<Duration, CliError> {
    let interval = Duration::try_from_secs_f64(seconds).ok();
    interval
        .filter(|interval| !interval.is_zero())
        .ok_or_else(|| {
            CliError::Usage(format!(
                "an interval of {seconds} s makes no sense; pass more than 0 seconds, such as 0.01"
            ))
        })
}
