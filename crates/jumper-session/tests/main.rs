//! Sessions from the outside: written, read, damaged, and turned into trees.

mod damage;
mod directory;
mod processors;
mod pyinstrument;
mod round_trip;
mod support;
mod tree;
