//! Where things lie in CPython's structures, as data: every fact that differs between versions is here.
//!
//! The walker is written once against [`Layout`]. A new CPython version is a new file beside this one and a
//! line in [`Layout::of`]; the offsets to 3.12 were printed by `offsetof` on that version's own headers
//! (`Include/internal`), those from 3.13 on are read from the running program's `_Py_DebugOffsets`, which
//! exists for that purpose ([`debug_offsets`]).
//!
//! Offsets are in bytes from the start of the structure. They are those of 64-bit builds.

mod debug_offsets;
mod v3_10;
mod v3_11;
mod v3_12;
mod v3_13;
mod v3_14;
mod v3_15;
mod v3_9;
mod walk;

use std::fmt;
use std::ops::Range;

use super::memory::{Address, Fault, Memory};
use super::objects::OB_TYPE;
use super::walk::{MAX_FRAME, MAX_THREAD};
pub(crate) use walk::WalkLayout;

/// A CPython version, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The 3 of 3.11.
    pub major: u8,
    /// The 11 of 3.11.
    pub minor: u8,
    /// The 7 of 3.11.7, where it could be found out.
    pub micro: Option<u8>,
    /// Whether it was built without the global interpreter lock.
    pub free_threaded: bool,
}

impl Version {
    pub(crate) const fn new(major: u8, minor: u8, micro: Option<u8>) -> Self {
        Self {
            major,
            minor,
            micro,
            free_threaded: false,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = if self.free_threaded {
            "free-threaded "
        } else {
            ""
        };
        write!(f, "{build}CPython {}.{}", self.major, self.minor)?;
        self.micro.map_or(Ok(()), |micro| write!(f, ".{micro}"))
    }
}

/// The offsets of one CPython build.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) interpreters_head: u64,
    pub(crate) interpreter: InterpreterLayout,
    pub(crate) thread: ThreadLayout,
    pub(crate) frame: FrameLayout,
    pub(crate) code: CodeLayout,
    pub(crate) object: ObjectLayout,
}

/// `PyInterpreterState`.
#[derive(Clone, Debug)]
pub(crate) struct InterpreterLayout {
    pub(crate) next: u64,
    pub(crate) threads_head: u64,
    /// `sys.modules`.
    pub(crate) modules: u64,
    /// The dict of the module `sys`.
    pub(crate) sysdict: u64,
}

/// `PyThreadState`.
#[derive(Clone, Debug)]
pub(crate) struct ThreadLayout {
    pub(crate) size: usize,
    pub(crate) next: usize,
    pub(crate) interpreter: usize,
    /// What `threading.get_ident()` returns: with POSIX threads a `pthread_t`.
    pub(crate) ident: usize,
    /// What `threading.get_native_id()` returns. Before 3.11 it is not kept.
    pub(crate) native_id: Option<usize>,
    pub(crate) top_frame: TopFrame,
    /// The newest chunk of the data stack, in which frames lie since 3.11.
    pub(crate) datastack_chunk: Option<usize>,
}

/// How the thread state leads to the innermost frame.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TopFrame {
    /// The pointer is in the thread state.
    Field(usize),
    /// The thread state points to a `_PyCFrame` on the C stack, and that to the frame.
    Cframe { cframe: usize, current_frame: u64 },
}

impl TopFrame {
    /// Where in the thread state it is.
    fn offset(self) -> usize {
        match self {
            Self::Field(offset) => offset,
            Self::Cframe { cframe, .. } => cframe,
        }
    }
}

/// `PyFrameObject` to 3.10, `_PyInterpreterFrame` from 3.11.
#[derive(Clone, Debug)]
pub(crate) struct FrameLayout {
    /// How much of the front has to be read for the fields below.
    pub(crate) size: usize,
    pub(crate) code: usize,
    /// The bits of the pointer to the code object that are no part of the address (`_PyStackRef`, from 3.14).
    pub(crate) code_tag: u64,
    pub(crate) previous: usize,
    pub(crate) position: Position,
    /// Who owns the frame, from 3.11.
    pub(crate) owner: Option<usize>,
    /// The owners that mark a frame which is no Python function: it stands for a part of the C stack.
    pub(crate) hidden_owners: Range<u8>,
    /// The first local variable.
    pub(crate) locals: usize,
    pub(crate) leaving: Option<Leaving>,
}

/// How to tell a frame whose function has returned and whose variables are being released. Only 3.11 does that while the
/// frame is still on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving {
    /// A C `int`: the height of the stack of values, -1 while the frame runs or calls C functions.
    pub(crate) stack_top: usize,
    /// Whether C code called the function, in one byte.
    pub(crate) is_entry: usize,
}

/// How a frame says which instruction it is at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Position {
    /// A C `int` that counts units of so many bytes.
    Index { offset: usize, unit: i32 },
    /// A pointer into the code object's instructions.
    Pointer { offset: usize },
}

/// `PyCodeObject`.
#[derive(Clone, Debug)]
pub(crate) struct CodeLayout {
    /// How much of the front has to be read for the fields below.
    pub(crate) size: usize,
    /// The part of the front that never changes while the object lives. Two reads that agree here saw the same
    /// code object, not another one at a reused address.
    pub(crate) identity: Range<usize>,
    pub(crate) first_line: usize,
    pub(crate) file: usize,
    pub(crate) name: usize,
    pub(crate) qualname: Option<usize>,
    pub(crate) line_table: usize,
    pub(crate) line_format: LineFormat,
    /// Where the instructions begin, for [`Position::Pointer`].
    pub(crate) instructions: u64,
    /// The tuple of the names of local variables, parameters first.
    pub(crate) variables: usize,
    pub(crate) variables_format: VariablesFormat,
}

/// How a code object says where its variables are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum VariablesFormat {
    /// To 3.10. A parameter that inner functions use is in a cell behind the local variables, and its own place is empty.
    Tuples {
        /// C `int`s.
        arg_count: usize,
        locals_count: usize,
        /// The tuple of the names of variables that are in cells, and for each the parameter that it is.
        cells: usize,
        cell_to_arg: usize,
    },
    /// From 3.11. The tuple has the names of all variables and a `bytes` has their kinds. A parameter that inner functions use
    /// has a cell in its own place.
    Kinds { kinds: usize },
}

/// How `co_lnotab` / `co_linetable` is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineFormat {
    /// To 3.9 (Objects/lnotab_notes.txt of 3.9).
    Lnotab,
    /// 3.10 (PEP 626, Objects/lnotab_notes.txt of 3.10).
    Linetable,
    /// From 3.11 (Objects/locations.md).
    Locations,
}

/// `str`, `bytes`, `int`, `dict`, and how instances keep their attributes.
#[derive(Clone, Debug)]
pub(crate) struct ObjectLayout {
    /// Where the characters of a compact ASCII `str` begin.
    pub(crate) ascii_data: u64,
    /// Where those of any other compact `str` begin.
    pub(crate) compact_data: u64,
    pub(crate) int: IntFormat,
    pub(crate) dict_keys: DictKeysFormat,
    /// Where the values begin in what `ma_values` and inline values point to.
    pub(crate) values_data: u64,
    pub(crate) instance: InstanceFormat,
    /// `ht_cached_keys` of a heap type: the names behind the values of its instances.
    pub(crate) cached_keys: u64,
    /// Where the items of a tuple begin.
    pub(crate) tuple_items: u64,
    /// `PyCell_Type`, once the program is known; else 0.
    pub(crate) cell_type: Address,
}

/// How `int` says how many digits it has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IntFormat {
    /// `ob_size`, negative for negative numbers.
    Size,
    /// `lv_tag`: the count above three flag bits.
    Tag,
}

/// The layouts of `PyDictKeysObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DictKeysFormat {
    /// To 3.10: the size itself, entries always with their hash.
    Size,
    /// From 3.11: its logarithm, and entries without hash where all keys are strings.
    Log2,
}

/// Where an instance of a Python class keeps its attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InstanceFormat {
    /// In a dict at `tp_dictoffset`.
    Dict,
    /// 3.11: values four words, the dict three words before the object.
    ValuesOrDict,
    /// 3.12: one word three words before the object: the dict, or one less than the values (and so odd).
    Tagged,
    /// From 3.13: the dict three words before, or values behind the object.
    Inline,
}

/// Enough for the front of a code object.
const MAX_CODE: usize = 512;

fn fits(offset: usize, width: usize, size: usize) -> bool {
    offset <= size && width <= size - offset
}

/// Why there is no layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayoutError {
    /// Nothing is known about this version.
    Unsupported(Version),
    /// The description that the program carries is not one.
    Garbled,
    /// The description could not be read.
    Fault(Fault),
}

impl From<Fault> for LayoutError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Layout {
    /// The layout of `version`, whose `_PyRuntime` lies at `runtime`.
    pub(crate) fn of(
        version: Version,
        memory: &impl Memory,
        runtime: Address,
    ) -> Result<Self, LayoutError> {
        if version.free_threaded {
            return Err(LayoutError::Unsupported(version));
        }
        let layout = match (version.major, version.minor) {
            (3, 9) => Ok(v3_9::layout()),
            (3, 10) => Ok(v3_10::layout()),
            (3, 11) => Ok(v3_11::layout()),
            (3, 12) => Ok(v3_12::layout()),
            (3, 13) => v3_13::layout(version, memory, runtime),
            (3, 14) => v3_14::layout(version, memory, runtime),
            (3, 15) => v3_15::layout(version, memory, runtime),
            _ => Err(debug_offsets::unsupported(version, memory, runtime)),
        }?;
        layout
            .stays_within_what_is_read()
            .then_some(layout)
            .ok_or(LayoutError::Garbled)
    }

    /// Whether every field lies within the part of its structure that is read. Who follows a layout relies on
    /// that, where nothing may go wrong any more.
    fn stays_within_what_is_read(&self) -> bool {
        let thread = &self.thread;
        let (top_frame, frame, code) = (thread.top_frame.offset(), &self.frame, &self.code);
        let in_thread = [thread.next, thread.interpreter, thread.ident, top_frame]
            .into_iter()
            .chain(thread.native_id)
            .chain(thread.datastack_chunk)
            .all(|offset| fits(offset, 8, thread.size));
        let in_frame = fits(frame.code, 8, frame.size)
            && fits(frame.previous, 8, frame.size)
            && fits(frame.locals, 8, frame.size)
            && frame.owner.is_none_or(|offset| fits(offset, 1, frame.size))
            && frame.leaving.is_none_or(|leaving| {
                fits(leaving.stack_top, 4, frame.size) && fits(leaving.is_entry, 1, frame.size)
            })
            && match frame.position {
                Position::Index { offset, .. } => fits(offset, 4, frame.size),
                Position::Pointer { offset } => fits(offset, 8, frame.size),
            };
        let in_variables = match code.variables_format {
            VariablesFormat::Tuples {
                arg_count,
                locals_count,
                cells,
                cell_to_arg,
            } => [arg_count, locals_count, cells, cell_to_arg].map(Some),
            VariablesFormat::Kinds { kinds } => [Some(kinds), None, None, None],
        };
        let in_code = [code.file, code.name, code.line_table, OB_TYPE]
            .into_iter()
            .chain([code.variables])
            .chain(code.qualname)
            .chain(in_variables.into_iter().flatten())
            .all(|offset| fits(offset, 8, code.size))
            && fits(code.first_line, 4, code.size)
            && code.identity.start < code.identity.end
            && code.identity.end <= code.size;
        in_thread
            && in_frame
            && in_code
            && thread.size <= MAX_THREAD
            && frame.size <= MAX_FRAME
            && code.size <= MAX_CODE
    }
}
