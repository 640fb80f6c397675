//! From sessions to reports: text, HTML, JSON, flame graphs, plots.
//!
//! A [`Renderer`] takes a [`Session`] and [`RenderOptions`] and writes bytes. The same session and options give
//! the same bytes, on any day and any machine: nothing here asks for the time, the terminal or the locale,
//! which are the caller's to find out and to pass in.
//!
//! | renderer | file | for |
//! | --- | --- | --- |
//! | `text` | `text/` | people in front of a terminal |
//! | `html` | `html.rs`, `templates/` | people with a browser; one file that needs no network |
//! | `json` | `json/` | programs; the schema is that of pyinstrument's JSON renderer |
//! | `perfreport`, `perfreport-html` | `perfreport.rs`, `templates/` | what was used of the machine, as JUmPER reports it |
//! | `markdown` | `markdown.rs`, `templates/` | comments on pull requests |
//! | `summary` | `summary/` | scripts and agents; small, and the same from release to release |
//! | `template` | `template/` | templates of users |
//! | `flamegraph` | `flamegraph/` | people who want to see all calls at once |
//! | `plot`, `plot-png`, `plot-jpeg` | `plot/`, `picture/` | what the machine did, over time, for papers and pages |
//! | `speedscope`, `pstats`, `pyisession`, `collapsed`, `pprof`, `firefox`, `perfetto` | `interchange/` | other programs that show profiles |
//!
//! A new renderer is one file and one line in [`renderers`].
//!
//! ```
//! use jumper_render::{RenderOptions, renderer};
//! use jumper_session::{Manifest, SessionBuilder};
//!
//! let session = SessionBuilder::new().finish(Manifest::default());
//! let mut report = Vec::new();
//! renderer("text")?.render(&session, &RenderOptions::default(), &mut report)?;
//! assert!(String::from_utf8(report).unwrap().contains("No samples were recorded"));
//! # Ok::<(), jumper_render::RenderError>(())
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod calls;
mod data;
mod describe;
mod diff;
mod error;
mod facts;
mod file;
mod flamegraph;
mod format;
mod html;
mod info;
mod interchange;
mod json;
mod live;
mod markdown;
mod metrics;
mod nearest;
mod options;
mod paths;
mod perfreport;
mod picture;
mod plot;
mod prometheus;
mod renderer;
mod resources;
mod summary;
mod template;
mod text;
mod theme;

pub use describe::describe_renderers;
pub use diff::{DIFF_NEEDS, Diff, DiffForm, FailAbove, Regression};
pub use error::RenderError;
pub use file::{check_file, render_to_file, write_to_file};
pub use info::{INFO_NEEDS, info};
pub use live::{LiveOptions, live_table};
pub use options::{OptionKind, OptionSpec, RenderOptions, parse_option};
pub use prometheus::prometheus;
pub use renderer::{About, Renderer, renderer, renderer_for_file, renderers};
pub use resources::{RESOURCES_NEED, resources};

#[doc(no_inline)]
pub use jumper_session::{Parts, Session};
