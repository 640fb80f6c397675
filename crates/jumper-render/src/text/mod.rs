//! The report for a terminal.

pub(crate) mod paint;
pub(crate) mod table;
mod tree;

use std::io::Write;

use jumper_session::{FrameTree, Parts, ProcessorOptions, Session, remove_irrelevant_nodes};

use crate::facts::{self, Fact};
use crate::format::plain;
use crate::{RenderError, RenderOptions, Renderer};
use paint::{Paint, Style};

/// The renderer `text`.
pub(crate) struct Text;

impl Renderer for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn media_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn needs(&self) -> Parts {
        Parts::CALLS.with(Parts::METRICS)
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let paint = Paint::new(options.color);
        header(session, paint, out)?;
        let tree = FrameTree::build(session);
        if tree.is_empty() {
            writeln!(
                out,
                "  {}\n",
                paint.style(Style::Warning, "no stacks were recorded")
            )?;
        }
        let kept = ProcessorOptions {
            filter_threshold: options.filter_threshold,
            ..ProcessorOptions::default()
        };
        let shown = remove_irrelevant_nodes(tree, &kept);
        let mut calls = tree::Calls::of(session, &shown, options);
        for thread in shown.roots() {
            calls.thread(thread, out)?;
        }
        table::metrics(session, paint, out)?;
        footer(session, paint, out)?;
        Ok(())
    }
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
