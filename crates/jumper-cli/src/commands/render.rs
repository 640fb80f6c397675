//! `jumper render SESSION`

use crate::args::RenderArgs;
use crate::error::CliError;
use crate::input;
use crate::output::Target;
use crate::select::{judge, select};

pub(crate) fn render(arguments: &RenderArgs) -> Result<u8, CliError> {
    let target = Target::of(&arguments.output, true)?;
    let session = input::open(&arguments.session)?;
    let session = select(session, &arguments.select)?;
    let session = judge(session, &arguments.judge);
    target.check()?;
    target.write(&session, &arguments.output)?;
    Ok(0)
}
