//! Reading the threads of our own process, by a handler that is there as long as somebody needs it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::arena::{Arena, KnownObject};
use super::signal::Signaller;
use super::{HoldError, handler};
use crate::stack::capture::Capture;
use crate::stack::layout::WalkLayout;
use crate::stack::memory::Address;
use crate::stack::walk::WalkError;
use crate::{Error, PerProcess, Pid, Tid, Timestamp};

/// The handler of our own process.
static INSTALLED: PerProcess<Mutex<Installed>> = PerProcess::new();

#[derive(Default)]
struct Installed {
    /// Once there, it stays, for a handler that is just running.
    arena: Option<Arena>,
    /// The signal and its disposition before, while any sampler needs the handler.
    signal: Option<(i32, libc::sigaction)>,
    users: usize,
}

/// Whose turn it is to use the arena of our own process; 0 for nobody's. A process number rather than a
/// flag: after `fork` the child must not wait for a sampler that only its parent has.
static TURN: AtomicU32 = AtomicU32::new(0);

/// Reads threads of our own process.
pub(crate) struct OwnSignaller {
    signaller: Signaller,
}

impl OwnSignaller {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut installed = installed();
        let arena = match installed.arena {
            Some(arena) => arena,
            None => *installed
                .arena
                .insert(Arena::own().map_err(Error::NoArena)?),
        };
        let signal = installed.signal().ok_or(Error::NoFreeSignal)?;
        installed.users += 1;
        Ok(Self {
            signaller: Signaller::new(Pid::own(), arena, signal).without_trust(),
        })
    }

    /// As [`Signaller::read`]; one thread at a time in the whole process.
    pub(crate) fn read(
        &mut self,
        thread: Tid,
        state: Address,
        layout: &WalkLayout,
        capture: &mut Capture,
        mut instead: impl FnMut(&mut Capture) -> Result<(), WalkError>,
    ) -> Result<Result<(), WalkError>, HoldError> {
        if !handler::is_installed(self.signaller.signal()) {
            // The program has taken the signal for itself.
            let signal = installed().signal().ok_or(HoldError::Denied)?;
            self.signaller.change_signal(signal);
        }
        let standing = self.signaller.read_standing(thread, || instead(capture));
        if let Some(result) = standing {
            return Ok(result);
        }
        if !self.signaller.can_read(thread) {
            return Err(HoldError::Unanswered);
        }
        let Some(_turn) = Turn::take() else {
            return Err(HoldError::Unanswered);
        };
        self.signaller.read(thread, state, layout, capture, instead)
    }

    pub(crate) fn note_known(&mut self, known: KnownObject) {
        if let Some(_turn) = Turn::take() {
            self.signaller.note_known(known);
        }
    }
}

fn installed() -> MutexGuard<'static, Installed> {
    INSTALLED
        .get()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

impl Installed {
    /// The signal that the handler is installed for, now if it was for none, or for one that the program has taken.
    fn signal(&mut self) -> Option<i32> {
        let arena = self.arena?;
        let (signal, before) = self
            .signal
            .filter(|&(signal, _)| handler::is_installed(signal))
            .or_else(|| handler::install(arena))?;
        self.signal = Some((signal, before));
        let presence = &arena.presence().signal;
        presence.store(signal.cast_unsigned(), Ordering::Release);
        Some(signal)
    }
}

impl Drop for OwnSignaller {
    fn drop(&mut self) {
        if self.signaller.pid() != Pid::own() {
            // A copy in a child that was forked meanwhile.
            return;
        }
        let mut installed = installed();
        installed.users -= 1;
        let (Some((signal, before)), Some(arena)) = (installed.signal, installed.arena) else {
            return;
        };
        // A real-time signal that is still on its way would end the program under the default disposition: then the
        // handler stays, which does no harm.
        let harmless = signal == libc::SIGURG || arena.unanswered() == 0;
        if installed.users == 0 && harmless && handler::is_installed(signal) {
            // SAFETY: `before` is what sigaction gave us for this very signal.
            unsafe { libc::sigaction(signal, &raw const before, std::ptr::null_mut()) };
            installed.signal = None;
        }
    }
}

/// The exclusive use of our own process's arena.
struct Turn;

impl Turn {
    /// Waits at most as long as one read may take.
    fn take() -> Option<Self> {
        let own = Pid::own().get();
        let deadline = Timestamp::now().after(Duration::from_millis(40));
        loop {
            let owner = TURN.load(Ordering::Relaxed);
            let take = || TURN.compare_exchange(owner, own, Ordering::AcqRel, Ordering::Relaxed);
            if owner != own && take().is_ok() {
                return Some(Self);
            }
            if Timestamp::now() > deadline {
                return None;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURN.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64};

    use super::*;

    fn own_tid() -> u32 {
        // SAFETY: takes nothing, cannot fail.
        unsafe { libc::syscall(libc::SYS_gettid) as u32 }
    }

    /// A thread that runs `body` until it is dropped.
    struct Worker {
        tid: Tid,
        stop: Arc<AtomicBool>,
        thread: Option<std::thread::JoinHandle<()>>,
    }

    /// Gives the thread an alternate stack of so many bytes; none of 0. What the standard library gives it has no room for
    /// code that is not optimised.
    fn alternate_stack(bytes: usize) -> Vec<u8> {
        let mut memory = vec![0_u8; bytes];
        let stack = libc::stack_t {
            ss_sp: memory.as_mut_ptr().cast(),
            ss_flags: if bytes == 0 { libc::SS_DISABLE } else { 0 },
            ss_size: bytes,
        };
        // SAFETY: the memory outlives the thread's use of it, which ends with the thread.
        let set = unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) };
        assert_eq!(set, 0, "it is large enough for the kernel");
        memory
    }

    impl Worker {
        fn start(body: impl FnMut() + Send + 'static) -> Self {
            Self::start_on(0, body)
        }

        /// With an alternate stack of so many bytes, if not 0.
        fn start_on(stack: usize, mut body: impl FnMut() + Send + 'static) -> Self {
            let stop = Arc::new(AtomicBool::new(false));
            let (sender, receiver) = std::sync::mpsc::channel();
            let thread = std::thread::spawn({
                let stop = Arc::clone(&stop);
                move || {
                    let _alternate = alternate_stack(stack);
                    sender.send(own_tid()).expect("the test waits");
                    while !stop.load(Ordering::Relaxed) {
                        body();
                    }
                }
            });
            Self {
                tid: Tid::new(receiver.recv().expect("it runs")),
                stop,
                thread: Some(thread),
            }
        }

        fn end(&mut self) {
            self.stop.store(true, Ordering::Relaxed);
            if let Some(thread) = self.thread.take() {
                thread.join().expect("it ends well");
            }
        }
    }

    impl Drop for Worker {
        fn drop(&mut self) {
            self.end();
        }
    }

    /// A thread state that points to one frame, as far as `one_frame` knows.
    fn fake_thread(code: &[u8; 64]) -> Box<[u64; 3]> {
        let mut memory = Box::new([0; 3]);
        memory[0] = std::ptr::from_ref(&memory[1]) as u64;
        memory[1] = code.as_ptr() as u64;
        memory
    }

    fn one_frame() -> WalkLayout {
        WalkLayout {
            thread_size: 8,
            top_frame_in_cframe: WalkLayout::NONE,
            datastack_chunk: WalkLayout::NONE,
            frame_size: 16,
            previous: 8,
            owner: WalkLayout::NONE,
            code_size: 64,
            identity_end: 64,
            code_texts: [WalkLayout::NONE; 3],
            locals: WalkLayout::NONE,
            stack_top: WalkLayout::NONE,
            ..WalkLayout::default()
        }
    }

    fn never(_: &mut Capture) -> Result<(), WalkError> {
        Err(WalkError::Torn)
    }

    fn capture() -> Capture {
        let memory = crate::stack::memory::ProcessMemory::of(Pid::own());
        let version = crate::stack::layout::Version::new(3, 12, None);
        let layout = crate::stack::layout::Layout::of(version, &memory, 0);
        Capture::new(&layout.expect("3.12 is known"))
    }

    #[test]
    fn a_thread_reads_what_it_is_asked_to_and_goes_on_afterwards() {
        let counter = Arc::new(AtomicU64::new(0));
        let mut worker = Worker::start({
            let counter = Arc::clone(&counter);
            move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let tid = worker.tid;
        let mut signaller = OwnSignaller::new().expect("a signal is free");
        let signal = signaller.signaller.signal();
        let (code, layout, mut capture) = ([7; 64], one_frame(), capture());
        let thread = fake_thread(&code);
        let state = thread.as_ptr() as Address;
        let mut whole = 0;
        while whole < 1000 {
            match signaller.read(tid, state, &layout, &mut capture, never) {
                Ok(Ok(())) => {
                    assert_eq!(capture.frames().len(), 1);
                    assert_eq!(capture.frames()[0].code, code.as_ptr() as u64);
                    whole += 1;
                }
                // A machine that is busy keeps a thread from answering, or has it run on under a read from outside.
                Ok(Err(WalkError::Torn)) | Err(HoldError::Unanswered) => {}
                other => panic!("{other:?}"),
            }
        }
        let torn = (0..100)
            .map(|_| signaller.read(tid, 16, &layout, &mut capture, never))
            .find(|read| *read != Err(HoldError::Unanswered));
        assert_eq!(
            torn,
            Some(Ok(Err(WalkError::Torn))),
            "a bad address is no crash"
        );
        let before = counter.load(Ordering::Relaxed);
        while counter.load(Ordering::Relaxed) == before {
            std::thread::yield_now();
        }
        worker.end();
        let gone = signaller.read(tid, state, &layout, &mut capture, never);
        assert_eq!(gone, Err(HoldError::Gone));
        assert!(handler::is_installed(signal));
        drop(signaller);
        assert!(
            !handler::is_installed(signal),
            "the previous disposition is back"
        );
    }

    #[test]
    fn a_thread_whose_alternate_stack_is_too_small_is_not_read_and_goes_on() {
        let counter = Arc::new(AtomicU64::new(0));
        // What the kernel needs for its own frame, and next to nothing.
        // SAFETY: takes a number, and says 0 where it knows nothing.
        let least = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
        let mut worker = Worker::start_on(least.max(libc::MINSIGSTKSZ) + (2 << 10), {
            let counter = Arc::clone(&counter);
            move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut signaller = OwnSignaller::new().expect("a signal is free");
        let (code, layout, mut capture) = ([7; 64], one_frame(), capture());
        let thread = fake_thread(&code);
        let state = thread.as_ptr() as Address;
        for _ in 0..20 {
            let read = signaller.read(worker.tid, state, &layout, &mut capture, never);
            // Read from outside, if it gets no CPU.
            let expected = [Err(HoldError::Unanswered), Ok(Err(WalkError::Torn))];
            assert!(expected.contains(&read), "{read:?}");
        }
        let before = counter.load(Ordering::Relaxed);
        while counter.load(Ordering::Relaxed) == before {
            std::thread::yield_now();
        }
        worker.end();
    }

    /// Calls that the kernel never restarts after a signal (signal(7)), made by libc's own functions.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn calls_that_the_kernel_does_not_restart_return_no_eintr() {
        let failed = Arc::new(AtomicU64::new(0));
        let calls = Arc::new(AtomicU64::new(0));
        let mut worker = Worker::start({
            let (failed, calls) = (Arc::clone(&failed), Arc::clone(&calls));
            let mut next = 0;
            move || {
                let pause = libc::timespec {
                    tv_sec: 0,
                    tv_nsec: 100_000,
                };
                let none = std::ptr::null_mut();
                next += 1;
                // SAFETY: no descriptors are passed, and a time that outlives the call.
                let result = unsafe {
                    match next % 3 {
                        0 => libc::poll(std::ptr::null_mut(), 0, 1),
                        1 => libc::nanosleep(&raw const pause, std::ptr::null_mut()),
                        _ => libc::pselect(0, none, none, none, &raw const pause, std::ptr::null()),
                    }
                };
                calls.fetch_add(1, Ordering::Relaxed);
                failed.fetch_add(u64::from(result == -1), Ordering::Relaxed);
            }
        });
        let mut signaller = OwnSignaller::new().expect("a signal is free");
        let (layout, mut capture) = (one_frame(), capture());
        let mut held = 0;
        while held < 1000 {
            let read = signaller.read(worker.tid, 16, &layout, &mut capture, never);
            held += u64::from(read.is_ok());
            std::thread::sleep(Duration::from_micros(1370));
        }
        worker.end();
        let (failed, calls) = (
            failed.load(Ordering::Relaxed),
            calls.load(Ordering::Relaxed),
        );
        assert!(calls > 100, "{calls} calls");
        // glibc from 2.41 makes these calls in a way that cannot be undone.
        if !glibc_is_at_least(2, 41) {
            assert_eq!(failed, 0, "of {calls} calls under {held} signals");
        }
    }

    /// More than fits into a pipe is copied piece by piece, and a signal ends a write between two of them.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_blocking_write_writes_all_of_its_bytes() {
        use std::io::Read;
        use std::os::fd::AsRawFd;

        let (mut reader, writer) = std::io::pipe().expect("descriptors are free");
        let reading = std::thread::spawn(move || {
            let mut piece = vec![0; 1 << 14];
            while reader.read(&mut piece).expect("it is a pipe") > 0 {
                std::thread::sleep(Duration::from_micros(20));
            }
        });
        let (short, writes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut worker = Worker::start({
            let (short, writes) = (Arc::clone(&short), Arc::clone(&writes));
            let bytes = vec![7_u8; 1 << 18];
            move || {
                // SAFETY: the bytes are there.
                let written =
                    unsafe { libc::write(writer.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
                writes.fetch_add(1, Ordering::Relaxed);
                short.fetch_add(
                    u64::from(written != bytes.len() as isize),
                    Ordering::Relaxed,
                );
            }
        });
        let mut signaller = OwnSignaller::new().expect("a signal is free");
        let (layout, mut capture) = (one_frame(), capture());
        let mut held = 0;
        while held < 500 {
            let read = signaller.read(worker.tid, 16, &layout, &mut capture, never);
            held += u64::from(read.is_ok());
            std::thread::sleep(Duration::from_micros(370));
        }
        worker.end();
        drop(worker);
        reading.join().expect("it ends well");
        let (short, writes) = (
            short.load(Ordering::Relaxed),
            writes.load(Ordering::Relaxed),
        );
        assert!(writes > 20, "{writes} writes");
        if !glibc_is_at_least(2, 41) {
            assert_eq!(short, 0, "of {writes} writes under {held} signals");
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn glibc_is_at_least(major: u32, minor: u32) -> bool {
        // SAFETY: returns a constant text.
        let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        let version = version.to_str().expect("digits and dots");
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
    }
}
