//! A frame as pyinstrument writes it: one text, whose parts are separated by control characters.
//!
//! `NAME \0 FILE \0 FIRST_LINE` says which function it is (for frames that are none, such as `[await]`, there is only the
//! name). After that come attributes of the moment, each behind `\x01` and led by a letter: the class, the line, and
//! whether the function asks to be left out.

use std::borrow::Cow;
use std::fmt::Write;

/// Between the parts of the identity.
const PART: char = '\0';
/// In front of each attribute.
const ATTRIBUTE: char = '\x01';

/// The parts of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FrameInfo<'a> {
    pub(super) name: &'a str,
    pub(super) file: &'a str,
    /// A line, or for a thread its number.
    pub(super) number: u64,
    pub(super) class: Option<&'a str>,
    /// 0 is unknown.
    pub(super) line: u32,
    pub(super) hidden: bool,
}

impl<'a> FrameInfo<'a> {
    /// Takes a text apart, or says what is wrong with it.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let mut attributes = text.split(ATTRIBUTE);
        let mut parts = attributes.next().unwrap_or_default().split(PART);
        let mut info = Self {
            name: parts.next().unwrap_or_default(),
            file: parts.next().unwrap_or_default(),
            number: parts.next().map_or(Ok(0), first_line)?,
            ..Self::default()
        };
        if parts.next().is_some() {
            return Err("a frame has more than name, file and line");
        }
        for attribute in attributes {
            let mut chars = attribute.chars();
            let (marker, value) = (chars.next(), chars.as_str());
            match marker {
                Some('c') if !value.is_empty() => info.class = Some(value),
                Some('l') => info.line = value.parse().unwrap_or(0),
                Some('h') => info.hidden = value == "1",
                // Later versions may have more.
                _ => {}
            }
        }
        Ok(info)
    }

    /// The frame as one text.
    pub(super) fn encode(&self) -> String {
        let mut text = plain(self.name).into_owned();
        // Never fails on a `String`.
        if !(self.file.is_empty() && self.number == 0) {
            let _ = write!(text, "{PART}{}{PART}{}", plain(self.file), self.number);
        }
        if let Some(class) = self.class {
            let _ = write!(text, "{ATTRIBUTE}c{}", plain(class));
        }
        if self.line > 0 {
            let _ = write!(text, "{ATTRIBUTE}l{}", self.line);
        }
        if self.hidden {
            let _ = write!(text, "{ATTRIBUTE}h1");
        }
        text
    }
}

/// Code that was compiled from a tree without places can have lines below 1: they are as good as unknown.
fn first_line(text: &str) -> Result<u64, &'static str> {
    let is_negative = text.strip_prefix('-').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    match text.parse() {
        Ok(number) => Ok(number),
        Err(_) if is_negative => Ok(0),
        Err(_) => Err("a frame has a line that is not a number"),
    }
}

/// A text without the characters that would end it.
fn plain(text: &str) -> Cow<'_, str> {
    match text.contains([PART, ATTRIBUTE]) {
        true => text.replace([PART, ATTRIBUTE], "\u{fffd}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives_both_ways() {
        let texts = [
            "run\0/a/b.py\x0012\x01cWorker\x01l15\x01h1",
            "run\0/a/b.py\x0012\x01l15",
            "MainThread\0<thread>\x00140283",
            "sleep\0<built-in>\x000",
            "[await]",
            "\0f\x003",
        ];
        for text in texts {
            let info = FrameInfo::parse(text).expect("it is one");
            assert_eq!(info.encode(), text);
        }
    }

    #[test]
    fn what_is_odd_is_unknown_and_what_is_wrong_is_said() {
        let info = FrameInfo::parse("f\0x\0-1\x01lx\x01c\x01\x01zz\x01h0").expect("it is one");
        let expected = FrameInfo {
            name: "f",
            file: "x",
            ..FrameInfo::default()
        };
        assert_eq!(info, expected);
        assert!(FrameInfo::parse("f\0x\0one").is_err());
        assert!(FrameInfo::parse("f\0x\0-").is_err());
        assert!(FrameInfo::parse("f\0x\x001\0").is_err());
    }

    #[test]
    fn separators_cannot_be_smuggled_in() {
        let info = FrameInfo {
            name: "a\0b",
            file: "c\x01d",
            number: 1,
            class: Some("e\x01h1"),
            ..FrameInfo::default()
        };
        let text = info.encode();
        let read = FrameInfo::parse(&text).expect("it is one");
        assert_eq!((read.name, read.file), ("a\u{fffd}b", "c\u{fffd}d"));
        assert!(!read.hidden);
    }
}
