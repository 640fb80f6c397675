//! Texts within Markdown, as GitHub and GitLab read it.

use crate::format::plain;

/// Breaks up what would otherwise tell somebody, or link to something, and is not seen.
const NOTHING: &str = "&#8203;";

/// A text that means nothing in Markdown: no emphasis, no link, no cell of a table, no element of HTML, and nobody is told.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in plain(text).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '@' | '#' => {
                escaped.push(character);
                escaped.push_str(NOTHING);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A text as code on a line, also in a table. Nobody is told by what is in code.
pub(crate) fn code(text: &str) -> String {
    let text = plain(text);
    let is_ordinary = |character: char| !matches!(character, '`' | '|' | '\\');
    match text.trim() {
        "" => String::new(),
        trimmed if trimmed == text && text.chars().all(is_ordinary) => format!("`{text}`"),
        // A table ends its cells at a bar even in code, and a backslash before it is seen elsewhere: an element means the same
        // everywhere.
        _ => format!("<code>{}</code>", entities(&text)),
    }
}

/// All that could mean something, as entities.
fn entities(text: &str) -> String {
    let mut entities = String::with_capacity(2 * text.len());
    for character in text.chars() {
        match character {
            ' ' => entities.push(' '),
            other if other.is_alphanumeric() => entities.push(other),
            other => entities.push_str(&format!("&#{};", other as u32)),
        }
    }
    entities
}

/// Lines as a block of code, whatever is in them.
pub(super) fn fence(text: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}text\n{}\n{fence}", text.trim_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_meant_and_nobody_is_told() {
        assert_eq!(
            escaped("a|b @me #1 <b>*x*</b>\n`c`"),
            "a\\|b @&#8203;me #&#8203;1 &lt;b&gt;\\*x\\*&lt;/b&gt;\\\\n\\`c\\`"
        );
    }

    #[test]
    fn code_is_the_same_within_tables_and_without() {
        assert_eq!(code("Reader.run <locals>"), "`Reader.run <locals>`");
        assert_eq!(code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(code("`@me"), "<code>&#96;&#64;me</code>");
        assert_eq!(code(" "), "");
    }

    #[test]
    fn a_block_ends_where_it_should() {
        assert_eq!(fence("a\n"), "```text\na\n```");
        assert_eq!(fence("````"), "`````text\n````\n`````");
    }
}
