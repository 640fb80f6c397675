//! The commands, one file each.

#[cfg(feature = "record")]
pub(crate) mod attach;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod diff;
pub(crate) mod info;
#[cfg(feature = "record")]
mod keep;
pub(crate) mod merge;
#[cfg(feature = "record")]
pub(crate) mod monitor;
pub(crate) mod plot;
pub(crate) mod render;
pub(crate) mod renderers;
pub(crate) mod repair;
#[cfg(feature = "record")]
pub(crate) mod resources;
#[cfg(feature = "record")]
pub(crate) mod run;
