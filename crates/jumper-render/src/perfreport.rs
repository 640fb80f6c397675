//! The performance reports: what was used of the machine, level by level, and what there was of it. JUmPER's `show_perfreport`.

use std::io::Write;

use jumper_session::{Parts, Session};
use minijinja::context;

use crate::template::{Engine, Source};
use crate::{About, RenderError, RenderOptions, Renderer};

const TEXT: About = About {
    name: "perfreport",
    help: "what was used of CPUs, memory, storage and GPUs, against what there was, as text",
    extensions: &["txt"],
    media_type: "text/plain; charset=utf-8",
    is_binary: false,
    options: &[],
};

const HTML: About = About {
    name: "perfreport-html",
    help: "the same as one page that needs no network",
    extensions: &["html"],
    media_type: "text/html; charset=utf-8",
    is_binary: false,
    options: &[],
};

const STYLE: &str = include_str!("../templates/perfreport.css");

/// What the reports look at: calls are not among it.
const NEEDS: Parts = Parts::METRICS.with(Parts::CELLS);

/// The renderer `perfreport`.
pub(crate) struct PerfReport;

impl Renderer for PerfReport {
    fn about(&self) -> &'static About {
        &TEXT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        NEEDS
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        Engine::of(session).render(&Source::builtin("jumper/perfreport.txt"), out)
    }
}

/// The renderer `perfreport-html`.
pub(crate) struct PerfReportHtml;

impl Renderer for PerfReportHtml {
    fn about(&self) -> &'static About {
        &HTML
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        NEEDS
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        Engine::of(session)
            .with(context! { css => STYLE })
            .render(&Source::builtin("jumper/perfreport.html"), out)
    }
}
