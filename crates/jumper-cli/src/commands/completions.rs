//! `jumper completions SHELL`

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::error::CliError;

pub(crate) fn completions(arguments: &CompletionsArgs) -> Result<u8, CliError> {
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "jumper",
        &mut std::io::stdout().lock(),
    );
    Ok(0)
}
