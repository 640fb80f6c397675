//! Where a report goes.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jumper_render::{
    RenderError, Renderer, check_file, render_to_file, renderer, renderer_for_extension,
};
use jumper_session::{Parts, Session};

use crate::args::OutputArgs;
use crate::error::CliError;
use crate::terminal::{self, Progress};

/// What is to be made of a session.
pub(crate) enum Target {
    /// A report on a standard stream.
    Stream {
        renderer: &'static dyn Renderer,
        to_stdout: bool,
    },
    /// A report in a file.
    File {
        renderer: &'static dyn Renderer,
        path: PathBuf,
    },
    /// The session itself.
    Session { path: PathBuf },
}

impl Target {
    /// What `arguments` ask for; without any wish, text on stdout or on stderr.
    pub(crate) fn of(arguments: &OutputArgs, by_default_to_stdout: bool) -> Result<Self, CliError> {
        if !(0.0..=1.0).contains(&arguments.filter_threshold) {
            let text = format!(
                "a filter threshold of {} is no share; pass a number from 0 to 1",
                arguments.filter_threshold
            );
            return Err(CliError::Usage(text));
        }
        let chosen = arguments.renderer.as_deref().map(renderer).transpose()?;
        let Some(path) = arguments
            .outfile
            .as_deref()
            .filter(|path| *path != Path::new("-"))
        else {
            let to_stdout = by_default_to_stdout || chosen.is_some() || arguments.outfile.is_some();
            let text = || renderer("text").expect("bug: the text renderer is always there");
            return Ok(Self::Stream {
                renderer: chosen.unwrap_or_else(text),
                to_stdout,
            });
        };
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        match chosen.or_else(|| renderer_for_extension(extension)) {
            Some(renderer) => Ok(Self::File {
                renderer,
                path: path.into(),
            }),
            None if extension.eq_ignore_ascii_case("jumper") => {
                Ok(Self::Session { path: path.into() })
            }
            None => Err(CliError::Usage(format!(
                "`{}` does not say what to write; end it in .txt, .html, .json or .jumper, or pass -r",
                path.display()
            ))),
        }
    }

    /// What of a session it is made of.
    pub(crate) fn needs(&self) -> Parts {
        match self {
            Self::Stream { renderer, .. } | Self::File { renderer, .. } => renderer.needs(),
            Self::Session { .. } => Parts::ALL,
        }
    }

    /// Finds out whether it can be written, before any work is put into it.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        match self {
            Self::Stream { .. } => Ok(()),
            Self::File { path, .. } => Ok(check_file(path)?),
            Self::Session { path } => Ok(Session::check_destination(path)?),
        }
    }

    /// Makes it.
    pub(crate) fn write(&self, session: &Session, arguments: &OutputArgs) -> Result<(), CliError> {
        match self {
            // It was recorded there.
            Self::Session { path } if is_at(session, path) => Ok(()),
            Self::Session { path } => Ok(Progress::during("writing the session", || {
                session.save(path)
            })?),
            Self::File { renderer, path } => {
                let options = terminal::options_for_file(arguments);
                let write = || render_to_file(*renderer, session, &options, path);
                Ok(Progress::during("writing the report", write)?)
            }
            Self::Stream {
                renderer,
                to_stdout: true,
            } => to_stream(*renderer, session, arguments, io::stdout().lock()),
            Self::Stream {
                renderer,
                to_stdout: false,
            } => to_stream(*renderer, session, arguments, io::stderr().lock()),
        }
    }
}

/// Whether the session is what is at `path`.
fn is_at(session: &Session, path: &Path) -> bool {
    session.path().is_some() && path.canonicalize().ok().as_deref() == session.path()
}

/// A reader that goes away early (`| head`) is no error.
fn to_stream(
    renderer: &dyn Renderer,
    session: &Session,
    arguments: &OutputArgs,
    stream: impl Write + IsTerminal,
) -> Result<(), CliError> {
    let options = terminal::options(arguments, &stream);
    let mut out = BufWriter::new(stream);
    let written = renderer
        .render(session, &options, &mut out)
        .and_then(|()| Ok(out.flush()?));
    match written {
        Err(RenderError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
