//! The names that Python code gave its threads.
//!
//! They live in Python objects only (the kernel learns a part of them from 3.14): `sys.modules["threading"]` has a
//! dict `_active` from thread identifier to `Thread`, and that has a `_name`. All of it may change during the
//! read, so that a name is asked for again until it is found.

use super::memory::{Address, Memory};
use super::objects::Objects;

/// Where one interpreter keeps its threads, once found.
#[derive(Debug, Default)]
pub(crate) struct ThreadNames {
    active: Option<Address>,
}

impl ThreadNames {
    /// The name of the thread with this `threading.get_ident()`.
    pub(crate) fn name<M: Memory>(
        &mut self,
        objects: Objects<'_, M>,
        modules: Address,
        ident: u64,
    ) -> Option<String> {
        if let Some(name) = self
            .active
            .and_then(|active| name_in(objects, active, ident))
        {
            return Some(name);
        }
        // `threading` is imported late in most programs, and `fork` puts a new dict in place of `_active`.
        let threading = objects.get(modules, "threading")?;
        self.active = objects.global(threading, "_active");
        name_in(objects, self.active?, ident)
    }
}

fn name_in<M: Memory>(objects: Objects<'_, M>, active: Address, ident: u64) -> Option<String> {
    let entries = objects.entries(active)?;
    let thread = entries
        .into_iter()
        .find(|entry| objects.unsigned(entry.key) == Some(ident))?
        .value;
    objects.text(objects.attribute(thread, "_name")?)
}
