//! [`PerProcess`]: what a process that is forked must not share with its parent.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::Pid;

/// A value of which a process that is forked gets a new one.
///
/// After fork(2) the child has a copy of its parent's memory and only one of its threads. A lock that another
/// thread held at that moment is held for ever in the copy, and what it guards may be half changed. So a
/// child leaves all of that alone, for as long as it lives, and begins with a value of its own.
#[derive(Debug)]
pub struct PerProcess<T> {
    /// Null, or from a box; never freed by another process than the one that made it.
    current: AtomicPtr<Entry<T>>,
    owned: PhantomData<T>,
}

#[derive(Debug)]
struct Entry<T> {
    process: Pid,
    value: T,
}

impl<T> PerProcess<T> {
    /// Without a value yet.
    pub const fn new() -> Self {
        Self {
            current: AtomicPtr::new(std::ptr::null_mut()),
            owned: PhantomData,
        }
    }
}

impl<T: Default> PerProcess<T> {
    /// This process's value, made now if there was none.
    pub fn get(&self) -> &T {
        let own = Pid::own();
        let mut current = self.current.load(Ordering::Acquire);
        // SAFETY: null or from a box that is only freed when `self` is dropped, or by this process in the loop below
        // before anybody has seen it.
        while unsafe { current.as_ref() }.is_none_or(|entry| entry.process != own) {
            let new = Box::into_raw(Box::new(Entry {
                process: own,
                value: T::default(),
            }));
            let swapped =
                self.current
                    .compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire);
            current = match swapped {
                Ok(_) => new,
                Err(others) => {
                    // SAFETY: `new` is from a box, and nobody else has it.
                    drop(unsafe { Box::from_raw(new) });
                    others
                }
            };
        }
        // SAFETY: as above; it is not null here.
        unsafe { &(*current).value }
    }
}

// SAFETY: it hands out references to a `T` which any thread may have made.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}
// SAFETY: it is a box of a `T`.
unsafe impl<T: Send> Send for PerProcess<T> {}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let current = *self.current.get_mut();
        // SAFETY: null or from a box, see `current`.
        let is_own = unsafe { current.as_ref() }.is_some_and(|entry| entry.process == Pid::own());
        if is_own {
            // SAFETY: from a box, and nobody else has it any more.
            drop(unsafe { Box::from_raw(current) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Runs `body` in a forked child, and returns its exit status, or `None` where it had to be killed.
    fn in_child(body: impl FnOnce() -> i32) -> Option<i32> {
        // SAFETY: the child only runs `body` and ends.
        let child = unsafe { libc::fork() };
        assert!(child >= 0, "fork");
        if child == 0 {
            let status = body();
            // SAFETY: ends the child without running what the parent has registered.
            unsafe { libc::_exit(status) };
        }
        for _ in 0..2000 {
            let mut status = 0;
            // SAFETY: our own child, and a place for its status.
            if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
                return Some(libc::WEXITSTATUS(status));
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // SAFETY: our own child, which has not been waited for yet.
        unsafe { libc::kill(child, libc::SIGKILL) };
        None
    }

    #[test]
    fn a_child_that_is_forked_under_a_lock_has_a_new_one() {
        static COUNT: PerProcess<Mutex<u32>> = PerProcess::new();
        let mut held = COUNT.get().lock().expect("it is new");
        *held += 1;
        let seen = in_child(|| {
            let mut own = COUNT.get().lock().expect("it is new");
            *own += 10;
            *own as i32
        });
        assert_eq!(seen, Some(10));
        assert_eq!(*held, 1);
        drop(held);
        assert_eq!(*COUNT.get().lock().expect("it is free"), 1);
    }

    #[test]
    fn what_the_parent_had_is_not_dropped_by_the_child() {
        #[derive(Default)]
        struct Telling(());
        impl Drop for Telling {
            fn drop(&mut self) {
                let is_parent = Pid::own() == PARENT.with(|pid| *pid);
                if !is_parent {
                    // SAFETY: ends the child.
                    unsafe { libc::_exit(1) };
                }
            }
        }
        thread_local!(static PARENT: Pid = Pid::own());
        PARENT.with(|_| ());
        let value: PerProcess<Telling> = PerProcess::new();
        value.get();
        assert_eq!(
            in_child(move || {
                drop(value);
                0
            }),
            Some(0)
        );
    }
}
