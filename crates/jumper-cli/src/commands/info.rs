//! `jumper info SESSION`

use std::io;

use jumper_session::Session;

use crate::args::InfoArgs;
use crate::error::CliError;

pub(crate) fn info(arguments: &InfoArgs) -> Result<u8, CliError> {
    let session = Session::open(&arguments.session)?;
    match jumper_render::info(&session, &mut io::stdout().lock()) {
        // A reader that goes away early is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}
