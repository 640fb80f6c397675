//! From a code object to the function that it is, remembered by address *and* identity.
//!
//! A code object may be freed and another one come to lie at its address. Each capture therefore carries the
//! unchanging front of every code object on the stack, and what was remembered counts only where that is the
//! same.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::layout::{Layout, Position, WalkLayout};
use super::lines::{LineTable, Location};
use super::memory::{Address, Memory, i32_at, u64_at};
use super::objects::{OB_TYPE, Objects};
use super::runtime::Runtime;
use super::snapshot::Snapshot;

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

type AddressMap<V> = HashMap<Address, V, BuildHasherDefault<AddressHasher>>;

/// What is remembered of one code object.
struct Entry {
    identity: Box<[u8]>,
    function: FunctionKey,
    lines: LineTable,
}

/// The code objects and functions seen so far.
#[derive(Default)]
pub(crate) struct CodeCache {
    by_address: AddressMap<Entry>,
    functions: Vec<Function>,
    keys: HashMap<Function, FunctionKey>,
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

    /// How many times an address turned out to be another code object's than before. What was located earlier still
    /// counts as long as this is the same.
    pub(crate) fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Whether the code object at `address`, whose front is `head`, is known. Allocates nothing.
    pub(crate) fn knows(&self, layout: &WalkLayout, address: Address, head: &[u8]) -> bool {
        let entry = self.by_address.get(&address);
        entry.is_some_and(|entry| *entry.identity == *layout.identity(head))
    }

    /// Makes sure that the code object at `address`, whose front was `head` when its thread held still, is
    /// known. What it refers to is taken from the `snapshot` of that moment if it is there. Says whether it was new.
    pub(crate) fn learn(
        &mut self,
        memory: &impl Memory,
        snapshot: &Snapshot<'_>,
        runtime: &Runtime,
        address: Address,
        head: &[u8],
    ) -> Result<bool, NotCode> {
        let layout = &runtime.layout;
        if self.knows(&runtime.walk, address, head) {
            return Ok(false);
        }
        if u64_at(head, OB_TYPE) != runtime.code_type {
            return Err(NotCode);
        }
        let loaded = match load(snapshot, layout, head) {
            Some(loaded) => loaded,
            None => load_now(memory, runtime, address, head)?,
        };
        let (function, lines) = loaded;
        let function = self.intern(function);
        let entry = Entry {
            identity: runtime.walk.identity(head).into(),
            function,
            lines,
        };
        let before = self.by_address.insert(address, entry);
        self.replaced += u64::from(before.is_some());
        Ok(true)
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

/// Reads what a code object says of itself while its thread runs again: that belongs to the code object which
/// was seen only if it is still there afterwards.
fn load_now(
    memory: &impl Memory,
    runtime: &Runtime,
    address: Address,
    head: &[u8],
) -> Result<(Function, LineTable), NotCode> {
    let code = &runtime.layout.code;
    let loaded = load(memory, &runtime.layout, head).ok_or(NotCode)?;
    let mut again = vec![0; code.size];
    memory.read(address, &mut again).map_err(|_| NotCode)?;
    let same = runtime.walk.identity(&again) == runtime.walk.identity(head);
    (same && u64_at(&again, OB_TYPE) == runtime.code_type)
        .then_some(loaded)
        .ok_or(NotCode)
}

/// Reads what a code object says of itself.
fn load(memory: &impl Memory, layout: &Layout, head: &[u8]) -> Option<(Function, LineTable)> {
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
    };
    Some((
        function,
        LineTable::new(code.line_format, lines, first_line),
    ))
}
