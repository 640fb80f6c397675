//! From an instruction to its line: the three encodings that CPython has used since 3.9.
//!
//! Everything here works on bytes that came from another process and may be garbage: no count in them is
//! trusted, and whatever they hold the decoder ends.

use super::layout::LineFormat;

/// The lines of one code object, in the order of its instructions.
#[derive(Debug, Default)]
pub(crate) struct LineTable {
    /// From this byte offset on the line is ..., to the next entry. The line is `None` for instructions that
    /// the compiler made up.
    entries: Vec<(u32, Option<u32>)>,
}

impl LineTable {
    /// Decodes `table` of a function that begins at `first_line`.
    pub(crate) fn decode(format: LineFormat, table: &[u8], first_line: i32) -> Self {
        let mut entries = Entries { list: Vec::new() };
        match format {
            LineFormat::Lnotab => decode_lnotab(table, first_line, &mut entries),
            LineFormat::Linetable => decode_linetable(table, first_line, &mut entries),
            LineFormat::Locations => decode_locations(table, first_line, &mut entries),
        }
        Self {
            entries: entries.list,
        }
    }

    /// The line of the instruction at byte `offset`; `None` where the code has none there.
    pub(crate) fn line_at(&self, offset: u32) -> Option<u32> {
        let after = self.entries.partition_point(|&(start, _)| start <= offset);
        after.checked_sub(1).and_then(|index| self.entries[index].1)
    }
}

/// The list under construction. Line numbers are kept wide, since garbage may add up to anything.
struct Entries {
    list: Vec<(u32, Option<u32>)>,
}

impl Entries {
    fn push(&mut self, start: u32, line: Option<i64>) {
        let line = line.and_then(|line| u32::try_from(line).ok());
        match self.list.last_mut() {
            Some(last) if last.0 == start => last.1 = line,
            Some(last) if last.1 == line => {}
            _ => self.list.push((start, line)),
        }
    }
}

/// Pairs of (bytes since the last pair, unsigned; lines since the last pair, signed).
fn decode_lnotab(table: &[u8], first_line: i32, entries: &mut Entries) {
    let (mut offset, mut line) = (0_u32, i64::from(first_line));
    entries.push(0, Some(line));
    for pair in table.chunks_exact(2) {
        offset = offset.saturating_add(u32::from(pair[0]));
        line += i64::from(pair[1].cast_signed());
        entries.push(offset, Some(line));
    }
}

/// Pairs of (length of the range in bytes, lines since the last range; -128 for a range without line).
fn decode_linetable(table: &[u8], first_line: i32, entries: &mut Entries) {
    let (mut end, mut line) = (0_u32, i64::from(first_line));
    for pair in table.chunks_exact(2) {
        let start = end;
        end = end.saturating_add(u32::from(pair[0]));
        let delta = pair[1].cast_signed();
        if delta != i8::MIN {
            line += i64::from(delta);
        }
        // A range of no length only moves the line for the ones that follow.
        if end > start {
            entries.push(start, (delta != i8::MIN).then_some(line));
        }
    }
}

/// Entries that begin with a byte whose high bit is set: four bits of kind, three of length in code units.
fn decode_locations(table: &[u8], first_line: i32, entries: &mut Entries) {
    let (mut offset, mut line) = (0_u32, i64::from(first_line));
    let mut rest = table;
    while let Some((&head, tail)) = rest.split_first() {
        let body = tail
            .iter()
            .position(|byte| byte & 0x80 != 0)
            .unwrap_or(tail.len());
        let kind = (head >> 3) & 15;
        let delta = match kind {
            13 | 14 => signed_varint(&tail[..body]),
            10..=12 => i64::from(kind - 10),
            _ => 0,
        };
        line = line.saturating_add(delta);
        entries.push(offset, (kind != 15).then_some(line));
        offset = offset.saturating_add((u32::from(head & 7) + 1) * 2);
        rest = &tail[body..];
    }
}

/// A number in groups of six bits, lowest first, 0x40 marking that another follows; the lowest bit is the sign.
fn signed_varint(bytes: &[u8]) -> i64 {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(6).enumerate() {
        value |= u64::from(byte & 0x3f) << (6 * index);
        if byte & 0x40 == 0 {
            break;
        }
    }
    let magnitude = (value >> 1).cast_signed();
    if value & 1 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lnotab_adds_bytes_and_signed_lines() {
        // 0..6 line 10, 6..8 line 12, 8.. line 11.
        let table = LineTable::decode(LineFormat::Lnotab, &[6, 2, 2, 0xff], 10);
        let lines = [0, 5, 6, 7, 8, 500].map(|offset| table.line_at(offset));
        assert_eq!(lines, [10, 10, 12, 12, 11, 11].map(Some));
    }

    #[test]
    fn lnotab_of_a_one_liner_is_empty() {
        assert_eq!(
            LineTable::decode(LineFormat::Lnotab, &[], 7).line_at(4),
            Some(7)
        );
    }

    #[test]
    fn linetable_knows_ranges_without_a_line() {
        // 0..4 line 11, 4..6 none, 6..8 line 9.
        let table = LineTable::decode(LineFormat::Linetable, &[4, 1, 2, 0x80, 2, 0xfe], 10);
        assert_eq!(
            [0, 2, 4, 6].map(|offset| table.line_at(offset)),
            [Some(11), Some(11), None, Some(9)]
        );
    }

    #[test]
    fn locations_of_every_kind_move_the_line_as_they_should() {
        let table = [
            0x80 | 11 << 3 | 1,
            0,
            0, // one line on, two units: offsets 0..4
            0x80,
            0,              // short form, one unit: 4..6
            0x80 | 15 << 3, // no location: 6..8
            0x80 | 13 << 3,
            0x07, // no column, three lines back: 8..10
            0x80 | 14 << 3 | 7,
            0x44,
            0x01,
            0,
            0,
            0, // long form, 34 lines on
        ];
        let table = LineTable::decode(LineFormat::Locations, &table, 20);
        let lines = [0, 4, 6, 8, 10].map(|offset| table.line_at(offset));
        assert_eq!(lines, [Some(21), Some(21), None, Some(18), Some(52)]);
    }

    #[test]
    fn garbage_is_decoded_to_something_and_ends() {
        let garbage: Vec<u8> = (0..10_000_u32)
            .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for format in [
            LineFormat::Lnotab,
            LineFormat::Linetable,
            LineFormat::Locations,
        ] {
            LineTable::decode(format, &garbage, i32::MIN).line_at(77);
        }
    }
}
