//! The report for a terminal.

pub(crate) mod paint;
pub(crate) mod table;
mod tree;

use std::io::Write;

use jumper_session::{FrameTree, Parts, ProcessorOptions, Session, remove_irrelevant_nodes};

use crate::facts::{self, Fact};
use crate::format::plain;
use crate::options::OptionSpec;
use crate::options::common::{
    COLOR, FILTER_THRESHOLD, HIDE_REGEX, SHOW_ALL, SHOW_REGEX, TIMELINE, UNICODE,
};
use crate::{About, RenderError, RenderOptions, Renderer};
use paint::{Paint, Style};

const OPTIONS: [OptionSpec; 7] = [
    SHOW_ALL,
    TIMELINE,
    FILTER_THRESHOLD,
    HIDE_REGEX,
    SHOW_REGEX,
    UNICODE,
    COLOR,
];

const ABOUT: About = About {
    name: "text",
    help: "the call tree as text, with what the metrics came to",
    extensions: &["txt"],
    media_type: "text/plain; charset=utf-8",
    is_binary: false,
    options: &OPTIONS,
};

/// The renderer `text`.
pub(crate) struct Text;

impl Renderer for Text {
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
        let paint = Paint::new(options.flag(&COLOR));
        header(session, paint, out)?;
        calls(session, options, out)?;
        table::metrics(session, paint, out)?;
        footer(session, paint, out)?;
        Ok(())
    }
}

/// The call trees alone.
pub(crate) fn calls(
    session: &Session,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    let paint = Paint::new(options.flag(&COLOR));
    let tree = FrameTree::build(session);
    if tree.is_empty() {
        writeln!(
            out,
            "  {}\n",
            paint.style(Style::Warning, "no stacks were recorded")
        )?;
    }
    let kept = ProcessorOptions {
        filter_threshold: options.number(&FILTER_THRESHOLD),
        ..ProcessorOptions::default()
    };
    let shown = remove_irrelevant_nodes(tree, &kept);
    let mut calls = tree::Calls::of(session, &shown, options);
    for thread in shown.roots() {
        calls.thread(thread, out)?;
    }
    Ok(())
}

/// What ran and how good the sampling was: the figures in two columns.
fn header(session: &Session, paint: Paint, out: &mut dyn Write) -> Result<(), RenderError> {
    let line = |label: &str, value: &str| {
        format!(
            "  {} {value}",
            paint.style(Style::Dim, &format!("{label:<9}"))
        )
    };
    let version = plain(&session.manifest().jumper_version);
    let name = paint.style(Style::Bold, &format!("jumper {version}"));
    writeln!(
        out,
        "\n  {name}  {}\n",
        paint.style(
            Style::Dim,
            &format!("recorded {}", facts::recorded(session))
        )
    )?;
    writeln!(out, "{}", line("Program", &facts::program(session)))?;
    if let Some(python) = facts::python(session) {
        writeln!(out, "{}", line("Python", &python))?;
    }
    if let Some(outcome) = facts::outcome(session) {
        writeln!(
            out,
            "{}",
            line("Outcome", &paint.style(Style::Warning, &outcome))
        )?;
    }
    for pair in facts::figures(session).chunks(2) {
        let cell = |fact: &Fact| line(fact.label, &format!("{:<26}", fact.value));
        let cells: String = pair.iter().map(cell).collect();
        writeln!(out, "{}", cells.trim_end())?;
    }
    if let Some(signature) = facts::signature(session) {
        writeln!(out, "{}", line("Signature", &signature))?;
    }
    for note in &session.manifest().notes {
        writeln!(
            out,
            "{}",
            line("Note", &paint.style(Style::Warning, &plain(note)))
        )?;
    }
    writeln!(out)?;
    Ok(())
}

/// Where the session is, so that it can be looked at again.
fn footer(session: &Session, paint: Paint, out: &mut dyn Write) -> Result<(), RenderError> {
    if let Some(path) = session.path() {
        let path = plain(&path.display().to_string());
        writeln!(out, "  {} {path}", paint.style(Style::Dim, "Session  "))?;
    }
    Ok(())
}
