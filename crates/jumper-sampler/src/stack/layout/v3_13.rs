//! CPython 3.13. The program says where most things lie, in the `_Py_DebugOffsets` at the front of its runtime.

use super::{
    CodeLayout, DEBUG_COOKIE, FrameLayout, InstanceFormat, InterpreterLayout, Layout, LayoutError,
    ObjectLayout, Position, ThreadLayout, TopFrame, Version, v3_12,
};
use crate::stack::memory::{Address, Memory, u64_at};

/// The words of `_Py_DebugOffsets` that are used, by their position in the structure of 3.13
/// (Include/internal/pycore_runtime.h).
#[derive(Clone, Copy)]
enum Word {
    FreeThreaded = 2,
    InterpretersHead = 5,
    InterpreterNext = 8,
    ThreadsHead = 9,
    Modules = 11,
    ThreadSize = 19,
    ThreadNext = 21,
    ThreadInterpreter = 22,
    CurrentFrame = 23,
    ThreadIdent = 24,
    NativeId = 25,
    DatastackChunk = 26,
    Previous = 29,
    Executable = 30,
    InstructionPointer = 31,
    Owner = 33,
    File = 35,
    Name = 36,
    Qualname = 37,
    LineTable = 38,
    FirstLine = 39,
    ArgCount = 40,
    Instructions = 43,
}

const WORDS: usize = Word::Instructions as usize + 1;

/// No structure of CPython is larger. What claims to be is garbage, and would make us read too much.
const LARGEST_OFFSET: u64 = 1 << 20;

pub(super) fn layout(
    version: Version,
    memory: &impl Memory,
    runtime: Address,
) -> Result<Layout, LayoutError> {
    let mut words = [0; WORDS * 8];
    memory.read(runtime, &mut words)?;
    if words[..8] != DEBUG_COOKIE {
        return Err(LayoutError::Garbled);
    }
    let word = |word: Word| u64_at(&words, word as usize * 8);
    if word(Word::FreeThreaded) != 0 {
        return Err(LayoutError::Unsupported(Version {
            free_threaded: true,
            ..version
        }));
    }
    let far = words
        .chunks_exact(8)
        .skip(2)
        .any(|word| u64_at(word, 0) > LARGEST_OFFSET);
    if far || word(Word::ThreadSize) < 64 || word(Word::LineTable) < word(Word::ArgCount) {
        return Err(LayoutError::Garbled);
    }
    Ok(described(word))
}

fn described(word: impl Fn(Word) -> u64) -> Layout {
    let at = |name| word(name) as usize;
    let code_size = at(Word::LineTable) + 8;
    let frame_size = [
        Word::Previous,
        Word::Executable,
        Word::InstructionPointer,
        Word::Owner,
    ]
    .map(at);
    let before = v3_12::layout();
    Layout {
        interpreters_head: word(Word::InterpretersHead),
        interpreter: InterpreterLayout {
            next: word(Word::InterpreterNext),
            threads_head: word(Word::ThreadsHead),
            modules: word(Word::Modules),
        },
        thread: ThreadLayout {
            size: at(Word::ThreadSize),
            next: at(Word::ThreadNext),
            interpreter: at(Word::ThreadInterpreter),
            ident: at(Word::ThreadIdent),
            native_id: Some(at(Word::NativeId)),
            top_frame: TopFrame::Field(at(Word::CurrentFrame)),
            datastack_chunk: Some(at(Word::DatastackChunk)),
        },
        frame: FrameLayout {
            size: frame_size.into_iter().max().unwrap_or(0) + 8,
            code: at(Word::Executable),
            previous: at(Word::Previous),
            position: Position::Pointer {
                offset: at(Word::InstructionPointer),
            },
            owner: Some(at(Word::Owner)),
            owner_c_stack: 3,
        },
        code: CodeLayout {
            size: code_size,
            identity: at(Word::ArgCount)..code_size,
            first_line: at(Word::FirstLine),
            file: at(Word::File),
            name: at(Word::Name),
            qualname: Some(at(Word::Qualname)),
            line_table: at(Word::LineTable),
            instructions: word(Word::Instructions),
            ..before.code
        },
        object: ObjectLayout {
            values_data: 8,
            instance: InstanceFormat::Inline,
            ..before.object
        },
    }
}
