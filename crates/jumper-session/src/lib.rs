//! What Jumper recorded: the tables of a session, the call trees made from them, and the format on disk.
//!
//! A session is the one thing that the recorder writes and that everything else reads. It is built for
//! millions of samples from many threads, processes and hosts, and for files that come from elsewhere:
//!
//! - **Columns, not objects.** Texts, functions and stacks are interned once ([`StringTable`],
//!   [`FrameTable`], [`StackTable`]); a sample ([`SampleTable`]) is a handful of integers. Every row
//!   number has its own type ([`StackId`], [`ThreadId`], ...), every quantity its unit.
//! - **One clock.** Samples and metrics carry [`Timestamp`]s of the same monotonic clock; the manifest's
//!   [`ClockAnchor`] ties it to the time of day.
//! - **No recursion over user data.** A [`FrameTree`] is an arena; building, walking, filtering and
//!   dropping one takes no stack, however deep the recorded program recursed.
//! - **A file is untrusted.** [`Session::open`] checks every handle, type and count and answers a bad file
//!   with an [`Error`] that says which file and column. Names are text and may hold anything.
//!
//! # Reading a session
//!
//! ```
//! use jumper_session::{FrameTree, NodeKind, ProcessorOptions, Session, remove_irrelevant_nodes};
//!
//! fn print(path: &std::path::Path) -> Result<(), jumper_session::Error> {
//!     let session = Session::open(path)?;
//!     let tree = FrameTree::build(&session);
//!     let tree = remove_irrelevant_nodes(tree, &ProcessorOptions::default());
//!     for (id, depth) in tree.walk() {
//!         let node = tree.node(id);
//!         let label = match node.kind() {
//!             NodeKind::Function(function) => session.function(function).display_name(),
//!             _ => "thread",
//!         };
//!         println!("{:depth$}{label:?} {:?}", "", node.time());
//!     }
//!     Ok(())
//! }
//! # assert!(print("/nowhere.jumper".as_ref()).is_err());
//! ```
//!
//! # Trees as pyinstrument has them
//!
//! ```
//! use jumper_session::*;
//!
//! /// A processor of one's own: what `helper` does is its caller's.
//! fn remove_helpers(tree: FrameTree, _options: &ProcessorOptions) -> FrameTree {
//!     tree.without(Replacement::Children, |tree, id| {
//!         let function = tree.node(id).function();
//!         function.is_some_and(|function| tree.function(function).name == "helper")
//!     })
//! }
//!
//! fn report(path: &std::path::Path) -> Result<FrameTree> {
//!     let session = formats::pyinstrument::read(path)?;
//!     let shape = TreeOptions { self_nodes: true, scope: Scope::Session, ..TreeOptions::default() };
//!     let tree = FrameTree::build_with(&session, &shape);
//!     let mut processors = default_processors(false, shape.timeline);
//!     processors.insert(0, remove_helpers);
//!     let options = ProcessorOptions {
//!         hide_regex: Some(PathPattern::new(".*/vendor/")?),
//!         ..ProcessorOptions::default()
//!     };
//!     Ok(processors.into_iter().fold(tree, |tree, processor| processor(tree, &options)))
//! }
//! # assert!(report("/nowhere.pyisession".as_ref()).is_err());
//! ```
//!
//! # What a program used
//!
//! ```
//! use jumper_session::{FrameTree, Resource, Session, Signature, TreeOptions};
//!
//! fn print(session: &Session) {
//!     for signature in Signature::of(session) {
//!         println!("{}: {:?}", session.string(signature.level), signature.tags);
//!     }
//!     // An estimate: what was measured, shared out among what ran.
//!     let tree = FrameTree::build_with(session, &TreeOptions { resources: true, ..TreeOptions::default() });
//!     for used in tree.functions() {
//!         println!("{} {} bytes", tree.function(used.function).name, used.own.get(Resource::BytesWritten));
//!     }
//! }
//! # print(&jumper_session::SessionBuilder::new().finish(Default::default()));
//! ```
//!
//! # Writing one
//!
//! ```
//! use std::time::Duration;
//! use jumper_session::*;
//!
//! let mut builder = SessionBuilder::new();
//! let host = builder.add_host(Host { name: "node1".into(), ..Host::default() });
//! let process = builder.add_process(host, 4242, Some("python fib.py"));
//! let thread = builder.add_thread(process, 4242, Some("MainThread"));
//! let main = builder.intern_function(&Function {
//!     name: "main", qualname: None, file: "fib.py", first_line: 1, hidden: false,
//! });
//! let stack = builder.intern_stack_frames([(main, 3)]);
//! builder.push_sample(NewSample {
//!     time: Timestamp::from_nanos(1_000_000),
//!     duration: Duration::from_millis(1),
//!     thread,
//!     task: None,
//!     state: ThreadState::ON_CPU,
//!     stack,
//! });
//! let session = builder.finish(Manifest::default());
//! assert_eq!(session.samples().total(), Duration::from_millis(1));
//! ```
//!
//! # Features
//!
//! `record` (default) adds the recorder and pulls in the sampler, which needs Linux. Without it this
//! crate builds and reads sessions on any platform.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod analysis;
mod builder;
mod combine;
mod compare;
mod error;
mod file;
mod format;
pub mod formats;
mod handle;
mod hash;
mod intern;
mod manifest;
mod merge;
mod parts;
mod processors;
#[cfg(feature = "record")]
mod record;
mod resample;
mod selection;
mod session;
mod short_path;
mod siblings;
mod store;
mod tables;
mod time;
mod tree;

pub use analysis::{
    Attribution, FunctionUse, MetricStatistics, PerformanceTag, Resource, Resources, Signature,
    TagScore, Thresholds,
};
pub use builder::SessionBuilder;
pub use combine::combine;
pub use compare::{Compared, Comparison, Label, Side, compare};
pub use error::{Error, Result};
pub use file::{check_file, replace_file};
pub use handle::{
    CellId, FunctionId, GroupId, HostId, MetricId, NodeId, ProcessId, StackId, StringId, ThreadId,
};
pub use manifest::{
    ClockAnchor, Format, Gpu, Hold, Host, Manifest, MetricsSummary, Outcome, Program, Python,
    StacksSummary, StartStack,
};
pub use merge::merge;
pub use parts::Parts;
pub use processors::{
    PathPattern, Processor, ProcessorOptions, aggregate_repeated_calls, default_processors,
    group_library_frames, merge_consecutive_self_time, remove_first_pyinstrument_frames,
    remove_importlib, remove_irrelevant_nodes, remove_tracebackhide,
    remove_unnecessary_self_time_nodes, trim_stem,
};
#[cfg(feature = "record")]
pub use record::{
    Agent, GpuInfo, HoldMode, Kept, Level, Limit, LimitSource, Limits, Measured, Patience,
    PerProcess, Pid, Progress, RecordError, RecordOptions, Recorder, Recording, SysPaths, Watcher,
    agent, gpus, sources,
};
pub use selection::{CellSpan, Query, Selection, Span, SpanError, TimeMode, TimeModeError};
pub use session::{Repaired, RowCounts, Session};
pub use short_path::{ShortPaths, library_path, path_end};
pub use store::Store;
pub use tables::{
    Cell, CellOutcome, CellTable, Extent, FrameTable, Function, FunctionRow, MetricColumn,
    MetricKind, MetricsTable, NewSample, Place, Process, ProcessTable, Sample, SampleTable, Stack,
    StackFrames, StackTable, StringTable, Thread, ThreadState, ThreadTable,
};
pub use time::Timestamp;
pub use tree::{
    Children, FrameTree, Node, NodeKind, Replacement, Scope, StateTimes, TreeOptions, Walk,
};
