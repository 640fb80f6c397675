//! A summary in Markdown, for a comment on a pull request.

use std::io::Write;

use jumper_session::{Parts, Session};
use minijinja::context;

use crate::options::{OptionKind, OptionSpec};
use crate::template::{Engine, Source};
use crate::{About, RenderError, RenderOptions, Renderer};

/// GitHub takes 65,536 characters, and somebody may want to say something besides.
pub(crate) const LONGEST: usize = 60_000;

const LIMIT: OptionSpec = OptionSpec::new(
    "limit",
    OptionKind::Number {
        default: 15.0,
        min: 1.0,
        max: 100.0,
    },
    "the most rows of a table",
);

const ABOUT: About = About {
    name: "markdown",
    help: "a summary that fits into a comment on a pull request",
    extensions: &["md"],
    media_type: "text/markdown; charset=utf-8",
    is_binary: false,
    options: &[LIMIT],
};

/// The renderer `markdown`.
pub(crate) struct Markdown;

impl Renderer for Markdown {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::CALLS.with(Parts::METRICS)
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let source = Source::builtin("jumper/summary.md");
        let limit = options.number(&LIMIT) as usize;
        let text = bounded(limit, |limit| {
            let mut text = Vec::new();
            let engine = Engine::of(session).with(context! { limit });
            engine.render(&source, &mut text)?;
            Ok(text)
        })?;
        Ok(out.write_all(&text)?)
    }
}

/// A text with as many rows as it is given, with fewer of them as long as it is too long.
pub(crate) fn bounded(
    limit: usize,
    mut text: impl FnMut(usize) -> Result<Vec<u8>, RenderError>,
) -> Result<Vec<u8>, RenderError> {
    let mut limit = limit;
    loop {
        let made = text(limit)?;
        if made.len() <= LONGEST || limit <= 1 {
            return Ok(made);
        }
        limit /= 2;
    }
}
