//! From a type object to the name of the class, remembered by address *and* identity.
//!
//! What a frame's `self` is an instance of lives as long as the frame holds on to it. So while the thread holds still the fronts
//! of these type objects are copied with the stack, and the names of those that are not known yet. A type object may be
//! freed later and another one, of another name at the same address, come to lie there. What tells them apart is CPython's
//! own version tag, which no two types share (Objects/typeobject.c). A type without one is described anew each time.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::code::AddressMap;
use super::memory::{Address, Memory, i32_at, u64_at};
use super::objects::OB_TYPE;
use super::snapshot::Snapshot;

// `PyTypeObject`, unchanged from 3.9 to 3.15.
const TP_NAME: usize = 24;
pub(crate) const TP_FLAGS: usize = 168;
const TP_VERSION_TAG: usize = 384;
/// The front of a type object, up to its version tag.
pub(crate) const TYPE_HEAD: usize = 392;
/// `Py_TPFLAGS_TYPE_SUBCLASS`: instances are types.
const TYPE_SUBCLASS: u64 = 1 << 31;
/// The longest name of a class that is read, with its module.
pub(crate) const MAX_NAME: usize = 1 << 10;
/// A piece of it that is read at once: no page ends within one that is aligned.
pub(crate) const NAME_PIECE: u64 = 64;

/// The name of a class, as an index into what [`StackSampler::class_name`](crate::StackSampler::class_name) knows. Classes
/// of one name share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassKey(NonZeroU32);

impl ClassKey {
    /// The position: names are numbered from 0 in the order in which they were first seen.
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    fn from_index(index: usize) -> Option<Self> {
        let number = u32::try_from(index + 1).ok()?;
        NonZeroU32::new(number).map(Self)
    }
}

/// Where the name of the type with this front lies.
pub(crate) fn name_address(head: &[u8]) -> Address {
    u64_at(head, TP_NAME)
}

/// Whether instances of the type with this front are types.
pub(crate) fn makes_types(head: &[u8]) -> bool {
    u64_at(head, TP_FLAGS) & TYPE_SUBCLASS != 0
}

/// What no other type has, together with the address; `None` for a type that CPython has given no version tag.
pub(crate) fn identity(head: &[u8]) -> Option<[u64; 2]> {
    let tag = u64::from(i32_at(head, TP_VERSION_TAG).cast_unsigned());
    (tag != 0).then(|| [name_address(head), tag])
}

/// What is remembered of one type object.
struct Entry {
    identity: Option<[u64; 2]>,
    class: Option<ClassKey>,
}

/// The classes seen so far.
#[derive(Default)]
pub(crate) struct Classes {
    by_address: AddressMap<Entry>,
    names: Vec<String>,
    keys: HashMap<String, ClassKey>,
    /// How many times an address came to stand for another name.
    replaced: u64,
}

impl Classes {
    pub(crate) fn name(&self, key: ClassKey) -> &str {
        &self.names[key.index()]
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Whether the type at `address`, whose front is `head`, is known. Allocates nothing.
    pub(crate) fn knows(&self, address: Address, head: &[u8]) -> bool {
        let identity = identity(head);
        let known = self.by_address.get(&address);
        identity.is_some() && known.is_some_and(|entry| entry.identity == identity)
    }

    /// The name of a type that was [learnt](Self::learn).
    pub(crate) fn class(&self, address: Address) -> Option<ClassKey> {
        self.by_address.get(&address)?.class
    }

    /// Makes sure that the type at `address`, whose front was `head` when its thread held still, is known if it can be, and says
    /// whether it is new.
    pub(crate) fn learn(
        &mut self,
        memory: &impl Memory,
        snapshot: &Snapshot<'_>,
        address: Address,
        head: &[u8],
    ) -> bool {
        if self.knows(address, head) {
            return false;
        }
        let name = snapshot
            .c_string(name_address(head))
            .map(<[u8]>::to_vec)
            .or_else(|| name_now(memory, address, head))
            .filter(|_| is_type(memory, head));
        let class = name.and_then(|name| self.intern(&name));
        let entry = Entry {
            identity: identity(head).filter(|_| class.is_some()),
            class,
        };
        let known = entry.identity.is_some();
        let before = self.by_address.insert(address, entry);
        self.replaced += u64::from(before.is_some_and(|before| before.class != class));
        known
    }

    /// The class whose type has this name: what follows the last dot, as in `_PyType_Name`.
    fn intern(&mut self, name: &[u8]) -> Option<ClassKey> {
        let name = name.rsplit(|&byte| byte == b'.').next()?;
        let name = String::from_utf8_lossy(name);
        if name.is_empty() {
            return None;
        }
        if let Some(&key) = self.keys.get(&*name) {
            return Some(key);
        }
        let key = ClassKey::from_index(self.names.len())?;
        self.names.push(name.clone().into_owned());
        self.keys.insert(name.into_owned(), key);
        Some(key)
    }
}

/// Whether the type of a type makes types, as it must.
fn is_type(memory: &impl Memory, head: &[u8]) -> bool {
    let flags = u64_at(head, OB_TYPE).wrapping_add(TP_FLAGS as u64);
    memory
        .pointer(flags)
        .is_ok_and(|flags| flags & TYPE_SUBCLASS != 0)
}

/// Reads the name while the program runs: it is that of the type which was seen only if that is still there afterwards.
fn name_now(memory: &impl Memory, address: Address, head: &[u8]) -> Option<Vec<u8>> {
    let seen = identity(head)?;
    let mut name = vec![0; MAX_NAME];
    let len = read_c_string(memory, name_address(head), &mut name)?;
    name.truncate(len);
    let mut again = [0; TYPE_HEAD];
    memory.read(address, &mut again).ok()?;
    (identity(&again) == Some(seen)).then_some(name)
}

/// Reads a text that ends in a null, and returns how long it is without that. Where it does not end within the buffer it is none.
pub(crate) fn read_c_string(
    memory: &impl Memory,
    address: Address,
    buffer: &mut [u8],
) -> Option<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let at = address.wrapping_add(done as u64);
        let piece = (NAME_PIECE - at % NAME_PIECE) as usize;
        let len = rest.len().min(piece);
        let rest = rest.get_mut(..len)?;
        memory.read(at, rest).ok()?;
        if let Some(end) = rest.iter().position(|&byte| byte == 0) {
            return Some(done + end);
        }
        done += len;
    }
    None
}
