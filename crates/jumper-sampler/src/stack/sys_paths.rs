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
