//! What is escaped, and how: by what a template makes.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, Output, State, Value, escape_formatter};

use super::markdown;

/// The name of the way in which Markdown is escaped.
const MARKDOWN: &str = "markdown";

/// How a template of this name escapes: by its extension, without the `.j2`, `.jinja` or `.jinja2` that may come behind it.
pub(super) fn of_name(name: &str) -> AutoEscape {
    let stem = [".j2", ".jinja", ".jinja2"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    let extension = stem.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_lowercase().as_str() {
        "html" | "htm" | "xhtml" | "xml" | "svg" => AutoEscape::Html,
        "json" | "js" => AutoEscape::Json,
        "md" | "markdown" => AutoEscape::Custom(MARKDOWN.into()),
        _ => AutoEscape::None,
    }
}

/// Writes a value into a report.
pub(super) fn write(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let is_markdown = matches!(state.auto_escape(), AutoEscape::Custom(name) if *name == *MARKDOWN);
    // Nothing is written of what is not known.
    if value.is_none() && !matches!(state.auto_escape(), AutoEscape::Json) {
        return Ok(());
    }
    let is_text = !matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    match is_markdown {
        true if value.is_safe() || !is_text => Ok(out.write_str(&value.to_string())?),
        true => Ok(out.write_str(&markdown::escaped(&value.to_string()))?),
        false => escape_formatter(out, state, value),
    }
}

/// JSON that can stand inside a script element: the characters that could end it, or that JavaScript takes
/// for line ends, are written as escapes. They occur within strings only, where that means the same.
pub(crate) fn for_script(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 16);
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", character as u32))
            }
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_can_end_the_script() {
        let text = for_script(&serde_json::to_string("</script><!--&\u{2028}").expect("a string"));
        assert_eq!(text, r#""\u003c/script\u003e\u003c!--\u0026\u2028""#);
    }

    #[test]
    fn a_name_says_what_is_escaped() {
        let kind = |name| match of_name(name) {
            AutoEscape::None => "none",
            AutoEscape::Html => "html",
            AutoEscape::Json => "json",
            _ => "other",
        };
        assert_eq!(kind("a.html"), "html");
        assert_eq!(kind("dir.md/a.HTML.j2"), "html");
        assert_eq!(kind("a.md.jinja"), "other");
        assert_eq!(kind("a.json"), "json");
        assert_eq!((kind("a.csv.j2"), kind("a")), ("none", "none"));
    }
}
