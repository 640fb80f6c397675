//! All tables of a session side by side, while it is recorded and when it is finished.

use crate::tables::{
    CellTable, FrameTable, MetricsTable, ProcessTable, SampleTable, StackTable, StringTable,
    ThreadTable,
};

/// The tables of a session. Handles in one are row numbers of another of the same set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) strings: StringTable,
    pub(crate) frames: FrameTable,
    pub(crate) stacks: StackTable,
    pub(crate) processes: ProcessTable,
    pub(crate) threads: ThreadTable,
    pub(crate) samples: SampleTable,
    pub(crate) metrics: MetricsTable,
    pub(crate) cells: CellTable,
}
