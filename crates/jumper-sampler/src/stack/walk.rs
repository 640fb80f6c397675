//! Copying the frames of one thread, in the few microseconds for which it holds still.
//!
//! Nothing is allocated here and nothing is interpreted that can wait: the thread that is held may itself be
//! inside `malloc`, and every microsecond is one that the program loses. What is copied is the chain of
//! frames, and the front of each code object on it.
//!
//! From 3.11 most frames lie one behind the other in chunks of a data stack, so that a chunk is copied whole
//! and the chain is followed in the copy. Frames of generators lie in their generator objects, and all frames
//! to 3.10 on the heap: those are read one by one.

use super::layout::{Layout, Position, TopFrame};
use super::memory::{Address, Fault, Memory, i32_at, u64_at};

/// Room for this many frames at first; more when a thread turns out deeper.
const FIRST_CAPACITY: usize = 8 << 10;
/// No deeper stack is believed.
const MAX_DEPTH: usize = 1 << 20;
/// The part of a chunk that is copied in one go. Chunks have 16 KiB unless a single frame is larger.
const WINDOW: usize = 256 << 10;
/// `struct _stack_chunk`: previous, size, top, data. The same since 3.11.
const CHUNK_HEADER: usize = 24;
/// Enough for the front of any frame of any version.
pub(crate) const MAX_FRAME: usize = 256;
/// Enough for any thread state.
pub(crate) const MAX_THREAD: usize = 2048;
/// Slots of the filter that keeps a recursive function from being listed at every level.
const FILTER_SLOTS: usize = 256;

/// One frame as it was found. Neither pointer has been followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawFrame {
    pub(crate) code: Address,
    /// The instruction, as [`Position`] says.
    pub(crate) position: u64,
}

/// Why a stack could not be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WalkError {
    /// A pointer led nowhere: the stack changed under the read.
    Torn,
    /// More frames than there was room for. The next capture has more room.
    TooDeep,
    /// The memory cannot be read at all.
    Fault(Fault),
}

impl From<Fault> for WalkError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unmapped => Self::Torn,
            fault => Self::Fault(fault),
        }
    }
}

/// The copy of one stack, with the space to make it in.
pub(crate) struct Capture {
    /// Innermost first.
    frames: Vec<RawFrame>,
    /// The code objects on the stack; one may be listed more than once.
    codes: Vec<Address>,
    /// Their fronts, [`Layout::code`]`.size` bytes each.
    heads: Vec<u8>,
    window: Window,
    filter: [Address; FILTER_SLOTS],
}

impl Capture {
    pub(crate) fn new(layout: &Layout) -> Self {
        let mut capture = Self {
            frames: Vec::new(),
            codes: Vec::new(),
            heads: Vec::new(),
            window: Window {
                bytes: vec![0; WINDOW],
                start: 0,
                len: 0,
                next_chunk: 0,
            },
            filter: [0; FILTER_SLOTS],
        };
        capture.reserve(layout, FIRST_CAPACITY);
        capture
    }

    fn reserve(&mut self, layout: &Layout, frames: usize) {
        self.frames
            .reserve(frames.saturating_sub(self.frames.len()));
        // Distinct functions on one stack are far fewer than frames; where they are not, there is less room.
        let codes = (frames / 4).max(FIRST_CAPACITY / 4);
        self.codes.reserve(codes.saturating_sub(self.codes.len()));
        self.heads.resize(codes * layout.code.size, 0);
    }

    /// Makes room after [`WalkError::TooDeep`]. Not while a thread is held.
    pub(crate) fn grow(&mut self, layout: &Layout) {
        let wanted = self.frames.capacity() * 2;
        if wanted <= MAX_DEPTH * 2 {
            self.frames.clear();
            self.codes.clear();
            self.reserve(layout, wanted);
        }
    }

    /// Innermost first.
    pub(crate) fn frames(&self) -> &[RawFrame] {
        &self.frames
    }

    /// Each code object on the stack with its front.
    pub(crate) fn codes<'a>(
        &'a self,
        layout: &Layout,
    ) -> impl Iterator<Item = (Address, &'a [u8])> {
        self.codes
            .iter()
            .copied()
            .zip(self.heads.chunks_exact(layout.code.size))
    }

    /// Whether the same functions are on the stack as in `other`, called from the same places. The innermost
    /// frame may have moved on within its function.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let same_calls = self.frames.get(1..) == other.frames.get(1..);
        same_calls
            && self.frames.first().map(|frame| frame.code)
                == other.frames.first().map(|frame| frame.code)
    }

    /// Copies the stack of the thread whose state lies at `thread`.
    pub(crate) fn take(
        &mut self,
        memory: &impl Memory,
        layout: &Layout,
        thread: Address,
    ) -> Result<(), WalkError> {
        self.frames.clear();
        self.codes.clear();
        self.filter.fill(0);
        let mut state = [0; MAX_THREAD];
        let state = &mut state[..layout.thread.size];
        memory.read(thread, state)?;
        let chunk = layout
            .thread
            .datastack_chunk
            .map_or(0, |offset| u64_at(state, offset));
        self.window.begin_at(chunk);
        let top = match layout.thread.top_frame {
            TopFrame::Field(offset) => u64_at(state, offset),
            TopFrame::Cframe {
                cframe,
                current_frame,
            } => match u64_at(state, cframe) {
                0 => 0,
                cframe => memory.pointer(cframe.wrapping_add(current_frame))?,
            },
        };
        self.follow(memory, layout, top)?;
        self.copy_heads(memory, layout)
    }

    /// Follows the chain from `frame` to its end.
    fn follow(
        &mut self,
        memory: &impl Memory,
        layout: &Layout,
        mut frame: Address,
    ) -> Result<(), WalkError> {
        let shape = &layout.frame;
        let mut single = [0; MAX_FRAME];
        let mut circle = CircleGuard::default();
        // Frames that stand for the C stack are not kept, so that the length of the chain is counted apart.
        for _ in 0..=MAX_DEPTH {
            if frame == 0 {
                return Ok(());
            }
            if circle.closes_at(frame) {
                return Err(WalkError::Torn);
            }
            let bytes = self
                .window
                .frame(memory, frame, &mut single[..shape.size])?;
            let previous = u64_at(bytes, shape.previous);
            if shape
                .owner
                .is_none_or(|offset| !shape.hidden_owners.contains(&bytes[offset]))
            {
                let code = u64_at(bytes, shape.code) & !shape.code_tag;
                let position = match shape.position {
                    Position::Index { offset, .. } => {
                        u64::from(i32_at(bytes, offset).cast_unsigned())
                    }
                    Position::Pointer { offset } => u64_at(bytes, offset),
                };
                self.push(RawFrame { code, position })?;
            }
            frame = previous;
        }
        Err(WalkError::Torn)
    }

    fn push(&mut self, frame: RawFrame) -> Result<(), WalkError> {
        let slot = (frame.code >> 5 ^ frame.code >> 13) as usize % FILTER_SLOTS;
        if self.frames.len() == self.frames.capacity() || self.codes.len() == self.codes.capacity()
        {
            return Err(WalkError::TooDeep);
        }
        if std::mem::replace(&mut self.filter[slot], frame.code) != frame.code {
            self.codes.push(frame.code);
        }
        self.frames.push(frame);
        Ok(())
    }

    fn copy_heads(&mut self, memory: &impl Memory, layout: &Layout) -> Result<(), WalkError> {
        let size = layout.code.size;
        if self.codes.len() * size > self.heads.len() {
            return Err(WalkError::TooDeep);
        }
        let count = memory.read_each(&self.codes, size, &mut self.heads)?;
        if count == self.codes.len() {
            Ok(())
        } else {
            Err(WalkError::Torn)
        }
    }
}

/// Notices a chain that runs in a circle, as torn ones do, long before the depth runs out (Brent 1980): one
/// frame is remembered, and replaced after 1, 2, 4, ... steps.
#[derive(Default)]
struct CircleGuard {
    remembered: Address,
    steps: u64,
    limit: u64,
}

impl CircleGuard {
    fn closes_at(&mut self, frame: Address) -> bool {
        if frame == self.remembered {
            return true;
        }
        if self.steps == self.limit {
            self.remembered = frame;
            self.limit = (self.limit * 2).max(1);
            self.steps = 0;
        }
        self.steps += 1;
        false
    }
}

/// The copied part of one chunk.
struct Window {
    bytes: Vec<u8>,
    start: Address,
    len: usize,
    /// The chunk that the next frame outside of this copy probably lies in.
    next_chunk: Address,
}

impl Window {
    fn begin_at(&mut self, chunk: Address) {
        (self.start, self.len, self.next_chunk) = (0, 0, chunk);
    }

    /// The front of the frame at `address`: out of the copy, out of a fresh copy of its chunk, or by itself.
    fn frame<'a>(
        &'a mut self,
        memory: &impl Memory,
        address: Address,
        single: &'a mut [u8],
    ) -> Result<&'a [u8], Fault> {
        let size = single.len();
        if !self.holds(address, size) && !self.copy_up_to(memory, address, size) {
            memory.read(address, single)?;
            return Ok(single);
        }
        let from = (address - self.start) as usize;
        Ok(&self.bytes[from..from + size])
    }

    fn holds(&self, address: Address, size: usize) -> bool {
        address >= self.start && address - self.start + size as u64 <= self.len as u64
    }

    /// Copies the next chunk up to the end of the frame at `address`: all frames further out lie before it.
    fn copy_up_to(&mut self, memory: &impl Memory, address: Address, size: usize) -> bool {
        let chunk = self.next_chunk;
        let Some(distance) = address.checked_sub(chunk) else {
            return false;
        };
        let len = distance as usize + size;
        if chunk == 0 || distance < CHUNK_HEADER as u64 || distance > (WINDOW - MAX_FRAME) as u64 {
            return false;
        }
        if memory.read(chunk, &mut self.bytes[..len]).is_err() {
            return false;
        }
        // An address beyond the chunk is a generator's that happens to lie near.
        if u64_at(&self.bytes, 8) < len as u64 {
            self.len = 0;
            return false;
        }
        (self.start, self.len, self.next_chunk) = (chunk, len, u64_at(&self.bytes, 0));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::layout::Version;
    use super::*;

    /// Memory that a test lays out, block by block.
    #[derive(Default)]
    struct Laid(BTreeMap<Address, Vec<u8>>);

    impl Laid {
        fn blank(&mut self, address: Address, len: usize) {
            self.0.insert(address, vec![0; len]);
        }

        fn set(&mut self, address: Address, bytes: &[u8]) {
            let (start, block) = self
                .0
                .range_mut(..=address)
                .next_back()
                .expect("a block is there");
            let from = (address - start) as usize;
            block[from..from + bytes.len()].copy_from_slice(bytes);
        }

        fn word(&mut self, address: Address, value: u64) {
            self.set(address, &value.to_ne_bytes());
        }
    }

    impl Memory for Laid {
        fn read(&self, address: Address, buffer: &mut [u8]) -> Result<(), Fault> {
            let (start, block) = self
                .0
                .range(..=address)
                .next_back()
                .ok_or(Fault::Unmapped)?;
            let from = (address - start) as usize;
            let bytes = block
                .get(from..from + buffer.len())
                .ok_or(Fault::Unmapped)?;
            buffer.copy_from_slice(bytes);
            Ok(())
        }

        fn read_each(
            &self,
            addresses: &[Address],
            size: usize,
            buffer: &mut [u8],
        ) -> Result<usize, Fault> {
            let pieces = addresses.iter().zip(buffer.chunks_exact_mut(size));
            Ok(pieces
                .map_while(|(address, piece)| self.read(*address, piece).ok())
                .count())
        }
    }

    const THREAD: Address = 0x1000;
    const CFRAME: Address = 0x2000;
    const CHUNK: Address = 0x10_0000;
    const GENERATOR: Address = 0x5000;
    const CODE: Address = 0x90_0000;

    /// A 3.12 thread: two functions in the chunk, between them a generator's frame and one of the C stack.
    fn thread_of_3_12() -> (Laid, Layout) {
        let mut memory = Laid::default();
        let layout = Layout::of(Version::new(3, 12, None), &memory, 0).expect("3.12 is known");
        memory.blank(THREAD, layout.thread.size);
        memory.word(THREAD + 56, CFRAME);
        memory.word(THREAD + 232, CHUNK);
        memory.blank(CFRAME, 16);
        memory.word(CFRAME, CHUNK + 500);
        memory.blank(CHUNK, 0x4000);
        memory.word(CHUNK + 8, 0x4000);
        memory.blank(GENERATOR, 72);
        let mut frame = |address: Address, code: Address, previous: Address, owner: u8| {
            memory.word(address, code);
            memory.word(address + 8, previous);
            memory.word(address + 56, code + 192 + 2);
            memory.set(address + 70, &[owner]);
        };
        frame(CHUNK + 500, CODE, GENERATOR, 0);
        frame(GENERATOR, CODE + 0x1000, CHUNK + 200, 1);
        frame(CHUNK + 200, 7, CHUNK + 100, 3);
        frame(CHUNK + 100, CODE, 0, 0);
        memory.blank(CODE, 144);
        memory.blank(CODE + 0x1000, 144);
        (memory, layout)
    }

    #[test]
    fn frames_in_chunks_and_generators_come_in_order_and_the_c_stack_is_left_out() {
        let (memory, layout) = thread_of_3_12();
        let mut capture = Capture::new(&layout);
        capture
            .take(&memory, &layout, THREAD)
            .expect("a whole stack");
        let codes: Vec<Address> = capture.frames().iter().map(|frame| frame.code).collect();
        assert_eq!(codes, [CODE, CODE + 0x1000, CODE]);
        assert_eq!(capture.codes(&layout).count(), 2);
    }

    #[test]
    fn a_chain_that_runs_in_a_circle_is_torn() {
        let (mut memory, layout) = thread_of_3_12();
        memory.word(CHUNK + 100 + 8, CHUNK + 500);
        let torn = Capture::new(&layout).take(&memory, &layout, THREAD);
        assert_eq!(torn, Err(WalkError::Torn));
        memory.word(CHUNK + 200 + 8, CHUNK + 500);
        memory.word(CHUNK + 500, 7);
        memory.set(CHUNK + 500 + 70, &[3]);
        memory.set(GENERATOR + 70, &[3]);
        assert_eq!(
            Capture::new(&layout).take(&memory, &layout, THREAD),
            Err(WalkError::Torn)
        );
    }

    #[test]
    fn a_circle_is_noticed_early_wherever_it_closes() {
        for lead in [0, 1, 5, 1000] {
            for length in [1, 2, 7, 1000] {
                let mut guard = CircleGuard::default();
                let frame = |step: u64| {
                    if step < lead {
                        step + 1
                    } else {
                        lead + 1 + (step - lead) % length
                    }
                };
                let noticed = (0..)
                    .find(|&step| guard.closes_at(frame(step)))
                    .expect("it is a circle");
                assert!(
                    noticed >= lead + length && noticed <= 4 * (lead + length) + 4,
                    "{lead} {length} {noticed}"
                );
            }
        }
        let mut guard = CircleGuard::default();
        assert!(
            (1..100_000).all(|frame| !guard.closes_at(frame)),
            "a straight chain is none"
        );
    }

    #[test]
    fn a_code_object_that_is_gone_is_torn() {
        let (mut memory, layout) = thread_of_3_12();
        memory.0.remove(&(CODE + 0x1000));
        assert_eq!(
            Capture::new(&layout).take(&memory, &layout, THREAD),
            Err(WalkError::Torn)
        );
    }

    #[test]
    fn a_deep_stack_fits_after_growing() {
        let (mut memory, layout) = thread_of_3_12();
        let (depth, size) = (20_000_u64, 80);
        let base = 0x4000_0000;
        memory.blank(base, (depth * size + size) as usize);
        for level in 1..=depth {
            memory.word(base + level * size, CODE);
            memory.word(
                base + level * size + 8,
                if level == 1 {
                    0
                } else {
                    base + (level - 1) * size
                },
            );
        }
        memory.word(CFRAME, base + depth * size);
        let mut capture = Capture::new(&layout);
        while capture.take(&memory, &layout, THREAD) == Err(WalkError::TooDeep) {
            capture.grow(&layout);
        }
        assert_eq!(capture.frames().len(), depth as usize);
        assert_eq!(capture.codes(&layout).count(), 1);
    }
}
