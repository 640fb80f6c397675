//! Patterns for paths, as users of pyinstrument write them.

use regex::Regex;

use crate::error::{Error, Result};

/// A regular expression that is matched against paths of source files, from their beginning.
///
/// It is written as for Python's `re.match`: it has to match at the beginning, and need not reach the end. There are
/// no look-around and no back-references, so that no pattern can take long.
#[derive(Clone, Debug)]
pub struct PathPattern {
    text: String,
    regex: Regex,
}

impl PathPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`Error::Pattern`] if it is not a regular expression, or too large.
    pub fn new(pattern: &str) -> Result<Self> {
        let regex = Regex::new(&in_rust(pattern));
        let regex = regex.map_err(|error| Error::Pattern {
            pattern: pattern.into(),
            detail: reason(&error),
        })?;
        Ok(Self {
            text: pattern.into(),
            regex,
        })
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the beginning of a path matches.
    pub fn is_match(&self, path: &str) -> bool {
        // What is found is the leftmost match.
        let found = self.regex.find(path);
        found.is_some_and(|found| found.start() == 0)
    }
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PathPattern {}

/// The same pattern for the crate `regex`: where Python writes `\Z`, as `fnmatch.translate` does, it wants `\z`.
fn in_rust(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    for char in pattern.chars() {
        out.push(match char {
            'Z' if is_escaped => 'z',
            _ => char,
        });
        is_escaped = char == '\\' && !is_escaped;
    }
    out
}

/// The last line of a message, which says what is wrong; those above show where.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_from_the_beginning_as_in_python() {
        let pattern = PathPattern::new(".*/json/|lib").expect("it is one");
        assert!(pattern.is_match("/usr/lib/json/decoder.py"));
        assert!(pattern.is_match("lib/x.py"));
        assert!(!pattern.is_match("/lib/x.py"));
    }

    #[test]
    fn what_fnmatch_translates_is_understood() {
        let pattern = PathPattern::new(r"(?s:.*/lib/.*)\Z").expect("it is one");
        assert!(pattern.is_match("/a/lib/b.py"));
        assert!(!pattern.is_match("/a/libs/b.py"));
        let backslash = PathPattern::new(r"\\Z").expect("it is one");
        assert!(backslash.is_match("\\Z") && !backslash.is_match("\\z"));
    }

    #[test]
    fn a_bad_pattern_is_an_error_of_one_line() {
        let error = PathPattern::new("(a").expect_err("it is none");
        assert_eq!(
            error.to_string(),
            "`(a` is not a regular expression that can be used: unclosed group; see \
             https://docs.rs/regex/#syntax for what can be written"
        );
        assert!(PathPattern::new("(?=x)").is_err());
        assert!(PathPattern::new("a){2}(").is_err());
    }
}
