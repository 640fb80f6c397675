//! Asking a [`Source`] on a thread of its own, so that nobody waits for it.
//!
//! ```text
//! sample      1         2         3         4
//! question    ├──▸ answer          ├─────────┼─────▸ answer
//! sample 1 waits a moment and has its answer; 3 has none; neither has 4; 5 has that of 3, and asks again
//! ```
//!
//! Whoever answers within a part of the time between two samples is waited for, after everybody else was read; whoever
//! was slower the last time is not. An answer that came between two samples stands in the later one.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::collector::{Collector, Scan};
use super::level::Level;
use super::metric::Metric;
use super::source::{Answer, Question, Source, SourceError};
use crate::{Timestamp, without_signals};

/// The longest that a sample waits for one source. It is much less where samples come fast.
const PATIENCE: Duration = Duration::from_millis(50);
/// What a driver may take to start before anything is said of it.
const START: Duration = Duration::from_secs(5);
/// So many samples in a row without an answer are worth a note.
const MISSED: u32 = 2;

/// A source that is asked in the background.
pub(super) struct Background {
    name: String,
    metrics: Vec<Metric>,
    /// `None` once there is nobody to ask.
    worker: Option<Worker>,
    /// Since when a question is open, and how many samples have passed without an answer since.
    open: Option<Instant>,
    missed: u32,
    /// What is to stand in this sample.
    answer: Option<Answer>,
    /// What it took the last time.
    took: Duration,
    /// Between the last two samples.
    spacing: Duration,
    last: Option<Timestamp>,
    /// Whether no row of this sample has been filled yet.
    is_first_row: bool,
    has_answered: bool,
    notes: Vec<String>,
    has_told_failure: bool,
    has_told_lateness: bool,
    has_remarked: bool,
    /// Memory for the next question and answer.
    spare: (Question, Answer),
}

/// The two ends of the thread.
struct Worker {
    questions: Sender<(Question, Answer)>,
    replies: Receiver<Reply>,
}

struct Reply {
    question: Question,
    answer: Answer,
    outcome: Result<(), SourceError>,
    took: Duration,
    /// All of its metrics, where there are more than before.
    metrics: Option<Vec<Metric>>,
}

impl Background {
    /// Starts the thread. It ends by itself when this is dropped, as soon as the source answers.
    pub(super) fn start(source: impl Source) -> Self {
        let (name, metrics) = (source.name().to_owned(), source.metrics().to_vec());
        let (questions, asked) = channel();
        let (told, replies) = channel();
        let known = metrics.len();
        let thread = std::thread::Builder::new().name("jumper-source".into());
        let run = move || answer_all(source, known, &asked, &told);
        let worker = without_signals(|| thread.spawn(run)).map(|_| Worker { questions, replies });
        let note = worker
            .as_ref()
            .err()
            .map(|error| format!("{name} is unknown: cannot start a thread to ask it on: {error}"));
        Self {
            name,
            metrics,
            worker: worker.ok(),
            open: None,
            missed: 0,
            answer: None,
            took: Duration::ZERO,
            spacing: Duration::ZERO,
            last: None,
            is_first_row: true,
            has_answered: false,
            notes: note.into_iter().collect(),
            has_told_failure: false,
            has_told_lateness: false,
            has_remarked: false,
            spare: Default::default(),
        }
    }

    /// Takes an answer that is there, after waiting for it no longer than `patience`.
    fn hear(&mut self, patience: Duration) {
        let Some(worker) = self.worker.as_ref().filter(|_| self.open.is_some()) else {
            return;
        };
        match worker.replies.recv_timeout(patience) {
            Ok(reply) => self.take(reply),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                // The thread ends without an answer only when the source panics.
                self.notes.push(format!(
                    "{} is unknown from now on: it has panicked",
                    self.name
                ));
                self.end();
            }
        }
    }

    fn take(&mut self, mut reply: Reply) {
        self.open = None;
        self.missed = 0;
        self.has_answered = true;
        self.took = reply.took;
        if let Some(metrics) = reply.metrics {
            self.metrics = metrics;
        }
        let old = self.answer.take();
        match reply.outcome {
            Ok(()) => {
                if let Some(remark) = reply.answer.take_remark()
                    && !std::mem::replace(&mut self.has_remarked, true)
                {
                    self.notes.push(remark);
                }
                self.answer = Some(reply.answer);
                self.spare = (reply.question, old.unwrap_or_default());
            }
            Err(SourceError::Failed(why)) => {
                self.spare = (reply.question, reply.answer);
                if !std::mem::replace(&mut self.has_told_failure, true) {
                    let name = &self.name;
                    self.notes
                        .push(format!("{name} is unknown where it fails: {why}"));
                }
            }
            Err(SourceError::Absent) => self.end(),
        }
    }

    fn end(&mut self) {
        self.worker = None;
        self.open = None;
        self.answer = None;
    }

    fn ask(&mut self, scan: &Scan) {
        let Some(worker) = &self.worker else { return };
        let (mut question, mut answer) = std::mem::take(&mut self.spare);
        question.time = scan.time();
        question.processes.resize(Level::ALL.len(), None);
        for (pids, level) in question.processes.iter_mut().zip(Level::ALL) {
            let mut known = pids.take().unwrap_or_default();
            known.clear();
            *pids = scan.pids(level).map(|all| {
                known.extend(all.map(|pid| pid.get()));
                known
            });
        }
        answer.clear();
        // A thread that has panicked is noticed when its answer does not come.
        let _ = worker.questions.send((question, answer));
        self.open = Some(Instant::now());
    }

    /// Says once that it is late.
    fn miss(&mut self, since: Instant) {
        self.missed += 1;
        let is_late = match self.has_answered {
            true => self.missed >= MISSED,
            false => since.elapsed() > START,
        };
        if is_late && !std::mem::replace(&mut self.has_told_lateness, true) {
            let name = &self.name;
            let seconds = since.elapsed().as_secs_f64();
            self.notes.push(format!(
                "{name} does not answer in time, for {seconds:.1} s so far; it is unknown where it is late"
            ));
        }
    }
}

impl Collector for Background {
    fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    fn begin(&mut self, scan: &Scan) {
        self.spacing = self.last.map_or(Duration::ZERO, |last| {
            scan.time().saturating_duration_since(last)
        });
        self.last = Some(scan.time());
        self.is_first_row = true;
        self.answer = None;
        self.hear(Duration::ZERO);
        match self.open {
            Some(since) => self.miss(since),
            None => self.ask(scan),
        }
    }

    fn collect(&mut self, level: Level, _scan: &Scan, values: &mut [Option<f64>]) {
        if self.is_first_row {
            let patience = PATIENCE.min(self.spacing / 4);
            let is_quick = self.missed == 0 && self.took <= patience;
            self.hear(if is_quick { patience } else { Duration::ZERO });
        }
        let row = self
            .answer
            .as_ref()
            .map_or(&[][..], |answer| answer.row(level, self.is_first_row));
        for (value, told) in values.iter_mut().zip(row) {
            *value = told.filter(|told| told.is_finite());
        }
        self.is_first_row = false;
    }

    fn take_note(&mut self) -> Option<String> {
        (!self.notes.is_empty()).then(|| self.notes.remove(0))
    }
}

/// The thread: answers until nobody asks any more.
fn answer_all(
    mut source: impl Source,
    mut known: usize,
    asked: &Receiver<(Question, Answer)>,
    told: &Sender<Reply>,
) {
    for (question, mut answer) in asked {
        let start = Instant::now();
        let outcome = source.read(&question, &mut answer);
        let is_absent = outcome == Err(SourceError::Absent);
        let metrics = source.metrics();
        let metrics = (metrics.len() > known).then(|| metrics.to_vec());
        known = metrics.as_ref().map_or(known, Vec::len);
        let took = start.elapsed();
        let reply = Reply {
            question,
            answer,
            outcome,
            took,
            metrics,
        };
        if told.send(reply).is_err() || is_absent {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use super::*;
    use crate::Pid;
    use crate::metrics::{Kind, MetricsSampler, Unit};

    /// A source that answers with what it is told to, when it is told to.
    struct Told {
        metrics: Vec<Metric>,
        answers: Receiver<Result<f64, SourceError>>,
    }

    impl Source for Told {
        fn name(&self) -> &str {
            "told"
        }

        fn metrics(&self) -> &[Metric] {
            &self.metrics
        }

        fn read(&mut self, _question: &Question, answer: &mut Answer) -> Result<(), SourceError> {
            let told = self.answers.recv().map_err(|_| SourceError::Absent)?;
            answer.own().push(Some(told?));
            Ok(())
        }
    }

    /// A sampler with such a source, and who tells it.
    fn sampler() -> (MetricsSampler, SyncSender<Result<f64, SourceError>>) {
        let (tell, answers) = sync_channel(100);
        let metrics = vec![Metric::new(
            "told".into(),
            Unit::Count,
            Kind::Gauge,
            "what it is told",
        )];
        let mut sampler = MetricsSampler::new(Pid::own()).expect("we are alive");
        sampler
            .add_source(Told { metrics, answers })
            .expect("the name is free");
        (sampler, tell)
    }

    /// The source's value in each row of the next sample, in which the others are known.
    fn next(sampler: &mut MetricsSampler) -> Vec<Option<f64>> {
        std::thread::sleep(Duration::from_millis(1));
        let column = sampler.position("told").expect("it has a column");
        let processes = sampler.position("processes").expect("there are processes");
        let rows = sampler.sample().rows.iter();
        rows.map(|row| {
            assert!(row.values[processes].is_some(), "others do not suffer");
            row.values[column]
        })
        .collect()
    }

    #[test]
    fn an_answer_stands_in_the_first_row_of_the_sample_after_it() {
        let (mut sampler, tell) = sampler();
        tell.send(Ok(7.0)).expect("it listens");
        let mut rows = next(&mut sampler);
        while rows[0].is_none() {
            rows = next(&mut sampler);
        }
        assert_eq!(rows, [Some(7.0), None]);
    }

    #[test]
    fn what_is_late_is_unknown_and_said_once_and_comes_back() {
        let (mut sampler, tell) = sampler();
        tell.send(Ok(1.0)).expect("it listens");
        while next(&mut sampler)[0] != Some(1.0) {}
        let mut notes = Vec::new();
        while notes.is_empty() {
            assert_eq!(next(&mut sampler)[0], None);
            notes.extend(sampler.take_notes());
        }
        for _ in 0..5 {
            assert_eq!(next(&mut sampler)[0], None);
        }
        notes.extend(sampler.take_notes());
        let [note] = &notes[..] else {
            panic!("{notes:?}")
        };
        assert!(note.starts_with("told does not answer in time"), "{note}");
        tell.send(Ok(2.0)).expect("it listens");
        while next(&mut sampler)[0] != Some(2.0) {}
    }

    #[test]
    fn a_failure_is_unknown_and_said_once() {
        let (mut sampler, tell) = sampler();
        for answer in [
            Ok(1.0),
            Err("broken"),
            Err("broken again"),
            Ok(f64::NAN),
            Ok(2.0),
        ] {
            let answer = answer.map_err(|why| SourceError::Failed(why.into()));
            tell.send(answer).expect("it listens");
        }
        let mut seen = Vec::new();
        while seen.last() != Some(&2.0) {
            seen.extend(next(&mut sampler)[0]);
        }
        // The first may have been overtaken by the next.
        assert!(seen == [2.0] || seen == [1.0, 2.0], "{seen:?}");
        let failures: Vec<String> = sampler
            .take_notes()
            .into_iter()
            .filter(|note| note.contains("fails"))
            .collect();
        assert_eq!(failures, ["told is unknown where it fails: broken"]);
    }

    #[test]
    fn one_that_panics_or_is_absent_is_left_alone() {
        struct Panicking;
        impl Source for Panicking {
            fn name(&self) -> &str {
                "panicking"
            }
            fn metrics(&self) -> &[Metric] {
                &[]
            }
            fn read(&mut self, _: &Question, _: &mut Answer) -> Result<(), SourceError> {
                panic!("as it should");
            }
        }
        let (mut sampler, tell) = sampler();
        drop(tell);
        sampler.add_source(Panicking).expect("it has no names");
        let mut notes = Vec::new();
        while notes.is_empty() {
            next(&mut sampler);
            notes.extend(sampler.take_notes());
        }
        for _ in 0..3 {
            assert_eq!(next(&mut sampler)[0], None);
        }
        notes.extend(sampler.take_notes());
        assert_eq!(notes, ["panicking is unknown from now on: it has panicked"]);
    }
}
