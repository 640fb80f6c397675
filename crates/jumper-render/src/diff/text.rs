//! What changed, for a terminal.

use std::io::{self, Write};

use jumper_session::Compared;

use super::{Diff, name_and_place};
use crate::facts;
use crate::format::{count, plain, span};

/// Writes what changed from one session to another by more than chance explains: functions by their own time, then calls as a
/// tree.
pub(super) fn write(diff: &Diff<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    for (label, session) in [("Before", diff.before), ("After", diff.after)] {
        let path = session
            .path()
            .map(|path| format!("  {}", plain(&path.display().to_string())));
        writeln!(
            out,
            "  {label:<8}{}  {}, {} samples{}",
            facts::program(session),
            span(session.duration()),
            count(session.samples().len() as u64),
            path.unwrap_or_default()
        )?;
    }
    let changed = diff.changed_functions();
    if changed.is_empty() {
        writeln!(
            out,
            "\n  nothing has changed by more than chance explains\n"
        )?;
        return regressions(diff, out);
    }
    writeln!(out, "\n  Functions, by their own time")?;
    head(out)?;
    for function in changed.iter().take(diff.limit) {
        line(function, 0, out)?;
    }
    writeln!(out, "\n  Calls, with what they call")?;
    head(out)?;
    for node in diff.changed_calls() {
        line(node, node.depth, out)?;
    }
    writeln!(
        out,
        "\n  Changes of less than 1 %, and those that may be chance (19 of 20 that are), are left out.\n"
    )?;
    regressions(diff, out)
}

/// What became slower by more than it may, where somebody asked.
fn regressions(diff: &Diff<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(threshold) = diff.fail_above else {
        return Ok(());
    };
    if diff.regressions.is_empty() {
        return writeln!(
            out,
            "  Nothing became slower by more than {threshold} of the whole.\n"
        );
    }
    writeln!(out, "  Slower by more than {threshold} of the whole")?;
    for regression in &diff.regressions {
        writeln!(out, "    {regression}")?;
    }
    writeln!(out)
}

fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {:>11}   {:>10} {:>10}", "change", "before", "after")
}

fn line(node: &Compared, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    /// Deeper calls are not indented further: their depth stands before them.
    const DEEPEST: usize = 40;
    let (name, place) = name_and_place(&node.label);
    let indent = match depth > DEEPEST {
        true => format!("{:>width$} ", format!("{depth}:"), width = 2 * DEEPEST - 1),
        false => "  ".repeat(depth),
    };
    let text = format!(
        "  {:>+9.3} s   {:>8.3} s {:>8.3} s  {indent}{}  {}",
        node.change(),
        node.before.time.as_secs_f64(),
        node.after.time.as_secs_f64(),
        plain(name),
        plain(place)
    );
    writeln!(out, "{}", text.trim_end())
}
