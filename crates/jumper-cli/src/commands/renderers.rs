//! `jumper renderers [NAME]`

use std::io;

use jumper_render::{describe_renderers, renderer, renderers as all};

use crate::args::RenderersArgs;
use crate::error::CliError;
use crate::output;

pub(crate) fn renderers(arguments: &RenderersArgs) -> Result<u8, CliError> {
    let chosen = arguments.name.as_deref().map(renderer).transpose()?;
    let chosen = chosen.map_or_else(|| all().to_vec(), |only| vec![only]);
    output::to_stdout(|| describe_renderers(&chosen, &mut io::stdout().lock()))
}
