//! Where a report goes.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jumper_render::{
    RenderError, RenderOptions, Renderer, check_file, render_to_file, renderer, renderer_for_file,
    renderers,
};
use jumper_session::{Parts, Session};

use crate::args::OutputArgs;
use crate::error::CliError;
use crate::render_options;
use crate::terminal::Progress;

/// What is to be made of a session.
pub(crate) enum Target {
    /// A report on a standard stream.
    Stream {
        renderer: &'static dyn Renderer,
        options: RenderOptions,
        to_stdout: bool,
    },
    /// A report in a file.
    File {
        renderer: &'static dyn Renderer,
        options: RenderOptions,
        path: PathBuf,
    },
    /// The session itself.
    Session { path: PathBuf },
}

impl Target {
    /// What `arguments` ask for; without any wish, text on stdout or on stderr.
    pub(crate) fn of(arguments: &OutputArgs, by_default_to_stdout: bool) -> Result<Self, CliError> {
        let name = match arguments.template {
            Some(_) => Some("template"),
            None => arguments.renderer.as_deref(),
        };
        let chosen = name.map(renderer).transpose()?;
        let Some(path) = arguments
            .outfile
            .as_deref()
            .filter(|path| *path != Path::new("-"))
        else {
            let to_stdout = by_default_to_stdout || chosen.is_some() || arguments.outfile.is_some();
            let text = || renderer("text").expect("bug: the text renderer is always there");
            let renderer = chosen.unwrap_or_else(text);
            let mut options = render_options::given(arguments, renderer)?;
            match to_stdout {
                true => assume(&mut options, renderer, arguments, &io::stdout())?,
                false => assume(&mut options, renderer, arguments, &io::stderr())?,
            }
            return Ok(Self::Stream {
                renderer,
                options,
                to_stdout,
            });
        };
        let name = path.file_name().and_then(|name| name.to_str());
        match chosen.or_else(|| renderer_for_file(name.unwrap_or_default())) {
            Some(renderer) => {
                let mut options = render_options::given(arguments, renderer)?;
                render_options::assume_file(&mut options, renderer, arguments);
                Ok(Self::File {
                    renderer,
                    options,
                    path: path.into(),
                })
            }
            None if is_session_name(path) => Ok(Self::Session { path: path.into() }),
            None => Err(CliError::Usage(format!(
                "`{}` does not say what to write; end it in .jumper or {}, or pass -r",
                path.display(),
                known_extensions()
            ))),
        }
    }

    /// What of a session it is made of.
    pub(crate) fn needs(&self) -> Parts {
        match self {
            Self::Stream {
                renderer, options, ..
            }
            | Self::File {
                renderer, options, ..
            } => renderer.needs(options),
            Self::Session { .. } => Parts::ALL,
        }
    }

    /// Finds out whether it can be written, before any work is put into it.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        match self {
            Self::Stream {
                renderer, options, ..
            } => Ok(renderer.check(options)?),
            Self::File {
                renderer,
                options,
                path,
            } => {
                renderer.check(options)?;
                Ok(check_file(path)?)
            }
            Self::Session { path } => Ok(Session::check_destination(path)?),
        }
    }

    /// Makes it.
    pub(crate) fn write(&self, session: &Session) -> Result<(), CliError> {
        match self {
            // It was recorded there.
            Self::Session { path } if is_at(session, path) => Ok(()),
            Self::Session { path } => Ok(Progress::during("writing the session", || {
                session.save(path)
            })?),
            Self::File {
                renderer,
                options,
                path,
            } => {
                let write = || render_to_file(*renderer, session, options, path);
                Ok(Progress::during("writing the report", write)?)
            }
            Self::Stream {
                renderer,
                options,
                to_stdout: true,
            } => to_stream(*renderer, session, options, io::stdout().lock()),
            Self::Stream {
                renderer,
                options,
                to_stdout: false,
            } => to_stream(*renderer, session, options, io::stderr().lock()),
        }
    }
}

/// What a stream can show. What is no text would garble a terminal.
fn assume(
    options: &mut RenderOptions,
    renderer: &dyn Renderer,
    arguments: &OutputArgs,
    stream: &impl IsTerminal,
) -> Result<(), CliError> {
    let about = renderer.about();
    if about.is_binary && stream.is_terminal() {
        return Err(CliError::Usage(format!(
            "`{}` is no text and would garble the terminal; write it to a file: -o FILE.{}",
            about.name,
            about.extension()
        )));
    }
    render_options::assume_stream(options, renderer, arguments, stream);
    Ok(())
}

fn is_session_name(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("jumper"))
}

/// The customary extensions of reports, for people.
fn known_extensions() -> String {
    let extensions = renderers().iter().map(|known| known.about().extension());
    let mut known: Vec<String> = Vec::new();
    for extension in extensions.map(|extension| format!(".{extension}")) {
        if !known.contains(&extension) {
            known.push(extension);
        }
    }
    known.join(", ")
}

/// Whether the session is what is at `path`.
fn is_at(session: &Session, path: &Path) -> bool {
    session.path().is_some() && path.canonicalize().ok().as_deref() == session.path()
}

fn to_stream(
    renderer: &dyn Renderer,
    session: &Session,
    options: &RenderOptions,
    stream: impl Write,
) -> Result<(), CliError> {
    let mut out = BufWriter::new(stream);
    let written = renderer
        .render(session, options, &mut out)
        .and_then(|()| Ok(out.flush()?));
    match written {
        Err(RenderError::Write(error)) if is_gone(&error) => Ok(()),
        written => Ok(written?),
    }
}

/// Does what writes to stdout. The status of the command is 0.
pub(crate) fn to_stdout(write: impl FnOnce() -> io::Result<()>) -> Result<u8, CliError> {
    match write() {
        Err(error) if !is_gone(&error) => {
            Err(CliError::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}

/// A reader that goes away early (`| head`) is no error.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
