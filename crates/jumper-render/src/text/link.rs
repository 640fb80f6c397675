//! Links to files, for terminals that follow them (OSC 8).
//!
//! A terminal that knows the sequence shows the text, and opens the address when it is clicked; one that does not shows
//! the text. The line is in the fragment, where terminals that pass it to an editor look for it.

use std::fmt::Write;

/// Terminals cut off longer addresses, or drop them.
const LONGEST: usize = 2000;

/// What ends a link.
pub(super) const END: &str = "\x1b]8;;\x1b\\";

/// What begins a link to a line of a file; nothing where the file is no path that can be opened.
pub(super) fn begin(file: &str, line: u32) -> String {
    if !file.starts_with('/') || file.len() > LONGEST {
        return String::new();
    }
    let mut link = String::from("\x1b]8;;file://");
    for byte in file.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => link.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => link.push(char::from(byte)),
            // Nothing that could end the sequence, or that means something in an address.
            byte => {
                let _ = write!(link, "%{byte:02X}");
            }
        }
    }
    if line > 0 {
        let _ = write!(link, "#{line}");
    }
    link + "\x1b\\"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_path_ends_the_sequence() {
        assert_eq!(
            begin("/a b/\x1b]8;;\x07%é.py", 12),
            "\x1b]8;;file:///a%20b/%1B%5D8%3B%3B%07%25%C3%A9.py#12\x1b\\"
        );
        assert_eq!(begin("<string>", 1), "");
        assert_eq!(begin("a.py", 1), "");
    }
}
