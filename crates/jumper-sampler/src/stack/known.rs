//! What is known of a thread from one look to the next.

use super::memory::Address;
use super::sample::{Frame, ThreadKey};
use super::threads::Listed;
use super::walk::RawFrame;
use crate::Tid;
use crate::proc::{RunCount, TaskFiles};

/// One thread.
pub(super) struct Known {
    pub(super) key: ThreadKey,
    pub(super) listed: Listed,
    pub(super) files: TaskFiles,
    pub(super) tid: Tid,
    /// Innermost first.
    pub(super) frames: Vec<Frame>,
    /// The function in which the thread begins, for reads that hold nothing.
    pub(super) root: Root,
    /// What `frames` were made from.
    pub(super) raw: Vec<RawFrame>,
    /// How many code objects had been replaced by others then.
    pub(super) replaced: u64,
    /// How many of the outermost of `frames` are as in the last sample that was handed out.
    pub(super) shared: usize,
    /// `frames` were read while the thread was blocked and had been given a CPU so often.
    pub(super) blocked_since: Option<RunCount>,
    /// Whether `name` is Python's.
    pub(super) named: bool,
    pub(super) next_naming: u64,
    pub(super) naming_pause: u64,
    /// The last tick that it was listed in.
    pub(super) seen: u64,
}

/// The outermost function of a thread, which hardly ever changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Root {
    code: Address,
    /// Where the last reads came to instead, and how many did in succession.
    other: Address,
    times: u32,
}

impl Root {
    /// So many reads in succession must agree before another root is believed.
    const BELIEVED_AFTER: u32 = 8;

    /// Whether a stack may be whole that ends in this frame.
    pub(super) fn accepts(&mut self, outermost: Option<&RawFrame>) -> bool {
        let code = outermost.map_or(0, |frame| frame.code);
        if code == self.code {
            self.times = 0;
            return true;
        }
        self.times = match code == self.other {
            true => self.times + 1,
            false => 1,
        };
        self.other = code;
        if self.times >= Self::BELIEVED_AFTER {
            (self.code, self.times) = (code, 0);
        }
        code == self.code
    }
}
