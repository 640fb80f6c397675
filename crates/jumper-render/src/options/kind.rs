//! Which values an option takes.

use jumper_session::PathPattern;
use serde_json::Value;

/// Which values an option takes, and which one it has by default.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum OptionKind {
    /// `true` or `false`.
    Flag {
        /// What it is by default.
        default: bool,
    },
    /// A number.
    Number {
        /// What it is by default.
        default: f64,
        /// The smallest one that makes sense.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// A whole number, or `null` for no limit.
    Count {
        /// What it is by default.
        default: Option<u64>,
        /// The smallest one that makes sense.
        min: u64,
    },
    /// A text, or `null` for none.
    Text,
    /// A regular expression for paths ([`PathPattern`]), or `null` for none.
    Pattern,
    /// One of some words.
    Choice {
        /// What it is by default.
        default: &'static str,
        /// The words.
        of: &'static [&'static str],
    },
    /// Any of some words; of any words, if there are none here. Words with commas between them, or an array.
    List {
        /// What it is by default.
        default: &'static [&'static str],
        /// The words.
        of: &'static [&'static str],
    },
}

/// A value of an option that was checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setting {
    Flag(bool),
    Number(f64),
    Count(Option<u64>),
    Text(Option<String>),
    Pattern(Option<PathPattern>),
    List(Vec<String>),
}

impl OptionKind {
    /// What is asked for, for people who passed something else.
    pub fn wanted(&self) -> String {
        match self {
            Self::Flag { .. } => "true or false".into(),
            Self::Number { min, max, .. } if max.is_finite() => {
                format!("a number from {min} to {max}")
            }
            Self::Number { min, .. } => format!("a number of at least {min}"),
            Self::Count { min, .. } => format!("a whole number of at least {min}, or null"),
            Self::Text => "a text, or null".into(),
            Self::Pattern => "a regular expression for paths, or null".into(),
            Self::Choice { of, .. } => format!("one of {}", of.join(", ")),
            Self::List { of: [], .. } => "words with commas between them".into(),
            Self::List { of, .. } => format!("some of {}, with commas between them", of.join(", ")),
        }
    }

    /// The default, for people.
    pub fn default_text(&self) -> String {
        match self {
            Self::Flag { default } => default.to_string(),
            Self::Number { default, .. } => default.to_string(),
            Self::Count { default, .. } => default.map_or("null".into(), |count| count.to_string()),
            Self::Text | Self::Pattern => "null".into(),
            Self::Choice { default, .. } => (*default).into(),
            Self::List { default, .. } => default.join(","),
        }
    }

    pub(super) fn default_setting(&self) -> Setting {
        let owned = |word: &&str| String::from(*word);
        match self {
            Self::Flag { default } => Setting::Flag(*default),
            Self::Number { default, .. } => Setting::Number(*default),
            Self::Count { default, .. } => Setting::Count(*default),
            Self::Text => Setting::Text(None),
            Self::Pattern => Setting::Pattern(None),
            Self::Choice { default, .. } => Setting::Text(Some((*default).into())),
            Self::List { default, .. } => Setting::List(default.iter().map(owned).collect()),
        }
    }

    /// The value, or else what is wanted.
    pub(super) fn setting(&self, value: &Value) -> Result<Setting, String> {
        let found = match (self, value) {
            (Self::Flag { .. }, Value::Bool(flag)) => Some(Setting::Flag(*flag)),
            (Self::Number { min, max, .. }, Value::Number(number)) => number
                .as_f64()
                .filter(|number| (*min..=*max).contains(number))
                .map(Setting::Number),
            (Self::Count { .. }, Value::Null) => Some(Setting::Count(None)),
            (Self::Count { min, .. }, Value::Number(number)) => number
                .as_u64()
                .filter(|number| number >= min)
                .map(|number| Setting::Count(Some(number))),
            (Self::Text, Value::Null) => Some(Setting::Text(None)),
            (Self::Text, value) => Some(Setting::Text(Some(text_of(value)))),
            (Self::Pattern, Value::Null) => Some(Setting::Pattern(None)),
            (Self::Pattern, value) => {
                let pattern = PathPattern::new(&text_of(value));
                let pattern = pattern.map_err(|error| format!("{}: {error}", self.wanted()))?;
                Some(Setting::Pattern(Some(pattern)))
            }
            (Self::Choice { of, .. }, Value::String(word)) => of
                .contains(&word.as_str())
                .then(|| Setting::Text(Some(word.clone()))),
            (Self::List { of, .. }, value) => words_of(value)
                .filter(|words| of.is_empty() || words.iter().all(|word| of.contains(&&**word)))
                .map(Setting::List),
            _ => None,
        };
        found.ok_or_else(|| self.wanted())
    }
}

/// A text, also where it looked like something else: `-p title=2024`.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn words_of(value: &Value) -> Option<Vec<String>> {
    let trimmed = |word: &str| word.trim().to_owned();
    match value {
        Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::String(text) => Some(text.split(',').map(trimmed).collect()),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(trimmed))
            .collect(),
        _ => None,
    }
}
