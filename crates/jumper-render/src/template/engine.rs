//! The template engine, as we set it up.

use std::io::{self, Write};

use jumper_session::{Session, SessionBuilder};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};

use super::source::{self, Source};
use super::{context, escape, explain, filters};
use crate::RenderError;

/// Steps that a template may take: some seconds of work. Those of ours take thousands.
const FUEL: u64 = 50_000_000;

/// Renders templates about a session.
pub(crate) struct Engine {
    environment: Environment<'static>,
    variables: Value,
}

impl Engine {
    pub(crate) fn of(session: &Session) -> Self {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(escape::of_name);
        environment.set_formatter(escape::write);
        // A slip in a name is an error, and not nothing.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Messages name what was not there.
        environment.set_debug(true);
        environment.set_syntax(syntax());
        environment.set_fuel(Some(FUEL));
        filters::add(&mut environment);
        context::add_functions(&mut environment, session);
        Self {
            environment,
            variables: context::variables(session),
        }
    }

    /// Adds variables.
    pub(crate) fn with(mut self, more: Value) -> Self {
        self.variables = context! { ..more, ..self.variables };
        self
    }

    /// Finds out whether a template can be understood, without anything to render.
    pub(super) fn check(source: &Source) -> Result<(), RenderError> {
        let nothing = SessionBuilder::new().finish(jumper_session::Manifest::default());
        let mut engine = Self::of(&nothing);
        engine
            .load(source)
            .map_err(|error| engine.explained(&error))
    }

    /// Renders a template.
    pub(crate) fn render(
        mut self,
        source: &Source,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let mut out = Remembering { out, error: None };
        let rendered = self.load(source).and_then(|()| {
            let template = self.environment.get_template(&source.name)?;
            template.render_captured_to(self.variables.clone(), &mut out)?;
            Ok(())
        });
        match (out.error, rendered) {
            (Some(error), _) => Err(error.into()),
            (None, Err(error)) => Err(self.explained(&error)),
            (None, Ok(())) => Ok(()),
        }
    }

    fn load(&mut self, source: &Source) -> Result<(), Error> {
        let directory = source.directory.clone();
        self.environment.set_loader(move |name| {
            source::named(name, directory.as_deref()).map_err(|reason| {
                Error::new(
                    ErrorKind::BadInclude,
                    format!("cannot read `{name}`: {reason}"),
                )
            })
        });
        self.environment
            .add_template_owned(source.name.clone(), source.text.clone())
    }

    fn explained(&self, error: &Error) -> RenderError {
        RenderError::Template {
            detail: explain::explain(error, &self.variables),
        }
    }
}

/// Jinja, where lines of blocks leave nothing behind.
fn syntax() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax
        .keep_trailing_newline(true)
        .trim_blocks(true)
        .lstrip_blocks(true);
    syntax.build().expect("bug: it is the usual one")
}

/// Keeps the error of what is written to: the engine has only its text.
struct Remembering<'a> {
    out: &'a mut dyn Write,
    error: Option<io::Error>,
}

impl Write for Remembering<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
