//! Chrome's trace events as JSON, which <https://ui.perfetto.dev>, `chrome://tracing` and speedscope open.
//!
//! Calls begin and end (`B`, `E`) on a track for each thread, metrics are counters (`C`), and the runs of cells are spans (`b`, `e`) of
//! their process, on tracks of their own because nothing promises that they do not overlap. A call goes on from one sample to the next
//! of its thread as long as it is in both and nothing lies between them.

use std::io::Write;

use jumper_session::{FunctionId, Parts, Sample, Session, StackId, ThreadId, Timestamp};
use serde_json::{Value, json};

use super::counters::Counter;
use super::frame::outermost_first;
use super::owners::{Numbers, cell_outcome, process_name, thread_name};
use crate::{About, RenderError, RenderOptions, Renderer, facts};

const ABOUT: About = About {
    name: "perfetto",
    help: "trace events for Perfetto and chrome://tracing, with metrics and cells",
    extensions: &["perfetto.json", "trace.json"],
    media_type: "application/json",
    is_binary: false,
    options: &[],
};

/// The renderer `perfetto`.
pub(crate) struct Perfetto;

impl Renderer for Perfetto {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::ALL
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let mut trace = Trace {
            session,
            numbers: Numbers::of(session),
            out,
            is_first: true,
        };
        write!(trace.out, "{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
        trace.names()?;
        trace.calls()?;
        trace.counters()?;
        trace.cells()?;
        let about = json!({
            "program": facts::program_name(session),
            "recorded": facts::recorded(session),
            "duration_s": session.duration().as_secs_f64(),
            "lost_sample_count": session.lost(),
        });
        writeln!(trace.out, "\n],\"otherData\":{about}}}")?;
        Ok(())
    }
}

struct Trace<'a> {
    session: &'a Session,
    numbers: Numbers,
    out: &'a mut dyn Write,
    is_first: bool,
}

/// A time or a value of an event as JSON.
struct Micros(i128);

impl std::fmt::Display for Micros {
    /// Microseconds with all nanoseconds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:03}", nanos / 1000, nanos % 1000)
    }
}

impl Trace<'_> {
    /// Writes an event: what every event has, and then `rest`, which are members of an object.
    fn event(
        &mut self,
        kind: &str,
        owner: (u32, u32),
        time: Timestamp,
        rest: &str,
    ) -> Result<(), RenderError> {
        let comma = if std::mem::take(&mut self.is_first) {
            ""
        } else {
            ","
        };
        let since = i128::from(time.as_nanos()) - i128::from(self.session.start().as_nanos());
        let (pid, tid) = owner;
        write!(
            self.out,
            "{comma}\n{{\"ph\":\"{kind}\",\"pid\":{pid},\"tid\":{tid},\"ts\":{}{rest}}}",
            Micros(since)
        )?;
        Ok(())
    }

    fn owner(&self, thread: ThreadId) -> (u32, u32) {
        let process = self.session.threads().get(thread).process;
        (self.numbers.process(process), self.numbers.thread(thread))
    }

    fn names(&mut self) -> Result<(), RenderError> {
        let session = self.session;
        for (id, _) in session.processes().iter() {
            let pid = self.numbers.process(id);
            self.name("process_name", (pid, 0), &process_name(session, id))?;
        }
        for (id, _) in session.threads().iter() {
            self.name("thread_name", self.owner(id), &thread_name(session, id))?;
        }
        Ok(())
    }

    fn name(&mut self, what: &str, owner: (u32, u32), name: &str) -> Result<(), RenderError> {
        let args = json!({ "name": name });
        let rest = format!(",\"name\":\"{what}\",\"cat\":\"__metadata\",\"args\":{args}");
        self.event("M", owner, self.session.start(), &rest)
    }

    fn calls(&mut self) -> Result<(), RenderError> {
        let session = self.session;
        let mut rows: Vec<Vec<Sample>> = vec![Vec::new(); session.threads().len()];
        for sample in session.samples().iter() {
            rows[sample.thread.index()].push(sample);
        }
        let begins: Vec<String> = session
            .frames()
            .iter()
            .map(|(id, _)| begin(session, id))
            .collect::<Result<_, _>>()?;
        for (id, _) in session.threads().iter() {
            let mut samples = std::mem::take(&mut rows[id.index()]);
            samples.sort_by_key(|sample| sample.time);
            let mut calls = Calls {
                owner: self.owner(id),
                open: Vec::new(),
                chain: Vec::new(),
                stack: None,
                end: None,
            };
            for sample in &samples {
                calls.add(self, sample, &begins)?;
            }
            calls.close(self, 0)?;
        }
        Ok(())
    }

    fn counters(&mut self) -> Result<(), RenderError> {
        let session = self.session;
        for counter in Counter::all(session) {
            let pid = match counter.process(session) {
                Some(process) => self.numbers.process(process),
                None => self.numbers.spare_process(0),
            };
            let name = serde_json::to_string(&counter.name(session))?;
            for (time, value) in counter.values(session) {
                let value = Value::from(value);
                let rest = format!(",\"name\":{name},\"args\":{{\"value\":{value}}}");
                self.event("C", (pid, 0), time, &rest)?;
            }
        }
        Ok(())
    }

    fn cells(&mut self) -> Result<(), RenderError> {
        let session = self.session;
        for (id, cell) in session.cells().iter() {
            let owner = (self.numbers.process(cell.process), 0);
            let args = json!({
                "source": session.string(cell.source),
                "outcome": cell_outcome(&cell),
            });
            let number = id.index();
            let same =
                format!(",\"name\":\"Cell {number}\",\"cat\":\"cell\",\"id\":\"cell {number}\"");
            self.event("b", owner, cell.start, &format!("{same},\"args\":{args}"))?;
            // What had not ended when the recording did ended then, as far as it is known.
            let end = cell.end.unwrap_or(session.end()).max(cell.start);
            self.event("e", owner, end, &same)?;
        }
        Ok(())
    }
}

/// What the event says with which a function begins, after what every event says.
fn begin(session: &Session, id: FunctionId) -> Result<String, RenderError> {
    let function = session.function(id);
    let name = serde_json::to_string(function.display_name())?;
    let args = json!({ "file": function.file, "line": function.first_line });
    Ok(format!(
        ",\"name\":{name},\"cat\":\"python\",\"args\":{args}"
    ))
}

/// The calls of a thread.
struct Calls {
    owner: (u32, u32),
    /// Those that go on, outermost first.
    open: Vec<FunctionId>,
    /// Scratch: the stack of a sample, outermost first.
    chain: Vec<StackId>,
    /// That of the last sample.
    stack: Option<StackId>,
    /// When the last sample was, until which the calls are known to go on.
    end: Option<Timestamp>,
}

impl Calls {
    fn add(
        &mut self,
        trace: &mut Trace<'_>,
        sample: &Sample,
        begins: &[String],
    ) -> Result<(), RenderError> {
        // A sample stands for the time that ends with it, as far as that is no other's.
        let begin = sample.time.before(sample.duration);
        let is_next = self.end.is_some_and(|end| begin <= end);
        if is_next && sample.stack == self.stack {
            self.end = Some(sample.time);
            return Ok(());
        }
        let begin = self
            .end
            .map_or(begin, |end| begin.max(end))
            .min(sample.time);
        let stacks = trace.session.stacks();
        let mut chain = std::mem::take(&mut self.chain);
        outermost_first(trace.session, sample.stack, &mut chain);
        let function = |stack: &StackId| stacks.get(*stack).function;
        let same = self.open.iter().zip(&chain);
        let common = match is_next {
            true => same
                .take_while(|(open, stack)| **open == function(stack))
                .count(),
            false => 0,
        };
        self.close(trace, common)?;
        for stack in &chain[common..] {
            let function = function(stack);
            trace.event("B", self.owner, begin, &begins[function.index()])?;
            self.open.push(function);
        }
        self.chain = chain;
        self.stack = sample.stack;
        self.end = Some(sample.time);
        Ok(())
    }

    /// Ends all calls but the `kept` outermost, where they were last seen.
    fn close(&mut self, trace: &mut Trace<'_>, kept: usize) -> Result<(), RenderError> {
        let end = self.end.unwrap_or(trace.session.start());
        for _ in self.open.drain(kept..) {
            trace.event("E", self.owner, end, "")?;
        }
        Ok(())
    }
}
