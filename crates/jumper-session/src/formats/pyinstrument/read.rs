//! From a `.pyisession` to a session.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::formats::pyinstrument::frame_info::FrameInfo;
use crate::formats::pyinstrument::head::{Head, Text};
use crate::formats::pyinstrument::scan::{Fault, Scanner};
use crate::formats::pyinstrument::{NAME, RECORDS, THREAD_FILE};
use crate::formats::seconds::{MAX_SECONDS, nanos};
use crate::{
    Function, FunctionId, Host, NewSample, Place, ProcessId, Session, SessionBuilder, StackId,
    StartStack, ThreadId, ThreadState, Timestamp,
};

/// Reads a `.pyisession` file.
///
/// # Errors
/// [`Error::Read`] when the system refuses, [`Error::ForeignIncomplete`] when the file is cut off, and
/// [`Error::ForeignDamaged`] with the key at fault when it is not what pyinstrument writes.
pub fn read(path: impl AsRef<Path>) -> Result<Session> {
    let path = path.as_ref();
    // Asked before opening: opening a named pipe would wait for a writer, perhaps for ever.
    let metadata = fs::metadata(path).map_err(|error| Error::read(path, error))?;
    if metadata.is_dir() {
        return Err(Error::read(path, io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(damaged(path, None, "it is not a regular file".into()));
    }
    let file = File::open(path).map_err(|error| Error::read(path, error))?;
    read_from(file, path)
}

/// Reads what a `.pyisession` file holds from elsewhere. `path` is what errors call it.
///
/// # Errors
/// As [`read`].
pub fn read_from(source: impl Read, path: &Path) -> Result<Session> {
    let mut reader = Reader::new(source);
    reader.object().map_err(|fault| reader.error(path, fault))?;
    reader.finish(path)
}

fn damaged(path: &Path, key: Option<String>, detail: String) -> Error {
    Error::ForeignDamaged {
        path: path.into(),
        format: NAME,
        file: None,
        key,
        detail,
    }
}

/// The most samples of a session: what numbers of rows allow, with room to spare.
const MAX_SAMPLES: usize = 1 << 31;

/// The most bytes of a stack that are kept to be compared with the next.
const MAX_KEPT: usize = 64 << 20;

struct Reader<R> {
    scanner: Scanner<R>,
    /// The key at hand.
    key: Option<String>,
    head: Head,
    has_records: bool,
    builder: SessionBuilder,
    process: ProcessId,
    /// What has been met, by its text as it is in the file. The standard hasher: texts can be made to collide.
    threads: HashMap<Box<[u8]>, ThreadId>,
    frames: HashMap<Box<[u8]>, (FunctionId, Place)>,
    thread_ids: HashMap<(String, u64), ThreadId>,
    /// The thread of stacks that do not say whose they are.
    anonymous: Option<ThreadId>,
    /// The stack of the sample at hand, which begins as that of the one before.
    stack: OpenStack,
    /// Nanoseconds from the start to the sample at hand.
    time: i64,
}

/// A stack as text and as handles.
#[derive(Default)]
struct OpenStack {
    /// What is in the file behind the opening bracket, up to the end of the last frame.
    text: Vec<u8>,
    frames: Vec<OpenFrame>,
}

struct OpenFrame {
    /// Where the frame ends in the text; beyond all texts if that is not kept.
    end: usize,
    /// The stack up to here, unless the frame is that of a thread.
    stack: Option<StackId>,
    /// Whose stack it is.
    thread: Option<ThreadId>,
}

impl OpenStack {
    /// Adds to the text if it is not too long already, and says where that ends.
    fn keep(&mut self, text: &[u8]) -> usize {
        let is_whole = self.frames.last().is_none_or(|last| last.end != usize::MAX);
        if !is_whole || self.text.len() + text.len() > MAX_KEPT {
            return usize::MAX;
        }
        self.text.extend_from_slice(text);
        self.text.len()
    }
}

impl<R: Read> Reader<R> {
    fn new(source: R) -> Self {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 0, None);
        Self {
            scanner: Scanner::new(source),
            key: None,
            head: Head::default(),
            has_records: false,
            builder,
            process,
            threads: HashMap::new(),
            frames: HashMap::new(),
            thread_ids: HashMap::new(),
            anonymous: None,
            stack: OpenStack::default(),
            time: 0,
        }
    }

    fn error(&self, path: &Path, fault: Fault) -> Error {
        match fault {
            Fault::Io(error) => Error::read(path, error),
            Fault::CutOff => Error::ForeignIncomplete {
                path: path.into(),
                format: NAME,
            },
            Fault::Wrong { at, detail } => {
                damaged(path, self.key.clone(), format!("{detail} (at byte {at})"))
            }
        }
    }

    fn object(&mut self) -> Result<(), Fault> {
        if self.scanner.must_peek()? != b'{' {
            return Err(self.scanner.wrong("it is not a JSON object"));
        }
        self.scanner.take(1);
        let mut is_first = true;
        while !self.scanner.accept(b'}')? {
            if !is_first {
                self.scanner.expect(b',')?;
            }
            is_first = false;
            let key = decode(self.scanner.text()?);
            let key = key.ok_or_else(|| self.scanner.wrong("a key is not a text"))?;
            self.scanner.expect(b':')?;
            self.key = Some(key.clone());
            match key == RECORDS {
                true => self.records()?,
                false => {
                    let value = self.scanner.value()?;
                    let set = self.head.set(&key, &value);
                    set.map_err(|detail| self.scanner.wrong(detail))?;
                }
            }
            self.key = None;
        }
        match self.scanner.peek()? {
            None => Ok(()),
            Some(_) => Err(self.scanner.wrong("something follows its end")),
        }
    }

    fn records(&mut self) -> Result<(), Fault> {
        if std::mem::replace(&mut self.has_records, true) {
            return Err(self.scanner.wrong("it is there twice"));
        }
        self.scanner.expect(b'[')?;
        if self.scanner.accept(b']')? {
            return Ok(());
        }
        loop {
            self.record()?;
            if self.scanner.accept(b']')? {
                return Ok(());
            }
            self.scanner.expect(b',')?;
        }
    }

    /// `[[FRAME, ...], SECONDS]`
    fn record(&mut self) -> Result<(), Fault> {
        self.scanner.expect(b'[')?;
        self.scanner.expect(b'[')?;
        self.frames()?;
        self.scanner.expect(b',')?;
        let seconds = self.scanner.number()?;
        self.scanner.expect(b']')?;
        if seconds < 0.0 {
            return Err(self.scanner.wrong("a sample has a negative time"));
        }
        if seconds > MAX_SECONDS {
            return Err(self.scanner.wrong("a sample is longer than 292 years"));
        }
        if self.builder.sample_count() >= MAX_SAMPLES {
            return Err(self.scanner.wrong("it has more than 2^31 samples"));
        }
        let last = self.stack.frames.last();
        let (thread, stack) = last.map_or((None, None), |last| (last.thread, last.stack));
        let thread = thread.unwrap_or_else(|| self.anonymous_thread());
        let nanos = nanos(seconds);
        self.time = self.time.saturating_add(nanos);
        self.builder.push_sample(NewSample {
            time: Timestamp::from_nanos(self.time),
            duration: Duration::from_nanos(nanos.unsigned_abs()),
            thread,
            task: None,
            state: ThreadState::NONE,
            stack,
        });
        Ok(())
    }

    /// Reads the frames behind an opening bracket, and the closing one.
    fn frames(&mut self) -> Result<(), Fault> {
        self.keep_common();
        loop {
            // A separator is part of the text, so that what follows it can be compared.
            let is_first = self.stack.frames.is_empty();
            match self.scanner.must_peek()? {
                b']' => {
                    self.scanner.take(1);
                    return Ok(());
                }
                b',' if !is_first => {
                    self.scanner.take(1);
                    self.keep_separator()?;
                }
                b'"' if is_first => {}
                _ => return Err(self.scanner.wrong("a frame is missing")),
            }
            self.frame()?;
        }
    }

    /// Leaves of the stack before what the one at hand begins with, and takes that.
    fn keep_common(&mut self) {
        let common = common_prefix(self.scanner.buffered(), &self.stack.text);
        let kept = self
            .stack
            .frames
            .partition_point(|frame| frame.end <= common);
        let end = kept
            .checked_sub(1)
            .map_or(0, |last| self.stack.frames[last].end);
        self.stack.frames.truncate(kept);
        self.stack.text.truncate(end);
        self.scanner.take(end);
    }

    /// Takes a comma that has been read, and the white space behind it, into the text of the stack.
    fn keep_separator(&mut self) -> Result<(), Fault> {
        let rest = self.scanner.buffered();
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let blanks = rest.iter().take_while(is_blank).count();
        self.stack.keep(b",");
        self.stack.keep(&rest[..blanks]);
        self.scanner.must_peek().map(drop)
    }

    fn frame(&mut self) -> Result<(), Fault> {
        let raw = self.scanner.text()?;
        let end = self.stack.keep(raw);
        let caller = self.stack.frames.last();
        let is_outermost = caller.is_none();
        let (thread, caller) = caller.map_or((None, None), |caller| (caller.thread, caller.stack));
        let known_thread = self.threads.get(raw).filter(|_| is_outermost);
        let met = match (known_thread, self.frames.get(raw)) {
            (Some(&thread), _) => Ok(Met::Thread(thread)),
            (None, Some(&(function, place))) => Ok(Met::Function(function, place)),
            (None, None) => {
                let raw = Box::from(raw);
                self.meet(raw, is_outermost)
            }
        };
        let (thread, stack) = match met.map_err(|detail| self.scanner.wrong(detail))? {
            Met::Thread(thread) => (Some(thread), None),
            Met::Function(function, place) => {
                let stack = self.builder.intern_stack(caller, function, place);
                (thread, Some(stack))
            }
        };
        self.stack.frames.push(OpenFrame { end, stack, thread });
        Ok(())
    }

    /// Makes out a text that was not met before.
    fn meet(&mut self, raw: Box<[u8]>, is_outermost: bool) -> Result<Met, &'static str> {
        let text = decode(&raw).ok_or("a frame is not a text")?;
        let met = self.understand(&text, is_outermost)?;
        match met {
            Met::Thread(thread) => drop(self.threads.insert(raw, thread)),
            Met::Function(function, place) => drop(self.frames.insert(raw, (function, place))),
        }
        Ok(met)
    }

    fn understand(&mut self, text: &str, is_outermost: bool) -> Result<Met, &'static str> {
        let info = FrameInfo::parse(text)?;
        if is_outermost && info.file == THREAD_FILE {
            let thread = (info.name.to_owned(), info.number);
            let id = self.thread_ids.entry(thread).or_insert_with(|| {
                self.builder
                    .add_thread(self.process, info.number, Some(info.name))
            });
            return Ok(Met::Thread(*id));
        }
        let first_line =
            u32::try_from(info.number).map_err(|_| "a frame has a line beyond 2^32")?;
        let function = self.builder.intern_function(&Function {
            name: info.name,
            qualname: None,
            file: info.file,
            first_line,
            hidden: info.hidden,
        });
        let place = Place {
            line: info.line,
            class: info.class.map(|class| self.builder.intern_string(class)),
            ..Place::default()
        };
        Ok(Met::Function(function, place))
    }

    fn anonymous_thread(&mut self) -> ThreadId {
        *self
            .anonymous
            .get_or_insert_with(|| self.builder.add_thread(self.process, 0, None))
    }

    fn finish(mut self, path: &Path) -> Result<Session> {
        let missing = self.head.missing();
        if let Some(key) = missing.or((!self.has_records).then_some(RECORDS)) {
            return Err(damaged(path, Some(key.into()), "it is missing".into()));
        }
        let start = self
            .start_stack()
            .map_err(|detail| damaged(path, Some("start_call_stack".into()), detail.into()))?;
        let samples = self.builder.sample_count() as u64;
        let manifest = self.head.into_manifest(start, samples);
        Ok(self.builder.finish(manifest))
    }

    fn start_stack(&mut self) -> Result<Option<StartStack>, &'static str> {
        let texts = std::mem::take(&mut self.head.start_call_stack);
        // One empty frame is what sessions get that were not started from within.
        if texts.iter().all(String::is_empty) {
            return Ok(None);
        }
        let (mut thread, mut stack) = (None, None);
        for (depth, text) in texts.iter().enumerate() {
            match self.understand(text, depth == 0)? {
                Met::Thread(id) => thread = Some(id),
                Met::Function(function, place) => {
                    stack = Some(self.builder.intern_stack(stack, function, place));
                }
            }
        }
        let thread = thread.unwrap_or_else(|| self.anonymous_thread());
        Ok(Some(StartStack {
            thread: thread.as_u32(),
            stack: stack.map(StackId::as_u32),
        }))
    }
}

/// What a text of a stack stands for.
#[derive(Clone, Copy)]
enum Met {
    Thread(ThreadId),
    Function(FunctionId, Place),
}

fn decode(raw: &[u8]) -> Option<String> {
    serde_json::from_slice(raw).ok().map(|text: Text| text.0)
}

/// How many bytes two texts have in common at their beginning.
fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    // Long strides first: comparing these is one call of the C library's memcmp.
    const STRIDE: usize = 64;
    let strides = one.chunks_exact(STRIDE).zip(other.chunks_exact(STRIDE));
    let start = STRIDE * strides.take_while(|(one, other)| one == other).count();
    let rest = one[start..].iter().zip(&other[start..]);
    start + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_beginning_is_found_to_the_byte() {
        let text: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for length in [0, 1, 63, 64, 65, 500, 999] {
            let mut other = text.clone();
            other[length] ^= 1;
            assert_eq!(common_prefix(&text, &other), length);
            assert_eq!(common_prefix(&text, &text[..length]), length);
        }
    }
}
