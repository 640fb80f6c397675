//! Every text of a session, once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::StringId;

/// The texts of a session: names, paths, labels.
///
/// They come from the observed program or from a file and may hold anything, control characters and
/// markup included. Whoever prints one escapes it for the place where it goes.
#[derive(Clone, Debug, Default)]
pub struct StringTable {
    texts: Vec<Arc<str>>,
    // The standard hasher: texts can be chosen by others to collide under a cheaper one.
    ids: HashMap<Arc<str>, StringId>,
}

impl StringTable {
    /// The text of a handle.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn get(&self, id: StringId) -> &str {
        &self.texts[id.index()]
    }

    /// The handle of a text, if the session has it.
    pub fn find(&self, text: &str) -> Option<StringId> {
        self.ids.get(text).copied()
    }

    /// How many distinct texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The texts in the order of their handles.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// The text of a handle, for one who keeps it longer than the session.
    pub(crate) fn shared(&self, id: StringId) -> Arc<str> {
        Arc::clone(&self.texts[id.index()])
    }

    pub(crate) fn intern(&mut self, text: &str) -> StringId {
        if let Some(id) = self.find(text) {
            return id;
        }
        let id = StringId::from_len(self.texts.len());
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.ids.insert(text, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_handle() {
        let mut strings = StringTable::default();
        let first = strings.intern("fib");
        assert_eq!(strings.intern(""), StringId::from_raw(1));
        assert_eq!(strings.intern("fib"), first);
        assert_eq!(strings.get(first), "fib");
        assert_eq!(strings.iter().collect::<Vec<_>>(), ["fib", ""]);
        assert_eq!(strings.find("nothing"), None);
    }
}
