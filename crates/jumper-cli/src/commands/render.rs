//! `jumper render SESSION`

use crate::args::RenderArgs;
use crate::error::CliError;
use crate::input;
use crate::output::Target;
use crate::select;

pub(crate) fn render(arguments: &RenderArgs) -> Result<u8, CliError> {
    let target = Target::of(&arguments.output, true)?;
    let parts = target.needs().with(select::needs(&arguments.select));
    let session = input::open(&arguments.session, parts)?;
    let session = select::select(session, &arguments.select)?;
    let session = select::judge(session, &arguments.judge);
    target.check()?;
    target.write(&session)?;
    Ok(0)
}
