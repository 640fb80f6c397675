//! What is written on a frame, in the words of the format in which stacks are handed over.

use crate::format::plain;

/// The label of a call, or of a process or thread, which are nowhere. It has nothing that would end a frame or a stack, or
/// that XML has no room for, and does not look like the number behind a stack.
pub(super) fn label(name: &str, file: &str, line: u32) -> String {
    let text = match (file, line) {
        ("", _) => name.to_owned(),
        (file, 0) => format!("{name}  {file}"),
        (file, line) => format!("{name}  {file}:{line}"),
    };
    let mut label: String = plain(text.trim())
        .chars()
        .map(|character| match character {
            ';' => ',',
            // No character of XML.
            '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            other => other,
        })
        .collect();
    if label.is_empty() {
        label.push_str("<unnamed>");
    }
    let is_number = |word: &str| {
        word.chars()
            .all(|digit| digit.is_ascii_digit() || digit == '.')
    };
    if let Some(at) = label.rfind(' ')
        && is_number(&label[at + 1..])
    {
        label.replace_range(at..=at, "\u{a0}");
    }
    // The beginning of a comment.
    if label.starts_with("# ") {
        label.replace_range(1..2, "\u{a0}");
    }
    label
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_label_ends_no_frame_and_no_stack() {
        assert_eq!(label("a;b\nc", "", 0), "a,b\\nc");
        assert_eq!(label("worker 12", "", 0), "worker\u{a0}12");
        assert_eq!(label("# all", "", 0), "#\u{a0}all");
        assert_eq!(label("", "", 0), "<unnamed>");
        assert_eq!(label("f", "a.py", 3), "f  a.py:3");
        assert_eq!(label("f\u{202e}\u{ffff}", "", 0), "f\\u202e\u{fffd}");
    }
}
