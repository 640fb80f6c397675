//! Two recordings side by side, as text.

use std::io::{self, Write};

use jumper_session::{Compared, Comparison, Label, Parts, Session};

use crate::facts;
use crate::format::{count, plain, span};

/// So many functions are listed by themselves.
const FUNCTIONS: usize = 15;
/// The smallest share of the larger total that something changes by to be shown.
const LEAST_SHARE: f64 = 0.01;

/// What of the two sessions [`diff`] looks at.
pub const DIFF_NEEDS: Parts = Parts::CALLS;

/// Writes what changed from one session to another by more than chance explains: functions by their own time, then calls as a
/// tree.
///
/// # Errors
/// If `out` cannot be written to.
pub fn diff(
    before: &Session,
    after: &Session,
    compared: &Comparison,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out)?;
    for (label, session) in [("Before", before), ("After", after)] {
        let path = session
            .path()
            .map(|path| plain(&path.display().to_string()));
        writeln!(
            out,
            "  {label:<8}{}  {}, {} samples  {}",
            facts::program(session),
            span(session.duration()),
            count(session.samples().len() as u64),
            path.unwrap_or_default()
        )?;
    }
    let (time_before, time_after) = compared.total();
    let total = time_before.max(time_after).as_secs_f64();
    let least = total * LEAST_SHARE;

    let functions = compared.functions();
    let changed: Vec<&Compared> = functions
        .iter()
        .filter(|function| is_worth_showing(function, least))
        .take(FUNCTIONS)
        .collect();
    if changed.is_empty() {
        return writeln!(
            out,
            "\n  nothing has changed by more than chance explains\n"
        );
    }
    writeln!(out, "\n  Functions, by their own time")?;
    head(out)?;
    for function in changed {
        line(function, 0, out)?;
    }
    writeln!(out, "\n  Calls, with what they call")?;
    head(out)?;
    for node in compared
        .nodes()
        .iter()
        .filter(|node| is_worth_showing(node, least))
    {
        line(node, node.depth, out)?;
    }
    writeln!(
        out,
        "\n  Changes of less than 1 %, and those that may be chance (19 of 20 that are), are left out.\n"
    )
}

/// What changed by so many seconds at least, and more than by chance. Threads are shown in any case.
fn is_worth_showing(node: &Compared, least: f64) -> bool {
    let is_thread = matches!(node.label, Label::Thread { .. });
    is_thread || node.change().abs() >= least && node.is_significant()
}

fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {:>11}   {:>10} {:>10}", "change", "before", "after")
}

fn line(node: &Compared, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    /// Deeper calls are not indented further: their depth stands before them.
    const DEEPEST: usize = 40;
    let (name, place) = match &node.label {
        Label::Thread { name } if name.is_empty() => ("thread", ""),
        Label::Thread { name } => (name.as_str(), "thread"),
        Label::Function { name, file } => (name.as_str(), file.as_str()),
        Label::Itself => ("[self]", ""),
    };
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
