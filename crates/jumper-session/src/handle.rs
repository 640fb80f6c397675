//! Typed row numbers, so that the row of one table is never taken for the row of another.

use std::fmt;
use std::num::NonZeroU32;

/// Makes `pub struct Name` with `index()`; the number is given by the table that holds the row. One more than it is kept, so
/// that a handle or none takes four bytes, not eight: tables and trees have many millions of them.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The row number, for use as an index into a column.
            pub const fn index(self) -> usize {
                self.as_u32() as usize
            }

            /// The row number as it is written to disk.
            pub const fn as_u32(self) -> u32 {
                self.0.get() - 1
            }

            #[allow(dead_code)] // not every handle is made from a raw number
            pub(crate) const fn from_raw(row: u32) -> Self {
                match NonZeroU32::new(row.wrapping_add(1)) {
                    Some(next) => Self(next),
                    None => panic!("bug: 2^32 - 1 is no row: columns use it for `none`"),
                }
            }

            #[allow(dead_code)] // not every handle is made from a length
            pub(crate) fn from_len(len: usize) -> Self {
                match u32::try_from(len) {
                    Ok(row) if row < u32::MAX => Self::from_raw(row),
                    _ => panic!("bug: a table of a session cannot hold 2^32 - 1 rows"),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_u32()).finish()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_or_none_is_as_small_as_a_handle() {
        assert_eq!(size_of::<Option<NodeId>>(), size_of::<NodeId>());
        let (first, second) = (NodeId::from_raw(0), NodeId::from_len(1));
        assert_eq!((first.index(), second.as_u32()), (0, 1));
        assert!(None < Some(first) && first < second);
        assert_eq!(format!("{second:?}"), "NodeId(1)");
    }
}
