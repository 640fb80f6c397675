//! Sessions from the outside: written, read, damaged, and turned into trees.

mod analysis;
mod corpus;
mod damage;
mod directory;
mod fuzz;
mod processors;
mod pyinstrument;
mod round_trip;
mod support;
mod tree;
