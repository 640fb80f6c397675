//! The samples of a session, thread by thread.

use crate::tables::SampleTable;
use crate::{Session, ThreadId, Timestamp};

/// The rows of the samples of each thread, in the order in which they are.
pub(super) struct ByThread {
    /// Thread by thread; nothing where all are of one thread.
    rows: Vec<u32>,
    /// By thread, and one more for the end.
    starts: Vec<u32>,
}

impl ByThread {
    /// A counting sort: rows are brought together without being reordered.
    pub(super) fn of(samples: &SampleTable, threads: usize) -> Self {
        // A count of samples fits, since a handle must.
        let mut starts = vec![0_u32; threads + 1];
        for thread in samples.threads() {
            starts[thread.index() + 1] += 1;
        }
        let is_one = starts.iter().any(|&count| count as usize == samples.len());
        for thread in 1..starts.len() {
            starts[thread] += starts[thread - 1];
        }
        let mut rows = Vec::new();
        if !is_one {
            let mut next = starts.clone();
            rows.resize(samples.len(), 0);
            for (row, thread) in samples.threads().iter().enumerate() {
                let slot = &mut next[thread.index()];
                rows[*slot as usize] = row as u32;
                *slot += 1;
            }
        }
        Self { rows, starts }
    }

    /// The rows of a thread.
    pub(super) fn rows(&self, thread: ThreadId) -> impl Iterator<Item = u32> + '_ {
        let (start, end) = (self.starts[thread.index()], self.starts[thread.index() + 1]);
        let is_one = self.rows.is_empty();
        (start..end).map(move |place| match is_one {
            true => place,
            false => self.rows[place as usize],
        })
    }
}

/// Threads that have samples, by process, first sample and number.
pub(super) fn in_order(session: &Session) -> Vec<ThreadId> {
    let mut first: Vec<Option<Timestamp>> = vec![None; session.threads().len()];
    let samples = session.samples();
    for (thread, &time) in samples.threads().iter().zip(samples.times()) {
        let first = first[thread.index()].get_or_insert(time);
        *first = time.min(*first);
    }
    let threads = session.threads().iter();
    let mut order: Vec<_> = threads
        .filter_map(|(id, thread)| Some((thread.process, first[id.index()]?, id)))
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, _, thread)| thread).collect()
}
