//! Finding the CPython runtime of a process: which file holds it, where that is mapped, which version it is.

use std::path::{Path, PathBuf};

use super::elf::{BadElf, Elf};
use super::layout::{Layout, LayoutError, Version, WalkLayout};
use super::memory::{Address, Fault, Memory, ProcessMemory, u64_at};
use crate::proc::{self, Mapping};
use crate::{Error, Pid};

/// A CPython runtime in a process.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) version: Version,
    pub(crate) layout: Layout,
    /// The part of it that is needed to copy a stack.
    pub(crate) walk: WalkLayout,
    /// `_PyRuntime`.
    pub(crate) address: Address,
    /// `PyCode_Type`: what every code object points to, and so the proof that something is one.
    pub(crate) code_type: Address,
}

/// Where a file that may hold the runtime is.
struct Candidate {
    /// As the process calls it.
    name: String,
    /// As we can open it: the process may live in another mount namespace.
    path: PathBuf,
    mapped: Address,
}

impl Runtime {
    /// Looks for the runtime of `pid`.
    pub(crate) fn find(pid: Pid) -> Result<Self, Error> {
        let mappings = proc::mappings(pid)?;
        let executable = proc::executable(pid)?;
        let mut idle = None;
        for candidate in candidates(pid, &executable, &mappings) {
            // A program may map a second libpython that it never starts, through an extension linked to one.
            match in_file(pid, &candidate)? {
                Some(runtime) if runtime.has_started(pid) => return Ok(runtime),
                Some(runtime) => idle = idle.or(Some(runtime)),
                None => {}
            }
        }
        if let Some(runtime) = idle {
            return Ok(runtime);
        }
        let shown = executable.display().to_string();
        Err(match python_before_3_7(&shown, &mappings) {
            Some(version) => Error::UnsupportedPython { pid, version },
            None => Error::NotPython {
                pid,
                executable: shown,
            },
        })
    }

    /// Whether there is an interpreter in it.
    fn has_started(&self, pid: Pid) -> bool {
        let head = self.address.wrapping_add(self.layout.interpreters_head);
        ProcessMemory::of(pid)
            .pointer(head)
            .is_ok_and(|interpreter| interpreter != 0)
    }
}

/// The files to look into: a libpython first, then the program itself.
fn candidates(pid: Pid, executable: &Path, mappings: &[Mapping]) -> Vec<Candidate> {
    let base_of = |name: &str| {
        mappings
            .iter()
            .find(|mapping| mapping.path == name)
            .map(|mapping| mapping.start)
    };
    let libraries = mappings
        .iter()
        .filter(|mapping| mapping.offset == 0 && file_name(&mapping.path).starts_with("libpython"));
    let mut list: Vec<Candidate> = libraries
        .map(|mapping| Candidate {
            name: mapping.path.clone(),
            path: proc::in_root_of(pid, &mapping.path),
            mapped: mapping.start,
        })
        .collect();
    let name = executable.display().to_string();
    if let Some(mapped) = base_of(&name) {
        // The link opens the program even where its file was replaced since it started.
        list.push(Candidate {
            name,
            path: proc::path(pid, "exe"),
            mapped,
        });
    }
    list
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The runtime in one file, if it is there.
fn in_file(pid: Pid, candidate: &Candidate) -> Result<Option<Runtime>, Error> {
    let bad = |BadElf(detail)| Error::BadExecutable {
        path: candidate.path.clone(),
        detail,
    };
    let elf = Elf::open(&candidate.path)
        .map_err(|error| Error::from_proc(pid, candidate.path.clone(), error))?;
    let [runtime, code_type, hex_version, cell_type] = elf
        .symbols(["_PyRuntime", "PyCode_Type", "Py_Version", "PyCell_Type"])
        .map_err(bad)?;
    let (Some(runtime), Some(code_type)) = (runtime, code_type) else {
        return Ok(None);
    };
    let bias = elf.bias(candidate.mapped).map_err(bad)?;
    let memory = ProcessMemory::of(pid);
    let mut version = match hex_version {
        Some(address) => running_version(pid, &memory, bias.wrapping_add(address))?,
        None => {
            let constants = elf.constants().unwrap_or_default();
            told_version(file_name(&candidate.name), &constants)
                .ok_or_else(|| bad(BadElf("it holds a Python of unknown version".into())))?
        }
    };
    version.free_threaded = is_free_threaded_name(file_name(&candidate.name));
    let address = bias.wrapping_add(runtime);
    let mut layout =
        Layout::of(version, &memory, address).map_err(|error| layout_error(pid, version, error))?;
    layout.object.cell_type = cell_type.map_or(0, |cell_type| bias.wrapping_add(cell_type));
    Ok(Some(Runtime {
        version,
        walk: WalkLayout::of(&layout),
        layout,
        address,
        code_type: bias.wrapping_add(code_type),
    }))
}

/// `Py_Version`, which exists from 3.11: 0x030b07f0 is 3.11.7.
fn running_version(pid: Pid, memory: &ProcessMemory, address: Address) -> Result<Version, Error> {
    let mut bytes = [0; 8];
    memory
        .read(address, &mut bytes)
        .map_err(|fault| fault_error(pid, fault))?;
    let hex = u64_at(&bytes, 0);
    Ok(Version::new(
        (hex >> 24) as u8,
        (hex >> 16) as u8,
        Some((hex >> 8) as u8),
    ))
}

pub(crate) fn fault_error(pid: Pid, fault: Fault) -> Error {
    match fault {
        Fault::Denied => Error::PermissionDenied { pid },
        Fault::Gone => Error::NoSuchProcess { pid },
        Fault::Unmapped => Error::NotReady { pid },
    }
}

fn layout_error(pid: Pid, version: Version, error: LayoutError) -> Error {
    match error {
        LayoutError::Unsupported(version) => Error::UnsupportedPython { pid, version },
        LayoutError::Garbled => Error::Inconsistent {
            pid,
            version,
            detail: "its description of itself is not one",
        },
        LayoutError::Fault(fault) => fault_error(pid, fault),
    }
}

/// The version before 3.11, which only texts tell: the file's name, and its constants, which say it to the last
/// digit.
fn told_version(name: &str, constants: &[u8]) -> Option<Version> {
    let named = version_in_name(name);
    let minor = named.map(|version| version.minor);
    version_in_constants(constants, minor).or(named)
}

/// The 3.9 of `libpython3.9.so.1.0` or `python3.9`.
fn version_in_name(name: &str) -> Option<Version> {
    let (major, minor, _) = split_name(name)?;
    Some(Version::new(major.parse().ok()?, minor.parse().ok()?, None))
}

/// The t of `python3.14t` or `libpython3.14td.so.1.0` (`sys.abiflags`).
fn is_free_threaded_name(name: &str) -> bool {
    split_name(name).is_some_and(|(_, _, flags)| flags.starts_with('t'))
}

/// The major and minor number in a file's name, and what follows them.
fn split_name(name: &str) -> Option<(&str, &str, &str)> {
    let (_, after) = name.split_once("python")?;
    let (major, rest) = after.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (minor, flags) = rest.split_at(digits);
    Some((major, minor, flags))
}

/// `PY_VERSION` among the string constants: the whole of one reads like 3.9.18 or 3.10.0rc1+.
fn version_in_constants(constants: &[u8], minor: Option<u8>) -> Option<Version> {
    let texts = constants
        .split(|&byte| byte == 0)
        .filter(|text| (5..12).contains(&text.len()));
    let mut versions = texts.filter_map(version_in_text);
    versions.find(|version| minor.is_none_or(|minor| minor == version.minor))
}

fn version_in_text(text: &[u8]) -> Option<Version> {
    let rest = std::str::from_utf8(text).ok()?.strip_prefix("3.")?;
    let (minor, micro) = rest.split_once('.')?;
    let digits: String = micro.chars().take_while(char::is_ascii_digit).collect();
    let suffix = &micro[digits.len()..];
    let known = suffix.is_empty() || suffix == "+" || suffix.starts_with(['a', 'b', 'r']);
    let plausible: u8 = minor
        .parse()
        .ok()
        .filter(|minor| (7..=30).contains(minor))?;
    known.then(|| Some(Version::new(3, plausible, Some(digits.parse().ok()?))))?
}

/// A Python so old that it has no `_PyRuntime`, told by its file names alone.
fn python_before_3_7(executable: &str, mappings: &[Mapping]) -> Option<Version> {
    let names = mappings
        .iter()
        .map(|mapping| mapping.path.as_str())
        .chain([executable]);
    names
        .filter(|name| {
            file_name(name).starts_with("libpython") || file_name(name).starts_with("python")
        })
        .find_map(|name| version_in_name(file_name(name)))
        .filter(|version| (version.major, version.minor) < (3, 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_file_names() {
        let version = |name| version_in_name(name).map(|version| (version.major, version.minor));
        assert_eq!(version("libpython3.10.so.1.0"), Some((3, 10)));
        assert_eq!(version("python3.9"), Some((3, 9)));
        assert_eq!(version("libpython2.7.so.1.0"), Some((2, 7)));
        assert_eq!(version("python3"), None);
        assert_eq!(version("libpython3.so"), None);
        assert_eq!(version("uwsgi"), None);
    }

    #[test]
    fn a_free_threaded_build_is_told_from_file_names() {
        for name in ["python3.14t", "libpython3.13t.so.1.0", "libpython3.14td.so"] {
            assert!(is_free_threaded_name(name), "{name}");
        }
        for name in [
            "python3.14",
            "python3",
            "libpython3.14d.so.1.0",
            "python3.14-t",
            "tox",
        ] {
            assert!(!is_free_threaded_name(name), "{name}");
        }
    }

    #[test]
    fn versions_are_told_from_constants() {
        let constants = b"abc\x003.9\x003.14159\x002.35.1\x003.10.13\x003.9.1\x00";
        let version = version_in_constants(constants, None).expect("there is one");
        assert_eq!((version.minor, version.micro), (10, Some(13)));
        let version = told_version("libpython3.9.so.1.0", constants).expect("there is one");
        assert_eq!((version.minor, version.micro), (9, Some(1)));
        let version = told_version("libpython3.8.so.1.0", constants).expect("the name has it");
        assert_eq!((version.minor, version.micro), (8, None));
        assert_eq!(version_in_constants(b"nothing\0", None), None);
    }
}
