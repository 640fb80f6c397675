//! `jumper render SESSION`

use jumper_session::Session;

use crate::args::RenderArgs;
use crate::error::CliError;
use crate::output::Target;
use crate::terminal::Progress;

pub(crate) fn render(arguments: &RenderArgs) -> Result<u8, CliError> {
    let target = Target::of(&arguments.output, true)?;
    let session = Progress::during("reading the session", || Session::open(&arguments.session))?;
    target.check()?;
    target.write(&session, &arguments.output)?;
    Ok(0)
}
