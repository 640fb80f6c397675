//! `jumper diff BEFORE AFTER`

use std::io;
use std::path::Path;

use jumper_render::{
    DIFF_NEEDS, Diff, DiffForm, FailAbove, RenderError, check_file, write_to_file,
};
use jumper_session::Session;

use crate::args::{DiffArgs, SelectArgs};
use crate::error::CliError;
use crate::input;
use crate::output;
use crate::select;
use crate::terminal;

/// Something became slower than it may.
const TOO_SLOW: u8 = 3;
/// So many are named on stderr; the report has the others.
const NAMED: usize = 5;

pub(crate) fn diff(arguments: &DiffArgs) -> Result<u8, CliError> {
    let file = arguments.outfile.as_deref();
    let file = file.filter(|path| *path != Path::new("-"));
    let form = form(arguments.renderer.as_deref(), file)?;
    if let Some(file) = file {
        check_file(file)?;
    }
    let (of_before, of_after) = sides(arguments);
    let open = |path: &Path, part: &SelectArgs| -> Result<Session, CliError> {
        let parts = DIFF_NEEDS.with(select::needs(part));
        select::select(input::open(path, parts)?, part)
    };
    let before = open(&arguments.before, &of_before)?;
    let after = arguments.after.as_ref().unwrap_or(&arguments.before);
    let after = open(after, &of_after)?;
    let mut diff = Diff::of(&before, &after).with_limit(arguments.limit.into());
    if let Some(threshold) = arguments.fail_above {
        if !diff.has_before() {
            return Err(CliError::Failed(format!(
                "`{}` has no stacks, so nothing can be told to be slower by {threshold}; compare with another session",
                arguments.before.display()
            )));
        }
        diff = diff.failing_above(threshold);
    }
    match file {
        Some(file) => write_to_file(file, |out| diff.write(form, out))?,
        None => {
            output::to_stdout(|| {
                diff.write(form, &mut io::stdout().lock())
                    .map_err(into_io_error)
            })?;
        }
    }
    Ok(verdict(&diff, arguments.fail_above))
}

/// What was asked for, else what the name of the file says, else text.
fn form(name: Option<&str>, file: Option<&Path>) -> Result<DiffForm, CliError> {
    let mut all = DiffForm::ALL.into_iter();
    if let Some(name) = name {
        let found = all.find(|form| form.name() == name);
        return Ok(found.expect("bug: the parser lets only known names pass"));
    }
    let Some(file) = file else {
        return Ok(DiffForm::Text);
    };
    let extension = file.extension().and_then(|extension| extension.to_str());
    let found = all.find(|form| {
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case(form.extension()))
    });
    found.ok_or_else(|| {
        let known = DiffForm::ALL.map(|form| format!(".{}", form.extension()));
        CliError::Usage(format!(
            "`{}` does not say what to write; end it in {}, or pass -r",
            file.display(),
            known.join(", ")
        ))
    })
}

/// Which part of each side.
fn sides(arguments: &DiffArgs) -> (SelectArgs, SelectArgs) {
    let part = |time, cell| {
        let mut part = arguments.select.clone();
        part.time = part.time.or(time);
        part.cell = part.cell.or(cell);
        part
    };
    (
        part(arguments.before_time, arguments.before_cell),
        part(arguments.after_time, arguments.after_cell),
    )
}

/// Names what became too slow. Returns the status of the command.
fn verdict(diff: &Diff<'_>, threshold: Option<FailAbove>) -> u8 {
    let (Some(threshold), [_, ..]) = (threshold, diff.regressions()) else {
        return 0;
    };
    let guilty = diff.regressions();
    let mut named: Vec<String> = guilty.iter().take(NAMED).map(ToString::to_string).collect();
    if guilty.len() > NAMED {
        named.push(format!("and {} more", guilty.len() - NAMED));
    }
    terminal::say(&format!(
        "slower by more than {threshold}: {}",
        named.join("; ")
    ));
    TOO_SLOW
}

fn into_io_error(error: RenderError) -> io::Error {
    match error {
        RenderError::Write(error) => error,
        error => io::Error::other(error),
    }
}
