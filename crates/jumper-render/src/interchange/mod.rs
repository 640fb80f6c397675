//! Formats of other programs, one file each.
//!
//! They show samples as those programs understand them. What a format has no room for is lost in it; `docs/renderers.md` says
//! what that is.

mod collapsed;
mod counters;
mod firefox;
pub(crate) mod frame;
mod marshal;
mod owners;
mod perfetto;
mod pprof;
mod pstats;
mod pyisession;
mod speedscope;

pub(crate) use collapsed::Collapsed;
pub(crate) use firefox::Firefox;
pub(crate) use perfetto::Perfetto;
pub(crate) use pprof::Pprof;
pub(crate) use pstats::Pstats;
pub(crate) use pyisession::Pyisession;
pub(crate) use speedscope::Speedscope;
