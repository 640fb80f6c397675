//! The `jumper` command.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    jumper_cli::main(std::env::args_os(), &jumper_cli::Context::default()).into()
}
