//! Typed row numbers, so that the row of one table is never taken for the row of another.

/// Makes `pub struct Name(u32)` with `index()`; the number is given by the table that holds the row.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The row number, for use as an index into a column.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The row number as it is written to disk.
            pub const fn as_u32(self) -> u32 {
                self.0
            }

            #[allow(dead_code)] // not every handle is made from a raw number
            pub(crate) const fn from_raw(row: u32) -> Self {
                Self(row)
            }

            #[allow(dead_code)] // not every handle is made from a length
            pub(crate) fn from_len(len: usize) -> Self {
                // u32::MAX itself stays free: columns use it for "none".
                match u32::try_from(len) {
                    Ok(row) if row < u32::MAX => Self(row),
                    _ => panic!("bug: a table of a session cannot hold 2^32 - 1 rows"),
                }
            }
        }
    };
}

handle! {
    /// A machine: a row of [`Manifest::hosts`](crate::Manifest::hosts).
    HostId
}
handle! {
    /// A process: a row of [`ProcessTable`](crate::ProcessTable).
    ProcessId
}
handle! {
    /// A thread: a row of [`ThreadTable`](crate::ThreadTable).
    ThreadId
}
handle! {
    /// A function: a row of [`FrameTable`](crate::FrameTable).
    FunctionId
}
handle! {
    /// A call stack: a row of [`StackTable`](crate::StackTable). A parent's number is always smaller
    /// than its child's.
    StackId
}
handle! {
    /// A text in a [`StringTable`](crate::StringTable).
    StringId
}
handle! {
    /// A metric: a column of [`MetricsTable`](crate::MetricsTable).
    MetricId
}
handle! {
    /// A run of a cell: a row of [`CellTable`](crate::CellTable).
    CellId
}
handle! {
    /// A node of a [`FrameTree`](crate::FrameTree). A parent's number is always smaller than its
    /// child's.
    NodeId
}
handle! {
    /// A group of nodes of a [`FrameTree`](crate::FrameTree).
    GroupId
}
