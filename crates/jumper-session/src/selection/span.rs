//! Ranges as people write them: `2:8`, `:5`, `3:`, and `5` alone. What is negative counts from the end.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};

/// A range of seconds. A single number is the second that begins there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span(Ends<f64>);

/// A range of cells, both ends included, counted from 0. A single number is that cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellSpan(Ends<i64>);

/// A range that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no range; write two numbers with a colon between, such as `2:8`, `:5`, `3:` or `-3:-1`"
)]
pub struct SpanError(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends<T> {
    Single(T),
    /// Without an end it goes on as far as there is something.
    Between(Option<T>, Option<T>),
}

impl<T> Default for Ends<T> {
    fn default() -> Self {
        Self::Between(None, None)
    }
}

impl<T: FromStr + Copy> Ends<T> {
    fn parse(text: &str, is_good: impl Fn(T) -> bool) -> Result<Self, SpanError> {
        let fail = || SpanError(text.escape_debug().to_string());
        let number = |text: &str| match text.trim() {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) if is_good(number) => Ok(Some(number)),
                _ => Err(fail()),
            },
        };
        match text.split_once(':') {
            Some((from, to)) => Ok(Self::Between(number(from)?, number(to)?)),
            None => Ok(Self::Single(number(text)?.ok_or_else(fail)?)),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Ends<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: &Option<T>| end.as_ref().map(T::to_string).unwrap_or_default();
        match self {
            Self::Single(only) => only.fmt(f),
            Self::Between(from, to) => write!(f, "{}:{}", end(from), end(to)),
        }
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        Ends::parse(text, f64::is_finite).map(Self)
    }
}

impl FromStr for CellSpan {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        Ends::parse(text, |_| true).map(Self)
    }
}

impl Span {
    /// The seconds of a recording that is `length` long, as offsets from its beginning. Where nothing is left the two are
    /// equal.
    pub fn seconds_of(&self, length: Duration) -> (Duration, Duration) {
        let length = length.as_secs_f64();
        let place = |number: f64| match number < 0.0 {
            true => (length + number).max(0.0),
            false => number.min(length),
        };
        let (from, to) = match self.0 {
            Ends::Single(from) => (place(from), (place(from) + 1.0).min(length)),
            Ends::Between(from, to) => (from.map_or(0.0, place), to.map_or(length, place)),
        };
        let seconds = |number: f64| Duration::try_from_secs_f64(number).unwrap_or_default();
        (seconds(from), seconds(to.max(from)))
    }
}

impl CellSpan {
    /// The rows of a recording of `count` cells.
    ///
    /// # Errors
    /// [`Error::NoSuchCell`] where one of the ends is not there, or nothing is between them.
    pub fn rows_of(&self, count: usize) -> Result<RangeInclusive<usize>> {
        let fail = || Error::NoSuchCell {
            span: self.0.to_string(),
            count,
        };
        let place = |number: i64| {
            let row = match number < 0 {
                true => count.checked_sub(usize::try_from(number.unsigned_abs()).ok()?),
                false => usize::try_from(number).ok(),
            };
            row.filter(|row| *row < count)
        };
        let last = count.checked_sub(1).ok_or_else(fail)?;
        let (from, to) = match self.0 {
            Ends::Single(only) => (place(only), place(only)),
            Ends::Between(from, to) => (from.map_or(Some(0), place), to.map_or(Some(last), place)),
        };
        match (from, to) {
            (Some(from), Some(to)) if from <= to => Ok(from..=to),
            _ => Err(fail()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_as_people_write_them() {
        let length = Duration::from_secs(10);
        let seconds = |text: &str| {
            let span: Span = text.parse().expect("a range");
            let (from, to) = span.seconds_of(length);
            (from.as_secs_f64(), to.as_secs_f64())
        };
        assert_eq!(seconds("2:8"), (2.0, 8.0));
        assert_eq!(seconds(":5"), (0.0, 5.0));
        assert_eq!(seconds("3.5:"), (3.5, 10.0));
        assert_eq!(seconds("-3:-1"), (7.0, 9.0));
        assert_eq!(seconds("5"), (5.0, 6.0));
        assert_eq!(seconds("8:2"), (8.0, 8.0));
        assert_eq!(seconds("-90:90"), (0.0, 10.0));
        for text in ["", "a", "1:b", "nan:", "1:inf", "1:2:3"] {
            let error = text.parse::<Span>().expect_err("no range").to_string();
            assert!(error.contains("is no range; write two numbers"), "{error}");
        }
    }

    #[test]
    fn cells_are_counted_from_0_with_both_ends() {
        let rows = |text: &str| {
            let span: CellSpan = text.parse().expect("a range");
            span.rows_of(10)
        };
        for (text, expected) in [
            ("5", 5..=5),
            ("2:8", 2..=8),
            (":5", 0..=5),
            ("3:", 3..=9),
            (":", 0..=9),
            ("-3:-1", 7..=9),
            ("-1", 9..=9),
            ("-10:0", 0..=0),
        ] {
            assert_eq!(rows(text).expect(text), expected, "{text}");
        }
        for text in ["10", "-11", "2:10", "8:2", "-1:-3"] {
            let error = rows(text).expect_err(text).to_string();
            let expected = format!("there are no cells `{text}`; the recording has 0 to 9");
            assert!(error.starts_with(&expected), "{error}");
        }
        let none: CellSpan = ":".parse().expect("a range");
        let error = none.rows_of(0).expect_err("there is none").to_string();
        assert!(error.contains("has no cells"), "{error}");
        for text in ["", "1.5", "a:", "1:2:3", "99999999999999999999"] {
            assert!(text.parse::<CellSpan>().is_err(), "{text}");
        }
    }
}
