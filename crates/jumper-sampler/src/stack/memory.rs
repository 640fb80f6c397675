//! Reading the memory of a process, the own one included, without ever faulting.
//!
//! `process_vm_readv(2)` copies in the kernel: an address that is not mapped is an error code, not a signal.
//! That is what makes it safe to follow pointers which the program may free at any moment.

use crate::Pid;

/// An address in the observed process. Never dereferenced here.
pub(crate) type Address = u64;

/// Why memory could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is mapped there: a stale or garbage pointer.
    Unmapped,
    /// The process has ended.
    Gone,
    /// The system refuses.
    Denied,
}

/// A process's memory.
///
/// A trait, so that the walker can be tested on memory that the test lays out.
pub(crate) trait Memory {
    /// Fills `buffer` from `address`, wholly or not at all.
    fn read(&self, address: Address, buffer: &mut [u8]) -> Result<(), Fault>;

    /// Reads `size` bytes at each of `addresses` one after the other into `buffer`, and returns how many came
    /// whole before the first that did not. Takes as many as fit into `buffer`.
    fn read_each(
        &self,
        addresses: &[Address],
        size: usize,
        buffer: &mut [u8],
    ) -> Result<usize, Fault> {
        let pieces = addresses.iter().zip(buffer.chunks_exact_mut(size));
        Ok(pieces
            .map_while(|(&address, piece)| self.read(address, piece).ok())
            .count())
    }

    /// Reads a pointer.
    fn pointer(&self, address: Address) -> Result<Address, Fault> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

/// The pointer-sized value at `offset` of bytes that were read; 0 where they end before. Never panics: this runs in
/// signal handlers.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let value = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    value.map_or(0, |&value| u64::from_ne_bytes(value))
}

/// The C `int` at `offset` of bytes that were read; 0 where they end before. Never panics.
pub(crate) fn i32_at(bytes: &[u8], offset: usize) -> i32 {
    let value = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    value.map_or(0, |&value| i32::from_ne_bytes(value))
}

/// The memory of a live process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessMemory(Pid);

/// How many pieces one `process_vm_readv` is asked for. The kernel would take 1024, but their list lies on the
/// stack, which in a signal handler may be small.
const MAX_PIECES: usize = 32;

impl ProcessMemory {
    pub(crate) const fn of(pid: Pid) -> Self {
        Self(pid)
    }

    /// One `process_vm_readv`: `remote` pieces into `buffer`. Returns how many bytes came.
    fn read_pieces(&self, remote: &[libc::iovec], buffer: &mut [u8]) -> Result<usize, Fault> {
        let local = libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        // SAFETY: `local` describes `buffer`, which is writable and outlives the call. The remote pieces are
        // checked by the kernel; a wrong one gives an error code.
        let count = unsafe {
            libc::process_vm_readv(
                self.0.as_raw(),
                &raw const local,
                1,
                remote.as_ptr(),
                remote.len() as libc::c_ulong,
                0,
            )
        };
        usize::try_from(count).map_err(|_| last_fault())
    }
}

/// The fault behind the calling thread's `errno`.
fn last_fault() -> Fault {
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::ESRCH) => Fault::Gone,
        Some(libc::EPERM | libc::ENOSYS) => Fault::Denied,
        _ => Fault::Unmapped,
    }
}

fn remote_piece(address: Address, len: usize) -> libc::iovec {
    libc::iovec {
        iov_base: address as *mut libc::c_void,
        iov_len: len,
    }
}

impl Memory for ProcessMemory {
    fn read(&self, address: Address, buffer: &mut [u8]) -> Result<(), Fault> {
        let wanted = buffer.len();
        match self.read_pieces(&[remote_piece(address, wanted)], buffer)? {
            count if count == wanted => Ok(()),
            _ => Err(Fault::Unmapped),
        }
    }

    fn read_each(
        &self,
        addresses: &[Address],
        size: usize,
        buffer: &mut [u8],
    ) -> Result<usize, Fault> {
        // On the stack: this runs while a thread is held, when nothing may be allocated (see `hold`).
        let mut pieces = [remote_piece(0, 0); MAX_PIECES];
        let count = addresses.len().min(buffer.len() / size);
        let mut done = 0;
        while done < count {
            let batch = (count - done).min(MAX_PIECES);
            for (piece, &address) in pieces.iter_mut().zip(&addresses[done..done + batch]) {
                *piece = remote_piece(address, size);
            }
            let space = &mut buffer[done * size..(done + batch) * size];
            let whole = self.read_pieces(&pieces[..batch], space)? / size;
            done += whole;
            if whole < batch {
                break;
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_memory_is_read_and_a_bad_address_is_a_fault() {
        let memory = ProcessMemory::of(Pid::own());
        let secret = [7_u8, 8, 9];
        let mut copy = [0; 3];
        memory
            .read(secret.as_ptr() as Address, &mut copy)
            .expect("own memory is readable");
        assert_eq!(copy, secret);
        assert_eq!(memory.read(16, &mut copy), Err(Fault::Unmapped));
        assert_eq!(memory.pointer(u64::MAX - 3), Err(Fault::Unmapped));
    }

    #[test]
    fn reading_each_stops_at_the_first_bad_address() {
        let memory = ProcessMemory::of(Pid::own());
        let values: Vec<u64> = (0..3000).collect();
        let mut addresses: Vec<Address> = values
            .iter()
            .map(|value| std::ptr::from_ref(value) as Address)
            .collect();
        let mut buffer = vec![0; values.len() * 8];
        assert_eq!(memory.read_each(&addresses, 8, &mut buffer), Ok(3000));
        assert_eq!(u64_at(&buffer, 2999 * 8), 2999);
        addresses[1500] = 8;
        assert_eq!(memory.read_each(&addresses, 8, &mut buffer), Ok(1500));
    }

    #[test]
    fn a_process_that_is_gone_is_told_from_a_bad_address() {
        let mut child = std::process::Command::new("true")
            .spawn()
            .expect("`true` exists");
        child.wait().expect("it ends");
        let memory = ProcessMemory::of(Pid::new(child.id()));
        assert_eq!(memory.pointer(4096), Err(Fault::Gone));
    }
}
