//! The measurements of one level of one host, in the order of time.

use std::collections::HashMap;
use std::ops::Range;

use crate::{HostId, MetricId, MetricsTable, Session, StringId, Timestamp};

/// The metric whose fall shows that its rows are not those of one recording.
const NEVER_FALLS: &str = "cpu_time";

/// One level of one host: what is measured there is one row after the other.
pub(super) struct Source<'a> {
    pub(super) host: HostId,
    pub(super) level: StringId,
    metrics: &'a MetricsTable,
    /// Rows of the table, in the order of time.
    rows: Vec<u32>,
    recordings: Vec<Range<usize>>,
}

/// The sources of a session in the order in which they appear.
pub(super) fn sources(session: &Session) -> Vec<Source<'_>> {
    let metrics = session.metrics();
    let mut processes = vec![0; session.hosts().len()];
    for (_, process) in session.processes().iter() {
        processes[process.host.index()] += 1;
    }
    let mut places: HashMap<(HostId, StringId), usize> = HashMap::new();
    let mut sources: Vec<Source<'_>> = Vec::new();
    for (row, key) in metrics.hosts().iter().zip(metrics.levels()).enumerate() {
        let (host, level) = (*key.0, *key.1);
        let place = *places.entry((host, level)).or_insert_with(|| {
            sources.push(Source {
                host,
                level,
                metrics,
                rows: Vec::new(),
                recordings: Vec::new(),
            });
            sources.len() - 1
        });
        let row = u32::try_from(row).expect("bug: more than 2^32 rows of metrics");
        sources[place].rows.push(row);
    }
    for source in &mut sources {
        source
            .rows
            .sort_by_key(|&row| metrics.times()[row as usize]);
        source.recordings = source.find_recordings(processes[source.host.index()]);
    }
    sources
}

impl Source<'_> {
    /// How many rows there are. A place below is one of these, in the order of time.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn time(&self, place: usize) -> Timestamp {
        self.metrics.times()[self.rows[place] as usize]
    }

    pub(super) fn value(&self, metric: MetricId, place: usize) -> Option<f64> {
        self.metrics.values(metric)[self.rows[place] as usize]
    }

    /// The values of a metric that are known.
    pub(super) fn known(&self, metric: MetricId) -> impl Iterator<Item = f64> + Clone + '_ {
        (0..self.len()).filter_map(move |place| self.value(metric, place))
    }

    /// The places of each recording, of which a merged session has several. There are none where they recorded at the same
    /// time: then nobody knows which rows follow each other.
    pub(super) fn recordings(&self) -> &[Range<usize>] {
        &self.recordings
    }

    /// A recording counts CPU time from nothing, so the first row of the next one is a fall. There are not more of those
    /// than recordings, nor of these than processes, unless the rows of several are mixed.
    fn find_recordings(&self, processes: usize) -> Vec<Range<usize>> {
        let mut begins = vec![0];
        let mut last = None;
        if let Some(metric) = self.metrics.find(NEVER_FALLS) {
            for place in 0..self.len() {
                let Some(value) = self.value(metric, place) else {
                    continue;
                };
                if last.is_some_and(|last| value < last) {
                    begins.push(place);
                }
                last = Some(value);
            }
        }
        if begins.len() > processes.max(1) {
            return Vec::new();
        }
        let ends = begins[1..].iter().copied().chain([self.len()]);
        begins
            .iter()
            .zip(ends)
            .map(|(&from, to)| from..to)
            .collect()
    }
}
