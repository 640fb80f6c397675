//! The cells of a notebook.

use jumper_session::Session;
use serde::Serialize;

use super::text::line;
use crate::format::plain;

/// Longer sources are cut, at a character.
const LONGEST_SOURCE: usize = 10_000;

/// A run of a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CellRow {
    /// Its number, counted from 0.
    pub(crate) index: u32,
    /// When it began, in seconds since the session did.
    pub(crate) start_s: f64,
    /// How long it ran; null where it had not ended.
    pub(crate) duration_s: Option<f64>,
    /// `ok`, `error`, `interrupted`, or null.
    pub(crate) outcome: Option<&'static str>,
    /// The first line that is not blank.
    pub(crate) title: String,
    /// What it says, line by line; not in summaries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
}

/// The cells that ran in the time of the session, in their order.
pub(crate) fn cells(session: &Session) -> Vec<CellRow> {
    let (start, end) = (session.start(), session.end());
    let is_here =
        |from, to: Option<_>| from < end && to.is_none_or(|to| to > start) || start == end;
    let all = session.cells().iter();
    let here = all.filter(|(_, cell)| is_here(cell.start, cell.end));
    here.map(|(id, cell)| {
        let source = session.string(cell.source);
        let mut lines = source.lines().filter(|line| !line.trim().is_empty());
        CellRow {
            index: id.as_u32(),
            start_s: (cell.start.as_nanos() as f64 - start.as_nanos() as f64) / 1e9,
            duration_s: cell.end.map(|end| end.since(cell.start).as_secs_f64()),
            outcome: cell.outcome.name(),
            title: line(lines.next().unwrap_or_default().trim()),
            source: Some(lines_of(source)),
        }
    })
    .collect()
}

fn lines_of(source: &str) -> String {
    let end = source.char_indices().nth(LONGEST_SOURCE);
    let source = end.map_or(source, |(end, _)| &source[..end]);
    source.lines().map(plain).collect::<Vec<_>>().join("\n")
}
