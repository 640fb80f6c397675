//! The few Python objects that have to be read out of another process: strings, bytes, integers, dicts and
//! the attributes of instances.
//!
//! The program may change or free them during the read. Every length is bounded before it is used, and what
//! does not fit is `None`: the caller tries again later or does without.

use super::class::TP_FLAGS;
use super::layout::{DictKeysFormat, InstanceFormat, IntFormat, Layout, WalkLayout};
use super::memory::{Address, Memory, i32_at, u64_at};

/// The longest text that is taken over; names and paths are far below it.
const MAX_TEXT: u64 = 1 << 16;
/// The longest line table. The largest real ones, of generated code, are a few hundred kilobytes.
const MAX_BYTES: u64 = 1 << 24;
/// The most entries of a dict that are looked at.
const MAX_ENTRIES: u64 = 1 << 16;

// `PyVarObject.ob_size`, `PyASCIIObject.length`, `.state` and `PyBytesObject.ob_sval` have not moved since 3.9.
pub(crate) const OB_TYPE: usize = 8;
const OB_SIZE: u64 = 16;
const UNICODE_LENGTH: usize = 16;
const UNICODE_STATE: usize = 32;
pub(crate) const BYTES_DATA: u64 = 32;
const INT_DIGITS: usize = 24;
/// How much of the front of a `str` or `bytes` tells its whole length.
pub(crate) const FRONT: usize = 40;
// `PyTypeObject`, unchanged from 3.9 to 3.15.
const TP_BASICSIZE: u64 = 32;
const TP_DICTOFFSET: u64 = 288;
// `PyDictObject`, likewise.
const MA_KEYS: u64 = 32;
const MA_VALUES: u64 = 40;
// `PyModuleObject.md_dict`, likewise.
const MD_DICT: u64 = 16;
// `PyListObject.ob_item`, likewise.
const LIST_ITEMS: u64 = 24;
// `Py_TPFLAGS_LIST_SUBCLASS` and `Py_TPFLAGS_UNICODE_SUBCLASS`.
const LIST_SUBCLASS: u64 = 1 << 25;
const UNICODE_SUBCLASS: u64 = 1 << 28;

/// How long the `str` with this front is from its start to the end of its text, as far as [`Objects::text`] reads.
pub(crate) fn text_len(layout: &WalkLayout, front: &[u8]) -> Option<u64> {
    let text = TextHead::of(front, layout.ascii_data, layout.compact_data)?;
    Some(text.offset + text.len)
}

/// How long the `bytes` with this front is from its start to the end of its contents.
pub(crate) fn bytes_len(front: &[u8]) -> Option<u64> {
    let size = u64_at(front, OB_SIZE as usize);
    (size <= MAX_BYTES).then_some(BYTES_DATA + size)
}

/// Whether the `str` with this front has its characters in one byte each from [`ascii_data`](WalkLayout::ascii_data) on.
pub(crate) fn is_ascii(front: &[u8]) -> bool {
    // `compact` and `ascii`.
    i32_at(front, UNICODE_STATE) >> 5 & 3 == 3
}

/// What the front of a `str` says.
struct TextHead {
    /// Bytes per character.
    kind: u32,
    /// Where the text begins, and how many bytes of it are read.
    offset: u64,
    len: u64,
}

impl TextHead {
    fn of(front: &[u8], ascii_data: u64, compact_data: u64) -> Option<Self> {
        let state = i32_at(front, UNICODE_STATE).cast_unsigned();
        let (kind, compact, ascii) = (state >> 2 & 7, state >> 5 & 1 == 1, state >> 6 & 1 == 1);
        let offset = if ascii { ascii_data } else { compact_data };
        let length = u64_at(front, UNICODE_LENGTH).min(MAX_TEXT);
        (compact && matches!(kind, 1 | 2 | 4)).then_some(Self {
            kind,
            offset,
            len: length * u64::from(kind),
        })
    }
}

/// Reads objects of one process, laid out as one version lays them out.
pub(crate) struct Objects<'a, M> {
    memory: &'a M,
    layout: &'a Layout,
}

// Not derived: two references are copied, whatever the memory is.
impl<M> Clone for Objects<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Objects<'_, M> {}

/// One entry of a dict. Either pointer may be stale.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) key: Address,
    pub(crate) value: Address,
}

impl<'a, M: Memory> Objects<'a, M> {
    pub(crate) fn new(memory: &'a M, layout: &'a Layout) -> Self {
        Self { memory, layout }
    }

    fn bytes_at(&self, address: Address, len: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len as usize];
        self.memory.read(address, &mut bytes).ok()?;
        Some(bytes)
    }

    fn pointer(&self, address: Address) -> Option<Address> {
        self.memory.pointer(address).ok()
    }

    /// The text of a `str`, cut at [`MAX_TEXT`] characters; `None` where it is no string that can be read.
    pub(crate) fn text(&self, address: Address) -> Option<String> {
        let mut front = [0; FRONT];
        self.memory.read(address, &mut front).ok()?;
        let object = &self.layout.object;
        let text = TextHead::of(&front, object.ascii_data, object.compact_data)?;
        let bytes = self.bytes_at(address.wrapping_add(text.offset), text.len)?;
        decode_text(&bytes, text.kind)
    }

    /// The contents of a `bytes`.
    pub(crate) fn bytes(&self, address: Address) -> Option<Vec<u8>> {
        let size = self.pointer(address.wrapping_add(OB_SIZE))?;
        (size <= MAX_BYTES).then(|| self.bytes_at(address.wrapping_add(BYTES_DATA), size))?
    }

    /// The value of an `int` that is not negative and fits.
    pub(crate) fn unsigned(&self, address: Address) -> Option<u64> {
        let mut head = [0; INT_DIGITS + 12];
        self.memory.read(address, &mut head[..INT_DIGITS]).ok()?;
        let size = u64_at(&head, OB_SIZE as usize);
        let digits = match self.layout.object.int {
            IntFormat::Size => size,
            IntFormat::Tag if size & 3 == 0 => size >> 3,
            IntFormat::Tag => return (size & 3 == 1).then_some(0),
        };
        if digits > 3 {
            return None;
        }
        self.memory
            .read(address, &mut head[..INT_DIGITS + digits as usize * 4])
            .ok()?;
        let digit = |index: usize| u64::from(i32_at(&head, INT_DIGITS + index * 4).cast_unsigned());
        (0..digits as usize).try_fold(0_u64, |value, index| {
            let high = digit(index).checked_shl(30 * index as u32)?;
            Some(value | high)
        })
    }

    /// The value under the string `key`.
    pub(crate) fn get(&self, dict: Address, key: &str) -> Option<Address> {
        self.entries(dict)?
            .into_iter()
            .find(|entry| self.is_text(entry.key, key))
            .map(|entry| entry.value)
    }

    /// The values under the string `keys`, each where there is one.
    pub(crate) fn get_each<const N: usize>(
        &self,
        dict: Address,
        keys: [&str; N],
    ) -> Option<[Option<Address>; N]> {
        let entries = self.entries(dict)?;
        // Most of them are told by their lengths, which are read together.
        let lengths = self.text_lengths(&entries);
        Some(keys.map(|key| {
            let mut candidates = entries.iter().zip(&lengths);
            let found = candidates.find(|(entry, length)| {
                **length == key.len() as u64 && self.text(entry.key).as_deref() == Some(key)
            });
            found.map(|(entry, _)| entry.value)
        }))
    }

    /// How long the texts of the keys are, up to the first that cannot be read.
    fn text_lengths(&self, entries: &[Entry]) -> Vec<u64> {
        let places = entries
            .iter()
            .map(|entry| entry.key.wrapping_add(UNICODE_LENGTH as u64));
        let places: Vec<Address> = places.collect();
        let mut bytes = vec![0; places.len() * 8];
        let count = self.memory.read_each(&places, 8, &mut bytes).unwrap_or(0);
        let lengths = bytes.chunks_exact(8).take(count);
        lengths.map(|length| u64_at(length, 0)).collect()
    }

    /// The items of a `list` of at most `most`; `None` where it is no list or has more.
    pub(crate) fn items(&self, list: Address, most: u64) -> Option<Vec<Address>> {
        let count = self.pointer(list.wrapping_add(OB_SIZE))?;
        if self.type_flags(list)? & LIST_SUBCLASS == 0 || count > most {
            return None;
        }
        let items = self.pointer(list.wrapping_add(LIST_ITEMS))?;
        let bytes = self.bytes_at(items, count * 8)?;
        Some(bytes.chunks_exact(8).map(|item| u64_at(item, 0)).collect())
    }

    /// Whether an object that may be anything is a `str`.
    pub(crate) fn is_str(&self, object: Address) -> Option<bool> {
        Some(self.type_flags(object)? & UNICODE_SUBCLASS != 0)
    }

    fn type_flags(&self, object: Address) -> Option<u64> {
        let class = self.pointer(object.wrapping_add(OB_TYPE as u64))?;
        self.pointer(class.wrapping_add(TP_FLAGS as u64))
    }

    /// Whether a `str` says `text`, without copying one of another length.
    fn is_text(&self, address: Address, text: &str) -> bool {
        let same_length =
            self.pointer(address.wrapping_add(UNICODE_LENGTH as u64)) == Some(text.len() as u64);
        same_length && self.text(address).as_deref() == Some(text)
    }

    /// What a dict holds, in its own order.
    pub(crate) fn entries(&self, dict: Address) -> Option<Vec<Entry>> {
        let keys = self.pointer(dict.wrapping_add(MA_KEYS))?;
        let values = self.pointer(dict.wrapping_add(MA_VALUES))?;
        let split = (values != 0).then(|| values.wrapping_add(self.layout.object.values_data));
        self.keyed_entries(keys, split)
    }

    /// The entries of a key table, with their values from `values` where they are kept apart.
    fn keyed_entries(&self, keys: Address, values: Option<Address>) -> Option<Vec<Entry>> {
        let table = KeyTable::read(self, keys)?;
        let bytes = self.bytes_at(table.entries, table.count * table.entry_size)?;
        let apart = values.and_then(|values| self.bytes_at(values, table.count * 8));
        if values.is_some() && apart.is_none() {
            return None;
        }
        let entry = |(index, bytes): (usize, &[u8])| {
            let value = apart.as_ref().map_or_else(
                || u64_at(bytes, table.key + 8),
                |apart| u64_at(apart, index * 8),
            );
            Entry {
                key: u64_at(bytes, table.key),
                value,
            }
        };
        let entries = bytes
            .chunks_exact(table.entry_size as usize)
            .enumerate()
            .map(entry);
        Some(
            entries
                .filter(|entry| entry.key != 0 && entry.value != 0)
                .collect(),
        )
    }

    /// The attribute `name` in the `__dict__` of an instance of a class written in Python.
    pub(crate) fn attribute(&self, instance: Address, name: &str) -> Option<Address> {
        let class = self.pointer(instance.wrapping_add(OB_TYPE as u64))?;
        let cached_keys = || {
            self.pointer(class.wrapping_add(self.layout.object.cached_keys))
                .filter(|&keys| keys != 0)
        };
        let dict = match self.layout.object.instance {
            InstanceFormat::Dict => {
                let offset = self.pointer(class.wrapping_add(TP_DICTOFFSET))?;
                self.pointer(instance.wrapping_add(offset))?
            }
            InstanceFormat::ValuesOrDict => match self.pointer(instance.wrapping_sub(32))? {
                0 => self.pointer(instance.wrapping_sub(24))?,
                values => {
                    return self.find(self.keyed_entries(cached_keys()?, Some(values))?, name);
                }
            },
            InstanceFormat::Tagged => match self.pointer(instance.wrapping_sub(24))? {
                tagged if tagged & 1 == 1 => {
                    return self.find(self.keyed_entries(cached_keys()?, Some(tagged + 1))?, name);
                }
                dict => dict,
            },
            InstanceFormat::Inline => match self.pointer(instance.wrapping_sub(24))? {
                0 => {
                    let size = self.pointer(class.wrapping_add(TP_BASICSIZE))?;
                    let values = instance
                        .wrapping_add(size)
                        .wrapping_add(self.layout.object.values_data);
                    return self.find(self.keyed_entries(cached_keys()?, Some(values))?, name);
                }
                dict => dict,
            },
        };
        self.get(dict, name)
    }

    fn find(&self, entries: Vec<Entry>, name: &str) -> Option<Address> {
        entries
            .into_iter()
            .find(|entry| self.is_text(entry.key, name))
            .map(|entry| entry.value)
    }

    /// The global `name` of a module object.
    pub(crate) fn global(&self, module: Address, name: &str) -> Option<Address> {
        self.get(self.pointer(module.wrapping_add(MD_DICT))?, name)
    }
}

/// Where the entries of a `PyDictKeysObject` lie.
struct KeyTable {
    entries: Address,
    count: u64,
    entry_size: u64,
    /// The key within an entry; the value follows it.
    key: usize,
}

impl KeyTable {
    fn read<M: Memory>(objects: &Objects<'_, M>, keys: Address) -> Option<Self> {
        let head = objects.bytes_at(keys, 40)?;
        let (indices, index_bytes, count, hashed) = match objects.layout.object.dict_keys {
            DictKeysFormat::Size => {
                let size = u64_at(&head, 8);
                (
                    40,
                    size.checked_mul(index_width(size))?,
                    u64_at(&head, 32),
                    true,
                )
            }
            DictKeysFormat::Log2 if head[9] < 40 => {
                (32, 1 << head[9], u64_at(&head, 24), head[10] == 0)
            }
            DictKeysFormat::Log2 => return None,
        };
        let entry_size = if hashed { 24 } else { 16 };
        let entries = keys.wrapping_add(indices).wrapping_add(index_bytes);
        (count <= MAX_ENTRIES).then_some(Self {
            entries,
            count,
            entry_size,
            key: if hashed { 8 } else { 0 },
        })
    }
}

/// How many bytes an index takes in a hash table of `size` slots.
fn index_width(size: u64) -> u64 {
    match size {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// Characters of one, two or four bytes each. Surrogates and garbage become U+FFFD.
fn decode_text(bytes: &[u8], kind: u32) -> Option<String> {
    let replaced = |code: u32| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    match kind {
        1 => Some(bytes.iter().map(|&byte| char::from(byte)).collect()),
        2 => Some(
            bytes
                .chunks_exact(2)
                .map(|pair| replaced(u32::from(u16::from_ne_bytes([pair[0], pair[1]]))))
                .collect(),
        ),
        4 => Some(
            bytes
                .chunks_exact(4)
                .map(|four| replaced(i32_at(four, 0).cast_unsigned()))
                .collect(),
        ),
        _ => None,
    }
}
