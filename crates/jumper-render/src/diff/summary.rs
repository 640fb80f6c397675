//! What changed, for scripts and agents.

use std::io::Write;

use jumper_session::Compared;
use serde::Serialize;

use super::{Diff, Regression, name_and_place};
use crate::RenderError;
use crate::data::{Recording, line, path_line};
use crate::summary::{self, Bounded, SCHEMA_VERSION};

#[derive(Serialize)]
struct Document {
    schema_version: u32,
    kind: &'static str,
    before: Recording,
    after: Recording,
    /// All threads together.
    total: Change,
    /// Functions that became slower by more than chance explains, by their own time.
    slower: Bounded<Function>,
    faster: Bounded<Function>,
    /// The share of the whole above which something is a regression; null where nobody said.
    fail_above_share: Option<f64>,
    /// What became slower by more than that.
    regressions: Bounded<Guilty>,
}

#[derive(Serialize)]
struct Change {
    before_s: f64,
    after_s: f64,
    change_s: f64,
    /// Of the whole before; null where there was nothing.
    change_share: Option<f64>,
    /// The standard error of the change.
    error_s: f64,
    is_significant: bool,
}

#[derive(Serialize)]
struct Function {
    name: String,
    file: String,
    #[serde(flatten)]
    change: Change,
}

#[derive(Serialize)]
struct Guilty {
    /// Null is the whole.
    name: Option<String>,
    file: String,
    before_s: f64,
    after_s: f64,
    change_share: f64,
}

pub(super) fn write(diff: &Diff<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    summary::write(&Document::of(diff), out)
}

impl Document {
    fn of(diff: &Diff<'_>) -> Self {
        let (before, after) = diff.compared.total();
        let (before, after) = (before.as_secs_f64(), after.as_secs_f64());
        let changed = diff.changed_functions();
        let (slower, faster): (Vec<_>, Vec<_>) =
            changed.iter().partition(|function| function.change() > 0.0);
        let rows = |functions: Vec<&Compared>| {
            let rows = functions.into_iter();
            let rows = rows.map(|function| Function::of(function, before));
            Bounded::of(rows.collect(), diff.limit)
        };
        let recording = |session| {
            let mut recording = Recording::of(session);
            recording.bound(diff.limit);
            recording
        };
        Self {
            schema_version: SCHEMA_VERSION,
            kind: "diff",
            before: recording(diff.before),
            after: recording(diff.after),
            total: Change {
                before_s: before,
                after_s: after,
                change_s: after - before,
                change_share: of_whole(after - before, before),
                error_s: diff.compared.total_error(),
                is_significant: diff.compared.is_total_significant(),
            },
            slower: rows(slower),
            faster: rows(faster),
            fail_above_share: diff.fail_above.map(super::FailAbove::share),
            regressions: Bounded::of(
                diff.regressions.iter().map(Guilty::of).collect(),
                diff.limit,
            ),
        }
    }
}

fn of_whole(change: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then_some(change / whole)
}

impl Function {
    fn of(function: &Compared, whole: f64) -> Self {
        let (name, file) = name_and_place(&function.label);
        Self {
            name: line(name),
            file: path_line(file),
            change: Change {
                before_s: function.before.time.as_secs_f64(),
                after_s: function.after.time.as_secs_f64(),
                change_s: function.change(),
                change_share: of_whole(function.change(), whole),
                error_s: function.error(),
                is_significant: function.is_significant(),
            },
        }
    }
}

impl Guilty {
    fn of(regression: &Regression) -> Self {
        Self {
            name: regression.function.clone(),
            file: regression.file.clone(),
            before_s: regression.before_s,
            after_s: regression.after_s,
            change_share: regression.share,
        }
    }
}
