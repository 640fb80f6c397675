//! What a node of a call tree is called by programs that know frames only: a name, a file and a line.

use jumper_session::{FrameTree, NodeId, NodeKind, Session, StackId};

/// The file of frames that stand for threads, as pyinstrument calls it.
pub(crate) const THREAD_FILE: &str = "<thread>";

/// A frame as pyinstrument identifies it. Nodes of equal frames are calls of the same function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Frame<'a> {
    /// The plain name.
    pub(crate) name: &'a str,
    /// Empty where there is none.
    pub(crate) file: &'a str,
    /// The line where the function begins, or the number of a thread; 0 where there is none.
    pub(crate) line: u64,
}

impl<'a> Frame<'a> {
    pub(crate) fn of(session: &'a Session, tree: &FrameTree, id: NodeId) -> Self {
        let (name, file, line) = match tree.node(id).kind() {
            NodeKind::Root => ("[root]", "", 0),
            NodeKind::SelfTime => ("[self]", "", 0),
            NodeKind::Thread(thread) => {
                let name = session.thread_name(thread).unwrap_or_default();
                let number = session.threads().get(thread).native_id;
                (name, THREAD_FILE, number)
            }
            NodeKind::Function(function) => {
                let function = session.function(function);
                (function.name, function.file, function.first_line.into())
            }
        };
        Self { name, file, line }
    }
}

/// The stacks of a stack's frames, outermost first, into `chain`.
pub(super) fn outermost_first(session: &Session, stack: Option<StackId>, chain: &mut Vec<StackId>) {
    chain.clear();
    let mut next = stack;
    while let Some(stack) = next {
        chain.push(stack);
        next = session.stacks().get(stack).parent;
    }
    chain.reverse();
}
