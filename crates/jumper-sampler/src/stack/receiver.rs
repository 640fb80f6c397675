//! From the first variable of each method on a stack to the type object of its class, while the thread holds still.
//!
//! A method's `self` is alive as long as its frame is, and its type with it; a moment later both may be gone. So the way
//! from the variable to the type is gone here, for many frames with one system call. Runs in signal handlers, see
//! [`walk`](super::walk).

use super::class::{self, TYPE_HEAD};
use super::layout::WalkLayout;
use super::memory::{Address, Fault, Memory, u64_at};
use super::objects::OB_TYPE;
use super::traits::{Receiver, Traits};
use super::walk::{Place, RawFrame};

/// Room for the distinct types on a stack. What more there is has no class.
pub(crate) const TYPES: usize = 1 << 10;
/// So many objects are looked at together. As many as are read by one system call.
const GROUP: usize = 32;
/// The front of an object, and of a cell with what it holds.
const OBJECT: usize = 24;
const CELL_CONTENTS: usize = 16;
/// Slots of the filter that keeps a type from being listed for each object.
const FILTER: usize = 64;

/// A stack whose frames have been copied, and the place for what is found.
pub(crate) struct Stack<'a> {
    pub(crate) frames: &'a mut [RawFrame],
    pub(crate) places: &'a mut [Place],
    /// Of each code object that [`Place::code`] counts.
    pub(crate) traits: &'a [Traits],
    pub(crate) types: &'a mut [Address],
    /// [`TYPE_HEAD`] bytes each; zeroes where they could not be read.
    pub(crate) type_heads: &'a mut [u8],
    pub(crate) scratch: &'a mut Scratch,
}

/// What would be on the stack if there were room: signal handlers have little.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Scratch {
    variables: [Variable; GROUP],
    count: u64,
    addresses: [Address; GROUP],
    bytes: [u8; GROUP * OBJECT],
    filter: [u64; FILTER],
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            variables: [Variable::default(); GROUP],
            count: 0,
            addresses: [0; GROUP],
            bytes: [0; GROUP * OBJECT],
            filter: [0; FILTER],
        }
    }
}

/// What one variable holds.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Variable {
    /// The object, or its place in the frame.
    value: Address,
    kind: u64,
    /// What was found: 0 is nothing.
    object: Address,
    class: Address,
}

// The kinds of variables. Numbers, since they lie in memory that is shared.
const IS_OBJECT: u64 = 0;
/// An object, or a cell with one.
const MAY_BE_CELL: u64 = 1;
/// The place where a pointer to a cell lies.
const IS_PLACE_OF_CELL: u64 = 2;

/// Finds the class of each frame, and returns how many types it listed.
pub(crate) fn resolve(memory: &impl Memory, layout: &WalkLayout, stack: Stack<'_>) -> usize {
    let Stack {
        frames,
        places,
        traits,
        types,
        type_heads,
        scratch,
    } = stack;
    scratch.filter.fill(0);
    let mut types = Types {
        addresses: types,
        count: 0,
    };
    let traits_of = |place: &Place| {
        let traits = traits.get(place.code as usize).copied();
        traits.unwrap_or_default()
    };
    let mut any_class = false;
    let mut start = 0;
    // A group is filled, looked up, and written back, until no frame is left.
    while start < frames.len().min(places.len()) {
        scratch.count = 0;
        let mut end = start;
        let rest = frames.iter_mut().zip(places.iter()).skip(start);
        for (frame, place) in rest {
            if let Some(variable) = variable(layout, place, traits_of(place)) {
                let Some(number) = scratch.number(variable) else {
                    break;
                };
                // For now.
                frame.class = number;
            }
            end += 1;
        }
        scratch.look_up(memory, layout);
        let group = frames.iter_mut().zip(places.iter_mut());
        for (frame, place) in group.take(end).skip(start) {
            let Some(index) = (frame.class as usize).checked_sub(1) else {
                continue;
            };
            let found = scratch.variables.get(index).copied().unwrap_or_default();
            let filter = &mut scratch.filter;
            let listed = types.list(found.class, filter);
            frame.class = match traits_of(place).receiver() {
                Some(Receiver::Instance) if listed => found.class,
                Some(Receiver::Class) if listed && types.list(found.object, filter) => {
                    place.local = found.class;
                    any_class = true;
                    found.object
                }
                _ => 0,
            };
        }
        start = end;
    }
    types.read_heads(memory, type_heads);
    if any_class {
        let pairs = frames.iter_mut().zip(places.iter());
        let classes =
            pairs.filter(|(_, place)| traits_of(place).receiver() == Some(Receiver::Class));
        for (frame, place) in classes.filter(|(frame, _)| frame.class != 0) {
            if !types
                .head(place.local, type_heads)
                .is_some_and(class::makes_types)
            {
                frame.class = 0;
            }
        }
    }
    types.count
}

/// The variable that holds the receiver of a frame.
fn variable(layout: &WalkLayout, place: &Place, traits: Traits) -> Option<Variable> {
    traits.receiver()?;
    let (value, kind) = match traits.cell() {
        None => (place.local, IS_OBJECT),
        // What is a cell cannot be told.
        Some(_) if layout.cell_type == 0 => return None,
        Some(_) if layout.kinds != WalkLayout::NONE => (place.local, MAY_BE_CELL),
        // Up to 3.10 the parameter is in the cell alone.
        Some(slot) if place.local == 0 => {
            let offset = layout.locals.wrapping_add(slot.wrapping_mul(8));
            (place.frame.wrapping_add(offset), IS_PLACE_OF_CELL)
        }
        Some(_) => (place.local, IS_OBJECT),
    };
    (value != 0).then_some(Variable {
        value,
        kind,
        ..Variable::default()
    })
}

impl Scratch {
    /// One more than the index of a variable; `None` where there is no more room.
    fn number(&mut self, variable: Variable) -> Option<u64> {
        let filled = self.variables.get(..self.count as usize)?;
        let same = |other: &Variable| other.value == variable.value && other.kind == variable.kind;
        if let Some(index) = filled.iter().rposition(same) {
            return Some(index as u64 + 1);
        }
        *self.variables.get_mut(self.count as usize)? = variable;
        self.count += 1;
        Some(self.count)
    }

    /// Finds objects and classes.
    fn look_up(&mut self, memory: &impl Memory, layout: &WalkLayout) {
        let filled = self.variables.iter_mut().take(self.count as usize);
        for variable in filled {
            variable.object = match variable.kind {
                IS_PLACE_OF_CELL => 0,
                _ => variable.value,
            };
        }
        let place = |variable: &Variable| match variable.kind {
            IS_PLACE_OF_CELL => variable.value,
            _ => 0,
        };
        self.each(memory, place, 8, |variable, bytes| {
            variable.object = u64_at(bytes, 0);
        });
        let object = |variable: &Variable| variable.object;
        self.each(memory, object, OBJECT, |variable, bytes| {
            let class = u64_at(bytes, OB_TYPE);
            let is_cell = class == layout.cell_type && class != 0;
            match variable.kind {
                MAY_BE_CELL | IS_PLACE_OF_CELL if is_cell => {
                    variable.object = u64_at(bytes, CELL_CONTENTS);
                }
                IS_PLACE_OF_CELL => variable.object = 0,
                _ => variable.class = class,
            }
        });
        let contents = |variable: &Variable| match (variable.kind, variable.class) {
            (MAY_BE_CELL | IS_PLACE_OF_CELL, 0) => variable.object,
            _ => 0,
        };
        self.each(memory, contents, CELL_CONTENTS, |variable, bytes| {
            variable.class = u64_at(bytes, OB_TYPE);
        });
    }

    /// Reads `size` bytes at the address that `of` gives for each variable, unless that is 0, and hands them to `take`.
    /// What cannot be read is zeroes.
    fn each(
        &mut self,
        memory: &impl Memory,
        of: impl Fn(&Variable) -> Address,
        size: usize,
        take: impl Fn(&mut Variable, &[u8]),
    ) {
        let Self {
            variables,
            addresses,
            bytes,
            ..
        } = self;
        let filled = variables.get_mut(..self.count as usize);
        let Some(filled) = filled else {
            return;
        };
        let wanted = filled.iter().map(&of).filter(|&address| address != 0);
        let mut count = 0;
        for (space, address) in addresses.iter_mut().zip(wanted) {
            *space = address;
            count += 1;
        }
        if count == 0 {
            return;
        }
        let (Some(addresses), Some(bytes)) =
            (addresses.get(..count), bytes.get_mut(..count * size))
        else {
            return;
        };
        read_all(memory, addresses, size, bytes);
        let wanted = filled.iter_mut().filter(|variable| of(variable) != 0);
        for (variable, bytes) in wanted.zip(bytes.chunks_exact(size)) {
            take(variable, bytes);
        }
    }
}

/// Reads at each of the addresses, however many are bad: what is there is then zeroes.
fn read_all(memory: &impl Memory, addresses: &[Address], size: usize, buffer: &mut [u8]) {
    let (mut addresses, mut buffer) = (addresses, buffer);
    while !addresses.is_empty() {
        let done = match memory.read_each(addresses, size, buffer) {
            Ok(done) => done,
            Err(Fault::Unmapped) => 0,
            Err(Fault::Gone | Fault::Denied) => return buffer.fill(0),
        };
        let (Some(left), Some(space)) = (addresses.get(done..), buffer.get_mut(done * size..))
        else {
            return;
        };
        let Some((_, left)) = left.split_first() else {
            return;
        };
        let Some((bad, space)) = space.split_at_mut_checked(size) else {
            return;
        };
        bad.fill(0);
        (addresses, buffer) = (left, space);
    }
}

/// The types on a stack.
struct Types<'a> {
    addresses: &'a mut [Address],
    count: usize,
}

impl Types<'_> {
    /// Makes sure that a type is listed, and says whether it is. One may be listed more than once. The filter has one more
    /// than the index of the last type in each slot.
    fn list(&mut self, address: Address, filter: &mut [u64; FILTER]) -> bool {
        let slot = (address >> 4 ^ address >> 12) as usize % FILTER;
        let Some(last) = filter.get_mut(slot).filter(|_| address != 0) else {
            return false;
        };
        let at_last = (*last as usize).wrapping_sub(1);
        if self.addresses.get(at_last) == Some(&address) {
            return true;
        }
        let Some(space) = self.addresses.get_mut(self.count) else {
            return false;
        };
        *space = address;
        self.count += 1;
        *last = self.count as u64;
        true
    }

    fn read_heads(&self, memory: &impl Memory, heads: &mut [u8]) {
        let addresses = self.addresses.get(..self.count).unwrap_or_default();
        let groups = addresses.chunks(GROUP);
        for (group, heads) in groups.zip(heads.chunks_mut(GROUP * TYPE_HEAD)) {
            read_all(memory, group, TYPE_HEAD, heads);
        }
    }

    fn head<'a>(&self, address: Address, heads: &'a [u8]) -> Option<&'a [u8]> {
        let addresses = self.addresses.get(..self.count)?;
        let index = addresses.iter().position(|&listed| listed == address)?;
        heads.chunks_exact(TYPE_HEAD).nth(index)
    }
}
