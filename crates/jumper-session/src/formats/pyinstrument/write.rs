//! From a session to a `.pyisession`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::file::replace_file;
use crate::formats::pyinstrument::frame_info::FrameInfo;
use crate::formats::pyinstrument::{RECORDS, THREAD_FILE};
use crate::{Session, StackId, ThreadId};

/// Writes a session as a `.pyisession` file, which pyinstrument 5 loads. The file is written beside its place and then
/// renamed, so that what is found there is whole.
///
/// # Errors
/// [`Error::Write`] when the system refuses.
pub fn write(session: &Session, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let fill = |file: &File| {
        let mut out = BufWriter::with_capacity(1 << 18, file);
        write_to(session, &mut out)?;
        out.flush()
    };
    replace_file(path, fill).map_err(|error| Error::write(path, error))
}

/// Writes what a `.pyisession` file holds to elsewhere.
///
/// # Errors
/// When the writer refuses.
pub fn write_to(session: &Session, out: &mut dyn Write) -> io::Result<()> {
    head(session, out)?;
    write!(out, ", \"{RECORDS}\": [")?;
    let mut texts = Texts::new(session);
    for (row, sample) in session.samples().iter().enumerate() {
        out.write_all(if row == 0 { b"[" } else { b", [" })?;
        texts.stack(sample.thread, sample.stack, out)?;
        write!(out, ", {:?}]", seconds(sample.duration))?;
    }
    out.write_all(b"]}\n")
}

/// Everything but the samples, without the closing brace.
fn head(session: &Session, out: &mut dyn Write) -> io::Result<()> {
    let manifest = session.manifest();
    let start = manifest.clock.unix_nanos_at(session.start());
    // In two parts, so that no digit of a time of the day is lost.
    let start_time =
        (start / 1_000_000_000) as f64 + (start % 1_000_000_000) as f64 / 1_000_000_000.0;
    let interval = session.sample_interval().unwrap_or_default();
    let max_interval = manifest.stacks.and_then(|stacks| stacks.max_interval);
    write!(out, "{{\"start_time\": {start_time:?}")?;
    for (key, time) in [
        ("duration", session.duration()),
        ("min_interval", interval),
        ("max_interval", max_interval.unwrap_or(interval)),
        ("cpu_time", manifest.cpu_time.unwrap_or_default()),
    ] {
        write!(out, ", \"{key}\": {:?}", seconds(time))?;
    }
    write!(out, ", \"sample_count\": {}", session.samples().len())?;
    let mut texts = Texts::new(session);
    write!(out, ", \"start_call_stack\": ")?;
    match session.start_stack() {
        Some((thread, stack)) => texts.stack(thread, stack, out)?,
        // Below it nothing is trimmed. Without any frame pyinstrument could not show the session.
        None => write!(out, "[\"\"]")?,
    }
    let description = &manifest.program.description;
    write!(out, ", \"target_description\": {}", json(description)?)?;
    // Left out where it is not known: pyinstrument then takes that of whoever looks at the session.
    for (key, list) in [
        ("sys_path", &manifest.sys_path),
        ("sys_prefixes", &manifest.sys_prefixes),
    ] {
        if let Some(list) = list {
            write!(out, ", \"{key}\": {}", json(list)?)?;
        }
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::from)
}

/// The nearest number of seconds. Whole seconds and the rest go separate ways, so that no digit is lost.
fn seconds(duration: Duration) -> f64 {
    duration.as_secs() as f64 + f64::from(duration.subsec_nanos()) / 1e9
}

/// Frames as they are in the file, made when they are first needed.
struct Texts<'a> {
    session: &'a Session,
    /// The innermost frame of each stack; empty where it was not needed yet.
    frames: Vec<Box<str>>,
    threads: Vec<Box<str>>,
    /// Scratch: the stacks of the frames of a sample, innermost first.
    chain: Vec<StackId>,
}

impl<'a> Texts<'a> {
    fn new(session: &'a Session) -> Self {
        Self {
            session,
            frames: vec![Box::default(); session.stacks().len()],
            threads: vec![Box::default(); session.threads().len()],
            chain: Vec::new(),
        }
    }

    /// Writes a stack as a list.
    fn stack(
        &mut self,
        thread: ThreadId,
        stack: Option<StackId>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        out.write_all(b"[")?;
        let has_thread = !self.session.threads().get(thread).is_anonymous();
        if has_thread {
            out.write_all(self.thread(thread)?.as_bytes())?;
        }
        let mut next = stack;
        while let Some(stack) = next {
            self.chain.push(stack);
            next = self.session.stacks().parent(stack);
        }
        let mut is_first = !has_thread;
        while let Some(stack) = self.chain.pop() {
            if !std::mem::take(&mut is_first) {
                out.write_all(b", ")?;
            }
            out.write_all(self.frame(stack)?.as_bytes())?;
        }
        out.write_all(b"]")
    }

    fn thread(&mut self, id: ThreadId) -> io::Result<&str> {
        let text = &mut self.threads[id.index()];
        if text.is_empty() {
            let number = self.session.threads().get(id).native_id;
            let name = match self.session.thread_name(id) {
                Some(name) => name.to_owned(),
                None => format!("Thread {number}"),
            };
            let info = FrameInfo {
                name: &name,
                file: THREAD_FILE,
                number,
                ..FrameInfo::default()
            };
            *text = json(&info.encode())?.into();
        }
        Ok(text)
    }

    fn frame(&mut self, id: StackId) -> io::Result<&str> {
        let text = &mut self.frames[id.index()];
        if text.is_empty() {
            let stack = self.session.stacks().get(id);
            let function = self.session.function(stack.function);
            let info = FrameInfo {
                name: function.name,
                file: function.file,
                number: function.first_line.into(),
                class: stack.class.map(|class| self.session.string(class)),
                line: stack.line,
                hidden: function.hidden,
            };
            *text = json(&info.encode())?.into();
        }
        Ok(text)
    }
}
