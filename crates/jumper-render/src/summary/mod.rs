//! A summary for scripts and agents: JSON that is small, whatever was recorded, and the same from release to release.
//!
//! `docs/summary.md` says what is in it, and `docs/summary.schema.json` says so to programs.

mod document;

use std::io::Write;

use jumper_session::{Parts, Session};
use serde::Serialize;

pub(crate) use document::{Bounded, SCHEMA_VERSION};

use crate::options::{OptionKind, OptionSpec};
use crate::{About, RenderError, RenderOptions, Renderer};
use document::Document;

/// As many rows of a list as anybody should want to read.
pub(crate) const LIMIT: OptionSpec = OptionSpec::new(
    "limit",
    OptionKind::Number {
        default: 20.0,
        min: 1.0,
        max: 1000.0,
    },
    "the most entries of a list",
);

const ABOUT: About = About {
    name: "summary",
    help: "a small JSON document for scripts and agents: top functions, metrics, tags, cells",
    extensions: &["json"],
    media_type: "application/json",
    is_binary: false,
    options: &[LIMIT],
};

/// The renderer `summary`.
pub(crate) struct Summary;

impl Renderer for Summary {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::CALLS.with(Parts::METRICS).with(Parts::CELLS)
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        write(&Document::of(session, options.number(&LIMIT) as usize), out)
    }
}

/// Writes a document, for people who look at it too.
pub(crate) fn write(document: &impl Serialize, out: &mut dyn Write) -> Result<(), RenderError> {
    let json = serde_json::to_string_pretty(document)?;
    Ok(writeln!(out, "{json}")?)
}
