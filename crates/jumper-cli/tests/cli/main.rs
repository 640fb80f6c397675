//! The command as its users run it, on real Python programs.

mod support;

mod attach;
mod bad_input;
mod diff;
mod formats;
mod journal;
mod libraries;
mod limits;
mod monitor;
mod plot;
mod render;
mod reports;
mod resources;
mod run;
mod text;
