//! The paths of files as reports show them.

use std::borrow::Cow;
use std::collections::HashMap;

use jumper_session::{FunctionId, Session, ShortPaths, StringId, path_end};

/// The short paths of files, each found once.
pub(crate) struct Paths<'a> {
    session: &'a Session,
    short: Option<ShortPaths<'a>>,
    known: HashMap<StringId, Cow<'a, str>>,
}

impl<'a> Paths<'a> {
    pub(crate) fn of(session: &'a Session) -> Self {
        Self {
            session,
            short: session.short_paths(),
            known: HashMap::new(),
        }
    }

    /// Where a function is: from the directory in which the program looked for its module or, where that is not known, the end
    /// of the path.
    pub(crate) fn short(&mut self, function: FunctionId) -> &str {
        let id = self.session.frames().get(function).file;
        self.known.entry(id).or_insert_with(|| {
            let path = self.session.string(id);
            match &self.short {
                Some(paths) => paths.of(path),
                None => path_end(path).into(),
            }
        })
    }
}
