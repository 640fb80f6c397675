//! The command as its users run it, on real Python programs.

mod support;

mod attach;
mod bad_input;
mod formats;
mod journal;
mod libraries;
mod plot;
mod render;
mod resources;
mod run;
