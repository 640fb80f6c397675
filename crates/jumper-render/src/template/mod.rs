//! Reports from templates: ours in `templates/`, and those of users.
//!
//! A template is Jinja. What it is about is [data](crate::data) with names and units, and functions that work something out when they
//! are called; what it says goes through filters for people ([`filters`]). Names that come from the observed program are escaped for
//! where they stand, by what the template's name says it makes ([`escape`]). `docs/templates.md` is the manual.

mod builtin;
mod context;
mod engine;
mod escape;
mod explain;
mod filters;
pub(crate) mod markdown;
mod source;

use std::io::Write;

use jumper_session::{Parts, Session};

pub(crate) use engine::Engine;
pub(crate) use escape::for_script;
pub(crate) use source::Source;

use crate::options::{OptionKind, OptionSpec};
use crate::{About, RenderError, RenderOptions, Renderer};

/// The template of a user.
const TEMPLATE: OptionSpec = OptionSpec::new(
    "template",
    OptionKind::Text,
    "the file of the template, or one of ours, such as jumper/report.txt, which is the default",
);

const ABOUT: About = About {
    name: "template",
    help: "what a template of your own says (--template FILE)",
    extensions: &["txt"],
    media_type: "text/plain; charset=utf-8",
    is_binary: false,
    options: &[TEMPLATE],
};

/// The renderer `template`.
pub(crate) struct Template;

impl Renderer for Template {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        // Nobody knows what a template asks for.
        Parts::ALL
    }

    fn check(&self, options: &RenderOptions) -> Result<(), RenderError> {
        Engine::check(&source(options)?)
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        Engine::of(session).render(&source(options)?, out)
    }
}

fn source(options: &RenderOptions) -> Result<Source, RenderError> {
    let name = options.text(&TEMPLATE);
    Source::of(name.as_deref().unwrap_or("jumper/report.txt"))
}
