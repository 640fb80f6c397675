//! Copying the frames of one thread, in the few microseconds for which it holds still.
//!
//! This may run in a signal handler of the observed program, wherever that program happens to be: inside `malloc`,
//! say, or with little stack left. So nothing is allocated here, nothing panics whatever the memory holds, and
//! nothing is interpreted that can wait. What is copied is the chain of frames, the front of each code object
//! on it, and what those say of themselves that are not known yet; and for methods the way to the class.
//!
//! From 3.11 most frames lie one behind the other in chunks of a data stack, so that a chunk is copied whole
//! and the chain is followed in the copy. Frames of generators lie in their generator objects, and all frames
//! to 3.10 on the heap: those are read one by one.

use super::class::TYPE_HEAD;
use super::layout::WalkLayout;
use super::memory::{Address, Fault, Memory, i32_at, u64_at};
use super::receiver;
use super::snapshot::{self, Block};
use super::traits::Traits;

/// No deeper stack is believed.
pub(crate) const MAX_DEPTH: usize = 1 << 20;
/// The part of a chunk that is copied in one go. Chunks have 16 KiB unless a single frame is larger.
pub(crate) const WINDOW: usize = 256 << 10;
/// `struct _stack_chunk`: previous, size, top, data. The same since 3.11.
const CHUNK_HEADER: usize = 24;
/// Enough for the front of any frame of any version.
pub(crate) const MAX_FRAME: usize = 384;
/// Enough for any thread state.
pub(crate) const MAX_THREAD: usize = 2048;
/// Slots of the filter that keeps a recursive function from being listed at every level.
pub(crate) const FILTER_SLOTS: usize = 256;

/// One frame as it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct RawFrame {
    pub(crate) code: Address,
    /// The instruction, as [`Position`](super::layout::Position) says.
    pub(crate) position: u64,
    /// For a method the type object of its class, or what then looked like one; else 0.
    pub(crate) class: Address,
}

/// Where one frame lies, while its class is looked for.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Place {
    pub(crate) frame: Address,
    /// The first local variable; 0 where it holds nothing, or nothing to be trusted.
    pub(crate) local: Address,
    /// Which of the code objects on the stack.
    pub(crate) code: u64,
}

/// One entry of a filter.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct FilterSlot {
    code: Address,
    index: u64,
}

/// What is known already, and need not be copied again.
pub(crate) trait Known {
    /// What is known of the code object at `address`, whose front is `head`.
    fn code(&self, layout: &WalkLayout, address: Address, head: &[u8]) -> Option<Traits>;

    /// Whether the type at `address`, whose front is `head`, is known.
    fn class(&self, address: Address, head: &[u8]) -> bool;
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

/// Where a stack is copied to.
pub(crate) struct Buffers<'a> {
    /// Innermost first.
    pub(crate) frames: &'a mut [RawFrame],
    /// The code objects on the stack; one may be listed more than once.
    pub(crate) codes: &'a mut [Address],
    /// Their fronts, [`WalkLayout::code_size`] bytes each.
    pub(crate) heads: &'a mut [u8],
    /// What their variables tell.
    pub(crate) traits: &'a mut [Traits],
    /// The types on the stack, likewise, and their fronts, [`TYPE_HEAD`] bytes each.
    pub(crate) types: &'a mut [Address],
    pub(crate) type_heads: &'a mut [u8],
    /// What unknown ones say of themselves.
    pub(crate) blocks: &'a mut [Block],
    pub(crate) snapshot: &'a mut [u8],
    /// Scratch: as many as frames, [`WINDOW`] and [`MAX_THREAD`] bytes, and [`FILTER_SLOTS`].
    pub(crate) places: &'a mut [Place],
    pub(crate) variables: &'a mut receiver::Scratch,
    pub(crate) window: &'a mut [u8],
    pub(crate) state: &'a mut [u8],
    pub(crate) filter: &'a mut [FilterSlot],
}

/// How much of each buffer is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Filled {
    pub(crate) frames: usize,
    pub(crate) codes: usize,
    pub(crate) types: usize,
    pub(crate) blocks: usize,
    pub(crate) snapshot: usize,
}

/// Copies the stack of the thread whose state lies at `thread`, and what those code objects and types say of themselves that
/// are not `known` by their address and front.
pub(crate) fn walk(
    buffers: &mut Buffers<'_>,
    memory: &impl Memory,
    layout: &WalkLayout,
    thread: Address,
    known: &impl Known,
) -> Result<Filled, WalkError> {
    let mut filled = copy_frames(buffers, memory, layout, thread)?;
    let heads = buffers.heads.chunks_exact(layout.code_size().max(1));
    let codes = buffers.codes.iter().take(filled.codes);
    let mut space = snapshot::Space::new(buffers.blocks, buffers.snapshot);
    for ((&address, head), traits) in codes.zip(heads).zip(buffers.traits.iter_mut()) {
        *traits = known.code(layout, address, head).unwrap_or_else(|| {
            space.copy_code(memory, layout, head);
            Traits::read(memory, layout, head)
        });
    }
    let stack = receiver::Stack {
        frames: buffers.frames.get_mut(..filled.frames).unwrap_or_default(),
        places: buffers.places.get_mut(..filled.frames).unwrap_or_default(),
        traits: buffers.traits.get(..filled.codes).unwrap_or_default(),
        types: &mut *buffers.types,
        type_heads: &mut *buffers.type_heads,
        scratch: &mut *buffers.variables,
    };
    filled.types = receiver::resolve(memory, layout, stack);
    let heads = buffers.type_heads.chunks_exact(TYPE_HEAD);
    for (&address, head) in buffers.types.iter().take(filled.types).zip(heads) {
        if !known.class(address, head) {
            space.copy_type_name(memory, head);
        }
    }
    (filled.blocks, filled.snapshot) = space.filled();
    Ok(filled)
}

/// Copies the stack of the thread whose state lies at `thread`.
pub(crate) fn copy_frames(
    buffers: &mut Buffers<'_>,
    memory: &impl Memory,
    layout: &WalkLayout,
    thread: Address,
) -> Result<Filled, WalkError> {
    buffers.filter.fill(FilterSlot::default());
    let size = layout.thread_size as usize;
    let state = buffers.state.get_mut(..size).ok_or(WalkError::Torn)?;
    memory.read(thread, state)?;
    let chunk = match layout.datastack_chunk {
        WalkLayout::NONE => 0,
        offset => u64_at(state, offset as usize),
    };
    let top = u64_at(state, layout.top_frame as usize);
    let top = match (layout.top_frame_in_cframe, top) {
        (WalkLayout::NONE, top) => top,
        (_, 0) => 0,
        (offset, cframe) => memory.pointer(cframe.wrapping_add(offset))?,
    };
    let mut chain = Chain {
        window: Window {
            bytes: &mut *buffers.window,
            start: 0,
            len: 0,
            next_chunk: chunk,
        },
        frames: &mut *buffers.frames,
        places: &mut *buffers.places,
        codes: &mut *buffers.codes,
        filter: &mut *buffers.filter,
        filled: Filled::default(),
    };
    chain.follow(memory, layout, top)?;
    let filled = chain.filled;
    let codes = buffers
        .codes
        .get(..filled.codes)
        .ok_or(WalkError::TooDeep)?;
    let size = layout.code_size();
    if filled.codes.saturating_mul(size) > buffers.heads.len() {
        return Err(WalkError::TooDeep);
    }
    match memory.read_each(codes, size, buffers.heads)? {
        count if count == filled.codes => Ok(filled),
        _ => Err(WalkError::Torn),
    }
}

/// The chain of frames that is being followed.
struct Chain<'a> {
    window: Window<'a>,
    frames: &'a mut [RawFrame],
    places: &'a mut [Place],
    codes: &'a mut [Address],
    filter: &'a mut [FilterSlot],
    filled: Filled,
}

impl Chain<'_> {
    /// Follows the chain from `frame` to its end.
    fn follow(
        &mut self,
        memory: &impl Memory,
        layout: &WalkLayout,
        mut frame: Address,
    ) -> Result<(), WalkError> {
        let mut single = [0; MAX_FRAME];
        let single = single
            .get_mut(..layout.frame_size as usize)
            .ok_or(WalkError::Torn)?;
        let mut circle = CircleGuard::default();
        let mut inner_is_entry = true;
        // Frames that stand for the C stack are not kept, so that the length of the chain is counted apart.
        for _ in 0..=MAX_DEPTH {
            if frame == 0 {
                return Ok(());
            }
            if circle.closes_at(frame) {
                return Err(WalkError::Torn);
            }
            let bytes = self.window.frame(memory, frame, single)?;
            let previous = u64_at(bytes, layout.previous as usize);
            let local = match is_leaving(layout, bytes, inner_is_entry) {
                true => 0,
                false => first_local(layout, bytes),
            };
            inner_is_entry = is_entry(layout, bytes);
            if let Some(found) = python_frame(layout, bytes) {
                self.push(found, frame, local)?;
            }
            frame = previous;
        }
        Err(WalkError::Torn)
    }

    fn push(&mut self, frame: RawFrame, at: Address, local: Address) -> Result<(), WalkError> {
        let filled = &mut self.filled;
        let space = self.frames.get_mut(filled.frames);
        *space.ok_or(WalkError::TooDeep)? = frame;
        let place = self.places.get_mut(filled.frames);
        let place = place.ok_or(WalkError::TooDeep)?;
        filled.frames += 1;
        let slot = (frame.code >> 5 ^ frame.code >> 13) as usize % FILTER_SLOTS;
        let last = self.filter.get_mut(slot).ok_or(WalkError::Torn)?;
        // No slot is free of meaning: one that is unused says 0, which is no code object's address.
        if last.code != frame.code || filled.codes == 0 {
            let space = self.codes.get_mut(filled.codes);
            *space.ok_or(WalkError::TooDeep)? = frame.code;
            *last = FilterSlot {
                code: frame.code,
                index: filled.codes as u64,
            };
            filled.codes += 1;
        }
        *place = Place {
            frame: at,
            local,
            code: last.index,
        };
        Ok(())
    }
}

/// The frame with this front; `None` for one that stands for the C stack.
fn python_frame(layout: &WalkLayout, bytes: &[u8]) -> Option<RawFrame> {
    let hidden_owners = layout.hidden_owners_start..layout.hidden_owners_end;
    let hidden = match layout.owner {
        WalkLayout::NONE => false,
        offset => bytes
            .get(offset as usize)
            .is_some_and(|&owner| hidden_owners.contains(&owner.into())),
    };
    let at = layout.position as usize;
    let position = match layout.position_is_index {
        0 => u64_at(bytes, at),
        _ => u64::from(i32_at(bytes, at).cast_unsigned()),
    };
    (!hidden).then(|| RawFrame {
        code: u64_at(bytes, layout.code as usize) & !layout.code_tag,
        position,
        class: 0,
    })
}

/// The object that the first local variable of a frame refers to, or 0.
fn first_local(layout: &WalkLayout, bytes: &[u8]) -> Address {
    if layout.locals == WalkLayout::NONE {
        return 0;
    }
    let local = u64_at(bytes, layout.locals as usize);
    // With all bits of the tag set it is a small number.
    match local & layout.code_tag == layout.code_tag && layout.code_tag != 0 {
        true => 0,
        false => local & !layout.code_tag,
    }
}

/// Whether the variables of a frame are being released: its stack of values is put away though none of the functions that it
/// might have called from Python is running.
fn is_leaving(layout: &WalkLayout, bytes: &[u8], inner_is_entry: bool) -> bool {
    layout.stack_top != WalkLayout::NONE
        && inner_is_entry
        && i32_at(bytes, layout.stack_top as usize) >= 0
}

/// Whether C code called the function of a frame, as far as [`is_leaving`] needs it.
fn is_entry(layout: &WalkLayout, bytes: &[u8]) -> bool {
    let flag = bytes.get(layout.is_entry as usize);
    flag.is_some_and(|&flag| flag != 0)
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
struct Window<'a> {
    bytes: &'a mut [u8],
    start: Address,
    len: usize,
    /// The chunk that the next frame outside of this copy probably lies in.
    next_chunk: Address,
}

impl Window<'_> {
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
        let from = address.wrapping_sub(self.start) as usize;
        self.bytes
            .get(from..from.saturating_add(size))
            .ok_or(Fault::Unmapped)
    }

    fn holds(&self, address: Address, size: usize) -> bool {
        address
            .checked_sub(self.start)
            .is_some_and(|from| from.saturating_add(size as u64) <= self.len as u64)
    }

    /// Copies the next chunk up to the end of the frame at `address`: all frames further out lie before it.
    fn copy_up_to(&mut self, memory: &impl Memory, address: Address, size: usize) -> bool {
        let chunk = self.next_chunk;
        let Some(distance) = address.checked_sub(chunk) else {
            return false;
        };
        if chunk == 0 || distance < CHUNK_HEADER as u64 || distance > (WINDOW - MAX_FRAME) as u64 {
            return false;
        }
        let len = distance as usize + size;
        let Some(bytes) = self.bytes.get_mut(..len) else {
            return false;
        };
        if memory.read(chunk, bytes).is_err() {
            return false;
        }
        // An address beyond the chunk is a generator's that happens to lie near.
        if u64_at(bytes, 8) < len as u64 {
            self.len = 0;
            return false;
        }
        (self.start, self.len, self.next_chunk) = (chunk, len, u64_at(bytes, 0));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::capture::Capture;
    use super::super::layout::{Layout, Version};
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
    }

    /// Unknown code objects are of no interest.
    struct Nothing;

    impl Known for Nothing {
        fn code(&self, _: &WalkLayout, _: Address, _: &[u8]) -> Option<Traits> {
            Some(Traits::default())
        }

        fn class(&self, _: Address, _: &[u8]) -> bool {
            true
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
        memory.blank(GENERATOR, 80);
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
            .take(&memory, THREAD, &Nothing)
            .expect("a whole stack");
        let codes: Vec<Address> = capture.frames().iter().map(|frame| frame.code).collect();
        assert_eq!(codes, [CODE, CODE + 0x1000, CODE]);
        assert_eq!(capture.codes().count(), 2);
    }

    #[test]
    fn a_chain_that_runs_in_a_circle_is_torn() {
        let (mut memory, layout) = thread_of_3_12();
        memory.word(CHUNK + 100 + 8, CHUNK + 500);
        let torn = Capture::new(&layout).take(&memory, THREAD, &Nothing);
        assert_eq!(torn, Err(WalkError::Torn));
        memory.word(CHUNK + 200 + 8, CHUNK + 500);
        memory.word(CHUNK + 500, 7);
        memory.set(CHUNK + 500 + 70, &[3]);
        memory.set(GENERATOR + 70, &[3]);
        assert_eq!(
            Capture::new(&layout).take(&memory, THREAD, &Nothing),
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
            Capture::new(&layout).take(&memory, THREAD, &Nothing),
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
        while capture.take(&memory, THREAD, &Nothing) == Err(WalkError::TooDeep) {
            capture.grow();
        }
        assert_eq!(capture.frames().len(), depth as usize);
        assert_eq!(capture.codes().count(), 1);
    }
}
