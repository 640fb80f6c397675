//! Sessions of other programs, one module each: read into a [`Session`](crate::Session), and written from one.

pub mod pyinstrument;
