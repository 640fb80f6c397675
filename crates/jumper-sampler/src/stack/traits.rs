//! What the names of a code object's variables tell: which one is the receiver of a method, and whether the function wants to
//! be left out of tracebacks.
//!
//! Both are pyinstrument's conventions. A function is a method if its first local variable is called `self` or `cls`; one with a
//! local variable `__tracebackhide__` is hidden. All of this may run in a signal handler, see [`walk`](super::walk).

use super::layout::WalkLayout;
use super::memory::{Address, Memory, i32_at, u64_at};
use super::objects::{self, FRONT};

/// So many variables are looked at.
const MAX_VARIABLES: usize = 1 << 12;
/// How many names are read at a time.
const BATCH: usize = 8;
const HIDE: &[u8; 17] = b"__tracebackhide__";

/// `CO_FAST_LOCAL` and, from 3.12, `CO_FAST_HIDDEN`: the variables of comprehensions that are part of a class or module.
const LOCAL: u8 = 0x20;
const HIDDEN: u8 = 0x10;
const CELL: u8 = 0x40;

/// What is known of one code object, in one number: it is shared with other processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Traits(u64);

/// What a function calls its first variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// `self`: its class is that of the object.
    Instance,
    /// `cls`: it is the class itself.
    Class,
}

impl Traits {
    /// They were read; otherwise nothing is known.
    const READ: u64 = 1;
    const HIDE: u64 = 2;
    const INSTANCE: u64 = 4;
    const CLASS: u64 = 8;
    /// The receiver may be in a cell.
    const CELL: u64 = 16;
    /// Where that cell lies, counted in variables.
    const SLOT: u32 = 32;

    /// Reads them of the code object with this front.
    pub(crate) fn read(memory: &impl Memory, layout: &WalkLayout, head: &[u8]) -> Self {
        let names = u64_at(head, layout.variables as usize);
        let Some(count) = tuple_len(memory, names) else {
            return Self::default();
        };
        let mut traits = Self(Self::READ);
        if count == 0 {
            return traits;
        }
        let items = names.wrapping_add(layout.tuple_items);
        traits.0 |= first_variable(memory, layout, head, items).unwrap_or(0);
        if has_hide(memory, layout, head, items, count) {
            traits.0 |= Self::HIDE;
        }
        traits
    }

    pub(crate) fn is_read(self) -> bool {
        self.0 & Self::READ != 0
    }

    /// Whether a local variable is called `__tracebackhide__`.
    pub(crate) fn hides(self) -> bool {
        self.0 & Self::HIDE != 0
    }

    pub(crate) fn receiver(self) -> Option<Receiver> {
        match self.0 & (Self::INSTANCE | Self::CLASS) {
            Self::INSTANCE => Some(Receiver::Instance),
            Self::CLASS => Some(Receiver::Class),
            _ => None,
        }
    }

    /// If the receiver may be in a cell: which variable of the frame that is.
    pub(crate) fn cell(self) -> Option<u64> {
        (self.0 & Self::CELL != 0).then_some(self.0 >> Self::SLOT)
    }
}

fn tuple_len(memory: &impl Memory, tuple: Address) -> Option<usize> {
    let len = memory.pointer(tuple.wrapping_add(16)).ok()?;
    usize::try_from(len).ok().map(|len| len.min(MAX_VARIABLES))
}

/// The bits that say what the first of the variables, whose names are at `items`, is.
fn first_variable(
    memory: &impl Memory,
    layout: &WalkLayout,
    head: &[u8],
    items: Address,
) -> Option<u64> {
    let name = memory.pointer(items).ok()?;
    let bits = if is_text(memory, layout, name, b"self") {
        Traits::INSTANCE
    } else if is_text(memory, layout, name, b"cls") {
        Traits::CLASS
    } else {
        return None;
    };
    let cell = if layout.kinds != WalkLayout::NONE {
        let kinds = u64_at(head, layout.kinds as usize).wrapping_add(objects::BYTES_DATA);
        let mut kind = [0];
        memory.read(kinds, &mut kind).ok()?;
        if kind[0] & (LOCAL | HIDDEN) != LOCAL {
            return None;
        }
        (kind[0] & CELL != 0).then_some(0)
    } else if i32_at(head, layout.arg_count as usize) < 1 {
        return None;
    } else {
        cell_of_first(memory, layout, head)
    };
    Some(cell.map_or(bits, |slot| bits | Traits::CELL | slot << Traits::SLOT))
}

/// To 3.10: where the cell of the first parameter lies, if it has one.
fn cell_of_first(memory: &impl Memory, layout: &WalkLayout, head: &[u8]) -> Option<u64> {
    let parameters = u64_at(head, layout.cell_to_arg as usize);
    if parameters == 0 {
        return None;
    }
    let count = tuple_len(memory, u64_at(head, layout.cells as usize))?;
    let locals = u64::try_from(i32_at(head, layout.locals_count as usize)).ok()?;
    let first = (0..count as u64).find(|cell| {
        let parameter = parameters.wrapping_add(cell * 8);
        memory.pointer(parameter) == Ok(0)
    })?;
    Some(locals + first)
}

/// Whether one of `count` variables is local and called `__tracebackhide__`.
fn has_hide(
    memory: &impl Memory,
    layout: &WalkLayout,
    head: &[u8],
    items: Address,
    count: usize,
) -> bool {
    let kinds = match layout.kinds {
        WalkLayout::NONE => None,
        kinds => Some(u64_at(head, kinds as usize).wrapping_add(objects::BYTES_DATA)),
    };
    let is_local = |index: usize| {
        let mut kind = [LOCAL];
        let read = kinds.map(|kinds| memory.read(kinds.wrapping_add(index as u64), &mut kind));
        !matches!(read, Some(Err(_))) && kind[0] & LOCAL != 0
    };
    let mut pointers = [0; BATCH * 8];
    let mut names = [0; BATCH];
    let mut fronts = [0; BATCH * FRONT];
    let mut done = 0;
    while done < count {
        let batch = (count - done).min(BATCH);
        let Some(pointers) = pointers.get_mut(..batch * 8) else {
            return false;
        };
        let at = items.wrapping_add(done as u64 * 8);
        if memory.read(at, pointers).is_err() {
            return false;
        }
        for (name, bytes) in names.iter_mut().zip(pointers.chunks_exact(8)) {
            *name = u64_at(bytes, 0);
        }
        let batch_names = names.get(..batch).unwrap_or_default();
        let read = memory.read_each(batch_names, FRONT, &mut fronts);
        if read != Ok(batch) {
            return false;
        }
        let of_length = |front: &[u8]| u64_at(front, 16) == HIDE.len() as u64;
        let found = batch_names
            .iter()
            .zip(fronts.chunks_exact(FRONT))
            .enumerate()
            .any(|(index, (&name, front))| {
                of_length(front) && is_text(memory, layout, name, HIDE) && is_local(done + index)
            });
        if found {
            return true;
        }
        done += batch;
    }
    false
}

/// Whether the `str` at `address` says `text`.
fn is_text<const N: usize>(
    memory: &impl Memory,
    layout: &WalkLayout,
    address: Address,
    text: &[u8; N],
) -> bool {
    let mut front = [0; FRONT];
    if memory.read(address, &mut front).is_err() || u64_at(&front, 16) != N as u64 {
        return false;
    }
    let mut said = [0; N];
    objects::is_ascii(&front)
        && memory
            .read(address.wrapping_add(layout.ascii_data), &mut said)
            .is_ok()
        && said == *text
}
