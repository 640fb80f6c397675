//! `jumper diff BEFORE AFTER`

use std::io;
use std::path::Path;

use jumper_render::DIFF_NEEDS;
use jumper_session::compare;

use crate::args::DiffArgs;
use crate::error::CliError;
use crate::input;
use crate::output;
use crate::select;

pub(crate) fn diff(arguments: &DiffArgs) -> Result<u8, CliError> {
    let parts = DIFF_NEEDS.with(select::needs(&arguments.select));
    let open = |path: &Path| select::select(input::open(path, parts)?, &arguments.select);
    let (before, after) = (open(&arguments.before)?, open(&arguments.after)?);
    let compared = compare(&before, &after);
    output::to_stdout(|| jumper_render::diff(&before, &after, &compared, &mut io::stdout().lock()))
}
