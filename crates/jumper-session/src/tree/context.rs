//! What a tree knows of the session that it was made from, so that a processor needs nothing but the tree.

use std::collections::HashMap;
use std::sync::Arc;

use crate::short_path::library_path;
use crate::tree::NodeKind;
use crate::{Function, FunctionId, Session, ThreadId};

/// The functions of a session, and where its libraries are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    functions: Vec<Known>,
    /// The stack from which the recording was started, outermost first, as a tree has it.
    pub(crate) start: Vec<NodeKind>,
    /// Threads of which nothing is known but that they are there.
    anonymous: Vec<ThreadId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    name: Arc<str>,
    qualname: Option<Arc<str>>,
    file: Arc<str>,
    first_line: u32,
    hidden: bool,
    synthetic: Option<Synthetic>,
    origin: Origin,
    /// The first function that differs from this one at most in `hidden`.
    same_as: FunctionId,
}

/// Frames that no program has: they say what a thread did while it was in no function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Synthetic {
    Await,
    OutOfContext,
    SelfTime,
    Root,
}

impl Synthetic {
    pub(crate) const AWAIT: &'static str = "[await]";
    pub(crate) const OUT_OF_CONTEXT: &'static str = "[out-of-context]";
    pub(crate) const SELF_TIME: &'static str = "[self]";
    pub(crate) const ROOT: &'static str = "[root]";

    fn of(name: &str, file: &str) -> Option<Self> {
        match name {
            _ if !file.is_empty() => None,
            Self::AWAIT => Some(Self::Await),
            Self::OUT_OF_CONTEXT => Some(Self::OutOfContext),
            Self::SELF_TIME => Some(Self::SelfTime),
            Self::ROOT => Some(Self::Root),
            _ => None,
        }
    }
}

/// Whose code a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Application,
    Library,
    /// Made by `exec` or `eval`: it is the caller's.
    OfCaller,
}

impl Context {
    pub(crate) fn of(session: &Session) -> Self {
        let manifest = session.manifest();
        let mut first_of = HashMap::new();
        let functions = session.frames().iter().map(|(id, row)| {
            let identity = (row.name, row.qualname, row.file, row.first_line);
            let name = session.strings().shared(row.name);
            let file = session.strings().shared(row.file);
            Known {
                synthetic: Synthetic::of(&name, &file),
                origin: origin(&file, manifest.sys_prefixes.as_deref()),
                name,
                qualname: row.qualname.map(|name| session.strings().shared(name)),
                file,
                first_line: row.first_line,
                hidden: row.hidden,
                same_as: *first_of.entry(identity).or_insert(id),
            }
        });
        let mut context = Self {
            functions: functions.collect(),
            ..Self::default()
        };
        context.anonymous = session
            .threads()
            .iter()
            .filter(|(_, thread)| thread.is_anonymous())
            .map(|(id, _)| id)
            .collect();
        context.start = context.start_of(session);
        context
    }

    fn start_of(&self, session: &Session) -> Vec<NodeKind> {
        let Some((thread, stack)) = session.start_stack() else {
            return Vec::new();
        };
        let frames = stack.map(|stack| session.stacks().frames(stack));
        let mut start: Vec<_> = frames
            .into_iter()
            .flatten()
            .map(|(function, _)| NodeKind::Function(self.identity(function)))
            .collect();
        if !self.is_anonymous(thread) {
            start.push(NodeKind::Thread(thread));
        }
        start.reverse();
        start
    }

    /// The function that stands for all that are the same as this one.
    pub(crate) fn identity(&self, id: FunctionId) -> FunctionId {
        self.functions[id.index()].same_as
    }

    /// Whether a function asks to be left out. Functions that are the same can differ in it.
    pub(crate) fn is_hidden(&self, id: FunctionId) -> bool {
        self.functions[id.index()].hidden
    }

    pub(crate) fn is_anonymous(&self, id: ThreadId) -> bool {
        self.anonymous.binary_search(&id).is_ok()
    }

    pub(crate) fn function(&self, id: FunctionId) -> Function<'_> {
        let known = &self.functions[id.index()];
        Function {
            name: &known.name,
            qualname: known.qualname.as_deref(),
            file: &known.file,
            first_line: known.first_line,
            hidden: known.hidden,
        }
    }

    /// All functions in the order of their handles.
    pub(crate) fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        (0..self.functions.len()).map(|row| self.function(FunctionId::from_len(row)))
    }

    pub(crate) fn synthetic(&self, id: FunctionId) -> Option<Synthetic> {
        self.functions[id.index()].synthetic
    }

    pub(crate) fn origin(&self, id: FunctionId) -> Origin {
        self.functions[id.index()].origin
    }
}

/// Parts of paths that only installed code has on Windows, for sessions that do not say where theirs is.
const INSTALLED: [&str; 2] = ["\\site-packages\\", "\\Lib\\"];

fn origin(file: &str, prefixes: Option<&[String]>) -> Origin {
    let is_installed = match prefixes {
        Some(prefixes) => prefixes.iter().any(|prefix| is_inside(file, prefix)),
        None => library_path(file).is_some() || INSTALLED.iter().any(|part| file.contains(part)),
    };
    match file {
        _ if is_installed => Origin::Library,
        "" => Origin::Library,
        "<string>" | "<stdin>" => Origin::OfCaller,
        // A cell of a notebook or of an interactive session.
        _ if file.starts_with("<ipython-input-") => Origin::Application,
        _ if file.starts_with('<') => Origin::Library,
        _ => Origin::Application,
    }
}

/// Whether a file is below a directory. Below one without a name is nothing: it is not known.
fn is_inside(file: &str, directory: &str) -> bool {
    let rest = file.strip_prefix(directory);
    let is_whole = |rest: &str| directory.ends_with(SEPARATORS) || rest.starts_with(SEPARATORS);
    !directory.is_empty() && rest.is_some_and(is_whole)
}

const SEPARATORS: [char; 2] = ['/', '\\'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_the_prefixes_is_a_library() {
        let prefixes = ["/usr", "/home/u/venv", "", "/opt/py/"].map(String::from);
        let of = |file| origin(file, Some(&prefixes));
        assert_eq!(of("/usr/lib/python3.12/json/decoder.py"), Origin::Library);
        assert_eq!(of("/home/u/venv/x.py"), Origin::Library);
        assert_eq!(of("/home/u/lib/x.py"), Origin::Application);
        assert_eq!(of("/home/u/venv-tools/x.py"), Origin::Application);
        assert_eq!(of("/opt/py/x.py"), Origin::Library);
        assert_eq!(of("<ipython-input-3-abc>"), Origin::Application);
        assert_eq!(of("<string>"), Origin::OfCaller);
        assert_eq!(of("<frozen runpy>"), Origin::Library);
        assert_eq!(of(""), Origin::Library);
    }

    #[test]
    fn without_prefixes_the_path_has_to_do() {
        let of = |file| origin(file, None);
        assert_eq!(of("/opt/x/lib/python3.12/json/decoder.py"), Origin::Library);
        assert_eq!(of("/opt/lib/mine.py"), Origin::Application);
        assert_eq!(of("/work/lib/python-tools/x.py"), Origin::Application);
    }
}
