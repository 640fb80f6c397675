//! Measurements in as many points as a picture has room for: of those in the same column of pixels the first, the smallest, the
//! largest and the last, so that no peak is lost.

use crate::picture::Point;

/// What was measured at a place, as far as it is known: from the least to the most, which are the same for one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) x: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// What was measured in a column of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Column {
    first: Sample,
    lowest: Sample,
    highest: Sample,
    last: Sample,
}

impl Column {
    fn of(sample: Sample) -> Self {
        Self {
            first: sample,
            lowest: sample,
            highest: sample,
            last: sample,
        }
    }

    fn add(&mut self, sample: Sample) {
        if sample.low < self.lowest.low {
            self.lowest = sample;
        }
        if sample.high > self.highest.high {
            self.highest = sample;
        }
        self.last = sample;
    }
}

/// Columns with nothing unknown between them.
pub(super) type Run = Vec<Column>;

/// Thins samples that come in the order of time. Each has a number that changes where no line may be drawn, and is nothing where
/// nothing is known. What is unknown for less than a column cannot be seen.
pub(super) fn thinned(
    samples: impl Iterator<Item = Option<(usize, Sample)>>,
    columns_per_pixel: f64,
) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    // The piece and the column of the last sample.
    let mut last: Option<(usize, i64)> = None;
    let mut is_broken = true;
    for sample in samples {
        let Some((piece, sample)) = sample else {
            is_broken = true;
            continue;
        };
        let place = (piece, (sample.x * columns_per_pixel).floor() as i64);
        let is_same_piece = last.is_some_and(|(last, _)| last == piece);
        match runs.last_mut() {
            Some(run) if last == Some(place) => {
                let column = run.last_mut().expect("bug: a run of nothing");
                column.add(sample);
            }
            Some(run) if is_same_piece && !is_broken => run.push(Column::of(sample)),
            _ => runs.push(vec![Column::of(sample)]),
        }
        last = Some(place);
        is_broken = false;
    }
    runs
}

/// The line through a run, with `y` of a value.
pub(super) fn line(run: &Run, y: impl Fn(f64) -> f64) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for column in run {
        let (low, high) = (
            (column.lowest.x, y(column.lowest.low)),
            (column.highest.x, y(column.highest.high)),
        );
        let (one, other) = match column.lowest.x <= column.highest.x {
            true => (low, high),
            false => (high, low),
        };
        let first = (column.first.x, y(column.first.low));
        let last = (column.last.x, y(column.last.high));
        for point in [first, one, other, last] {
            if points.last() != Some(&point) {
                points.push(point);
            }
        }
    }
    points
}

/// The outline of what lies between the least and the most of a run.
pub(super) fn area(run: &Run, y: impl Fn(f64) -> f64) -> Vec<Point> {
    let ends = |column: &Column| match column.first.x < column.last.x {
        true => vec![column.first.x, column.last.x],
        false => vec![column.first.x],
    };
    let mut outline: Vec<Point> = Vec::new();
    for column in run {
        outline.extend(ends(column).iter().map(|&x| (x, y(column.highest.high))));
    }
    for column in run.iter().rev() {
        let ends = ends(column);
        outline.extend(ends.iter().rev().map(|&x| (x, y(column.lowest.low))));
    }
    outline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(x: f64, value: f64) -> Option<(usize, Sample)> {
        let (low, high) = (value, value);
        Some((0, Sample { x, low, high }))
    }

    #[test]
    fn a_peak_within_a_column_is_kept_and_a_million_samples_are_few_points() {
        let samples = (0..1_000_000).map(|row| {
            let value = if row == 500_001 {
                9.0
            } else {
                f64::from(row % 3)
            };
            sample(f64::from(row) / 10_000.0, value)
        });
        let runs = thinned(samples, 1.0);
        assert_eq!(runs.len(), 1);
        let points = line(&runs[0], |value| value);
        assert!(points.len() <= 400, "{}", points.len());
        assert!(points.iter().any(|point| point.1 == 9.0));
    }

    #[test]
    fn what_is_unknown_is_a_gap_if_it_can_be_seen() {
        let samples = [sample(0.0, 1.0), None, sample(5.0, 2.0), sample(6.0, 3.0)];
        assert_eq!(thinned(samples.into_iter(), 1.0).len(), 2);
        let samples = [sample(0.0, 1.0), None, sample(0.1, 2.0), sample(1.0, 3.0)];
        assert_eq!(thinned(samples.into_iter(), 1.0).len(), 1);
    }

    #[test]
    fn unknown_in_every_second_row_is_bounded_too() {
        let samples = (0..1_000_000).map(|row| match row % 2 {
            0 => sample(f64::from(row) / 10_000.0, f64::from(row % 5)),
            _ => None,
        });
        let runs = thinned(samples, 2.0);
        assert!(runs.len() <= 200, "{}", runs.len());
    }
}
