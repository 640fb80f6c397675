//! The memory in which a thread that reads itself is told what to read, and puts what it has read.
//!
//! In our own process it is plain memory. With a program that was started with the agent it is shared: the recorder maps it, and
//! the agent in the program does (see `agent`). Both sides are the same code, meant to be built from the same source, which
//! [`MAGIC`] and the size of the memory stand for.
//!
//! Who may touch what is decided by `state`:
//!
//! | state | buffers belong to | goes on |
//! | --- | --- | --- |
//! | idle, done | the sampler | sampler: requested |
//! | requested | nobody | handler: reading; sampler, when it has waited long enough: idle |
//! | reading | the handler | handler: done |

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::stack::class::{self, TYPE_HEAD};
use crate::stack::layout::WalkLayout;
use crate::stack::memory::{Address, Fault, ProcessMemory};
use crate::stack::receiver::{Scratch, TYPES};
use crate::stack::snapshot::{self, Block};
use crate::stack::traits::Traits;
use crate::stack::walk::{
    self, Buffers, FILTER_SLOTS, Filled, FilterSlot, Known, MAX_THREAD, Place, RawFrame, WINDOW,
    WalkError,
};
use crate::{Pid, Tid, Timestamp};

/// How long a thread has to answer. One that is ready to run but gets no CPU is then read as it stands.
const ANSWER_WITHIN: Duration = Duration::from_millis(2);
/// How long to look out for an answer before sleeping on it. To be woken costs the thread that answers more than the read.
const LOOK_OUT: Duration = Duration::from_micros(40);
/// Looks at the state between two at the clock.
const SPINS: u32 = 16;

/// Room for this many frames. Pages that are never written take no memory.
const FRAMES: usize = 256 << 10;
const CODES: usize = FRAMES / 4;
/// No version's front of a code object is larger.
const MAX_CODE: usize = 256;
/// Slots of the table of what is known, a power of two.
const KNOWN: usize = 1 << 15;
/// A table that is fuller is begun anew: what is not in it is only copied once more.
const KNOWN_AT_MOST: u64 = KNOWN as u64 / 2;

/// Both sides must have been built from the same source.
const MAGIC: u64 = 0x4a55_4d50_0001 << 16 ^ size_of::<Block>() as u64;

/// Threads that may block the signal at once.
const BLOCKING: usize = 1024;
/// How long a thread that is about to block the signal waits for one that is on its way. It comes within microseconds.
const LONGEST_WAIT: Duration = Duration::from_millis(10);

const IDLE: u32 = 0;
/// A signal is on its way.
const REQUESTED: u32 = 1;
/// The handler reads.
const READING: u32 = 2;
/// It has.
const DONE: u32 = 3;

/// How the read ended, as a number: `Ok`, then the kinds of [`WalkError`].
const WHOLE: u32 = 0;
const TORN: u32 = 1;
const TOO_DEEP: u32 = 2;
const DENIED: u32 = 3;
const NO_ROOM: u32 = 4;

/// A code object or type that is known: its address, a hash of the part of its front that no other has, and what the variables
/// of a code object tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct KnownObject {
    address: Address,
    identity: u64,
    traits: Traits,
}

impl KnownObject {
    pub(crate) fn code(layout: &WalkLayout, address: Address, head: &[u8], traits: Traits) -> Self {
        Self {
            address,
            identity: hash(layout.identity(head)),
            traits,
        }
    }

    /// `None` where nothing tells the type from others.
    pub(crate) fn class(address: Address, head: &[u8]) -> Option<Self> {
        let [name, tag] = class::identity(head)?;
        Some(Self {
            address,
            identity: name.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ tag,
            traits: Traits::default(),
        })
    }
}

/// The whole memory. It is only ever used behind a pointer to zeroed memory of its size.
#[repr(C)]
struct Layout {
    magic: AtomicU64,
    /// What the agent says of itself, see [`Presence`].
    presence: Presence,
    /// The number of the present request, which its signal carries. A signal that comes too late has another.
    request: AtomicU64,
    /// A futex.
    state: AtomicU32,
    /// Whether the sampler sleeps on `state` and has to be woken.
    asleep: AtomicU32,
    /// Signals sent whose handler has not run.
    unanswered: AtomicU32,
    /// The CPU that the last answer was given on.
    cpu: AtomicI32,
    /// Which thread the present request is for.
    target: AtomicU32,
    outcome: u32,
    /// Threads that block the signal, by their number. What finds no room is found out from the system, a little later.
    blocking: [AtomicU32; BLOCKING],
    /// Threads that stand still in the handler, likewise.
    standing: [AtomicU32; BLOCKING],
    thread: Address,
    walk: WalkLayout,
    filled: Filled,
    known_count: u64,
    known: [KnownObject; KNOWN],
    filter: [FilterSlot; FILTER_SLOTS],
    thread_state: [u8; MAX_THREAD],
    blocks: [Block; snapshot::BLOCKS],
    types: [Address; TYPES],
    type_heads: [u8; TYPES * TYPE_HEAD],
    codes: [Address; CODES],
    traits: [Traits; CODES],
    frames: [RawFrame; FRAMES],
    places: [Place; FRAMES],
    variables: Scratch,
    window: [u8; WINDOW],
    snapshot: [u8; snapshot::CAPACITY],
    heads: [u8; CODES * MAX_CODE],
}

impl Layout {
    fn blocking(&self, tid: u32) -> &AtomicU32 {
        &self.blocking[tid as usize % BLOCKING]
    }

    fn standing(&self, tid: u32) -> &AtomicU32 {
        &self.standing[tid as usize % BLOCKING]
    }
}

/// Where an agent says that it is there.
#[repr(C)]
pub(crate) struct Presence {
    /// The signal that its handler is for; 0 while there is none.
    pub(crate) signal: AtomicU32,
    /// The process that it is in.
    pub(crate) process: AtomicU32,
    /// Which program that process runs: the random bytes that the kernel gives each new program image.
    pub(crate) image: [AtomicU64; 2],
}

/// A pointer to the memory, which stays mapped as long as the process lives.
#[derive(Clone, Copy)]
pub(crate) struct Arena(*mut Layout);

// SAFETY: the memory is never unmapped, its atomics are shared by design, and the rest is accessed under the
// protocol described above, whichever thread does it.
unsafe impl Send for Arena {}

/// What the sampler wants read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) thread: Address,
    pub(crate) layout: WalkLayout,
}

/// The thread did not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered;

impl Arena {
    pub(crate) const SIZE: usize = size_of::<Layout>();

    /// Memory of our own process.
    pub(crate) fn own() -> io::Result<Self> {
        Self::map(-1, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS)
    }

    /// The memory behind a descriptor, which has [`SIZE`](Self::SIZE) bytes.
    pub(crate) fn shared(descriptor: RawFd) -> io::Result<Self> {
        Self::map(descriptor, libc::MAP_SHARED)
    }

    fn map(descriptor: RawFd, flags: libc::c_int) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = flags | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                Self::SIZE,
                protection,
                flags,
                descriptor,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(address.cast()))
    }

    /// The pointer as a number, for a static.
    pub(crate) fn as_raw(self) -> *mut () {
        self.0.cast()
    }

    /// # Safety
    /// `raw` must be from [`as_raw`](Self::as_raw) in this process.
    pub(crate) unsafe fn from_raw(raw: *mut ()) -> Self {
        Self(raw.cast())
    }

    /// Marks memory that is new as ours.
    pub(crate) fn sign(self) {
        self.shape().magic.store(Self::magic(), Ordering::Release);
    }

    /// Whether the other side was built from the same source.
    pub(crate) fn is_signed(self) -> bool {
        self.shape().magic.load(Ordering::Acquire) == Self::magic()
    }

    const fn magic() -> u64 {
        MAGIC ^ (Self::SIZE as u64) << 20
    }

    pub(crate) fn presence(&self) -> &Presence {
        &self.shape().presence
    }

    /// Gives up whatever was going on: the program that it went on in is gone.
    pub(crate) fn reset(self) {
        self.shape().unanswered.store(0, Ordering::Relaxed);
        self.shape().state.store(IDLE, Ordering::Release);
    }

    /// Whether there is a handler that answers.
    pub(crate) fn is_served(self) -> bool {
        self.presence().signal.load(Ordering::SeqCst) != 0
    }

    /// How many signals were sent whose handler has not run.
    pub(crate) fn unanswered(self) -> u32 {
        self.shape().unanswered.load(Ordering::SeqCst)
    }

    /// The shared parts of the memory; of the others nothing may be touched through this.
    fn shape(&self) -> &Layout {
        // SAFETY: the memory is mapped, large enough, aligned to a page, and all bits are valid for each field. Fields
        // that are not atomic are only read through this while they belong to the reader.
        unsafe { &*self.0 }
    }

    fn buffers(&mut self) -> Buffers<'_> {
        // SAFETY: as for `shape`; callers are the side that the buffers belong to (see the module), and the borrow of
        // `self` keeps them from doing so twice.
        let memory = unsafe { &mut *self.0 };
        Buffers {
            frames: &mut memory.frames,
            codes: &mut memory.codes,
            heads: &mut memory.heads,
            traits: &mut memory.traits,
            types: &mut memory.types,
            type_heads: &mut memory.type_heads,
            places: &mut memory.places,
            variables: &mut memory.variables,
            blocks: &mut memory.blocks,
            snapshot: &mut memory.snapshot,
            window: &mut memory.window,
            state: &mut memory.thread_state,
            filter: &mut memory.filter,
        }
    }

    fn swap_state(self, from: u32, to: u32) -> bool {
        self.shape()
            .state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    // The sampler's side.

    /// Begins a request and returns its number. `Err` where the last one is still being answered.
    pub(crate) fn request(&mut self, request: Request, thread: Tid) -> Result<u64, Unanswered> {
        match self.shape().state.load(Ordering::Acquire) {
            IDLE => {}
            DONE if self.swap_state(DONE, IDLE) => {}
            _ => return Err(Unanswered),
        }
        let number = self.shape().request.load(Ordering::Relaxed).wrapping_add(1);
        // SAFETY: the state is idle, so that these belong to us.
        unsafe {
            (*self.0).thread = request.thread;
            (*self.0).walk = request.layout;
        }
        let shape = self.shape();
        shape.request.store(number, Ordering::Release);
        shape.unanswered.fetch_add(1, Ordering::SeqCst);
        // The other side takes the handler away first and looks for unanswered signals then.
        if !self.is_served() {
            self.cancel();
            return Err(Unanswered);
        }
        shape.target.store(thread.get(), Ordering::SeqCst);
        shape.state.store(REQUESTED, Ordering::SeqCst);
        Ok(number)
    }

    /// Whether the thread has said that it blocks the signal. To be asked between a request and its signal: what it says from
    /// then on, it says after the signal has come.
    pub(crate) fn is_blocking(self, thread: Tid) -> bool {
        self.shape().blocking(thread.get()).load(Ordering::SeqCst) == thread.get()
    }

    /// Takes the request back: its signal could not be sent.
    pub(crate) fn cancel(self) {
        self.shape().unanswered.fetch_sub(1, Ordering::Relaxed);
        self.shape().state.store(IDLE, Ordering::Release);
    }

    /// Waits until the request is answered. One that is not is given up.
    pub(crate) fn wait(self) -> Result<(), Unanswered> {
        let shape = self.shape();
        // A thread that was last on our CPU waits for us to leave it.
        if shape.cpu.load(Ordering::Relaxed) != own_cpu() && self.look_out() {
            return Ok(());
        }
        shape.asleep.store(1, Ordering::SeqCst);
        let answered = self.sleep();
        shape.asleep.store(0, Ordering::Relaxed);
        answered
    }

    fn look_out(self) -> bool {
        let deadline = Timestamp::now().after(LOOK_OUT);
        loop {
            for _ in 0..SPINS {
                if self.shape().state.load(Ordering::Acquire) == DONE {
                    return true;
                }
                std::hint::spin_loop();
            }
            if Timestamp::now() > deadline {
                return false;
            }
        }
    }

    fn sleep(self) -> Result<(), Unanswered> {
        let deadline = Timestamp::now().after(ANSWER_WITHIN);
        loop {
            let state = self.shape().state.load(Ordering::SeqCst);
            let left = deadline.saturating_duration_since(Timestamp::now());
            match state {
                DONE => return Ok(()),
                REQUESTED if left.is_zero() => {
                    if self.swap_state(REQUESTED, IDLE) {
                        return Err(Unanswered);
                    }
                }
                // It has begun to read and was stopped, or got no CPU. The memory is its own until it goes on.
                _ if left.is_zero() => return Err(Unanswered),
                _ => futex_wait(&self.shape().state, state, left),
            }
        }
    }

    /// What was read, after [`wait`](Self::wait). The numbers may be anything: the memory is not ours alone.
    pub(crate) fn answer(&mut self) -> (Result<Filled, WalkError>, Buffers<'_>) {
        // SAFETY: the state is done, so that these belong to us.
        let (outcome, filled) = unsafe { ((*self.0).outcome, (*self.0).filled) };
        let result = match outcome {
            WHOLE => Ok(filled),
            TOO_DEEP => Err(WalkError::TooDeep),
            DENIED => Err(WalkError::Fault(Fault::Denied)),
            _ => Err(WalkError::Torn),
        };
        (result, self.buffers())
    }

    /// Whether the thread had no room on its stack to read itself, and has read nothing.
    pub(crate) fn had_no_room(self) -> bool {
        // SAFETY: the state is done, so that this belongs to us.
        unsafe { (*self.0).outcome == NO_ROOM }
    }

    /// Notes that something is known, and need not be described again. Between requests.
    pub(crate) fn note_known(&mut self, known: KnownObject) {
        if !matches!(self.shape().state.load(Ordering::Acquire), IDLE | DONE) {
            return;
        }
        // SAFETY: there is no request, so that the table belongs to us.
        let memory = unsafe { &mut *self.0 };
        if memory.known_count >= KNOWN_AT_MOST {
            memory.known.fill(KnownObject::default());
            memory.known_count = 0;
        }
        for slot in slots(known.address) {
            let Some(entry) = memory.known.get_mut(slot) else {
                return;
            };
            if entry.address == 0 {
                memory.known_count += 1;
            } else if entry.address != known.address {
                continue;
            }
            *entry = known;
            return;
        }
    }

    // The handler's side.

    /// Reads what is asked for, if `number` is the present request. In a signal handler.
    pub(crate) fn serve(mut self, number: u64) {
        if !self.begin(number) {
            return;
        }
        // SAFETY: the state is reading, so that these belong to us.
        let (thread, layout) = unsafe { ((*self.0).thread, (*self.0).walk) };
        let known = self.known();
        let memory = ProcessMemory::of(Pid::own());
        let result = walk::walk(&mut self.buffers(), &memory, &layout, thread, &known);
        let outcome = match result {
            Ok(_) => WHOLE,
            Err(WalkError::Torn) => TORN,
            Err(WalkError::TooDeep) => TOO_DEEP,
            Err(WalkError::Fault(_)) => DENIED,
        };
        self.end(outcome, result.unwrap_or_default());
    }

    /// Answers a request without reading: there is no room for that on the stack. In a signal handler.
    pub(crate) fn decline(self, number: u64) {
        if self.begin(number) {
            self.end(NO_ROOM, Filled::default());
        }
    }

    /// Takes up a request, if `number` is the present one.
    fn begin(self, number: u64) -> bool {
        let shape = self.shape();
        shape.unanswered.fetch_sub(1, Ordering::Relaxed);
        shape.request.load(Ordering::Acquire) == number && self.swap_state(REQUESTED, READING)
    }

    /// Answers the request that was taken up.
    fn end(self, outcome: u32, filled: Filled) {
        // SAFETY: the state is reading, so that these belong to us.
        unsafe {
            (*self.0).outcome = outcome;
            (*self.0).filled = filled;
        }
        let shape = self.shape();
        shape.cpu.store(own_cpu(), Ordering::Relaxed);
        shape.state.store(DONE, Ordering::SeqCst);
        if shape.asleep.load(Ordering::SeqCst) != 0 {
            futex_wake(&shape.state);
        }
    }

    /// Whether the thread stands still: it goes on with a system call in the handler, or is about to. It is still there if this is so
    /// before and after something: only another request gets it there.
    pub(crate) fn is_standing(self, thread: Tid) -> bool {
        self.shape().standing(thread.get()).load(Ordering::SeqCst) == thread.get()
    }

    /// Says that this thread stands still, in the handler, until the result is dropped.
    pub(crate) fn stand_still(self) -> Standing {
        // SAFETY: takes nothing, cannot fail.
        let own_tid = unsafe { libc::syscall(libc::SYS_gettid) as u32 };
        let entry = self.shape().standing(own_tid);
        entry.store(own_tid, Ordering::SeqCst);
        Standing(self, own_tid)
    }

    // The program's side, in a thread that does not block the signal yet.

    /// Says that the thread with this number is about to block the signal, and waits for one that is on its way to it.
    pub(crate) fn begin_blocking(self, own_tid: u32) {
        let shape = self.shape();
        shape.blocking(own_tid).store(own_tid, Ordering::SeqCst);
        let deadline = Timestamp::now().after(LONGEST_WAIT);
        while shape.state.load(Ordering::SeqCst) == REQUESTED
            && shape.target.load(Ordering::SeqCst) == own_tid
        {
            if Timestamp::now() >= deadline {
                // Whoever asked has gone, and no later caller need wait for it.
                shape.target.store(0, Ordering::SeqCst);
                break;
            }
            std::thread::yield_now();
        }
    }

    /// Says that the thread with this number does not block the signal any more.
    pub(crate) fn end_blocking(self, own_tid: u32) {
        let entry = self.shape().blocking(own_tid);
        let _ = entry.compare_exchange(own_tid, 0, Ordering::SeqCst, Ordering::Relaxed);
    }

    fn known(self) -> KnownTable {
        // SAFETY: only the address is taken.
        KnownTable(unsafe { &raw const (*self.0).known })
    }
}

/// A thread stands still as long as this is there.
pub(crate) struct Standing(Arena, u32);

impl Drop for Standing {
    fn drop(&mut self) {
        let Self(arena, own_tid) = *self;
        let entry = arena.shape().standing(own_tid);
        let _ = entry.compare_exchange(own_tid, 0, Ordering::SeqCst, Ordering::Relaxed);
    }
}

/// What is known, for the handler.
struct KnownTable(*const [KnownObject; KNOWN]);

impl KnownTable {
    /// The entry of the same object.
    fn find(&self, wanted: KnownObject) -> Option<&KnownObject> {
        // SAFETY: while the handler reads, nobody writes to the table, which is no part of the buffers.
        let table = unsafe { &*self.0 };
        slots(wanted.address)
            .map_while(|slot| table.get(slot).filter(|entry| entry.address != 0))
            .find(|entry| entry.address == wanted.address && entry.identity == wanted.identity)
    }
}

impl Known for KnownTable {
    fn code(&self, layout: &WalkLayout, address: Address, head: &[u8]) -> Option<Traits> {
        let wanted = KnownObject::code(layout, address, head, Traits::default());
        self.find(wanted).map(|known| known.traits)
    }

    fn class(&self, address: Address, head: &[u8]) -> bool {
        let wanted = KnownObject::class(address, head);
        wanted.is_some_and(|wanted| self.find(wanted).is_some())
    }
}

/// Where the entry of an address may be. The table is never more than half full, so that a free slot comes soon.
fn slots(address: Address) -> impl Iterator<Item = usize> {
    let first = (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (0..64).map(move |step| (first as usize + step) % KNOWN)
}

/// FNV-1a over words (Fowler, Noll, Vo), turned after each so that the high bits come to count.
fn hash(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        chunk
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte))
    });
    words.fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| {
        (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    })
}

/// The CPU that the calling thread is on. Async-signal-safe: it reads memory that the kernel shares with us.
fn own_cpu() -> i32 {
    // SAFETY: takes nothing; -1 where it is not known.
    unsafe { libc::sched_getcpu() }
}

/// Sleeps while `word` is `value`. The word may be shared with another process.
fn futex_wait(word: &AtomicU32, value: u32, at_most: Duration) {
    let timeout = libc::timespec {
        tv_sec: at_most.as_secs() as libc::time_t,
        tv_nsec: at_most.subsec_nanos().into(),
    };
    // SAFETY: `word` and `timeout` outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            value,
            &raw const timeout,
        )
    };
}

fn futex_wake(word: &AtomicU32) {
    // SAFETY: `word` is a valid futex word; waking reads nothing else.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}
