//! The small keys of a session: everything but the samples.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

use crate::formats::seconds::{MAX_SECONDS, nanos};
use crate::{ClockAnchor, Hold, Manifest, Program, StacksSummary, StartStack, Timestamp};

/// What the file says about the recording.
#[derive(Debug, Default)]
pub(super) struct Head {
    start_time: Option<f64>,
    duration: Option<f64>,
    min_interval: Option<f64>,
    max_interval: Option<f64>,
    cpu_time: Option<f64>,
    sample_count: Option<u64>,
    description: Option<String>,
    sys_path: Option<Vec<String>>,
    sys_prefixes: Option<Vec<String>>,
    pub(super) start_call_stack: Vec<String>,
}

/// The interval of sessions from before it was written down.
const OLD_INTERVAL_S: f64 = 0.001;

impl Head {
    /// Takes in a key and its value, or says what is wrong with the value. Keys that nobody knows are left out.
    pub(super) fn set(&mut self, key: &str, value: &[u8]) -> Result<(), &'static str> {
        match key {
            "start_time" => self.start_time = number(value)?,
            "duration" => self.duration = positive(value)?,
            "min_interval" => self.min_interval = positive(value)?,
            "max_interval" => self.max_interval = positive(value)?,
            "cpu_time" => self.cpu_time = positive(value)?,
            "sample_count" => {
                self.sample_count = parse(value).map_err(|()| "it is not a count of samples")?;
            }
            // Its name in version 4.
            "program" | "target_description" => self.description = text(value)?,
            "sys_path" => self.sys_path = texts(value)?,
            "sys_prefixes" => self.sys_prefixes = texts(value)?,
            "start_call_stack" => self.start_call_stack = texts(value)?.unwrap_or_default(),
            _ => {
                let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(value).is_ok();
                return is_json.then_some(()).ok_or("it is not JSON");
            }
        }
        Ok(())
    }

    /// The key without which there is no session, if one is missing.
    pub(super) fn missing(&self) -> Option<&'static str> {
        match self {
            Self {
                start_time: None, ..
            } => Some("start_time"),
            Self { duration: None, .. } => Some("duration"),
            _ => None,
        }
    }

    /// The manifest. The session's clock is 0 when the recording starts.
    pub(super) fn into_manifest(self, start_stack: Option<StartStack>, samples: u64) -> Manifest {
        let interval = self.min_interval.unwrap_or(OLD_INTERVAL_S);
        let max_interval = self.max_interval.filter(|&max| max != interval);
        let end = Timestamp::from_nanos(nanos(self.duration.unwrap_or_default()));
        let duration = |seconds| std::time::Duration::from_nanos(nanos(seconds).unsigned_abs());
        Manifest {
            sys_path: self.sys_path,
            sys_prefixes: self.sys_prefixes,
            program: Program {
                description: self.description.unwrap_or_default(),
                ..Program::default()
            },
            clock: ClockAnchor {
                monotonic: Timestamp::from_nanos(0),
                unix_ns: nanos(self.start_time.unwrap_or_default()),
                utc_offset_s: 0,
            },
            end,
            start_stack,
            cpu_time: self.cpu_time.map(duration),
            stacks: Some(StacksSummary {
                interval: duration(interval),
                max_interval: max_interval.map(duration),
                ticks: self.sample_count.unwrap_or(samples),
                span: end.since(Timestamp::from_nanos(0)),
                hold: Hold::Unknown,
                ..StacksSummary::default()
            }),
            notes: vec!["recorded by pyinstrument".into()],
            ..Manifest::default()
        }
    }
}

fn parse<'de, T: Deserialize<'de>>(value: &'de [u8]) -> Result<T, ()> {
    serde_json::from_slice(value).map_err(drop)
}

fn number(value: &[u8]) -> Result<Option<f64>, &'static str> {
    if value == b"null" {
        return Ok(None);
    }
    // Not by serde_json, which may be wrong in the last digit.
    let number = std::str::from_utf8(value).ok();
    let number = number.and_then(|text| text.parse::<f64>().ok());
    match number.filter(|number| number.is_finite()) {
        None => Err("it is not a number"),
        Some(number) if number.abs() > MAX_SECONDS => Err("it is more than 292 years"),
        number => Ok(number),
    }
}

fn positive(value: &[u8]) -> Result<Option<f64>, &'static str> {
    match number(value)? {
        Some(number) if number < 0.0 => Err("it is negative"),
        number => Ok(number),
    }
}

fn text(value: &[u8]) -> Result<Option<String>, &'static str> {
    let text: Option<Text> = parse(value).map_err(|()| "it is not a text")?;
    Ok(text.map(|text| text.0))
}

fn texts(value: &[u8]) -> Result<Option<Vec<String>>, &'static str> {
    let texts: Option<Vec<Text>> = parse(value).map_err(|()| "it is not a list of texts")?;
    Ok(texts.map(|texts| texts.into_iter().map(|text| text.0).collect()))
}

/// A text of Python's. One that stands for bytes that are not UTF-8, such as the name of a file, has halves of pairs of
/// code units (PEP 383), which no text of ours can have: they become U+FFFD.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Text, E> {
                // The halves come as the three bytes that they would have in UTF-8.
                let is_half = |bytes: &[u8]| matches!(bytes, [0xed, 0xa0..=0xbf, _]);
                match std::str::from_utf8(bytes) {
                    Ok(text) => Ok(Text(text.into())),
                    Err(_) if bytes.windows(3).any(is_half) => {
                        Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
                    }
                    Err(_) => Err(E::custom("it is not UTF-8")),
                }
            }
        }

        // Not as a string: that would be an error for the halves.
        deserializer
            .deserialize_bytes(Bytes)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_value_is_said() {
        let mut head = Head::default();
        for (key, value, expected) in [
            ("duration", "-1", "it is negative"),
            ("duration", "\"1\"", "it is not a number"),
            ("start_time", "1e300", "it is more than 292 years"),
            ("sample_count", "-1", "it is not a count of samples"),
            ("target_description", "5", "it is not a text"),
            ("sys_path", "[1]", "it is not a list of texts"),
            ("start_call_stack", "{}", "it is not a list of texts"),
            ("unheard of", "[}", "it is not JSON"),
        ] {
            assert_eq!(head.set(key, value.as_bytes()), Err(expected), "{key}");
        }
        assert_eq!(head.set("cpu_time", b"null"), Ok(()));
        assert_eq!(head.set("sys_path", br#"["a\udc80b"]"#), Ok(()));
        let odd = "a\u{fffd}\u{fffd}\u{fffd}b".to_owned();
        assert_eq!(head.sys_path, Some(vec![odd]));
    }
}
