//! Undoing what our signal does to a system call: `EINTR`, and writing less than all.
//!
//! A thread that goes to sleep in the kernel between the look at it and our signal is woken by the signal. Most
//! system calls then go on by themselves (`SA_RESTART`); poll, select, epoll_wait, nanosleep and a few more
//! never do (signal(7)), and return `EINTR` to a program that has no signals and may not expect it.
//!
//! The handler sees that in the registers to which the thread will return, and can do what the kernel does
//! where it restarts a call: put the call's number back and return to the instruction that makes it. All other
//! registers still hold the arguments. A timeout that is relative begins anew, but the call had
//! only just begun.
//!
//! An `EINTR` that is due to another signal must stay: a program that waits for one would wait for ever. Such a signal
//! often comes together with ours, because a thread that it wakes is seen to run. The kernel first prepares
//! our handler then, with the registers of the interrupted call, and next that of the other signal on top of it, which
//! runs first. So the handler begins with all signals blocked, looks at which ones wait, and leaves the call interrupted
//! if one of them will interrupt it once it is let in. One that is blocked outside of the call, and let in by it
//! (ppoll), interrupts it when it is repeated.
//!
//! A write to a pipe or socket that has written some of its bytes before it sleeps, or is still copying them, returns how many
//! those were; without signals it would return when all are written. The handler writes the rest itself, with the
//! thread's own signals let in, and returns as many as the program would have seen: all of them, or fewer where the call
//! ends for another reason, one of the program's signals among them.
//!
//! If ours comes while that handler returns, there is nothing pending any more: `program` knows of that case.
//!
//! The kernel does not tell the number, so that it is read from the code: C libraries load it as a constant a
//! few instructions before the call. Only instructions that are known not to touch it may lie in between. glibc
//! from 2.41 has it in a register that is overwritten, in all calls that are cancellation points; these keep their
//! `EINTR`. So does every call on other processors than x86-64, where the first argument is overwritten.

#[cfg(target_arch = "x86_64")]
use {
    super::handler::{let_signals_in, waiting},
    crate::Pid,
    crate::stack::memory::{Memory, ProcessMemory},
};

/// Whether a system call of the thread looks as if the running handler's signal had interrupted it: it failed with `EINTR`,
/// or did less than it was asked to, if it was a write.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn has_interrupted_call(context: *const libc::ucontext_t) -> bool {
    // SAFETY: by the contract above, it is valid.
    let registers = unsafe { &(*context).uc_mcontext.gregs };
    registers[libc::REG_RAX as usize] == -i64::from(libc::EINTR) || has_done_less(registers)
}

/// Whether the thread returns from a system call with a count that is smaller than its third argument.
#[cfg(target_arch = "x86_64")]
fn has_done_less(registers: &Registers) -> bool {
    let [done, asked] = [libc::REG_RAX, libc::REG_RDX].map(|name| registers[name as usize]);
    // The instruction leaves the address of the next one in rcx (Intel's manual, volume 2, SYSCALL).
    let is_behind_call = registers[libc::REG_RCX as usize] == registers[libc::REG_RIP as usize];
    is_behind_call && done > 0 && done < asked
}

/// The place that the thread returns to: the next instruction, and its stack.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn place_of(context: *const libc::ucontext_t) -> (u64, u64) {
    // SAFETY: by the contract above, it is valid.
    let registers = unsafe { (*context).uc_mcontext.gregs };
    let [code, stack] = [libc::REG_RIP, libc::REG_RSP];
    (
        registers[code as usize].cast_unsigned(),
        registers[stack as usize].cast_unsigned(),
    )
}

/// Not needed here.
///
/// # Safety
/// None is needed.
#[cfg(not(target_arch = "x86_64"))]
pub(super) unsafe fn place_of(_context: *const libc::ucontext_t) -> (u64, u64) {
    (0, 0)
}

/// Calls can not be repeated here.
///
/// # Safety
/// None is needed.
#[cfg(not(target_arch = "x86_64"))]
pub(super) unsafe fn has_interrupted_call(_context: *const libc::ucontext_t) -> bool {
    false
}

/// Makes the thread repeat the system call that the running handler's signal has interrupted, and no other one, or goes on
/// with it.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler, which must block all signals.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn restart_system_call(context: *mut libc::ucontext_t, signal: i32) {
    // SAFETY: by the contract above.
    if is_interrupted_by(unsafe { waiting(context, signal) }) {
        return;
    }
    // SAFETY: as above, and it is ours to change while the handler runs.
    let registers = unsafe { &mut (*context).uc_mcontext.gregs };
    let (rax, rip) = (libc::REG_RAX as usize, libc::REG_RIP as usize);
    let mut code = [0; LOOK_BACK];
    let begin = registers[rip]
        .cast_unsigned()
        .wrapping_sub(LOOK_BACK as u64);
    // Not through a pointer: code may lie in pages that can be run and not read.
    let own = ProcessMemory::of(Pid::own());
    if own.read(begin, &mut code).is_err() {
        return;
    }
    let Some(number) = number_called(&code) else {
        return;
    };
    if registers[rax] == -i64::from(libc::EINTR) {
        registers[rax] = number.into();
        registers[rip] = registers[rip].wrapping_sub(SYSCALL.len() as i64);
    } else if [libc::SYS_write, libc::SYS_sendto].contains(&number.into())
        && can_be_interrupted(registers[libc::REG_RDI as usize])
    {
        // From here on it is as if the thread were still in its call. Ours stays out, so that what ends it is the program's.
        // SAFETY: as above.
        unsafe { let_signals_in(context, 1 << (signal - 1)) };
        registers[rax] = write_rest(number, registers);
    }
}

/// Whether a write to this descriptor may be interrupted once it has begun: to a pipe, a socket or a terminal.
#[cfg(target_arch = "x86_64")]
fn can_be_interrupted(descriptor: i64) -> bool {
    // SAFETY: all zeroes is a valid stat.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: into a writable structure.
    let known = unsafe { libc::fstat(descriptor as i32, &raw mut status) } == 0;
    let kind = status.st_mode & libc::S_IFMT;
    known && [libc::S_IFIFO, libc::S_IFSOCK, libc::S_IFCHR].contains(&kind)
}

/// Goes on with a write that has written some, and returns how much it has in the end.
#[cfg(target_arch = "x86_64")]
fn write_rest(number: u32, registers: &Registers) -> i64 {
    let register = |name: i32| registers[name as usize];
    let (descriptor, bytes) = (register(libc::REG_RDI), register(libc::REG_RSI));
    let (asked, done) = (register(libc::REG_RDX), register(libc::REG_RAX));
    let [flags, address, address_len] =
        [libc::REG_R10, libc::REG_R8, libc::REG_R9].map(|name| registers[name as usize]);
    // SAFETY: the thread's own call with the part of its own bytes that is left. What it may not read is an error.
    let more = unsafe {
        libc::syscall(
            i64::from(number),
            descriptor,
            bytes.wrapping_add(done),
            asked - done,
            flags,
            address,
            address_len,
        )
    };
    // If that was not all, something else has ended it, and would have without us.
    done + more.max(0)
}

/// No call is ever repeated here.
///
/// # Safety
/// None is needed.
#[cfg(not(target_arch = "x86_64"))]
pub(super) unsafe fn restart_system_call(_context: *mut libc::ucontext_t, _signal: i32) {}

/// Whether one of these signals interrupts a call. Those that are ignored, which wait as well while they are
/// blocked, do not.
#[cfg(target_arch = "x86_64")]
fn is_interrupted_by(signals: u64) -> bool {
    let ignored_by_default = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let mut numbers = (1..=64).filter(|number| signals >> (number - 1) & 1 == 1);
    numbers.any(|number| {
        // SAFETY: all zeroes is a valid sigaction.
        let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: only asks for the present disposition, into a writable structure.
        unsafe { libc::sigaction(number, std::ptr::null(), &raw mut now) };
        match now.sa_sigaction {
            libc::SIG_IGN => false,
            libc::SIG_DFL => !ignored_by_default.contains(&number),
            _ => true,
        }
    })
}

/// The registers of a thread that was interrupted.
#[cfg(target_arch = "x86_64")]
type Registers = [libc::greg_t; 23];

/// How much code before the return address is looked at.
#[cfg(target_arch = "x86_64")]
const LOOK_BACK: usize = 40;
#[cfg(target_arch = "x86_64")]
const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// No system call has a higher number.
#[cfg(target_arch = "x86_64")]
const HIGHEST_NUMBER: u32 = 1023;

/// The number in `mov eax, number; ...; syscall`, where `code` ends behind the `syscall`.
#[cfg(target_arch = "x86_64")]
fn number_called(code: &[u8]) -> Option<u32> {
    let before = code.strip_suffix(&SYSCALL)?;
    // From the nearest on: what lies further back may be another call's.
    (0..before.len()).rev().find_map(|start| {
        let &[0xb8, a, b, c, d, ref between @ ..] = before.get(start..)? else {
            return None;
        };
        let number = u32::from_le_bytes([a, b, c, d]);
        (number <= HIGHEST_NUMBER && only_loads_arguments(between)).then_some(number)
    })
}

/// Whether this is a sequence of moves between or into registers, none of them `eax`.
#[cfg(target_arch = "x86_64")]
fn only_loads_arguments(mut code: &[u8]) -> bool {
    while !code.is_empty() {
        match load_len(code).and_then(|len| code.get(len..)) {
            Some(rest) => code = rest,
            None => return false,
        }
    }
    true
}

/// The length of a move into a register that is not `eax` (Intel's manual, volume 2, chapter 2 and appendix A).
#[cfg(target_arch = "x86_64")]
fn load_len(code: &[u8]) -> Option<usize> {
    const EAX: u8 = 0;
    let (rex, rest) = match code {
        [rex @ 0x40..=0x4f, rest @ ..] => (*rex, rest),
        rest => (0, rest),
    };
    let prefix = code.len() - rest.len();
    let (len, target) = match *rest {
        // mov r/m, r and xor r/m, r between registers: the target is in the low bits.
        [0x89 | 0x31, modrm, ..] if modrm >> 6 == 3 => (2, (modrm & 7) | (rex & 1) << 3),
        // mov r, [rsp + disp8], with its SIB byte; and disp32.
        [0x8b, modrm, 0x24, ..] if modrm & 7 == 4 && modrm >> 6 == 1 => {
            (4, (modrm >> 3 & 7) | (rex & 4) << 1)
        }
        [0x8b, modrm, 0x24, ..] if modrm & 7 == 4 && modrm >> 6 == 2 => {
            (7, (modrm >> 3 & 7) | (rex & 4) << 1)
        }
        // mov r, [rsp].
        [0x8b, modrm, 0x24, ..] if modrm & 7 == 4 && modrm >> 6 == 0 => {
            (3, (modrm >> 3 & 7) | (rex & 4) << 1)
        }
        // mov r32, imm32.
        [opcode @ 0xb8..=0xbf, ..] if rex & 8 == 0 => (5, (opcode & 7) | (rex & 1) << 3),
        _ => return None,
    };
    (target != EAX).then_some(prefix + len)
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_before_the_call_and_behind_the_loading_of_arguments() {
        let plain = [0x90, 0xb8, 7, 0, 0, 0, 0x0f, 0x05];
        assert_eq!(number_called(&plain), Some(7));
        // pselect of glibc 2.36: mov eax, 0x10e; mov edi, [rsp + 0x1c].
        let loads = [0xb8, 0x0e, 1, 0, 0, 0x8b, 0x7c, 0x24, 0x1c, 0x0f, 0x05];
        assert_eq!(number_called(&loads), Some(0x10e));
        // mov eax, 232; mov r10, rcx; xor r8d, r8d; mov esi, 1.
        let more = [
            0xb8, 232, 0, 0, 0, 0x49, 0x89, 0xca, 0x45, 0x31, 0xc0, 0xbe, 1, 0, 0, 0, 0x0f, 0x05,
        ];
        assert_eq!(number_called(&more), Some(232));
    }

    #[test]
    fn what_is_not_understood_gives_no_number() {
        // mov eax, 7; call ...
        let call = [0xb8, 7, 0, 0, 0, 0xe8, 1, 2, 3, 4, 0x0f, 0x05];
        assert_eq!(number_called(&call), None);
        // mov eax, 7; mov eax, r8d.
        let overwritten = [0xb8, 7, 0, 0, 0, 0x44, 0x89, 0xc0, 0x0f, 0x05];
        assert_eq!(number_called(&overwritten), None);
        // mov eax, 0xfffffffa.
        let constant = [0xb8, 0xfa, 0xff, 0xff, 0xff, 0x0f, 0x05];
        assert_eq!(number_called(&constant), None);
        // No system call at all.
        assert_eq!(number_called(&[0xb8, 7, 0, 0, 0, 0x90, 0x90]), None);
        assert_eq!(number_called(&[]), None);
    }
}
