//! Values as Python's `marshal` writes them, as far as a table of statistics needs it.
//!
//! Version 2 of the format, which every Python 3 reads: no references, nothing of code. A value is a letter for its type and
//! then its contents, numbers with the lowest byte first.

use std::io::{self, Write};

/// Begins a dictionary; then come keys and values by turns, then [`end_dict`].
pub(super) fn begin_dict(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")
}

/// Ends a dictionary.
pub(super) fn end_dict(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"0")
}

/// Begins a tuple of so many values.
pub(super) fn begin_tuple(len: u8, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"(")?;
    out.write_all(&u32::from(len).to_le_bytes())
}

/// A floating-point number.
pub(super) fn float(value: f64, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"g")?;
    out.write_all(&value.to_le_bytes())
}

/// A whole number. One that is too large for 32 bits is written as digits of 15 bits.
pub(super) fn int(value: i128, out: &mut dyn Write) -> io::Result<()> {
    if let Ok(value) = i32::try_from(value) {
        out.write_all(b"i")?;
        return out.write_all(&value.to_le_bytes());
    }
    let mut digits = Vec::new();
    let mut left = value.unsigned_abs();
    while left > 0 {
        digits.push((left & 0x7fff) as u16);
        left >>= 15;
    }
    let count = digits.len() as i32 * if value < 0 { -1 } else { 1 };
    out.write_all(b"l")?;
    out.write_all(&count.to_le_bytes())?;
    digits
        .iter()
        .try_for_each(|digit| out.write_all(&digit.to_le_bytes()))
}

/// A text.
///
/// # Errors
/// If it is 2 GiB or more, which the format has no room for.
pub(super) fn text(value: &str, out: &mut dyn Write) -> io::Result<()> {
    let len = i32::try_from(value.len()).map_err(|_| {
        let message = "a name is longer than 2 GiB, which a pstats file has no room for";
        io::Error::new(io::ErrorKind::InvalidData, message)
    })?;
    out.write_all(b"u")?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out).expect("it is in memory");
        out
    }

    /// What `marshal.dumps(value, 2)` of CPython 3.11 gives.
    #[test]
    fn values_are_as_python_writes_them() {
        assert_eq!(written(|out| int(-1, out)), b"i\xff\xff\xff\xff");
        assert_eq!(
            written(|out| int(1 << 40, out)),
            b"l\x03\0\0\0\0\0\0\0\0\x04"
        );
        assert_eq!(written(|out| float(0.5, out)), b"g\0\0\0\0\0\0\xe0?");
        assert_eq!(
            written(|out| text("\u{e9}\0", out)),
            b"u\x03\0\0\0\xc3\xa9\0"
        );
        let pair = written(|out| {
            begin_dict(out)?;
            begin_tuple(1, out)?;
            int(7, out)?;
            int(8, out)?;
            end_dict(out)
        });
        assert_eq!(pair, b"{(\x01\0\0\0i\x07\0\0\0i\x08\0\0\x000");
    }
}
