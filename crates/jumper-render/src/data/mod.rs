//! What reports say of a session, as data with names and units: the context of templates (`docs/templates.md`) and what is in
//! a summary (`docs/summary.md`).
//!
//! A name says its unit: `_s` are seconds, `_hz` times a second, `_bytes` bytes, `_share` a part of 1. What is not known is
//! null, and every name is always there. Texts of the observed program are [bounded and on one line](text::line).

mod cells;
mod functions;
mod levels;
mod recording;
mod text;
mod threads;

pub(crate) use cells::{CellRow, cells};
pub(crate) use functions::{FunctionRow, functions};
pub(crate) use levels::{Level, MetricRow, levels};
pub(crate) use recording::Recording;
pub(crate) use text::{line, path_line};
pub(crate) use threads::{ThreadRow, threads};
