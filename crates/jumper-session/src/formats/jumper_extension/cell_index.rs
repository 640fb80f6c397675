//! Which cell ran at a time.

use std::collections::BinaryHeap;

use crate::{CellTable, Timestamp};

/// For each time the row of the last cell that was running then, its first and last moment included. Of cells that overlap this
/// is the one that JUmPER names. A cell without an end is never the one, as there.
pub(super) fn cell_indices(times: &[Timestamp], cells: &CellTable) -> Vec<Option<u32>> {
    let mut indices = vec![None; times.len()];
    let mut rows: Vec<usize> = (0..times.len()).collect();
    rows.sort_by_key(|&row| times[row]);
    let mut starts: Vec<_> = cells
        .iter()
        .filter_map(|(id, cell)| Some((cell.start, id.as_u32(), cell.end?)))
        .collect();
    starts.sort_unstable();
    let mut starts = starts.into_iter().peekable();
    let mut running = BinaryHeap::new();
    for row in rows {
        let time = times[row];
        while let Some((_, index, end)) = starts.next_if(|(start, ..)| *start <= time) {
            running.push((index, end));
        }
        // Times rise: what has ended will not run again.
        while running.peek().is_some_and(|(_, end)| *end < time) {
            running.pop();
        }
        indices[row] = running.peek().map(|(index, _)| *index);
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cell, CellOutcome, Host, Manifest, SessionBuilder};

    /// What the definition says, one by one.
    fn by_definition(time: i64, cells: &[(i64, Option<i64>)]) -> Option<u32> {
        let runs =
            |(start, end): (i64, Option<i64>)| start <= time && end.is_some_and(|end| time <= end);
        let last = cells.iter().rposition(|&cell| runs(cell));
        last.map(|index| index as u32)
    }

    #[test]
    fn the_last_of_the_cells_that_run_is_the_one() {
        let cells = [
            (10, Some(20)),
            (30, Some(90)),
            (40, Some(50)),
            (45, None),
            (35, Some(60)),
            (60, Some(60)),
            (20, Some(25)),
            (70, Some(69 + 1)),
        ];
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let source = builder.intern_string("");
        for (start, end) in cells {
            builder.push_cell(Cell {
                process,
                start: Timestamp::from_nanos(start),
                end: end.map(Timestamp::from_nanos),
                source,
                outcome: CellOutcome::Unknown,
            });
        }
        let session = builder.finish(Manifest::default());
        // In an order that is not theirs.
        let times: Vec<i64> = (0..100).map(|step| step * 37 % 100).collect();
        let stamps: Vec<_> = times.iter().copied().map(Timestamp::from_nanos).collect();
        let expected: Vec<_> = times
            .iter()
            .map(|&time| by_definition(time, &cells))
            .collect();
        assert_eq!(cell_indices(&stamps, session.cells()), expected);
    }
}
