//! JSON token by token, from a stream: no more of it is in memory than the token at hand.
//!
//! What a token means is for the caller to say. Small values are handed to serde_json as they are.

use std::io::{self, Read};

/// How much is read at once.
const CHUNK: usize = 1 << 20;
/// The most bytes of one text or number.
const MAX_TOKEN: usize = 16 << 20;
/// The most brackets that may be open within a small value.
const MAX_NESTING: usize = 64;

/// What can be wrong with a stream of JSON.
#[derive(Debug)]
pub(super) enum Fault {
    /// The system refused to read.
    Io(io::Error),
    /// It ends where more must come.
    CutOff,
    /// It is not JSON, or not what should be there.
    Wrong {
        /// How many bytes are before it.
        at: u64,
        /// What is wrong.
        detail: String,
    },
}

/// The unread rest of a stream of JSON.
pub(super) struct Scanner<R> {
    source: R,
    buffer: Vec<u8>,
    /// What has been taken of the buffer, and what is filled.
    start: usize,
    end: usize,
    /// Bytes that were in the buffer before.
    passed: u64,
    is_finished: bool,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            passed: 0,
            is_finished: false,
        }
    }

    /// What is wrong here.
    pub(super) fn wrong(&self, detail: impl Into<String>) -> Fault {
        Fault::Wrong {
            at: self.passed + self.start as u64,
            detail: detail.into(),
        }
    }

    /// What has been read from the stream and not been taken.
    pub(super) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes bytes that are [`buffered`](Self::buffered).
    pub(super) fn take(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.end, "bug: took more than there was");
    }

    /// The next byte that is not white space, which is not taken; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            let rest = self.buffered();
            if let Some(blanks) = rest.iter().position(|byte| !blank(byte)) {
                let byte = rest[blanks];
                self.start += blanks;
                return Ok(Some(byte));
            }
            self.start = self.end;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The next byte that is not white space, of which there must be one.
    pub(super) fn must_peek(&mut self) -> Result<u8, Fault> {
        self.peek()?.ok_or(Fault::CutOff)
    }

    /// Takes the next byte if it is this one.
    pub(super) fn accept(&mut self, byte: u8) -> Result<bool, Fault> {
        let is_next = self.must_peek()? == byte;
        self.start += usize::from(is_next);
        Ok(is_next)
    }

    /// Takes the next byte, which must be this one.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        match self.accept(byte)? {
            true => Ok(()),
            false => Err(self.wrong(format!("`{}` is missing", char::from(byte)))),
        }
    }

    /// Takes a text as it is in the file, with its quotes and escapes.
    pub(super) fn text(&mut self) -> Result<&[u8], Fault> {
        if self.must_peek()? != b'"' {
            return Err(self.wrong("a text is missing"));
        }
        // Offsets from the start of the token: the buffer may move below it.
        let mut length = 1;
        loop {
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\');
            let rest = &self.buffered()[length..];
            match rest.iter().position(is_special) {
                Some(plain) if rest[plain] == b'"' => {
                    length += plain + 1;
                    break;
                }
                // What is escaped is not looked at, and may not have been read yet.
                Some(plain) => length += plain + 2,
                None => length += rest.len(),
            }
            while self.buffered().len() <= length {
                self.must_fill()?;
            }
        }
        let start = self.start;
        self.start += length;
        Ok(&self.buffer[start..start + length])
    }

    /// Takes a number or a word, such as `null`.
    pub(super) fn word(&mut self) -> Result<&[u8], Fault> {
        self.must_peek()?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let mut length = 0;
        loop {
            let rest = &self.buffered()[length..];
            match rest.iter().position(|byte| !is_part(byte)) {
                Some(more) => {
                    length += more;
                    break;
                }
                None => length += rest.len(),
            }
            // Around every word there is something that has to end.
            self.must_fill()?;
        }
        if length == 0 {
            return Err(self.wrong("a value is missing"));
        }
        let start = self.start;
        self.start += length;
        Ok(&self.buffer[start..start + length])
    }

    /// Takes a number that can be reckoned with.
    pub(super) fn number(&mut self) -> Result<f64, Fault> {
        let number = std::str::from_utf8(self.word()?)
            .ok()
            .and_then(|word| word.parse::<f64>().ok())
            .filter(|number| number.is_finite());
        number.ok_or_else(|| self.wrong("a number is missing"))
    }

    /// Takes a value of any kind, white space left out. That brackets match is not checked.
    pub(super) fn value(&mut self) -> Result<Vec<u8>, Fault> {
        let mut value = Vec::new();
        let mut open = 0_usize;
        loop {
            match self.must_peek()? {
                b'"' => value.extend_from_slice(self.text()?),
                byte @ (b'{' | b'}' | b'[' | b']' | b',' | b':') => {
                    match byte {
                        b'{' | b'[' => open += 1,
                        b'}' | b']' if open > 0 => open -= 1,
                        _ if open > 0 => {}
                        _ => return Err(self.wrong("a value is missing")),
                    }
                    self.start += 1;
                    value.push(byte);
                }
                _ => value.extend_from_slice(self.word()?),
            }
            if open == 0 {
                return Ok(value);
            }
            if open > MAX_NESTING {
                return Err(self.wrong("it is nested too deeply"));
            }
            if value.len() > MAX_TOKEN {
                return Err(self.wrong("it is larger than 16 MiB"));
            }
        }
    }

    fn must_fill(&mut self) -> Result<(), Fault> {
        match self.fill()? {
            true => Ok(()),
            false => Err(Fault::CutOff),
        }
    }

    /// Reads more behind what has not been taken; false at the end of the stream.
    fn fill(&mut self) -> Result<bool, Fault> {
        if self.is_finished {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.passed += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            if self.end >= MAX_TOKEN {
                return Err(self.wrong("a text is longer than 16 MiB"));
            }
            self.buffer.resize(2 * self.end, 0);
        }
        let count = loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(Fault::Io)?,
            }
        };
        self.end += count;
        self.is_finished = count == 0;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time, so that every token crosses the end of the buffer.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(out.len()).min(1);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn tokens_come_out_whole_however_they_come_in() {
        let json = br#" { "a\"\\" : [ -1.5e3 , null ] }  "#;
        let mut scanner = Scanner::new(Drops(json));
        scanner.expect(b'{').expect("it is there");
        assert_eq!(scanner.text().expect("it is there"), br#""a\"\\""#);
        scanner.expect(b':').expect("it is there");
        scanner.expect(b'[').expect("it is there");
        assert_eq!(scanner.number().expect("it is there"), -1500.0);
        assert!(scanner.accept(b',').expect("it is there"));
        assert_eq!(scanner.value().expect("it is there"), b"null");
        scanner.expect(b']').expect("it is there");
        scanner.expect(b'}').expect("it is there");
        assert_eq!(scanner.peek().expect("it is there"), None);
    }

    #[test]
    fn a_value_comes_as_it_is() {
        let mut scanner = Scanner::new(Drops(br#"{"a": ["]", {}], "b": 1}, 2"#));
        let value = scanner.value().expect("it is there");
        assert_eq!(value, br#"{"a":["]",{}],"b":1}"#);
        assert!(matches!(scanner.value(), Err(Fault::Wrong { at: 24, .. })));
    }

    #[test]
    fn what_ends_too_early_is_cut_off() {
        for json in [&b"\"abc"[..], b"\"abc\\", b"[1, ", b"{\"a\"", b"  "] {
            let mut scanner = Scanner::new(Drops(json));
            assert!(matches!(scanner.value(), Err(Fault::CutOff)), "{json:?}");
        }
    }

    #[test]
    fn brackets_and_lengths_are_bounded() {
        let deep = "[".repeat(1_000_000);
        let fault = Scanner::new(deep.as_bytes()).value();
        assert!(matches!(fault, Err(Fault::Wrong { at: 65, .. })));
        let mut long = vec![b'a'; MAX_TOKEN + CHUNK];
        long[0] = b'"';
        let fault = Scanner::new(&long[..]).text().map(<[u8]>::len);
        assert!(matches!(fault, Err(Fault::Wrong { at: 0, .. })));
    }
}
