//! From the options of the command line to those of a renderer.

use std::io::IsTerminal;

use jumper_render::{RenderError, RenderOptions, Renderer, parse_option};
use serde_json::{Value, json};

use crate::args::OutputArgs;
use crate::terminal;

/// What was asked for, checked by what the renderer has.
pub(crate) fn given(
    arguments: &OutputArgs,
    renderer: &dyn Renderer,
) -> Result<RenderOptions, RenderError> {
    let processor_option = |name: &str| format!("processor_options.{name}");
    let mut given: Vec<(String, Value)> = Vec::new();
    let flags = [
        ("show_all", arguments.show_all),
        ("timeline", arguments.timeline),
    ];
    let flags = flags.into_iter().filter(|(_, is_set)| *is_set);
    given.extend(flags.map(|(name, _)| (name.into(), json!(true))));
    if let Some(threshold) = arguments.filter_threshold {
        given.push((processor_option("filter_threshold"), json!(threshold)));
    }
    for (name, pattern, regex) in [
        ("hide_regex", &arguments.hide, &arguments.hide_regex),
        ("show_regex", &arguments.show, &arguments.show_regex),
    ] {
        let pattern = pattern.as_deref().map(translated);
        if let Some(regex) = pattern.or_else(|| regex.clone()) {
            given.push((processor_option(name), json!(regex)));
        }
    }
    if let Some(template) = &arguments.template {
        let Some(template) = template.to_str() else {
            return Err(RenderError::OptionConflict {
                detail: format!(
                    "the name of the template `{}` is not UTF-8",
                    template.display()
                ),
            });
        };
        given.push(("template".into(), json!(template)));
    }
    if let Some(depth) = arguments.max_depth {
        given.push(("max_depth".into(), json!(depth)));
    }
    for option in &arguments.render_option {
        given.push(parse_option(option)?);
    }
    RenderOptions::of(renderer, given)
}

/// Adds what a stream can show, for what was not asked for.
pub(crate) fn assume_stream(
    options: &mut RenderOptions,
    renderer: &dyn Renderer,
    arguments: &OutputArgs,
    stream: &impl IsTerminal,
) {
    let color = (terminal::can_color(stream) || arguments.color) && !arguments.no_color;
    let unicode = (terminal::locale_is_utf8() || arguments.unicode) && !arguments.no_unicode;
    options.assume(renderer, "color", color);
    options.assume(renderer, "unicode", unicode);
    options.assume(renderer, "links", terminal::can_link(stream));
    if let Some(width) = terminal::width(stream) {
        options.assume(renderer, "width", width);
    }
}

/// The same for a file, which knows no terminal and no locale.
pub(crate) fn assume_file(
    options: &mut RenderOptions,
    renderer: &dyn Renderer,
    arguments: &OutputArgs,
) {
    options.assume(renderer, "color", arguments.color && !arguments.no_color);
    options.assume(renderer, "unicode", !arguments.no_unicode);
}

/// A pattern of a shell as a regular expression, as Python's `fnmatch.translate` makes one: it is for the whole path.
fn translated(pattern: &str) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut regex = String::from("(?s:");
    let mut rest = characters.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match class(after) {
                Some((class, after)) => {
                    regex.push_str(&class);
                    rest = after;
                }
                None => regex.push_str(r"\["),
            },
            other => {
                if !other.is_alphanumeric() && *other != '_' && other.is_ascii() {
                    regex.push('\\');
                }
                regex.push(*other);
            }
        }
    }
    regex + r")\Z"
}

/// A set of characters behind its bracket, and what comes after it; `None` where it does not end.
fn class(after: &[char]) -> Option<(String, &[char])> {
    let is_negated = after.first() == Some(&'!');
    let members = &after[usize::from(is_negated)..];
    // A bracket that comes first is a member.
    let end = 1 + members.iter().skip(1).position(|member| *member == ']')?;
    let mut class = String::from(if is_negated { "[^" } else { "[" });
    for member in &members[..end] {
        if matches!(member, '\\' | '[' | ']' | '^' | '&' | '~') {
            class.push('\\');
        }
        class.push(*member);
    }
    class.push(']');
    Some((class, &members[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_a_shell_are_for_whole_paths() {
        assert_eq!(translated("*/vendor/*"), r"(?s:.*\/vendor\/.*)\Z");
        assert_eq!(translated("a?[!b-d].py"), r"(?s:a.[^b-d]\.py)\Z");
        assert_eq!(translated("[]x]["), r"(?s:[\]x]\[)\Z");
    }
}
