//! The report for programs. Its schema is that of pyinstrument's JSON renderer, so that what reads the one
//! reads the other; `lost_sample_count`, `qualname`, `metrics`, `signatures` and `resources` are ours.
//!
//! Written as it is walked: no value tree is built, and nothing recurses, so that depth and size do not matter.

mod analysis;

use std::io::{self, Write};

use jumper_session::{FrameTree, NodeId, NodeKind, Session, TreeOptions};

use crate::format::{is_library, short_path};
use crate::{RenderError, RenderOptions, Renderer, facts};
use analysis::NodeResources;

/// The renderer `json`.
pub(crate) struct Json;

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn media_type(&self) -> &'static str {
        "application/json"
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let manifest = session.manifest();
        let start = manifest.clock.unix_nanos_at(session.start()) as f64 / 1e9;
        write!(
            out,
            "{{\"start_time\":{start:.6},\"duration\":{:.6},",
            session.duration().as_secs_f64()
        )?;
        write!(
            out,
            "\"sample_count\":{},\"lost_sample_count\":{},",
            session.samples().len(),
            session.lost()
        )?;
        write!(
            out,
            "\"target_description\":{},",
            encoded(&facts::program(session))?
        )?;
        let cpu_time = manifest.cpu_time.map_or_else(
            || "null".into(),
            |time| format!("{:.6}", time.as_secs_f64()),
        );
        write!(out, "\"cpu_time\":{cpu_time},")?;
        let options = TreeOptions {
            resources: true,
            ..TreeOptions::default()
        };
        let tree = FrameTree::build_with(session, &options);
        analysis::write(session, &tree, out)?;
        write!(out, "\"root_frame\":")?;
        let report = Report {
            session,
            tree: &tree,
            resources: NodeResources::of(&tree),
        };
        report.root_frame(out)?;
        writeln!(out, "}}")?;
        Ok(())
    }
}

/// What frames are written from.
struct Report<'a> {
    session: &'a Session,
    tree: &'a FrameTree,
    resources: Option<NodeResources<'a>>,
}

impl Report<'_> {
    /// The thread, if there is but one; else a frame above them all; null without samples.
    fn root_frame(&self, out: &mut dyn Write) -> Result<(), RenderError> {
        let mut threads = self.tree.roots();
        match (threads.next(), threads.next()) {
            (None, _) => write!(out, "null")?,
            (Some(only), None) => self.frames(only, out)?,
            (Some(_), Some(_)) => self.frames(self.tree.root(), out)?,
        }
        Ok(())
    }

    fn frames(&self, root: NodeId, out: &mut dyn Write) -> Result<(), RenderError> {
        let mut open = 0;
        for (id, depth) in self.tree.walk_from(root) {
            // A frame that is no deeper than the one before ends that one, and all between them.
            if depth < open {
                write!(out, "{}", "]}".repeat(open - depth))?;
                write!(out, ",")?;
            }
            open = depth + 1;
            self.frame(id, out)?;
        }
        write!(out, "{}", "]}".repeat(open))?;
        Ok(())
    }

    /// One frame up to the beginning of its children.
    fn frame(&self, id: NodeId, out: &mut dyn Write) -> Result<(), RenderError> {
        let session = self.session;
        let node = self.tree.node(id);
        let time = node.time().as_secs_f64();
        match node.kind() {
            NodeKind::Function(function) => {
                let function = session.function(function);
                let library = is_library(function.file);
                call(
                    function.name,
                    function.file,
                    u64::from(function.first_line),
                    time,
                    !library,
                    out,
                )?;
                if let Some(class) = node.class() {
                    write!(out, "\"class_name\":{},", encoded(session.string(class))?)?;
                }
                if let Some(qualname) = function.qualname {
                    write!(out, "\"qualname\":{},", encoded(qualname)?)?;
                }
            }
            NodeKind::Thread(thread) => {
                let name = session.thread_name(thread).unwrap_or_default();
                call(
                    name,
                    "<thread>",
                    session.threads().get(thread).native_id,
                    time,
                    false,
                    out,
                )?;
            }
            NodeKind::Root => call("[root]", "", 0, time, false, out)?,
            NodeKind::SelfTime => call("[self]", "", 0, time, false, out)?,
        }
        if let Some(resources) = &self.resources {
            resources.write(id, out)?;
        }
        write!(out, "\"children\":[")?;
        Ok(())
    }
}

/// What every frame has.
fn call(
    function: &str,
    file: &str,
    line: u64,
    time: f64,
    is_application_code: bool,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    write!(
        out,
        "{{\"function\":{},\"file_path_short\":{},",
        encoded(function)?,
        encoded(short_path(file))?
    )?;
    write!(
        out,
        "\"file_path\":{},\"line_no\":{line},\"time\":{time:.6},\"await_time\":0.0,",
        encoded(file)?
    )?;
    write!(out, "\"is_application_code\":{is_application_code},")?;
    Ok(())
}

fn encoded(text: &str) -> Result<String, RenderError> {
    Ok(serde_json::to_string(text).map_err(io::Error::from)?)
}
