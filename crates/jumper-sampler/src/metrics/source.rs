//! What a source is that may be slow, fail, or never answer.

use super::level::Level;
use super::metric::Metric;
use crate::Timestamp;

/// A source of metrics that is asked on a thread of its own: a driver, an interpreter, another machine.
///
/// It may take its time. What it has not answered when the others have is unknown in that sample, or, where it has
/// answered the question before meanwhile, what it said then. One that fails is unknown, and why is said once.
///
/// ```
/// use jumper_sampler::Pid;
/// use jumper_sampler::metrics::{Answer, Kind, Metric, MetricsSampler, Question, Source, SourceError, Unit};
///
/// /// How many files a directory has, on a file system that may hang.
/// struct Files([Metric; 1]);
///
/// impl Source for Files {
///     fn name(&self) -> &str {
///         "spool"
///     }
///
///     fn metrics(&self) -> &[Metric] {
///         &self.0
///     }
///
///     fn read(&mut self, _question: &Question, answer: &mut Answer) -> Result<(), SourceError> {
///         let entries = std::fs::read_dir("/tmp").map_err(|error| SourceError::Failed(error.to_string()))?;
///         answer.own().push(Some(entries.count() as f64));
///         Ok(())
///     }
/// }
///
/// let mut sampler = MetricsSampler::new(Pid::own())?;
/// sampler.add_source(Files([Metric::new("files".into(), Unit::Count, Kind::Gauge, "files that wait")]))?;
/// # Ok::<(), jumper_sampler::metrics::MetricsError>(())
/// ```
pub trait Source: Send + 'static {
    /// What it is called where something is said of it.
    fn name(&self) -> &str;

    /// The columns it fills. Reading may add some at the end; those that were there stay.
    fn metrics(&self) -> &[Metric];

    /// Answers. `answer` is empty; what is not in it is unknown.
    ///
    /// # Errors
    /// Where it cannot be read, now or ever.
    fn read(&mut self, question: &Question, answer: &mut Answer) -> Result<(), SourceError>;
}

impl Source for Box<dyn Source> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn metrics(&self) -> &[Metric] {
        (**self).metrics()
    }

    fn read(&mut self, question: &Question, answer: &mut Answer) -> Result<(), SourceError> {
        (**self).read(question, answer)
    }
}

/// What a source is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    pub(super) time: Timestamp,
    /// The processes of each level in the order of [`Level::ALL`]. Kept when a question is put anew, for its memory.
    pub(super) processes: Vec<Option<Vec<u32>>>,
}

impl Question {
    /// When the sample is taken.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The numbers of the processes of a level; `None` where they are not known, or nobody asked for the level.
    pub fn pids(&self, level: Level) -> Option<&[u32]> {
        let at = Level::ALL.iter().position(|&known| known == level)?;
        self.processes.get(at)?.as_deref()
    }
}

/// What a source answers: values in the order of its metrics.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    own: Vec<Option<f64>>,
    levels: Vec<(Level, Vec<Option<f64>>)>,
    remark: Option<String>,
}

impl Answer {
    /// The values of a source that knows no levels. They stand in the first row of the sample.
    pub fn own(&mut self) -> &mut Vec<Option<f64>> {
        &mut self.own
    }

    /// The values of one level.
    pub fn level(&mut self, level: Level) -> &mut Vec<Option<f64>> {
        let at = match self.levels.iter().position(|(known, _)| *known == level) {
            Some(at) => at,
            None => {
                self.levels.push((level, Vec::new()));
                self.levels.len() - 1
            }
        };
        &mut self.levels[at].1
    }

    /// Something that whoever reads the recording should know of a source that answers. The first of them is passed on.
    pub fn remark(&mut self, remark: String) {
        self.remark = Some(remark);
    }

    pub(super) fn take_remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    pub(super) fn clear(&mut self) {
        self.own.clear();
        self.levels
            .iter_mut()
            .for_each(|(_, values)| values.clear());
    }

    /// The values to be shown in the row of `level`.
    pub(super) fn row(&self, level: Level, is_first: bool) -> &[Option<f64>] {
        if is_first && !self.own.is_empty() {
            return &self.own;
        }
        let values = self.levels.iter().find(|(known, _)| *known == level);
        values.map_or(&[], |(_, values)| values)
    }
}

/// Why a source gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// Not this time, for this reason, in the words of a note.
    Failed(String),
    /// There is nothing to ask, and there will not be.
    Absent,
}
