//! What changed, for a comment on a pull request.

use std::io::Write;

use jumper_session::{Compared, Session};

use super::{Diff, name_and_place};
use crate::RenderError;
use crate::data::{line, path_line};
use crate::facts;
use crate::format::{count, share, span};
use crate::markdown::bounded;
use crate::template::markdown::{code, escaped};

pub(super) fn write(diff: &Diff<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    let text = bounded(diff.limit, |limit| {
        let mut text = Vec::new();
        comment(diff, limit, &mut text)?;
        Ok(text)
    })?;
    Ok(out.write_all(&text)?)
}

fn comment(diff: &Diff<'_>, limit: usize, out: &mut dyn Write) -> Result<(), RenderError> {
    let (before, after) = diff.compared.total();
    let (before, after) = (before.as_secs_f64(), after.as_secs_f64());
    writeln!(out, "### {}\n", verdict(diff))?;
    writeln!(
        out,
        "All threads together: {before:.3} s before, {after:.3} s after (**{:+.3} s**{}{})\n",
        after - before,
        relative(after - before, before),
        match diff.compared.is_total_significant() {
            true => "",
            false => ", which may be chance",
        }
    )?;
    if let Some(threshold) = diff.fail_above
        && !diff.regressions.is_empty()
    {
        let left = diff.regressions.len().saturating_sub(limit);
        for regression in diff.regressions.iter().take(limit) {
            let what = match &regression.function {
                Some(name) => format!("{} in {}", code(name), code(&regression.file)),
                None => "the whole".into(),
            };
            writeln!(
                out,
                "- {what}: {:.3} s before, {:.3} s after, {} of the whole more",
                regression.before_s,
                regression.after_s,
                share(regression.share, 1.0)
            )?;
        }
        if left > 0 {
            writeln!(out, "- and {} functions more", count(left as u64))?;
        }
        writeln!(out, "\nMore than {} of the whole is too much.\n", threshold)?;
    }
    functions(&diff.changed_functions(), limit, out)?;
    writeln!(out, "<details><summary>What was compared</summary>\n")?;
    for (label, session) in [("Before", diff.before), ("After", diff.after)] {
        writeln!(out, "- {label}: {}", about(session))?;
    }
    writeln!(
        out,
        "\nChanges of less than 1 %, and those that may be chance (19 of 20 that are), are left out.\n\n</details>"
    )?;
    Ok(())
}

fn verdict(diff: &Diff<'_>) -> String {
    let (before, after) = diff.compared.total();
    match (diff.fail_above, diff.regressions.len()) {
        (Some(threshold), 0) => format!("Not slower by more than {threshold}"),
        (Some(threshold), _) => format!("Slower by more than {threshold}"),
        (None, _) if !diff.compared.is_total_significant() => "As fast as before".into(),
        (None, _) if after > before => "Slower than before".into(),
        (None, _) => "Faster than before".into(),
    }
}

/// `, +40 %`, where there is something that it can be a share of.
fn relative(change: f64, before: f64) -> String {
    let sign = if change < 0.0 { '-' } else { '+' };
    match before > 0.0 {
        true => format!(", {sign}{}", share(change.abs(), before)),
        false => String::new(),
    }
}

fn functions(changed: &[Compared], limit: usize, out: &mut dyn Write) -> Result<(), RenderError> {
    if changed.is_empty() {
        return Ok(writeln!(
            out,
            "No function has changed by more than chance explains.\n"
        )?);
    }
    writeln!(out, "| own time | before | after | function | where |")?;
    writeln!(out, "| ---: | ---: | ---: | --- | --- |")?;
    for function in changed.iter().take(limit) {
        let (name, file) = name_and_place(&function.label);
        writeln!(
            out,
            "| {:+.3} s | {:.3} s | {:.3} s | {} | {} |",
            function.change(),
            function.before.time.as_secs_f64(),
            function.after.time.as_secs_f64(),
            code(&line(name)),
            code(&path_line(file))
        )?;
    }
    let left = changed.len().saturating_sub(limit);
    if left > 0 {
        writeln!(out, "\nand {} functions more", count(left as u64))?;
    }
    Ok(writeln!(out)?)
}

fn about(session: &Session) -> String {
    format!(
        "{}, {}, {} samples, recorded {}",
        code(&line(&facts::program(session))),
        span(session.duration()),
        count(session.samples().len() as u64),
        escaped(&facts::recorded(session))
    )
}
