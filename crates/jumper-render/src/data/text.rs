//! Texts of the observed program, bounded.

use crate::format::plain;

/// Longer texts are cut: a name can be a megabyte long.
const LONGEST: usize = 300;

/// A text on one line, without power over a terminal, and cut at its end where it is too long.
pub(crate) fn line(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => plain(&text[..end]) + "…",
        None => plain(text),
    }
}

/// The same for a path, the end of which says most.
pub(crate) fn path_line(path: &str) -> String {
    match path.char_indices().rev().nth(LONGEST) {
        Some((begin, first)) => format!("…{}", plain(&path[begin + first.len_utf8()..])),
        None => plain(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_what_says_most() {
        let long = "é".repeat(LONGEST) + "x";
        assert_eq!(line(&long), "é".repeat(LONGEST) + "…");
        assert_eq!(path_line(&long), format!("…{}x", "é".repeat(LONGEST - 1)));
        assert_eq!(
            (line("a\nb"), path_line("a\x1b")),
            ("a\\nb".into(), "a\\x1b".into())
        );
    }
}
