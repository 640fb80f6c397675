//! From a code object to the function that it is, remembered by address *and* identity.
//!
//! A code object may be freed and another one come to lie at its address. Each capture therefore carries the
//! unchanging front of every code object on the stack, and what was remembered counts only where that is the
//! same.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::class::{ClassKey, Classes};
use super::layout::{Layout, Position, WalkLayout};
use super::lines::{LineTable, Location};
use super::memory::{Address, Memory, i32_at, u64_at};
use super::objects::{OB_TYPE, Objects};
use super::runtime::Runtime;
use super::snapshot::Snapshot;
use super::traits::Traits;
use super::walk::Known;

/// A Python function, method, lambda, comprehension, class body or module body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// `co_name`: `run`, `<module>`, `<listcomp>`.
    pub name: String,
    /// `co_qualname`: `Worker.run`. CPython has it from 3.11.
    pub qualname: Option<String>,
    /// `co_filename`, as the program wrote it.
    pub file: String,
    /// `co_firstlineno`: the line of its `def`, or of its first decorator. From 1; 0 for the frames that
    /// CPython makes up.
    pub first_line: u32,
    /// Whether it has a local variable `__tracebackhide__`, by which it asks to be left out of reports.
    pub hidden: bool,
}

/// Which [`Function`]: an index into what [`StackSampler::function`](crate::StackSampler::function) knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionKey(u32);

impl FunctionKey {
    /// The position: functions are numbered from 0 in the order in which they were first seen.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Addresses are spread by one multiplication; hashing them is on the path of every frame.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        // 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

pub(crate) type AddressMap<V> = HashMap<Address, V, BuildHasherDefault<AddressHasher>>;

/// What is remembered of one code object.
struct Entry {
    identity: Box<[u8]>,
    function: FunctionKey,
    lines: LineTable,
    traits: Traits,
}

/// The code objects and functions seen so far.
#[derive(Default)]
pub(crate) struct CodeCache {
    by_address: AddressMap<Entry>,
    functions: Vec<Function>,
    keys: HashMap<Function, FunctionKey>,
    classes: Classes,
    /// How many entries were replaced by another code object at the same address.
    replaced: u64,
}

/// The code object is gone, or was never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotCode;

impl CodeCache {
    pub(crate) fn function(&self, key: FunctionKey) -> &Function {
        &self.functions[key.index()]
    }

    pub(crate) fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// How many times an address turned out to be another code object's or class's than before. What was located earlier
    /// still counts as long as this is the same.
    pub(crate) fn replaced(&self) -> u64 {
        self.replaced + self.classes.replaced()
    }

    /// What is known of the code object at `address`, whose front is `head`. Allocates nothing.
    fn known(&self, layout: &WalkLayout, address: Address, head: &[u8]) -> Option<Traits> {
        let entry = self.by_address.get(&address)?;
        (*entry.identity == *layout.identity(head)).then_some(entry.traits)
    }

    pub(crate) fn classes(&self) -> &Classes {
        &self.classes
    }

    /// As [`Classes::learn`].
    pub(crate) fn learn_class(
        &mut self,
        memory: &impl Memory,
        snapshot: &Snapshot<'_>,
        address: Address,
        head: &[u8],
    ) -> bool {
        self.classes.learn(memory, snapshot, address, head)
    }

    /// The class whose type was [learnt](Self::learn_class).
    pub(crate) fn class(&self, address: Address) -> Option<ClassKey> {
        match address {
            0 => None,
            address => self.classes.class(address),
        }
    }

    /// Makes sure that the code object at `address`, whose front was `head` when its thread held still, is
    /// known. What it refers to is taken from the `snapshot` of that moment if it is there, and what its variables tell
    /// from its `traits`. Says what they tell if it was new.
    pub(crate) fn learn(
        &mut self,
        memory: &impl Memory,
        snapshot: &Snapshot<'_>,
        runtime: &Runtime,
        (address, head, traits): (Address, &[u8], Traits),
    ) -> Result<Option<Traits>, NotCode> {
        let layout = &runtime.layout;
        if self.known(&runtime.walk, address, head).is_some() {
            return Ok(None);
        }
        if u64_at(head, OB_TYPE) != runtime.code_type {
            return Err(NotCode);
        }
        let loaded = match traits.is_read() {
            true => load(snapshot, layout, head, traits),
            false => None,
        };
        let (function, lines, traits) = match loaded {
            Some((function, lines)) => (function, lines, traits),
            None => load_now(memory, runtime, address, head)?,
        };
        let function = self.intern(function);
        let entry = Entry {
            identity: runtime.walk.identity(head).into(),
            function,
            lines,
            traits,
        };
        let before = self.by_address.insert(address, entry);
        self.replaced += u64::from(before.is_some());
        Ok(Some(traits))
    }

    fn intern(&mut self, function: Function) -> FunctionKey {
        let next = FunctionKey(
            u32::try_from(self.functions.len()).expect("bug: four thousand million functions"),
        );
        *self.keys.entry(function).or_insert_with_key(|function| {
            self.functions.push(function.clone());
            next
        })
    }

    /// The function of a code object that was [learnt](Self::learn), and the place of the frame's `position`.
    pub(crate) fn locate(
        &self,
        layout: &Layout,
        code: Address,
        position: u64,
    ) -> Option<(FunctionKey, Location)> {
        let entry = self.by_address.get(&code)?;
        let offset = match layout.frame.position {
            Position::Index { unit, .. } => i64::from(position as i32) * i64::from(unit),
            Position::Pointer { .. } => position
                .wrapping_sub(code.wrapping_add(layout.code.instructions))
                .cast_signed(),
        };
        Some((entry.function, entry.lines.location_at(offset)))
    }
}

/// For the reader of a thread that is held.
impl Known for CodeCache {
    fn code(&self, layout: &WalkLayout, address: Address, head: &[u8]) -> Option<Traits> {
        self.known(layout, address, head)
    }

    fn class(&self, address: Address, head: &[u8]) -> bool {
        self.classes.knows(address, head)
    }
}

/// For the reader of a thread that runs: copies of what may change meanwhile prove nothing. So nothing new is described, and no
/// class is looked for: the object may be gone and its memory another's before its type is read, as often as one looks.
pub(crate) struct NothingNew;

impl Known for NothingNew {
    fn code(&self, _: &WalkLayout, _: Address, _: &[u8]) -> Option<Traits> {
        Some(Traits::default())
    }

    fn class(&self, _: Address, _: &[u8]) -> bool {
        true
    }
}

/// Reads what a code object says of itself while its thread runs again: that belongs to the code object which
/// was seen only if it is still there afterwards.
fn load_now(
    memory: &impl Memory,
    runtime: &Runtime,
    address: Address,
    head: &[u8],
) -> Result<(Function, LineTable, Traits), NotCode> {
    let code = &runtime.layout.code;
    let traits = Traits::read(memory, &runtime.walk, head);
    let (function, lines) = load(memory, &runtime.layout, head, traits).ok_or(NotCode)?;
    let mut again = vec![0; code.size];
    memory.read(address, &mut again).map_err(|_| NotCode)?;
    let same = runtime.walk.identity(&again) == runtime.walk.identity(head);
    (same && u64_at(&again, OB_TYPE) == runtime.code_type)
        .then_some((function, lines, traits))
        .ok_or(NotCode)
}

/// Reads what a code object says of itself.
fn load(
    memory: &impl Memory,
    layout: &Layout,
    head: &[u8],
    traits: Traits,
) -> Option<(Function, LineTable)> {
    let code = &layout.code;
    let objects = Objects::new(memory, layout);
    let first_line = i32_at(head, code.first_line);
    let lines = objects.bytes(u64_at(head, code.line_table))?;
    let function = Function {
        name: objects.text(u64_at(head, code.name))?,
        qualname: match code.qualname {
            Some(offset) => Some(objects.text(u64_at(head, offset))?),
            None => None,
        },
        file: objects.text(u64_at(head, code.file))?,
        first_line: u32::try_from(first_line).unwrap_or(0),
        hidden: traits.hides(),
    };
    Some((
        function,
        LineTable::new(code.line_format, lines, first_line),
    ))
}
