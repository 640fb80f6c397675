//! The threads of every interpreter in a process, from the runtime's own lists.

use std::collections::BTreeSet;

use super::layout::Layout;
use super::memory::{Address, Fault, Memory, u64_at};
use super::runtime::Runtime;
use super::walk::MAX_THREAD;
use crate::proc;
use crate::{Pid, Tid};

/// More interpreters or threads than this are garbage.
const MAX_LISTED: usize = 1 << 16;
/// How much of a `pthread` is searched for the thread number. glibc has it at 720, musl earlier.
const PTHREAD_FRONT: usize = 1024;

/// One thread state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) state: Address,
    pub(crate) interpreter: Address,
    pub(crate) ident: u64,
    /// The thread number inside the process's PID namespace; 0 where the version does not keep it or the
    /// thread has not started.
    pub(crate) native_id: u64,
}

/// Why the list could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListError {
    /// It changed under the read.
    Torn,
    /// The memory cannot be read at all.
    Fault(Fault),
}

impl From<Fault> for ListError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unmapped => Self::Torn,
            fault => Self::Fault(fault),
        }
    }
}

/// Reads the list into `list`. An empty one is a runtime that has not started or has ended.
pub(crate) fn list(
    memory: &impl Memory,
    runtime: &Runtime,
    list: &mut Vec<Listed>,
) -> Result<(), ListError> {
    list.clear();
    let layout = &runtime.layout;
    let mut interpreter = memory.pointer(runtime.address.wrapping_add(layout.interpreters_head))?;
    for _ in 0..MAX_LISTED {
        if interpreter == 0 {
            return Ok(());
        }
        list_threads(memory, layout, interpreter, list)?;
        interpreter = memory.pointer(interpreter.wrapping_add(layout.interpreter.next))?;
    }
    Err(ListError::Torn)
}

/// The interpreter that was there first, which is the last one of the list.
pub(crate) fn main_interpreter(memory: &impl Memory, runtime: &Runtime) -> Option<Address> {
    let layout = &runtime.layout;
    let head = runtime.address.wrapping_add(layout.interpreters_head);
    let mut interpreter = memory.pointer(head).ok().filter(|&head| head != 0)?;
    for _ in 0..MAX_LISTED {
        match memory.pointer(interpreter.wrapping_add(layout.interpreter.next)) {
            Ok(0) => return Some(interpreter),
            Ok(next) => interpreter = next,
            Err(_) => return None,
        }
    }
    None
}

fn list_threads(
    memory: &impl Memory,
    layout: &Layout,
    interpreter: Address,
    list: &mut Vec<Listed>,
) -> Result<(), ListError> {
    let shape = &layout.thread;
    let mut bytes = [0; MAX_THREAD];
    let bytes = bytes.get_mut(..shape.size).ok_or(ListError::Torn)?;
    let mut state = memory.pointer(interpreter.wrapping_add(layout.interpreter.threads_head))?;
    while state != 0 {
        memory.read(state, bytes)?;
        // A thread state that was freed, or is not one, does not point back.
        if u64_at(bytes, shape.interpreter) != interpreter || list.len() == MAX_LISTED {
            return Err(ListError::Torn);
        }
        let native_id = shape.native_id.map_or(0, |offset| u64_at(bytes, offset));
        list.push(Listed {
            state,
            interpreter,
            ident: u64_at(bytes, shape.ident),
            native_id,
        });
        state = u64_at(bytes, shape.next);
    }
    Ok(())
}

/// Translates what the interpreter knows of a thread into the number by which we know it.
#[derive(Debug)]
pub(crate) struct Tids {
    pid: Pid,
    known: Vec<(Tid, u64)>,
    /// Where the C library keeps the thread number in what `pthread_self` points to.
    in_pthread: Option<usize>,
}

impl Tids {
    pub(crate) fn of(pid: Pid) -> Self {
        Self {
            pid,
            known: Vec::new(),
            in_pthread: None,
        }
    }

    /// Our number for a listed thread; `None` while it cannot be told.
    pub(crate) fn find(
        &mut self,
        memory: &impl Memory,
        listed: &Listed,
        all: &[Listed],
    ) -> Option<Tid> {
        self.known = proc::tasks(self.pid).unwrap_or_default();
        let inside = match listed.native_id {
            0 => self.number_in_pthread(memory, listed.ident, all)?,
            id => id,
        };
        self.known
            .iter()
            .find(|&&(_, number)| number == inside)
            .map(|&(tid, _)| tid)
    }

    /// To 3.10 only the `pthread_t` is kept. It points to the thread's descriptor, which holds the number at a
    /// place that depends on the C library: the one place where every thread has the number of a real thread.
    fn number_in_pthread(
        &mut self,
        memory: &impl Memory,
        ident: u64,
        all: &[Listed],
    ) -> Option<u64> {
        let front = |ident: u64| {
            let mut bytes = [0; PTHREAD_FRONT];
            memory.read(ident, &mut bytes).ok().map(|()| bytes)
        };
        if self.in_pthread.is_none() {
            // The states of subinterpreters may share a thread.
            let idents: BTreeSet<u64> = all.iter().map(|listed| listed.ident).collect();
            let fronts: Vec<_> = idents.into_iter().filter_map(front).collect();
            self.in_pthread = (0..PTHREAD_FRONT)
                .step_by(4)
                .find(|&at| self.are_distinct_threads(&fronts, at));
        }
        Some(number_at(&front(ident)?, self.in_pthread?))
    }

    fn are_distinct_threads(&self, fronts: &[[u8; PTHREAD_FRONT]], at: usize) -> bool {
        let mut numbers: Vec<u64> = fronts.iter().map(|front| number_at(front, at)).collect();
        numbers.sort_unstable();
        let distinct = numbers.windows(2).all(|pair| pair[0] != pair[1]);
        distinct
            && !numbers.is_empty()
            && numbers
                .iter()
                .all(|number| self.known.iter().any(|(_, known)| known == number))
    }
}

fn number_at(front: &[u8], at: usize) -> u64 {
    u64::from(super::memory::i32_at(front, at).cast_unsigned())
}
