//! All tables of a session side by side, whoever owns them.

use crate::tables::{
    CellTable, FrameTable, MetricsTable, ProcessTable, SampleTable, StackTable, StringTable,
    ThreadTable,
};

/// The tables of a session that is finished, or that is being recorded.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    pub(crate) strings: &'a StringTable,
    pub(crate) frames: &'a FrameTable,
    pub(crate) stacks: &'a StackTable,
    pub(crate) processes: &'a ProcessTable,
    pub(crate) threads: &'a ThreadTable,
    pub(crate) samples: &'a SampleTable,
    pub(crate) metrics: &'a MetricsTable,
    pub(crate) cells: &'a CellTable,
}
