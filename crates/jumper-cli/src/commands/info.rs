//! `jumper info SESSION`

use std::io;

use jumper_render::INFO_NEEDS;

use crate::args::InfoArgs;
use crate::error::CliError;
use crate::input;
use crate::select::{judge, select};

pub(crate) fn info(arguments: &InfoArgs) -> Result<u8, CliError> {
    let session = input::open(&arguments.session, INFO_NEEDS)?;
    let session = judge(select(session, &arguments.select)?, &arguments.judge);
    match jumper_render::info(&session, &mut io::stdout().lock()) {
        // A reader that goes away early is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}
