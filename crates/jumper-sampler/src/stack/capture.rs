//! The copy of one stack, with the space to make it in.

use super::class::TYPE_HEAD;
use super::layout::{Layout, WalkLayout};
use super::memory::{Address, Memory};
use super::receiver::{Scratch, TYPES};
use super::snapshot::{self, Block, Snapshot};
use super::traits::Traits;
use super::walk::{
    self, Buffers, FILTER_SLOTS, Filled, FilterSlot, Known, MAX_DEPTH, MAX_THREAD, Place, RawFrame,
    WINDOW, WalkError,
};

/// Room for this many frames at first; more when a thread turns out deeper.
const FIRST_CAPACITY: usize = 8 << 10;

/// The copy of one stack.
pub(crate) struct Capture {
    layout: WalkLayout,
    frames: Vec<RawFrame>,
    codes: Vec<Address>,
    heads: Vec<u8>,
    traits: Vec<Traits>,
    types: Vec<Address>,
    type_heads: Vec<u8>,
    places: Vec<Place>,
    variables: Box<Scratch>,
    blocks: Vec<Block>,
    snapshot: Vec<u8>,
    window: Vec<u8>,
    state: Vec<u8>,
    filter: Vec<FilterSlot>,
    filled: Filled,
}

impl Capture {
    pub(crate) fn new(layout: &Layout) -> Self {
        let mut capture = Self {
            layout: WalkLayout::of(layout),
            frames: Vec::new(),
            codes: Vec::new(),
            heads: Vec::new(),
            traits: Vec::new(),
            types: vec![0; TYPES],
            type_heads: vec![0; TYPES * TYPE_HEAD],
            places: Vec::new(),
            variables: Box::default(),
            blocks: vec![Block::default(); snapshot::BLOCKS],
            snapshot: vec![0; snapshot::CAPACITY],
            window: vec![0; WINDOW],
            state: vec![0; MAX_THREAD],
            filter: vec![FilterSlot::default(); FILTER_SLOTS],
            filled: Filled::default(),
        };
        capture.reserve(FIRST_CAPACITY);
        capture
    }

    fn reserve(&mut self, frames: usize) {
        let codes = codes_for(frames);
        self.frames.resize(frames, RawFrame::default());
        self.places.resize(frames, Place::default());
        self.codes.resize(codes, 0);
        self.traits.resize(codes, Traits::default());
        self.heads.resize(codes * self.layout.code_size(), 0);
    }

    /// Makes room after [`WalkError::TooDeep`]. Not while a thread is held.
    pub(crate) fn grow(&mut self) {
        let wanted = self.frames.len() * 2;
        if wanted <= MAX_DEPTH * 2 {
            self.filled = Filled::default();
            self.reserve(wanted);
        }
    }

    /// Copies the stack of the thread whose state lies at `thread`, and what those code objects and types on it say of
    /// themselves that are not `known`.
    pub(crate) fn take(
        &mut self,
        memory: &impl Memory,
        thread: Address,
        known: &impl Known,
    ) -> Result<(), WalkError> {
        let layout = self.layout;
        self.filled = Filled::default();
        self.filled = walk::walk(&mut self.buffers(), memory, &layout, thread, known)?;
        Ok(())
    }

    /// Takes over a copy that was made elsewhere. The numbers in `filled` may be anything.
    pub(crate) fn adopt(&mut self, from: &Buffers<'_>, filled: Filled) -> Result<(), WalkError> {
        self.filled = Filled::default();
        let heads = filled.codes.saturating_mul(self.layout.code_size());
        copy(&mut self.frames, from.frames, filled.frames)?;
        copy(&mut self.codes, from.codes, filled.codes)?;
        copy(&mut self.heads, from.heads, heads)?;
        copy(&mut self.traits, from.traits, filled.codes)?;
        copy(&mut self.types, from.types, filled.types)?;
        let type_heads = filled.types.saturating_mul(TYPE_HEAD);
        copy(&mut self.type_heads, from.type_heads, type_heads)?;
        copy(&mut self.blocks, from.blocks, filled.blocks)?;
        copy(&mut self.snapshot, from.snapshot, filled.snapshot)?;
        copy(
            &mut self.state,
            from.state,
            self.layout.thread_size as usize,
        )?;
        self.filled = filled;
        Ok(())
    }

    fn buffers(&mut self) -> Buffers<'_> {
        Buffers {
            frames: &mut self.frames,
            codes: &mut self.codes,
            heads: &mut self.heads,
            traits: &mut self.traits,
            types: &mut self.types,
            type_heads: &mut self.type_heads,
            places: &mut self.places,
            variables: &mut self.variables,
            blocks: &mut self.blocks,
            snapshot: &mut self.snapshot,
            window: &mut self.window,
            state: &mut self.state,
            filter: &mut self.filter,
        }
    }

    /// The thread state that the stack was found through.
    pub(crate) fn thread_state(&self) -> &[u8] {
        &self.state
    }

    /// Innermost first.
    pub(crate) fn frames(&self) -> &[RawFrame] {
        &self.frames[..self.filled.frames]
    }

    /// Each code object on the stack with its front and what its variables tell.
    pub(crate) fn codes(&self) -> impl Iterator<Item = (Address, &[u8], Traits)> {
        let heads = self.heads.chunks_exact(self.layout.code_size());
        let codes = self.codes[..self.filled.codes].iter().zip(heads);
        codes
            .zip(&self.traits)
            .map(|((&address, head), &traits)| (address, head, traits))
    }

    /// Each type on the stack with its front.
    pub(crate) fn types(&self) -> impl Iterator<Item = (Address, &[u8])> {
        let heads = self.type_heads.chunks_exact(TYPE_HEAD);
        self.types[..self.filled.types].iter().copied().zip(heads)
    }

    /// Leaves out the class of a frame, counted from the outermost.
    pub(crate) fn forget_class(&mut self, depth: usize) {
        let mut frames = self.frames[..self.filled.frames].iter_mut().rev();
        if let Some(frame) = frames.nth(depth) {
            frame.class = 0;
        }
    }

    /// What the unknown ones say of themselves.
    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        let bytes = &self.snapshot[..self.filled.snapshot];
        Snapshot::new(&self.blocks[..self.filled.blocks], bytes)
    }

    /// How much of the stack a second copy proves: as many frames, from the outermost on, as have the same functions there,
    /// called from the same places. The innermost of these may have moved on within its function.
    pub(crate) fn proven_by(&self, other: &Self) -> Proven {
        let (own, others) = (self.frames(), other.frames());
        let pairs = || own.iter().rev().zip(others.iter().rev());
        let place = |frame: &RawFrame| (frame.code, frame.position);
        let pairs_agree = |pair: &(&RawFrame, &RawFrame)| place(pair.0) == place(pair.1);
        let same = pairs().take_while(pairs_agree).count();
        let moved = pairs()
            .nth(same)
            .is_some_and(|(own, other)| own.code == other.code);
        let depth = same + usize::from(moved);
        Proven {
            depth,
            whole: depth == own.len() && depth == others.len(),
            moved: moved.then_some(same),
        }
    }
}

/// How much of a stack is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    /// The number of frames, counted from the outermost.
    pub(crate) depth: usize,
    /// Whether that is all of them.
    pub(crate) whole: bool,
    /// The one that may have moved on, or may be another call of the same function: its variables prove nothing.
    pub(crate) moved: Option<usize>,
}

/// Room for the distinct functions on a stack. They are far fewer than its frames; where they are not, the stack has to
/// be tried again with more room.
fn codes_for(frames: usize) -> usize {
    (frames / 4).max(FIRST_CAPACITY / 4)
}

/// Copies the first `count`; an error where they are not there.
fn copy<T: Copy + Default>(to: &mut Vec<T>, from: &[T], count: usize) -> Result<(), WalkError> {
    let from = from.get(..count).ok_or(WalkError::Torn)?;
    if to.len() < count {
        to.resize(count, T::default());
    }
    to[..count].copy_from_slice(from);
    Ok(())
}
