//! What a look at a process gives: threads, and the stack of each.

use super::class::ClassKey;
use super::code::FunctionKey;
use super::lines::{Extent, Location};
use crate::Tid;

/// A Python thread that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// The kernel's number for it, as we see it.
    pub tid: Tid,
    /// What Python calls it (`threading.Thread.name`); failing that, what the kernel does.
    pub name: String,
}

/// Which [`ThreadInfo`]. A thread keeps its key as long as it lives, and keys are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadKey(pub(super) u32);

impl ThreadKey {
    /// Keys count from 0 in the order in which threads were first seen.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One level of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// What was called.
    pub function: FunctionKey,
    /// The line that it is at; `None` where CPython has none for the instruction.
    pub line: Option<u32>,
    /// Whose method it is: the class of `self`, or `cls` itself, where the first local variable is called so. Not known of a
    /// thread that ran and was not held.
    pub class: Option<ClassKey>,
    extent: Extent,
}

impl Frame {
    pub(super) fn at(function: FunctionKey, location: Location, class: Option<ClassKey>) -> Self {
        Self {
            function,
            line: location.line,
            class,
            extent: Extent::of(location),
        }
    }

    /// The line, and the rest of what CPython knows about the place: where it ends, and the columns.
    pub fn location(&self) -> Location {
        self.extent.beginning_in(self.line)
    }
}

/// What came of looking at one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleOutcome {
    /// Its stack was read, and is proven to be whole.
    Stack,
    /// Its outer frames are proven; further in it changed under the read. Only with [`HoldMode::Nothing`](crate::HoldMode::Nothing).
    Partial,
    /// It could not be. The sample counts as lost.
    Lost(LostReason),
}

/// Why a sample was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LostReason {
    /// The stack changed while it was read, and did so again each time it was tried.
    Torn,
    /// The thread could not be held in time, or at all.
    NotHeld,
    /// What the frames point to is no code object, or no longer.
    NotCode,
}

/// What one thread was doing at one tick.
#[derive(Clone, Copy, Debug)]
pub struct ThreadSample<'a> {
    /// Which thread.
    pub thread: ThreadKey,
    /// Whether it ran, or was ready to; otherwise it waited in the kernel.
    pub on_cpu: bool,
    /// Whether `frames` can be believed.
    pub outcome: SampleOutcome,
    /// Its stack, innermost frame first: the part that is proven. Empty where the sample was lost.
    pub frames: &'a [Frame],
    /// How many of the outermost frames, at the end of `frames`, are the same as in the thread's last sample that was not
    /// lost.
    pub shared: usize,
    /// Whether the thread is proven not to have run since its last sample, so that nothing about it is new.
    pub unchanged: bool,
}
