//! `jumper info SESSION`

use std::io;

use jumper_render::{INFO_NEEDS, RESOURCES_NEED};

use crate::args::InfoArgs;
use crate::error::CliError;
use crate::input;
use crate::select;

pub(crate) fn info(arguments: &InfoArgs) -> Result<u8, CliError> {
    let wanted = match arguments.resources {
        true => INFO_NEEDS.with(RESOURCES_NEED),
        false => INFO_NEEDS,
    };
    let parts = wanted.with(select::needs(&arguments.select));
    let session = input::open(&arguments.session, parts)?;
    let session = select::select(session, &arguments.select)?;
    let session = select::judge(session, &arguments.judge);
    let mut out = io::stdout().lock();
    let written =
        jumper_render::info(&session, &mut out).and_then(|()| match arguments.resources {
            true => jumper_render::resources(&session, &mut out),
            false => Ok(()),
        });
    match written {
        // A reader that goes away early is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}
