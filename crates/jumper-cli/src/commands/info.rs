//! `jumper info SESSION`

use std::io;

use crate::args::InfoArgs;
use crate::error::CliError;
use crate::input;
use crate::select::{judge, select};

pub(crate) fn info(arguments: &InfoArgs) -> Result<u8, CliError> {
    let session = select(input::open(&arguments.session)?, &arguments.select)?;
    let session = judge(session, &arguments.judge);
    match jumper_render::info(&session, &mut io::stdout().lock()) {
        // A reader that goes away early is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}
