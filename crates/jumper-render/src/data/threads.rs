//! Threads.

use jumper_session::{FrameTree, NodeKind, Session};
use serde::Serialize;

use super::text::line;

/// A thread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ThreadRow {
    /// Its name; empty where it has none.
    pub(crate) name: String,
    /// Its number.
    pub(crate) tid: u64,
    /// The number of its process.
    pub(crate) pid: u32,
    /// How long it was seen.
    pub(crate) time_s: f64,
    pub(crate) samples: u64,
    /// Samples that were attempted and thrown away.
    pub(crate) lost: u64,
}

/// The threads that were seen, those first that were seen longest.
pub(crate) fn threads(session: &Session) -> Vec<ThreadRow> {
    let tree = FrameTree::build(session);
    let roots = tree.roots().filter_map(|root| {
        let node = tree.node(root);
        let NodeKind::Thread(id) = node.kind() else {
            return None;
        };
        let thread = session.threads().get(id);
        Some(ThreadRow {
            name: line(session.thread_name(id).unwrap_or_default()),
            tid: thread.native_id,
            pid: session.processes().get(thread.process).pid,
            time_s: node.time().as_secs_f64(),
            samples: node.sample_count(),
            lost: thread.lost,
        })
    });
    let mut rows: Vec<ThreadRow> = roots.collect();
    rows.sort_by(|one, other| other.time_s.total_cmp(&one.time_s));
    rows
}
