//! Errors as the user sees them: one line, and an exit status that says whose mistake it was.

use jumper_render::RenderError;

/// Why the command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// It was asked wrongly.
    #[error("{0}")]
    Usage(String),
    /// A session could not be read or written.
    #[error(transparent)]
    Session(#[from] jumper_session::Error),
    /// A report could not be made.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Something else failed.
    #[error("{0}")]
    Failed(String),
}

#[cfg(feature = "record")]
impl From<jumper_session::RecordError> for CliError {
    fn from(error: jumper_session::RecordError) -> Self {
        match error {
            jumper_session::RecordError::Interval { .. } => Self::Usage(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl CliError {
    /// 2 for a mistake in the command line, 1 for the rest.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Render(error) if error.is_usage() => 2,
            _ => 1,
        }
    }
}

/// The first paragraph of what the argument parser says, on one line, with where to read on.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty());
    let message = lines.collect::<Vec<_>>().join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    format!("{message}; see `jumper --help`, or `--help` after a command")
}
