//! `jumper diff BEFORE AFTER`

use std::io;

use jumper_session::compare;

use crate::args::DiffArgs;
use crate::error::CliError;
use crate::input;
use crate::select::select;

pub(crate) fn diff(arguments: &DiffArgs) -> Result<u8, CliError> {
    let before = select(input::open(&arguments.before)?, &arguments.select)?;
    let after = select(input::open(&arguments.after)?, &arguments.select)?;
    let compared = compare(&before, &after);
    match jumper_render::diff(&before, &after, &compared, &mut io::stdout().lock()) {
        // A reader that goes away early is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}
