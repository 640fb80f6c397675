//! Process and thread numbers as the observing side sees them.

use std::fmt;

/// The number of a process in our own PID namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(u32);

impl Pid {
    /// The process with this number; whether it exists is found out when it is used.
    pub const fn new(pid: u32) -> Self {
        Self(pid)
    }

    /// The calling process.
    pub fn own() -> Self {
        Self(std::process::id())
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    pub(crate) const fn as_raw(self) -> libc::pid_t {
        self.0 as libc::pid_t
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a kernel thread in our own PID namespace; of a process's main thread it is the PID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid(u32);

impl Tid {
    /// The thread with this number.
    pub const fn new(tid: u32) -> Self {
        Self(tid)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    pub(crate) const fn as_raw(self) -> libc::pid_t {
        self.0 as libc::pid_t
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
