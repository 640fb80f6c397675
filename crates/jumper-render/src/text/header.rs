//! What is above the calls and below them.

use std::io::Write;

use jumper_session::Session;

use super::paint::{Paint, Style};
use crate::RenderError;
use crate::facts::{self, Fact};
use crate::format::plain;

/// What ran and how good the sampling was: the figures in two columns.
pub(super) fn header(
    session: &Session,
    paint: Paint,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    let line = |label: &str, value: &str| {
        format!(
            "  {} {value}",
            paint.style(Style::Dim, &format!("{label:<9}"))
        )
    };
    let version = plain(&session.manifest().jumper_version);
    let name = paint.style(Style::Bold, format!("jumper {version}").trim_end());
    let recorded = format!("recorded {}", facts::recorded(session));
    writeln!(out, "\n  {name}  {}\n", paint.style(Style::Dim, &recorded))?;
    writeln!(out, "{}", line("Program", &facts::program(session)))?;
    if let Some(python) = facts::python(session) {
        writeln!(out, "{}", line("Python", &python))?;
    }
    if let Some(outcome) = facts::outcome(session) {
        let outcome = paint.style(Style::Warning, &outcome);
        writeln!(out, "{}", line("Outcome", &outcome))?;
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
        let note = paint.style(Style::Warning, &plain(note));
        writeln!(out, "{}", line("Note", &note))?;
    }
    writeln!(out)?;
    Ok(())
}

/// The same where little is to be said.
pub(super) fn short_header(session: &Session, out: &mut dyn Write) -> Result<(), RenderError> {
    writeln!(out, "\njumper {:.<46}", "")?;
    writeln!(out, ".\n.  {}\n.", facts::program(session))?;
    Ok(())
}

/// Where the session is, so that it can be looked at again.
pub(super) fn footer(
    session: &Session,
    paint: Paint,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    if let Some(path) = session.path() {
        let path = plain(&path.display().to_string());
        writeln!(out, "  {} {path}", paint.style(Style::Dim, "Session  "))?;
    }
    Ok(())
}
