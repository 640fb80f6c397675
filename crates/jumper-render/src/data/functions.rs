//! Functions, wherever they are called.

use jumper_session::{FrameTree, Session};
use serde::Serialize;

use super::text::{line, path_line};
use crate::paths::Paths;

/// What a function took. Shares are of the time of all threads together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FunctionRow {
    /// The qualified name where it is known, else the plain one.
    pub(crate) name: String,
    /// The file, from the directory in which the program looked for the module.
    pub(crate) file: String,
    /// The path of the file as it was recorded.
    pub(crate) path: String,
    /// Where the function begins; null where that is not known.
    pub(crate) line: Option<u32>,
    /// Time in the function itself.
    pub(crate) self_s: f64,
    pub(crate) self_share: f64,
    /// With all it called. That of recursive calls counts once.
    pub(crate) time_s: f64,
    pub(crate) time_share: f64,
}

/// All functions, those first that took most themselves.
pub(crate) fn functions(session: &Session) -> Vec<FunctionRow> {
    let tree = FrameTree::build(session);
    let total = tree.total().as_secs_f64();
    let share = |part: f64| if total > 0.0 { part / total } else { 0.0 };
    let mut used = tree.functions();
    // Of equal ones the one that was seen first.
    used.sort_by_key(|used| std::cmp::Reverse((used.self_time, used.time)));
    let mut paths = Paths::of(session);
    let rows = used.into_iter().map(|used| {
        let function = session.function(used.function);
        let (time_s, self_s) = (used.time.as_secs_f64(), used.self_time.as_secs_f64());
        FunctionRow {
            name: line(function.display_name()),
            file: path_line(paths.short(used.function)),
            path: path_line(function.file),
            line: Some(function.first_line).filter(|line| *line > 0),
            self_s,
            self_share: share(self_s),
            time_s,
            time_share: share(time_s),
        }
    });
    rows.collect()
}
