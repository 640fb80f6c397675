//! Sessions from the outside: written, read, damaged, and turned into trees.

mod analysis;
mod corpus;
mod damage;
mod deep;
mod directory;
mod fuzz;
mod jumper_extension;
mod parts;
mod processors;
mod pyinstrument;
mod round_trip;
mod support;
mod tree;
