//! Speedscope's evented profiles: when which frame was entered and left, in the order of time.
//!
//! Time goes on while a frame that calls nothing is open, by what was counted for it, as in pyinstrument's renderer: what was
//! between two samples and belongs to neither is not there. See `docs/renderers.md` for formats that keep it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use jumper_session::{FrameTree, NodeId, NodeKind, Parts, Scope, Session};

use super::frame::Frame;
use super::owners::thread_name;
use crate::calls::{CALL_OPTIONS, CallOptions};
use crate::options::{OptionKind, OptionSpec, joined};
use crate::{About, RenderError, RenderOptions, Renderer, facts};

/// The schema that the format's author publishes.
const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

const PER_THREAD: OptionSpec = OptionSpec::new(
    "per_thread",
    OptionKind::Flag { default: true },
    "a profile for each of several threads, rather than one in which they take turns",
);

const OPTIONS: [OptionSpec; 6] = joined(&[PER_THREAD], &CALL_OPTIONS);

const ABOUT: About = About {
    name: "speedscope",
    help: "profiles in the order of time for speedscope",
    extensions: &["speedscope.json"],
    media_type: "application/json",
    is_binary: false,
    options: &OPTIONS,
};

/// The renderer `speedscope`.
pub(crate) struct Speedscope;

impl Renderer for Speedscope {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::CALLS
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let mut calls = CallOptions::of(options);
        // A timeline, whatever else was asked for: equal calls at different times are different calls.
        calls.timeline = true;
        let scope = match options.flag(&PER_THREAD) && has_several_threads(session) {
            true => Scope::Thread,
            false => Scope::Session,
        };
        let tree = calls.tree(session, scope, false);
        let mut profiles = Profiles::of(session, &tree);
        let name = title(session);
        write!(
            out,
            "{{\"$schema\":\"{SCHEMA}\",\"name\":{},\"activeProfileIndex\":0,\"exporter\":\"jumper\",\"profiles\":[",
            serde_json::to_string(&name)?
        )?;
        let tops: Vec<NodeId> = tree.tops().collect();
        if tops.is_empty() {
            profiles.write(&name, None, out)?;
        }
        for (index, &top) in tops.iter().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            let name = match tree.node(top).kind() {
                NodeKind::Thread(id) if scope == Scope::Thread => {
                    let process = session.threads().get(id).process;
                    format!(
                        "{}{}",
                        thread_name(session, id),
                        facts::owner(session, process)
                    )
                }
                _ => name.clone(),
            };
            profiles.write(&name, Some(top), out)?;
        }
        out.write_all(b"],\"shared\":{\"frames\":[")?;
        profiles.write_frames(out)?;
        out.write_all(b"]}}\n")?;
        Ok(())
    }
}

fn has_several_threads(session: &Session) -> bool {
    let threads = session.samples().threads();
    threads.iter().any(|thread| Some(thread) != threads.first())
}

fn title(session: &Session) -> String {
    let (program, time) = (facts::program_name(session), facts::recorded(session));
    format!("CPU profile for '{program}' at {time}")
}

/// What has been written so far.
struct Profiles<'a> {
    session: &'a Session,
    tree: &'a FrameTree,
    numbers: HashMap<Frame<'a>, usize>,
    frames: Vec<Frame<'a>>,
    /// The same by function, where looking is faster.
    of_function: Vec<Option<usize>>,
}

impl<'a> Profiles<'a> {
    fn of(session: &'a Session, tree: &'a FrameTree) -> Self {
        Self {
            session,
            tree,
            numbers: HashMap::new(),
            frames: Vec::new(),
            of_function: vec![None; session.frames().len()],
        }
    }

    /// The number of a node's frame, new or known.
    fn number(&mut self, id: NodeId) -> usize {
        let function = self.tree.node(id).function();
        if let Some(known) = function.and_then(|function| self.of_function[function.index()]) {
            return known;
        }
        let frame = Frame::of(self.session, self.tree, id);
        let frames = &mut self.frames;
        let number = *self.numbers.entry(frame).or_insert_with(|| {
            frames.push(frame);
            frames.len() - 1
        });
        if let Some(function) = function {
            self.of_function[function.index()] = Some(number);
        }
        number
    }

    /// Writes a profile of a node and everything below it.
    fn write(
        &mut self,
        name: &str,
        top: Option<NodeId>,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        write!(
            out,
            "{{\"type\":\"evented\",\"name\":{},\"unit\":\"seconds\",\"startValue\":0.0,\"events\":[",
            serde_json::to_string(name)?
        )?;
        let mut events = Events {
            out,
            text: String::with_capacity(BUFFER + 128),
            is_first: true,
            at_ns: 0,
        };
        // The frames that are open, each with the time that goes by before it is closed.
        let mut open: Vec<(usize, Duration)> = Vec::new();
        let walk = top.map(|top| self.tree.walk_from(top));
        for (id, depth) in walk.into_iter().flatten() {
            for (frame, time) in open.drain(depth..).rev() {
                events.close(frame, time)?;
            }
            let frame = self.number(id);
            events.open(frame)?;
            let node = self.tree.node(id);
            open.push((frame, node.self_time() + node.absorbed_time()));
        }
        for (frame, time) in open.into_iter().rev() {
            events.close(frame, time)?;
        }
        let end_ns = events.finish()?;
        // Threads that ran at once have more time together than passed; a profile is as long as what is in it.
        let end = self.session.duration().max(Duration::from_nanos(end_ns));
        write!(out, "],\"endValue\":{}}}", seconds(end))?;
        Ok(())
    }

    fn write_frames(&self, out: &mut dyn Write) -> Result<(), RenderError> {
        for (index, frame) in self.frames.iter().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            write!(out, "{{\"name\":{}", serde_json::to_string(frame.name)?)?;
            if !frame.file.is_empty() {
                write!(out, ",\"file\":{}", serde_json::to_string(frame.file)?)?;
            }
            if frame.line > 0 {
                write!(out, ",\"line\":{}", frame.line)?;
            }
            out.write_all(b"}")?;
        }
        Ok(())
    }
}

/// How much text is put together before it is written.
const BUFFER: usize = 1 << 16;

/// The events of a profile, of which there may be millions.
struct Events<'a> {
    out: &'a mut dyn Write,
    text: String,
    is_first: bool,
    at_ns: u64,
}

impl Events<'_> {
    fn open(&mut self, frame: usize) -> Result<(), RenderError> {
        self.push('O', frame)
    }

    fn close(&mut self, frame: usize, after: Duration) -> Result<(), RenderError> {
        // All time of a tree is within an i64.
        self.at_ns += u64::try_from(after.as_nanos()).unwrap_or_default();
        self.push('C', frame)
    }

    fn push(&mut self, kind: char, frame: usize) -> Result<(), RenderError> {
        let at = seconds(Duration::from_nanos(self.at_ns));
        let comma = if std::mem::take(&mut self.is_first) {
            ""
        } else {
            ","
        };
        let _ = write!(
            self.text,
            "{comma}{{\"type\":\"{kind}\",\"at\":{at},\"frame\":{frame}}}"
        );
        if self.text.len() >= BUFFER {
            self.out.write_all(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }

    /// Writes what is left, and says when the last event was.
    fn finish(self) -> Result<u64, RenderError> {
        self.out.write_all(self.text.as_bytes())?;
        Ok(self.at_ns)
    }
}

/// Seconds with all nanoseconds: a JSON number.
fn seconds(duration: Duration) -> impl std::fmt::Display {
    std::fmt::from_fn(move |f| write!(f, "{}.{:09}", duration.as_secs(), duration.subsec_nanos()))
}
