//! The agent: a signal handler in a program that we start, through which its threads read their own stacks.
//!
//! It is a library that the dynamic linker loads before the program's own (`LD_PRELOAD`, ld.so(8)). All that it does there
//! is to map an [`Arena`] that it shares with us, to install the handler of `hold::signal`, and to stand in front of two functions
//! of the C library (`hold::program`). It starts no thread: CPython from 3.12 warns when a process with more than one calls `fork`,
//! and programs count their threads. It takes itself out of the environment, so that the program and what that starts see
//! the one they were meant to have.
//!
//! The library and the arena are files without a name (memfd_create(2)), reached through `/proc/PID/fd`: nothing is left behind.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::atomic::Ordering;

use super::hold::arena::Arena;
use super::hold::signal::Signaller;
use super::hold::{calls, handler, program};
use super::memory::{Address, Memory, ProcessMemory};
use crate::Pid;
use crate::proc;

/// Tells the library whose it is: `PID:DESCRIPTOR` of the arena.
const VARIABLE: &str = "JUMPER_AGENT";
const PRELOAD: &str = "LD_PRELOAD";

/// An agent for one program that is going to be started.
///
/// Start the program as our own child with [`environment`](Self::environment), then sample it by
/// [`StackSampler::attach_through`](crate::StackSampler::attach_through).
#[derive(Debug)]
pub struct Agent {
    library: File,
    shared: File,
    arena: SharedArena,
}

/// Keeps the derived `Debug` from showing a pointer.
struct SharedArena(Arena);

impl std::fmt::Debug for SharedArena {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Arena")
    }
}

// SAFETY: an Agent only reads atomics of the arena; all else is done by the one sampler that is attached through it.
unsafe impl Sync for SharedArena {}

impl Agent {
    /// An agent from its `library`, the shared object that `jumper-agent` is built to.
    ///
    /// # Errors
    /// Where the system gives no memory, or none of that size.
    pub fn new(library: &[u8]) -> io::Result<Self> {
        // Who writes beyond the limit is sent a signal, which by default ends the process.
        if file_size_limit() < library.len().max(Arena::SIZE) as u64 {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        let mut file = unnamed_file(c"jumper-agent")?;
        file.write_all(library)?;
        let shared = unnamed_file(c"jumper-arena")?;
        shared.set_len(Arena::SIZE as u64)?;
        let arena = Arena::shared(shared.as_raw_fd())?;
        arena.sign();
        Ok(Self {
            library: file,
            shared,
            arena: SharedArena(arena),
        })
    }

    /// What to set in the environment of the program. It must be a child of this process, and this `Agent` must live as long
    /// as the program may still call exec(3).
    pub fn environment(&self) -> [(&'static str, OsString); 2] {
        let own = Pid::own();
        let mut preload = OsString::from(format!("/proc/{own}/fd/{}", self.library.as_raw_fd()));
        if let Some(others) = std::env::var_os(PRELOAD) {
            preload.push(":");
            preload.push(others);
        }
        let variable = format!("{own}:{}", self.shared.as_raw_fd());
        [(PRELOAD, preload), (VARIABLE, variable.into())]
    }

    /// Whether the agent is in the program that the process `pid` runs now.
    pub fn is_in(&self, pid: Pid) -> bool {
        let presence = self.arena.0.presence();
        presence.signal.load(Ordering::Acquire) != 0
            && presence.process.load(Ordering::Relaxed) == pid.get()
            && image_of(pid).is_some_and(|image| {
                image
                    == presence
                        .image
                        .each_ref()
                        .map(|word| word.load(Ordering::Relaxed))
            })
    }

    /// A way to speak to it, if it is there.
    pub(crate) fn signaller(&self, pid: Pid) -> Option<Signaller> {
        let signal = self.arena.0.presence().signal.load(Ordering::Acquire);
        self.is_in(pid)
            .then(|| Signaller::new(pid, self.arena.0, signal as i32))
    }
}

/// The largest file that we may write (setrlimit(2), `RLIMIT_FSIZE`), in bytes.
fn file_size_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: into a writable structure.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
    limit.rlim_cur
}

fn unnamed_file(name: &std::ffi::CStr) -> io::Result<File> {
    // SAFETY: `name` is a text that ends in a null.
    let descriptor = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// Which program a process runs: the 16 random bytes that the kernel gives each new image (`AT_RANDOM`, getauxval(3)).
fn image_of(pid: Pid) -> Option<[u64; 2]> {
    let entries = std::fs::read(proc::path(pid, "auxv")).ok()?;
    let mut words = entries
        .chunks_exact(8)
        .map(|word| super::memory::u64_at(word, 0));
    let address: Address = loop {
        let (kind, value) = (words.next()?, words.next()?);
        if kind == libc::AT_RANDOM {
            break value;
        }
    };
    let mut bytes = [0; 16];
    ProcessMemory::of(pid).read(address, &mut bytes).ok()?;
    Some([0, 8].map(|offset| super::memory::u64_at(&bytes, offset)))
}

/// Sets the agent up, in the program that it was loaded into. For the library `jumper-agent`; does nothing in any other
/// process, and nothing at all where something is not as it should be.
pub fn load_agent() {
    // To be called while the dynamic linker starts the program, so that there is only one thread.
    let _ = try_to_load();
}

fn try_to_load() -> Option<()> {
    let variable = std::env::var_os(VARIABLE)?;
    let (recorder, descriptor) = variable.to_str()?.split_once(':')?;
    // A wrapper is to pass the environment on; a Python, also one that a wrapper starts as its child, has no use for it.
    if !is_python() {
        return None;
    }
    restore_environment(recorder);
    // Children of the program are not recorded.
    // SAFETY: takes nothing, cannot fail.
    let parent = unsafe { libc::getppid() };
    if recorder.parse() != Ok(parent) {
        return None;
    }
    let path = format!("/proc/{recorder}/fd/{descriptor}");
    let shared = OpenOptions::new().read(true).write(true).open(path).ok()?;
    if shared.metadata().ok()?.len() != Arena::SIZE as u64 {
        return None;
    }
    let arena = Arena::shared(shared.as_raw_fd()).ok()?;
    // Our recorder's version may be another; and what we may not read, the handler need not try.
    let own = Pid::own();
    ProcessMemory::of(own)
        .pointer(VARIABLE.as_ptr() as Address)
        .ok()?;
    let image = image_of(own).filter(|_| arena.is_signed())?;
    arena.reset();
    program::find_next();
    calls::find_next();
    let (signal, _) = handler::install(arena)?;
    let presence = arena.presence();
    presence.process.store(own.get(), Ordering::Relaxed);
    for (word, value) in presence.image.iter().zip(image) {
        word.store(value, Ordering::Relaxed);
    }
    presence.signal.store(signal as u32, Ordering::Release);
    handler::announce_agent(signal);
    Some(())
}

/// Whether CPython is part of this program.
fn is_python() -> bool {
    // SAFETY: looks a name up; the address that comes back is not used.
    !unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_PyRuntime".as_ptr()) }.is_null()
}

/// Makes the environment what it was without us.
fn restore_environment(recorder: &str) {
    let preload = std::env::var_os(PRELOAD).unwrap_or_default();
    let own = format!("/proc/{recorder}/fd/");
    let rest = match preload.as_bytes().strip_prefix(own.as_bytes()) {
        Some(after) => after
            .splitn(2, |&byte| byte == b':')
            .nth(1)
            .map(OsStr::from_bytes),
        None => Some(preload.as_os_str()),
    };
    let rest = rest.map(OsStr::to_os_string).map(OsStringExt::into_vec);
    // SAFETY: there is only one thread yet: the dynamic linker is still starting the program.
    unsafe {
        std::env::remove_var(VARIABLE);
        match rest {
            Some(rest) => std::env::set_var(PRELOAD, OsString::from_vec(rest)),
            None => std::env::remove_var(PRELOAD),
        }
    }
}
