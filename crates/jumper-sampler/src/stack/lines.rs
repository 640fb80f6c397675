//! From an instruction to its place in the source text: the three encodings that CPython has used since 3.9.
//!
//! Everything here works on bytes that came from another process and may be garbage: no count in them is
//! trusted, and whatever they hold the decoder ends.

#[cfg(test)]
mod corpus;

use super::layout::LineFormat;

/// The place in a source file that an instruction was compiled from, as `co_positions()` gives it.
///
/// Each part is `None` where CPython has none: all of them for instructions that the compiler made up, the
/// columns for code that was compiled without (`-X no_debug_ranges`), and all but the line to 3.10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// The line that it begins in, counted from 1; 0 before the first line of a module.
    pub line: Option<u32>,
    /// The line that it ends in, counted from 1.
    pub end_line: Option<u32>,
    /// How many bytes of the line, in UTF-8, are before it.
    pub column: Option<u32>,
    /// How many bytes of the end line, in UTF-8, are before its end.
    pub end_column: Option<u32>,
}

impl Location {
    fn of_line(line: i32) -> Self {
        Self {
            line: known(line),
            ..Self::default()
        }
    }
}

/// CPython writes -1 for what is not known.
fn known(number: i32) -> Option<u32> {
    u32::try_from(number).ok()
}

/// What a [`Location`] says beyond its line, in twelve bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Extent {
    end_line: Packed,
    column: Packed,
    end_column: Packed,
}

impl Extent {
    pub(crate) fn of(location: Location) -> Self {
        Self {
            end_line: Packed::of(location.end_line),
            column: Packed::of(location.column),
            end_column: Packed::of(location.end_column),
        }
    }

    /// The whole location, which begins in `line`.
    pub(crate) fn beginning_in(self, line: Option<u32>) -> Location {
        Location {
            line,
            end_line: self.end_line.get(),
            column: self.column.get(),
            end_column: self.end_column.get(),
        }
    }
}

/// A number that may be missing. Known ones come from a C `int`, so that the largest is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Packed(u32);

impl Packed {
    const NONE: u32 = u32::MAX;

    fn of(number: Option<u32>) -> Self {
        Self(number.unwrap_or(Self::NONE))
    }

    fn get(self) -> Option<u32> {
        (self.0 != Self::NONE).then_some(self.0)
    }
}

/// So many ranges lie between two marks: few enough to step through, and enough for the marks to be small
/// beside the table.
const MARK_EVERY: usize = 8;

/// The line table of one code object.
///
/// It stays encoded: decoded it would be six times as large, and a program has tens of thousands of them.
/// Marks lead into its middle, so that no more than a few ranges are decoded to find one.
#[derive(Debug)]
pub(crate) struct LineTable {
    format: LineFormat,
    table: Box<[u8]>,
    first_line: i32,
    marks: Box<[Mark]>,
}

/// Where decoding can go on.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The byte offset of the first instruction that is not decoded yet.
    start: u32,
    /// Where its entry lies in the table.
    at: u32,
    /// The line that the entry's difference is added to.
    line: i32,
}

impl LineTable {
    /// The `table` of a function that begins at `first_line`.
    pub(crate) fn new(format: LineFormat, table: Vec<u8>, first_line: i32) -> Self {
        let mut lines = Self {
            format,
            table: table.into(),
            first_line,
            marks: Box::default(),
        };
        let mut ranges = lines.ranges_from(lines.beginning());
        let mut marks = Vec::new();
        while ranges.by_ref().take(MARK_EVERY).count() == MARK_EVERY {
            marks.push(ranges.mark);
        }
        lines.marks = marks.into();
        lines
    }

    /// The place of the instruction at byte `offset`.
    ///
    /// A frame that has not executed anything yet may stand before the first; it is in the function's first
    /// line, as for CPython itself.
    pub(crate) fn location_at(&self, offset: i64) -> Location {
        let Ok(offset) = u32::try_from(offset) else {
            return Location::of_line(self.first_line);
        };
        let after = self.marks.partition_point(|mark| mark.start <= offset);
        let mark = after
            .checked_sub(1)
            .map_or_else(|| self.beginning(), |index| self.marks[index]);
        self.ranges_from(mark)
            .find(|&(end, _)| offset < end)
            .map_or_else(Location::default, |(_, location)| location)
    }

    fn beginning(&self) -> Mark {
        Mark {
            start: 0,
            at: 0,
            line: self.first_line,
        }
    }

    fn ranges_from(&self, mark: Mark) -> Ranges<'_> {
        Ranges {
            format: self.format,
            table: &self.table,
            mark,
        }
    }
}

/// The ranges of instructions in their order: where each ends, and its location. A range may be empty.
struct Ranges<'a> {
    format: LineFormat,
    table: &'a [u8],
    mark: Mark,
}

impl Iterator for Ranges<'_> {
    type Item = (u32, Location);

    fn next(&mut self) -> Option<Self::Item> {
        match self.format {
            LineFormat::Lnotab => self.next_of_lnotab(),
            LineFormat::Linetable => self.next_of_linetable(),
            LineFormat::Locations => self.next_of_locations(),
        }
    }
}

impl<'a> Ranges<'a> {
    fn rest(&self) -> &'a [u8] {
        self.table.get(self.mark.at as usize..).unwrap_or_default()
    }

    /// Takes a pair of an unsigned and a signed byte.
    fn pair(&mut self) -> Option<(u32, i32)> {
        let &[first, second, ..] = self.rest() else {
            return None;
        };
        self.mark.at += 2;
        Some((u32::from(first), i32::from(second.cast_signed())))
    }

    /// Ends the range `length` bytes on.
    fn end_after(&mut self, length: u32) -> u32 {
        self.mark.start = self.mark.start.saturating_add(length);
        self.mark.start
    }

    fn move_line(&mut self, by: i32) {
        self.mark.line = self.mark.line.saturating_add(by);
    }

    /// Pairs of (bytes since the last pair; lines since the last pair). The last line goes on for ever.
    fn next_of_lnotab(&mut self) -> Option<(u32, Location)> {
        if self.mark.start == u32::MAX {
            return None;
        }
        loop {
            let line = self.mark.line;
            let (bytes, lines) = self.pair().unwrap_or((u32::MAX, 0));
            self.move_line(lines);
            // Several pairs for one instruction add up.
            if bytes > 0 {
                return Some((self.end_after(bytes), Location::of_line(line)));
            }
        }
    }

    /// Pairs of (length of the range in bytes; lines since the last range, -128 for a range without line).
    fn next_of_linetable(&mut self) -> Option<(u32, Location)> {
        const NO_LINE: i32 = -128;
        let (bytes, lines) = self.pair()?;
        let end = self.end_after(bytes);
        if lines == NO_LINE {
            return Some((end, Location::default()));
        }
        self.move_line(lines);
        Some((end, Location::of_line(self.mark.line)))
    }

    /// Entries that begin with a byte whose high bit is set: four bits of kind, three of length in code units.
    fn next_of_locations(&mut self) -> Option<(u32, Location)> {
        let (&head, tail) = self.rest().split_first()?;
        let length = tail.iter().take_while(|&&byte| byte & 0x80 == 0).count();
        let mut body = Body(&tail[..length]);
        self.mark.at += 1 + length as u32;
        let end = self.end_after((u32::from(head & 7) + 1) * 2);
        let kind = head >> 3 & 15;
        let (end_lines, column, end_column) = match kind {
            15 => return Some((end, Location::default())),
            14 => {
                self.move_line(body.signed_varint());
                (body.varint(), body.varint() - 1, body.varint() - 1)
            }
            13 => {
                self.move_line(body.signed_varint());
                (0, -1, -1)
            }
            10..=12 => {
                self.move_line(i32::from(kind - 10));
                (0, body.byte(), body.byte())
            }
            _ => {
                let low = body.byte();
                let column = i32::from(kind) << 3 | low >> 4;
                (0, column, column + (low & 15))
            }
        };
        let location = Location {
            line: known(self.mark.line),
            end_line: known(self.mark.line.saturating_add(end_lines)),
            column: known(column),
            end_column: known(end_column),
        };
        Some((end, location))
    }
}

/// What follows the first byte of an entry. What is missing in it reads as 0.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn byte(&mut self) -> i32 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        i32::from(first)
    }

    /// A number in groups of six bits, lowest first, 0x40 marking that another follows.
    fn varint(&mut self) -> i32 {
        let mut value = 0_i64;
        // A C `int` has no more than six groups.
        for group in 0..6 {
            let byte = self.byte();
            value |= i64::from(byte & 0x3f) << (6 * group);
            if byte & 0x40 == 0 {
                break;
            }
        }
        i32::try_from(value).unwrap_or(i32::MAX)
    }

    /// A varint whose lowest bit is the sign.
    fn signed_varint(&mut self) -> i32 {
        let value = self.varint();
        if value & 1 == 1 {
            -(value >> 1)
        } else {
            value >> 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_at<const N: usize>(table: &LineTable, offsets: [i64; N]) -> [Option<u32>; N] {
        offsets.map(|offset| table.location_at(offset).line)
    }

    #[test]
    fn lnotab_adds_bytes_and_signed_lines() {
        // 0..6 line 10, 6..8 line 12, 8.. line 11.
        let table = LineTable::new(LineFormat::Lnotab, vec![6, 2, 2, 0xff], 10);
        let lines = lines_at(&table, [0, 5, 6, 7, 8, 500]);
        assert_eq!(lines, [10, 10, 12, 12, 11, 11].map(Some));
    }

    #[test]
    fn lnotab_adds_up_the_pairs_of_one_instruction() {
        // 0..2 line 137, 2.. line 391.
        let table = [0, 127, 2, 127, 0, 127, 0, 0];
        let table = LineTable::new(LineFormat::Lnotab, table.to_vec(), 10);
        assert_eq!(
            lines_at(&table, [0, 1, 2, 9]),
            [137, 137, 391, 391].map(Some)
        );
    }

    #[test]
    fn lnotab_of_a_one_liner_is_empty() {
        let table = LineTable::new(LineFormat::Lnotab, Vec::new(), 7);
        assert_eq!(table.location_at(4), Location::of_line(7));
    }

    #[test]
    fn linetable_knows_ranges_without_a_line() {
        // 0..4 line 11, 4..6 none, 6..8 line 9.
        let table = vec![4, 1, 2, 0x80, 2, 0xfe];
        let table = LineTable::new(LineFormat::Linetable, table, 10);
        let lines = lines_at(&table, [0, 2, 4, 6, 8]);
        assert_eq!(lines, [Some(11), Some(11), None, Some(9), None]);
    }

    #[test]
    fn locations_of_every_kind_are_told_to_the_column() {
        let table = vec![
            0x80 | 11 << 3 | 1,
            4,
            90, // one line on, two units: offsets 0..4
            0x80 | 2 << 3,
            0x35,           // short form, one unit: 4..6
            0x80 | 15 << 3, // no location: 6..8
            0x80 | 13 << 3,
            0x07, // no column, three lines back: 8..10
            0x80 | 14 << 3 | 7,
            0x44,
            0x01,
            2,
            0x41,
            0x02,
            0, // long form, 34 lines on, two lines long, column 128, no end column
        ];
        let table = LineTable::new(LineFormat::Locations, table, 20);
        let parts = [0, 4, 6, 8, 10, 25].map(|offset| {
            let location = table.location_at(offset);
            let Location { line, end_line, .. } = location;
            (line, end_line, location.column, location.end_column)
        });
        let whole = |line, column, end| (Some(line), Some(line), Some(column), Some(end));
        let expected = [
            whole(21, 4, 90),
            whole(21, 19, 24),
            (None, None, None, None),
            (Some(18), Some(18), None, None),
            (Some(52), Some(54), Some(128), None),
            (Some(52), Some(54), Some(128), None),
        ];
        assert_eq!(parts, expected);
        assert_eq!(table.location_at(26), Location::default());
    }

    #[test]
    fn a_frame_before_the_first_instruction_is_in_the_first_line() {
        let table = LineTable::new(LineFormat::Locations, vec![0x80 | 15 << 3], 20);
        assert_eq!(table.location_at(-2), Location::of_line(20));
        assert_eq!(table.location_at(0), Location::default());
    }

    #[test]
    fn a_location_is_the_same_after_packing() {
        let location = Location {
            line: Some(0),
            end_line: Some(7),
            column: Some(0),
            end_column: None,
        };
        assert_eq!(Extent::of(location).beginning_in(location.line), location);
    }

    /// Steps through all ranges, without the marks.
    fn found_from_the_beginning(table: &LineTable, offset: u32) -> Location {
        let mut ranges = table.ranges_from(table.beginning());
        let found = ranges.find(|&(end, _)| offset < end);
        found.map_or_else(Location::default, |(_, location)| location)
    }

    #[test]
    fn garbage_is_decoded_to_something_and_marks_lead_to_the_same() {
        let garbage: Vec<u8> = (0..10_000_u32)
            .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for format in [
            LineFormat::Lnotab,
            LineFormat::Linetable,
            LineFormat::Locations,
        ] {
            for length in [0, 1, 2, 3, 15, 16, 17, 255, 10_000] {
                let table = LineTable::new(format, garbage[..length].to_vec(), i32::MIN);
                for offset in (0..40_000).step_by(37).chain([u32::MAX - 1, u32::MAX]) {
                    assert_eq!(
                        table.location_at(offset.into()),
                        found_from_the_beginning(&table, offset),
                        "{format:?} of {length} at {offset}"
                    );
                }
            }
        }
    }

    #[test]
    fn marks_are_small_beside_the_table() {
        let entries = 10_000;
        let table = [0x80 | 2 << 3, 0x35].repeat(entries);
        let table = LineTable::new(LineFormat::Locations, table, 20);
        let marks = size_of_val(&*table.marks);
        assert!(marks <= table.table.len(), "{marks} bytes");
    }
}
