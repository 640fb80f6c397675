//! The `jumper` command, as a library, so that the Python package can offer the same command.
//!
//! Arguments are taken as typed (`args`), then each command does one thing with the crates below. Nothing is
//! measured, stored or drawn here.

#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the command"
)]

mod args;
mod commands;
mod error;
mod input;
mod output;
mod render_options;
mod select;
mod terminal;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};
use error::CliError;

/// What the one who starts the command knows.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The interpreter that `jumper run` uses where the user names none. Default: `python3` on the path.
    pub python: Option<PathBuf>,
}

/// Runs the command with these arguments, the first of which is its own name. Returns its exit status.
///
/// Where the program that `jumper run` started was ended by a signal, this process ends by the same signal
/// and the function does not return.
pub fn main(arguments: impl IntoIterator<Item = OsString>, context: &Context) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            let _ = error.print();
            return 0;
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            return 2;
        }
        Err(error) => return report(&CliError::Usage(error::one_line(&error))),
    };
    match dispatch(cli.command, context) {
        Ok(status) => status,
        Err(error) => report(&error),
    }
}

#[cfg_attr(
    not(feature = "record"),
    expect(unused_variables, reason = "only recording needs the context")
)]
fn dispatch(command: Command, context: &Context) -> Result<u8, CliError> {
    match command {
        #[cfg(feature = "record")]
        Command::Run(arguments) => commands::run::run(&arguments, context),
        #[cfg(feature = "record")]
        Command::Attach(arguments) => commands::attach::attach(&arguments),
        #[cfg(feature = "record")]
        Command::Resources(arguments) => commands::resources::resources(&arguments),
        #[cfg(feature = "record")]
        Command::Monitor(arguments) => commands::monitor::monitor(&arguments),
        Command::Render(arguments) => commands::render::render(&arguments),
        Command::Plot(arguments) => commands::plot::plot(&arguments),
        Command::Renderers(arguments) => commands::renderers::renderers(&arguments),
        Command::Info(arguments) => commands::info::info(&arguments),
        Command::Convert(arguments) => commands::convert::convert(&arguments),
        Command::Diff(arguments) => commands::diff::diff(&arguments),
        Command::Merge(arguments) => commands::merge::run(&arguments),
        Command::Repair(arguments) => commands::repair::repair(&arguments),
        Command::Completions(arguments) => commands::completions::completions(&arguments),
    }
}

fn report(error: &CliError) -> u8 {
    terminal::say(&format!("error: {error}"));
    error.status()
}
