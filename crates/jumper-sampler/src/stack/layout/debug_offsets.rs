//! `_Py_DebugOffsets`: from 3.13 the program itself says where most things lie, at the front of its
//! `_PyRuntime`.
//!
//! The description is an array of 64-bit words behind a cookie. Which word says what differs between versions,
//! and is data of the version's own file. What the words say is hostile input: every offset must lie within the
//! structure whose size stands beside it.

use super::{
    CodeLayout, FrameLayout, InterpreterLayout, Layout, LayoutError, Position, ThreadLayout,
    TopFrame, VariablesFormat, Version,
};
use crate::stack::memory::{Address, Memory, u64_at};

/// What stands at the front of a description.
const COOKIE: [u8; 8] = *b"xdebugpy";
/// Cookie, version and whether it is free-threaded have kept their places.
const VERSION: usize = 1;
const FREE_THREADED: usize = 2;
/// More words than in any version's description.
const MAX_WORDS: usize = 128;
/// No structure of CPython is larger. What claims to be is garbage.
const LARGEST_STRUCTURE: u64 = 1 << 24;

/// The positions of the words that are used, in one version. Each structure's group begins with its size.
pub(super) struct Words {
    pub(super) runtime: RuntimeWords,
    pub(super) interpreter: InterpreterWords,
    pub(super) thread: ThreadWords,
    pub(super) frame: FrameWords,
    pub(super) code: CodeWords,
}

pub(super) struct RuntimeWords {
    pub(super) size: usize,
    pub(super) interpreters_head: usize,
}

pub(super) struct InterpreterWords {
    pub(super) size: usize,
    pub(super) next: usize,
    pub(super) threads_head: usize,
    pub(super) modules: usize,
    pub(super) sysdict: usize,
}

pub(super) struct ThreadWords {
    pub(super) size: usize,
    pub(super) next: usize,
    pub(super) interpreter: usize,
    pub(super) current_frame: usize,
    pub(super) ident: usize,
    pub(super) native_id: usize,
    pub(super) datastack_chunk: usize,
}

pub(super) struct FrameWords {
    pub(super) size: usize,
    pub(super) previous: usize,
    pub(super) executable: usize,
    pub(super) instruction_pointer: usize,
    pub(super) locals: usize,
    pub(super) owner: usize,
}

pub(super) struct CodeWords {
    pub(super) size: usize,
    pub(super) file: usize,
    pub(super) name: usize,
    pub(super) qualname: usize,
    pub(super) line_table: usize,
    pub(super) first_line: usize,
    pub(super) arg_count: usize,
    pub(super) variables: usize,
    pub(super) kinds: usize,
    pub(super) instructions: usize,
}

/// The layout of `version`: what the runtime at `runtime` says of itself, and the rest from `base`.
pub(super) fn layout(
    version: Version,
    memory: &impl Memory,
    runtime: Address,
    words: &Words,
    base: Layout,
) -> Result<Layout, LayoutError> {
    let said = Description::read(memory, runtime)?;
    if said.word(FREE_THREADED) != 0 {
        return Err(LayoutError::Unsupported(free_threaded(version)));
    }
    if !said.is_of(version) {
        return Err(LayoutError::Garbled);
    }
    said.layout(words, base)
}

/// `version`, for which there is no layout, with what its runtime says about threads if it describes itself.
pub(super) fn unsupported(version: Version, memory: &impl Memory, runtime: Address) -> LayoutError {
    let threaded = (version.major, version.minor) >= (3, 13)
        && Description::read(memory, runtime).is_ok_and(|said| said.word(FREE_THREADED) == 1);
    LayoutError::Unsupported(if threaded {
        free_threaded(version)
    } else {
        version
    })
}

fn free_threaded(version: Version) -> Version {
    Version {
        free_threaded: true,
        ..version
    }
}

/// The words of one runtime.
struct Description {
    bytes: [u8; MAX_WORDS * 8],
}

impl Description {
    fn read(memory: &impl Memory, runtime: Address) -> Result<Self, LayoutError> {
        // `_PyRuntime` is larger than any description, so that words beyond the end are there, and not used.
        let mut bytes = [0; MAX_WORDS * 8];
        memory.read(runtime, &mut bytes)?;
        if bytes[..8] == COOKIE {
            Ok(Self { bytes })
        } else {
            Err(LayoutError::Garbled)
        }
    }

    fn word(&self, word: usize) -> u64 {
        u64_at(&self.bytes, word * 8)
    }

    /// Whether it was written by that version: 0x030d00f0 is 3.13.0.
    fn is_of(&self, version: Version) -> bool {
        let hex = self.word(VERSION);
        let said = [hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff];
        said[..2] == [version.major.into(), version.minor.into()]
            && version.micro.is_none_or(|micro| said[2] == micro.into())
    }

    /// The structure whose size is `word`.
    fn structure(&self, word: usize) -> Result<Structure<'_>, LayoutError> {
        let size = self.word(word);
        if size > LARGEST_STRUCTURE {
            return Err(LayoutError::Garbled);
        }
        Ok(Structure {
            description: self,
            size,
        })
    }

    fn layout(&self, words: &Words, base: Layout) -> Result<Layout, LayoutError> {
        let interpreter = self.structure(words.interpreter.size)?;
        Ok(Layout {
            interpreters_head: self
                .structure(words.runtime.size)?
                .pointer(words.runtime.interpreters_head)? as u64,
            interpreter: InterpreterLayout {
                next: interpreter.pointer(words.interpreter.next)? as u64,
                threads_head: interpreter.pointer(words.interpreter.threads_head)? as u64,
                modules: interpreter.pointer(words.interpreter.modules)? as u64,
                sysdict: interpreter.pointer(words.interpreter.sysdict)? as u64,
            },
            thread: self.thread(&words.thread)?,
            frame: self.frame(&words.frame, base.frame)?,
            code: self.code(&words.code, base.code)?,
            object: base.object,
        })
    }

    fn thread(&self, words: &ThreadWords) -> Result<ThreadLayout, LayoutError> {
        let thread = self.structure(words.size)?;
        let pointers = [
            words.next,
            words.interpreter,
            words.current_frame,
            words.ident,
            words.native_id,
            words.datastack_chunk,
        ];
        let [
            next,
            interpreter,
            current_frame,
            ident,
            native_id,
            datastack_chunk,
        ] = thread.pointers(pointers)?;
        Ok(ThreadLayout {
            size: thread.front(pointers)?,
            next,
            interpreter,
            ident,
            native_id: Some(native_id),
            top_frame: TopFrame::Field(current_frame),
            datastack_chunk: Some(datastack_chunk),
        })
    }

    fn frame(&self, words: &FrameWords, base: FrameLayout) -> Result<FrameLayout, LayoutError> {
        let frame = self.structure(words.size)?;
        let pointers = [
            words.executable,
            words.previous,
            words.instruction_pointer,
            words.locals,
        ];
        let [code, previous, offset, locals] = frame.pointers(pointers)?;
        let owner = frame.field(words.owner, 1)?;
        Ok(FrameLayout {
            size: frame.front(pointers)?.max(owner + 1),
            code,
            previous,
            position: Position::Pointer { offset },
            owner: Some(owner),
            locals,
            ..base
        })
    }

    fn code(&self, words: &CodeWords, base: CodeLayout) -> Result<CodeLayout, LayoutError> {
        let code = self.structure(words.size)?;
        let pointers = [
            words.file,
            words.name,
            words.qualname,
            words.line_table,
            words.variables,
            words.kinds,
        ];
        let [file, name, qualname, line_table, variables, kinds] = code.pointers(pointers)?;
        let size = code.front(pointers)?;
        Ok(CodeLayout {
            size,
            identity: code.field(words.arg_count, 4)?..size,
            first_line: code.field(words.first_line, 4)?,
            file,
            name,
            qualname: Some(qualname),
            line_table,
            instructions: code.field(words.instructions, 2)? as u64,
            variables,
            variables_format: VariablesFormat::Kinds { kinds },
            ..base
        })
    }
}

/// One structure of a description: offsets are believed only within its size.
struct Structure<'a> {
    description: &'a Description,
    size: u64,
}

impl Structure<'_> {
    /// The offset of a field of `width` bytes, which is aligned as C aligns it.
    fn field(&self, word: usize, width: u64) -> Result<usize, LayoutError> {
        let offset = self.description.word(word);
        let inside = offset < self.size && width <= self.size - offset;
        if inside && offset.is_multiple_of(width) {
            Ok(offset as usize)
        } else {
            Err(LayoutError::Garbled)
        }
    }

    fn pointer(&self, word: usize) -> Result<usize, LayoutError> {
        self.field(word, 8)
    }

    fn pointers<const N: usize>(&self, words: [usize; N]) -> Result<[usize; N], LayoutError> {
        let mut offsets = [0; N];
        for (offset, word) in offsets.iter_mut().zip(words) {
            *offset = self.pointer(word)?;
        }
        Ok(offsets)
    }

    /// How much of the front holds all of these pointers.
    fn front<const N: usize>(&self, words: [usize; N]) -> Result<usize, LayoutError> {
        let last = self.pointers(words)?.into_iter().max();
        Ok(last.unwrap_or(0) + 8)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{v3_13, v3_14};
    use super::*;
    use crate::stack::memory::Fault;

    /// A runtime that begins with these words.
    struct Said(Vec<u64>);

    impl Memory for Said {
        fn read(&self, address: Address, buffer: &mut [u8]) -> Result<(), Fault> {
            let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_ne_bytes()).collect();
            let from = address as usize;
            let wanted = bytes
                .get(from..from + buffer.len())
                .ok_or(Fault::Unmapped)?;
            buffer.copy_from_slice(wanted);
            Ok(())
        }

        fn read_each(&self, _: &[Address], _: usize, _: &mut [u8]) -> Result<usize, Fault> {
            Err(Fault::Unmapped)
        }
    }

    /// What CPython 3.14.0 on x86-64 says, in the words that are used.
    fn said_by_3_14() -> Said {
        let mut words = vec![0; MAX_WORDS];
        words[0] = u64::from_ne_bytes(COOKIE);
        words[1] = 0x030e_00f0;
        let groups: [(usize, &[u64]); 5] = [
            (3, &[4096, 0, 800]),
            (6, &[20_000, 0, 7264, 7272, 7280, 0, 7632, 7624]),
            (22, &[832, 0, 8, 16, 72, 152, 160, 232]),
            (31, &[88, 8, 0, 56, 80, 74]),
            (39, &[216, 112, 120, 128, 136, 68, 52, 96, 104, 208]),
        ];
        for (first, group) in groups {
            words[first..first + group.len()].copy_from_slice(group);
        }
        Said(words)
    }

    fn layout_of(said: &Said, minor: u8) -> Result<Layout, LayoutError> {
        Layout::of(Version::new(3, minor, Some(0)), said, 0)
    }

    #[test]
    fn what_is_read_ends_behind_the_last_field_that_is_used() {
        let layout = layout_of(&said_by_3_14(), 14).expect("a sound description");
        assert_eq!(layout.thread.size, 240);
        assert_eq!((layout.frame.size, layout.frame.locals), (88, 80));
        assert_eq!((layout.code.size, layout.code.identity), (144, 52..144));
        assert_eq!(layout.frame.code_tag, v3_14::base().frame.code_tag);
    }

    #[test]
    fn an_offset_outside_of_its_structure_is_garbled() {
        let sizes = [3, 6, 22, 31, 39];
        let offsets = [
            5, 8, 9, 12, 13, 24, 25, 26, 27, 28, 29, 32, 33, 34, 35, 36, 40, 41, 42, 43, 44, 45,
            46, 47, 48,
        ];
        for word in offsets {
            let size = sizes
                .into_iter()
                .rfind(|&size| size < word)
                .expect("each offset stands behind a size");
            let limit = said_by_3_14().0[size];
            for wrong in [limit, limit + 8, 1 << 40, u64::MAX, u64::MAX - 7] {
                let mut said = said_by_3_14();
                said.0[word] = wrong;
                let layout = layout_of(&said, 14).map(|_| ());
                assert_eq!(layout, Err(LayoutError::Garbled), "word {word}: {wrong}");
            }
        }
        for size in sizes {
            for wrong in [0, 1, u64::MAX] {
                let mut said = said_by_3_14();
                said.0[size] = wrong;
                let layout = layout_of(&said, 14).map(|_| ());
                assert_eq!(layout, Err(LayoutError::Garbled), "size {size}: {wrong}");
            }
        }
    }

    #[test]
    fn a_structure_that_is_too_large_to_be_read_is_garbled() {
        for (size, offset) in [(22, 29), (31, 34), (39, 43)] {
            let mut said = said_by_3_14();
            said.0[size] = 1 << 20;
            said.0[offset] = 1 << 16;
            let layout = layout_of(&said, 14).map(|_| ());
            assert_eq!(layout, Err(LayoutError::Garbled), "{size} {offset}");
        }
    }

    #[test]
    fn the_description_of_another_version_is_garbled() {
        let said = said_by_3_14();
        for minor in [13, 15] {
            let layout = layout_of(&said, minor).map(|_| ());
            assert_eq!(layout, Err(LayoutError::Garbled), "3.{minor}");
        }
        let layout = Layout::of(Version::new(3, 14, Some(1)), &said, 0).map(|_| ());
        assert_eq!(layout, Err(LayoutError::Garbled));
        let mut other = said_by_3_14();
        other.0[0] ^= 1;
        let layout = layout_of(&other, 14).map(|_| ());
        assert_eq!(layout, Err(LayoutError::Garbled));
    }

    #[test]
    fn free_threaded_builds_are_unsupported_however_it_shows() {
        let threaded = |minor| {
            Err(LayoutError::Unsupported(Version {
                free_threaded: true,
                ..Version::new(3, minor, Some(0))
            }))
        };
        let mut said = said_by_3_14();
        said.0[FREE_THREADED] = 1;
        for minor in [13, 14, 15, 16] {
            assert_eq!(layout_of(&said, minor).map(|_| ()), threaded(minor));
        }
        let named = Version {
            free_threaded: true,
            ..Version::new(3, 14, Some(0))
        };
        assert_eq!(
            Layout::of(named, &said_by_3_14(), 0).map(|_| ()),
            threaded(14)
        );
    }

    #[test]
    fn a_version_of_the_future_is_unsupported_whatever_it_says() {
        let version = Version::new(3, 16, Some(0));
        for said in [said_by_3_14(), Said(Vec::new())] {
            let layout = Layout::of(version, &said, 0).map(|_| ());
            assert_eq!(layout, Err(LayoutError::Unsupported(version)));
        }
    }

    #[test]
    fn bases_that_are_not_described_stay_within_what_is_read() {
        for minor in 9..=12 {
            layout_of(&Said(Vec::new()), minor).expect("a table of our own");
        }
        assert_eq!(v3_13::base().frame.code_tag, 0);
    }
}
