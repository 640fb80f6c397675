//! Profiles of pprof: `profile.proto`, compressed with gzip.
//!
//! A sample there is a stack with a count of samples, wall time, and CPU time where the recorder looked whether threads ran. Of whom it
//! is are its labels `thread`, `thread_id`, `process` and `pid`, by which `go tool pprof` selects (`-tagfocus`).

mod proto;

use std::collections::HashMap;
use std::io::Write;

use flate2::{Compression, GzBuilder};
use jumper_session::{FunctionId, Parts, Session, StackId, ThreadId, ThreadState};
use prost::Message;

use super::owners::{process_name, thread_name};
use crate::{About, RenderError, RenderOptions, Renderer, facts};

const ABOUT: About = About {
    name: "pprof",
    help: "a profile for go tool pprof and other readers of profile.proto",
    extensions: &["pb.gz", "pprof"],
    media_type: "application/vnd.google.protobuf+gzip",
    is_binary: true,
    options: &[],
};

/// The renderer `pprof`.
pub(crate) struct Pprof;

impl Renderer for Pprof {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::SAMPLES
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let profile = Builder::new(session).profile();
        // Without a time of its own, so that the same session gives the same bytes.
        let mut out = GzBuilder::new().mtime(0).write(out, Compression::fast());
        out.write_all(&profile.encode_to_vec())?;
        out.finish()?;
        Ok(())
    }
}

/// What was counted for a stack of a thread.
#[derive(Clone, Copy, Default)]
struct Counts {
    samples: i64,
    wall_ns: i64,
    cpu_ns: i64,
}

struct Builder<'a> {
    session: &'a Session,
    texts: HashMap<String, i64>,
    string_table: Vec<String>,
    locations: HashMap<(FunctionId, u32), u64>,
    location: Vec<proto::Location>,
}

/// The only program: all functions are of it.
const PROGRAM: u64 = 1;

impl<'a> Builder<'a> {
    fn new(session: &'a Session) -> Self {
        Self {
            session,
            texts: HashMap::from([(String::new(), 0)]),
            string_table: vec![String::new()],
            locations: HashMap::new(),
            location: Vec::new(),
        }
    }

    fn profile(mut self) -> proto::Profile {
        let session = self.session;
        let manifest = session.manifest();
        // Where nobody looked whether threads ran, their CPU time is not nothing but unknown.
        let states = session.samples().states();
        let has_cpu = states
            .iter()
            .any(|state| state.contains(ThreadState::ON_CPU));
        let wall = self.value_type("wall", "nanoseconds");
        let mut sample_type = vec![self.value_type("samples", "count"), wall];
        if has_cpu {
            sample_type.push(self.value_type("cpu", "nanoseconds"));
        }
        let labels: Vec<Vec<proto::Label>> = session
            .threads()
            .iter()
            .map(|(id, _)| self.labels(id))
            .collect();
        let mut sample = Vec::new();
        for ((thread, stack), counts) in counts(session) {
            let mut value = vec![counts.samples, counts.wall_ns];
            value.extend(has_cpu.then_some(counts.cpu_ns));
            let frames = stack.map(|stack| session.stacks().frames(stack));
            sample.push(proto::Sample {
                location_id: frames
                    .into_iter()
                    .flatten()
                    .map(|at| self.location(at))
                    .collect(),
                value,
                label: labels[thread.index()].clone(),
            });
        }
        let function = session
            .frames()
            .iter()
            .map(|(id, _)| id)
            .collect::<Vec<_>>();
        let function = function.into_iter().map(|id| self.function(id)).collect();
        let mapping = proto::Mapping {
            id: PROGRAM,
            filename: self.text(facts::program_name(session)),
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
        };
        let comment = manifest.notes.iter().map(|note| self.text(note)).collect();
        let interval = session.sample_interval().unwrap_or_default();
        proto::Profile {
            sample_type,
            sample,
            mapping: vec![mapping],
            location: self.location,
            function,
            string_table: self.string_table,
            time_nanos: manifest.clock.unix_nanos_at(session.start()),
            duration_nanos: nanos(session.duration().as_nanos()),
            period_type: Some(wall),
            period: nanos(interval.as_nanos()),
            comment,
            default_sample_type: wall.r#type,
        }
    }

    fn text(&mut self, text: &str) -> i64 {
        if let Some(&known) = self.texts.get(text) {
            return known;
        }
        let number = self.string_table.len() as i64;
        self.string_table.push(text.to_owned());
        self.texts.insert(text.to_owned(), number);
        number
    }

    fn value_type(&mut self, name: &str, unit: &str) -> proto::ValueType {
        proto::ValueType {
            r#type: self.text(name),
            unit: self.text(unit),
        }
    }

    fn labels(&mut self, id: ThreadId) -> Vec<proto::Label> {
        let session = self.session;
        let thread = session.threads().get(id);
        let pid = session.processes().get(thread.process).pid;
        let texts = [
            ("thread", thread_name(session, id)),
            ("process", process_name(session, thread.process)),
        ];
        let numbers = [
            (
                "thread_id",
                i64::try_from(thread.native_id).unwrap_or(i64::MAX),
            ),
            ("pid", pid.into()),
        ];
        let mut labels = Vec::new();
        for (key, text) in texts {
            let (key, str) = (self.text(key), self.text(&text));
            labels.push(proto::Label { key, str, num: 0 });
        }
        for (key, num) in numbers {
            let key = self.text(key);
            labels.push(proto::Label { key, str: 0, num });
        }
        labels
    }

    fn location(&mut self, at: (FunctionId, u32)) -> u64 {
        let location = &mut self.location;
        *self.locations.entry(at).or_insert_with(|| {
            let id = location.len() as u64 + 1;
            location.push(proto::Location {
                id,
                mapping_id: PROGRAM,
                line: vec![proto::Line {
                    function_id: function_number(at.0),
                    line: at.1.into(),
                }],
            });
            id
        })
    }

    fn function(&mut self, id: FunctionId) -> proto::Function {
        let function = self.session.function(id);
        proto::Function {
            id: function_number(id),
            name: self.text(function.display_name()),
            system_name: self.text(function.name),
            filename: self.text(function.file),
            start_line: function.first_line.into(),
        }
    }
}

/// Numbers there begin with 1.
fn function_number(id: FunctionId) -> u64 {
    u64::from(id.as_u32()) + 1
}

fn nanos(nanos: u128) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

/// What was counted for each stack of each thread, in the order in which they were met.
fn counts(session: &Session) -> Vec<((ThreadId, Option<StackId>), Counts)> {
    let mut rows: HashMap<(ThreadId, Option<StackId>), usize> = HashMap::new();
    let mut counts: Vec<((ThreadId, Option<StackId>), Counts)> = Vec::new();
    for sample in session.samples().iter() {
        let key = (sample.thread, sample.stack);
        let row = *rows.entry(key).or_insert_with(|| {
            counts.push((key, Counts::default()));
            counts.len() - 1
        });
        let counts = &mut counts[row].1;
        // All time of a session together is within an i64.
        let wall_ns = nanos(sample.duration.as_nanos());
        counts.samples += 1;
        counts.wall_ns += wall_ns;
        if sample.state.contains(ThreadState::ON_CPU) {
            counts.cpu_ns += wall_ns;
        }
    }
    counts
}
