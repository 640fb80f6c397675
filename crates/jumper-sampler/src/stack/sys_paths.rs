//! Where a program's modules and libraries are, as its own `sys` says.
//!
//! The program may change or free any of it during the read. So it is read until it was the same twice in a row.

use super::memory::{Address, Memory};
use super::objects::Objects;
use super::runtime::Runtime;
use super::threads;

/// How often it is read before it is given up for this time.
const ATTEMPTS: usize = 4;
/// What has more entries, or more bytes in all of them, is no list of directories.
const MAX_ENTRIES: u64 = 1 << 12;
const MAX_BYTES: usize = 1 << 20;

const PATH: &str = "path";
const PREFIXES: [&str; 4] = ["prefix", "base_prefix", "exec_prefix", "base_exec_prefix"];

/// What the `sys` of a program says of where code is. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SysPaths {
    /// `sys.path`: the directories in which modules are looked for. Entries that are no `str` are left out; Python does not look
    /// into them either.
    pub path: Option<Vec<String>>,
    /// `sys.prefix`, `sys.base_prefix`, `sys.exec_prefix` and `sys.base_exec_prefix`: the directories in which Python and its
    /// libraries are installed.
    pub prefixes: Option<Vec<String>>,
}

impl SysPaths {
    /// Takes over what is known in `newer`.
    pub fn update(&mut self, newer: Self) {
        self.path = newer.path.or(self.path.take());
        self.prefixes = newer.prefixes.or(self.prefixes.take());
    }
}

/// Reads them of the interpreter that was there first.
pub(crate) fn read(memory: &impl Memory, runtime: &Runtime) -> SysPaths {
    let mut last = read_once(memory, runtime);
    for _ in 1..ATTEMPTS {
        let now = read_once(memory, runtime);
        if now == last {
            return now;
        }
        last = now;
    }
    SysPaths::default()
}

fn read_once(memory: &impl Memory, runtime: &Runtime) -> SysPaths {
    let objects = Objects::new(memory, &runtime.layout);
    let sysdict = runtime.layout.interpreter.sysdict;
    let values = threads::main_interpreter(memory, runtime)
        .and_then(|interpreter| memory.pointer(interpreter.wrapping_add(sysdict)).ok())
        .and_then(|sys| {
            let [one, two, three, four] = PREFIXES;
            objects.get_each(sys, [PATH, one, two, three, four])
        });
    let Some([path, prefixes @ ..]) = values else {
        return SysPaths::default();
    };
    SysPaths {
        path: path.and_then(|path| directories(objects, path)),
        prefixes: prefixes
            .into_iter()
            .map(|prefix| directory(objects, prefix?)?)
            .collect(),
    }
}

/// A directory, if the object is a `str`; an error, which is `None`, where it cannot be read.
fn directory<M: Memory>(objects: Objects<'_, M>, object: Address) -> Option<Option<String>> {
    match objects.is_str(object)? {
        true => objects.text(object).map(Some),
        false => Some(None),
    }
}

fn directories<M: Memory>(objects: Objects<'_, M>, list: Address) -> Option<Vec<String>> {
    let mut directories = Vec::new();
    let mut bytes = 0;
    for item in objects.items(list, MAX_ENTRIES)? {
        let Some(directory) = directory(objects, item)? else {
            continue;
        };
        bytes += directory.len();
        if bytes > MAX_BYTES {
            return None;
        }
        directories.push(directory);
    }
    Some(directories)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::layout::{Layout, Version};
    use super::super::memory::Fault;
    use super::*;

    const TYPE: Address = 0x1000;
    const LIST: Address = 0x2000;
    const ITEMS: Address = 0x3000;
    const TEXT: Address = 0x10_0000;

    /// Memory in words; what is not there is not mapped.
    #[derive(Clone)]
    struct Words(HashMap<Address, u64>);

    impl Words {
        fn set(&mut self, address: Address, word: u64) {
            self.0.insert(address, word);
        }
    }

    impl Memory for Words {
        fn read(&self, address: Address, buffer: &mut [u8]) -> Result<(), Fault> {
            for (index, byte) in buffer.iter_mut().enumerate() {
                let at = address.wrapping_add(index as u64);
                let word = self.0.get(&(at & !7)).ok_or(Fault::Unmapped)?;
                *byte = word.to_ne_bytes()[(at & 7) as usize];
            }
            Ok(())
        }
    }

    /// A list of `count` times the same text of `length` letters, as 3.12 lays them out.
    fn list_of(count: u64, length: u64) -> Words {
        let mut words = Words(HashMap::new());
        // It is a type of texts and of lists.
        words.set(TYPE + 168, 1 << 28 | 1 << 25);
        for (offset, word) in [(8, TYPE), (16, count), (24, ITEMS)] {
            words.set(LIST + offset, word);
        }
        for index in 0..count {
            words.set(ITEMS + index * 8, TEXT);
        }
        // One byte each, compact, ASCII.
        for (offset, word) in [
            (8, TYPE),
            (16, length),
            (24, 0),
            (32, 1 << 2 | 1 << 5 | 1 << 6),
        ] {
            words.set(TEXT + offset, word);
        }
        for offset in (40..48 + length).step_by(8) {
            words.set(TEXT + offset, u64::from_ne_bytes([b'a'; 8]));
        }
        words
    }

    fn found(words: &Words) -> Option<Vec<String>> {
        let layout = Layout::of(Version::new(3, 12, None), words, 0).expect("a known version");
        directories(Objects::new(words, &layout), LIST)
    }

    #[test]
    fn a_list_of_texts_is_read() {
        let aaa = || "aaa".to_owned();
        assert_eq!(found(&list_of(2, 3)), Some(vec![aaa(), aaa()]));
        assert_eq!(found(&list_of(0, 3)), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_list_of_directories_is_not_known() {
        for (address, wrong) in [
            (LIST + 8, 8),
            (TYPE + 168, 1 << 28),
            (LIST + 16, MAX_ENTRIES + 1),
            (LIST + 16, u64::MAX),
            (LIST + 16, 1 << 61),
            (LIST + 24, u64::MAX - 3),
            (ITEMS, 0),
            (ITEMS + 8, u64::MAX),
            (TEXT + 8, 0),
            (TEXT + 16, 1 << 20),
            (TEXT + 32, 0),
        ] {
            let mut words = list_of(2, 3);
            words.set(address, wrong);
            assert_eq!(found(&words), None, "{address:#x}: {wrong:#x}");
        }
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        let mut words = list_of(2, 3);
        words.set(TYPE + 0x100 + 168, 1 << 24);
        words.set(0x20_0008, TYPE + 0x100);
        words.set(ITEMS, 0x20_0000);
        assert_eq!(found(&words), Some(vec!["aaa".to_owned()]));
    }

    #[test]
    fn no_more_is_read_than_directories_need() {
        assert_eq!(found(&list_of(MAX_ENTRIES, 300)), None);
        let long = found(&list_of(16, 60_000)).expect("just few enough");
        assert_eq!(long.len(), 16);
        assert_eq!(found(&list_of(18, 60_000)), None);
    }
}
