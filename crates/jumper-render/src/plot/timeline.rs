//! Where on the picture a moment is, with or without the time in which no notebook cell ran.

use jumper_session::{Cell, Session};

/// A piece of time that is shown, in nanoseconds since the beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from: i64,
    to: i64,
    /// How much time is shown before it.
    shown_before: i64,
    left: f64,
    right: f64,
}

impl Piece {
    fn x(&self, time: i64) -> f64 {
        let length = (self.to.saturating_sub(self.from)).max(1) as f64;
        let share = time.saturating_sub(self.from) as f64 / length;
        self.left + (self.right - self.left) * share.clamp(0.0, 1.0)
    }
}

/// The time axis: moments to pixels.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    /// In the order of time. At least one.
    pieces: Vec<Piece>,
}

impl Timeline {
    /// Room between two pieces, unless there are so many that it would take too much.
    const GAP: f64 = 8.0;
    /// The most of the width that is between pieces.
    const GAPS: f64 = 0.25;

    /// All of the time from one moment to another.
    pub(super) fn whole((from, to): (i64, i64), left: f64, right: f64) -> Self {
        Self::of(vec![(from, to)], left, right)
    }

    /// The time in which cells ran; `None` where there was none.
    pub(super) fn of_cells(session: &Session, left: f64, right: f64) -> Option<Self> {
        let mut spans: Vec<(i64, i64)> = cells(session).map(|(_, _, span)| span).collect();
        spans.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (from, to) in spans {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => merged.push((from, to)),
            }
        }
        merged.retain(|(from, to)| from < to);
        (!merged.is_empty()).then(|| Self::of(merged, left, right))
    }

    fn of(spans: Vec<(i64, i64)>, left: f64, right: f64) -> Self {
        let gaps = (spans.len() - 1) as f64;
        let gap = match gaps > 0.0 {
            true => Self::GAP.min((right - left) * Self::GAPS / gaps),
            false => 0.0,
        };
        let length = |(from, to): (i64, i64)| to.saturating_sub(from);
        let total: i64 = spans
            .iter()
            .fold(0, |sum, span| sum.saturating_add(length(*span)));
        let per_ns = (right - left - gap * gaps) / total.max(1) as f64;
        let (mut x, mut shown) = (left, 0_i64);
        let pieces = spans.into_iter().map(|(from, to)| {
            let width = length((from, to)) as f64 * per_ns;
            let piece = Piece {
                from,
                to,
                shown_before: shown,
                left: x,
                right: x + width,
            };
            x += width + gap;
            shown = shown.saturating_add(length((from, to)));
            piece
        });
        Self {
            pieces: pieces.collect(),
        }
    }

    /// Where a moment is, with the number of its piece; `None` where it is not shown.
    pub(super) fn place(&self, time: i64) -> Option<(usize, f64)> {
        let after = self.pieces.partition_point(|piece| piece.from <= time);
        let row = after.checked_sub(1)?;
        let piece = &self.pieces[row];
        (time <= piece.to).then(|| (row, piece.x(time)))
    }

    /// The part of a span of time that is shown.
    pub(super) fn span(&self, from: i64, to: i64) -> Option<(f64, f64)> {
        let first = self.pieces.iter().find(|piece| piece.to >= from)?;
        let last = self.pieces.iter().rev().find(|piece| piece.from <= to)?;
        let (left, right) = (first.x(from.max(first.from)), last.x(to.min(last.to)));
        (left <= right).then_some((left, right))
    }

    /// How much time is shown.
    pub(super) fn shown(&self) -> i64 {
        let last = self.pieces.last().expect("bug: a timeline of nothing");
        last.shown_before
            .saturating_add(last.to.saturating_sub(last.from))
    }

    /// What the axis says at its left end: moments are counted from the beginning, shown time from its own.
    pub(super) fn first(&self) -> i64 {
        match self.pieces.as_slice() {
            [only] => only.from,
            _ => 0,
        }
    }

    /// Where so much of the axis is over.
    pub(super) fn at(&self, reading: i64) -> f64 {
        let time = reading.saturating_sub(self.first());
        let after = self
            .pieces
            .partition_point(|piece| piece.shown_before <= time);
        let piece = &self.pieces[after.saturating_sub(1)];
        let within = time.saturating_sub(piece.shown_before);
        piece.x(piece.from.saturating_add(within))
    }

    /// Where time was cut out, where there is room to show it.
    pub(super) fn cuts(&self) -> impl Iterator<Item = f64> + '_ {
        let pairs = self.pieces.windows(2);
        let pairs = pairs.filter(|pair| pair[1].left - pair[0].right >= Self::GAP / 2.0);
        pairs.map(|pair| (pair[0].right + pair[1].left) / 2.0)
    }
}

/// The runs of cells within the session, with their numbers and when they were, in nanoseconds since the beginning.
pub(super) fn cells(session: &Session) -> impl Iterator<Item = (usize, Cell, (i64, i64))> + '_ {
    let start = session.start().as_nanos();
    let end = session.end().as_nanos();
    session.cells().iter().filter_map(move |(id, cell)| {
        let until = cell.end.map_or(end, |end| end.as_nanos());
        let (from, to) = (cell.start.as_nanos().max(start), until.min(end));
        let span = (from.saturating_sub(start), to.saturating_sub(start));
        (from <= to).then_some((id.index(), cell, span))
    })
}
