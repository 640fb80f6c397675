//! The report for programs: what pyinstrument's JSON renderer says of the same session with the same options, key by key, so
//! that what reads the one reads the other. `lost_sample_count`, `qualname`, `metrics`, `signatures` and `resources` are ours.
//!
//! Written as it is walked: no value tree is built, and nothing recurses, so that depth and size do not matter.

mod analysis;

use std::io::{self, Write};
use std::time::Duration;

use jumper_session::{Attribution, FrameTree, NodeId, NodeKind, Parts, Scope, Session};

use crate::calls::{CALL_OPTIONS, CallOptions};
use crate::interchange::frame::{Frame, THREAD_FILE};
use crate::paths::Paths;
use crate::{About, RenderError, RenderOptions, Renderer, facts};
use analysis::NodeResources;

const ABOUT: About = About {
    name: "json",
    help: "the call tree as JSON, with the schema of pyinstrument's",
    extensions: &["json"],
    media_type: "application/json",
    is_binary: false,
    options: &CALL_OPTIONS,
};

/// The renderer `json`.
pub(crate) struct Json;

impl Renderer for Json {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Attribution::NEEDS
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
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
            encoded(facts::program_name(session))?
        )?;
        let cpu_time = manifest.cpu_time.map_or_else(
            || "null".into(),
            |time| format!("{:.6}", time.as_secs_f64()),
        );
        write!(out, "\"cpu_time\":{cpu_time},")?;
        let tree = CallOptions::of(options).tree(session, Scope::Session, true);
        analysis::write(session, &tree, out)?;
        write!(out, "\"root_frame\":")?;
        Frames::of(session, &tree).write(out)?;
        writeln!(out, "}}")?;
        Ok(())
    }
}

/// The frames of a tree.
struct Frames<'a> {
    session: &'a Session,
    tree: &'a FrameTree,
    paths: Paths<'a>,
    /// Of each node whose path is its: its own, but of what is no code its caller's.
    places: Vec<NodeId>,
    /// Of each node whether it is the program's own code.
    is_application: Vec<bool>,
    await_times: Vec<Duration>,
    resources: Option<NodeResources<'a>>,
}

impl<'a> Frames<'a> {
    fn of(session: &'a Session, tree: &'a FrameTree) -> Self {
        Self {
            session,
            tree,
            paths: Paths::of(session),
            places: vec![tree.root(); tree.len()],
            is_application: tree.application_code(),
            await_times: tree.await_times(),
            resources: NodeResources::of(tree),
        }
    }

    /// The frame that is the whole; null without samples.
    fn write(&mut self, out: &mut dyn Write) -> Result<(), RenderError> {
        match self.tree.tops().next() {
            None => write!(out, "null")?,
            Some(top) => self.below(top, out)?,
        }
        Ok(())
    }

    fn below(&mut self, root: NodeId, out: &mut dyn Write) -> Result<(), RenderError> {
        let mut open = 0;
        for (id, depth) in self.tree.walk_from(root) {
            // A frame that is no deeper than the one before ends that one, and all between them.
            if depth < open {
                write!(out, "{}", "]}".repeat(open - depth))?;
                write!(out, ",")?;
            }
            open = depth + 1;
            let caller = self.tree.node(id).parent();
            let caller = caller.filter(|_| depth > 0 && self.tree.is_synthetic(id));
            self.places[id.index()] = caller.map_or(id, |caller| self.places[caller.index()]);
            self.frame(id, out)?;
        }
        write!(out, "{}", "]}".repeat(open))?;
        Ok(())
    }

    /// One frame up to the beginning of its children.
    fn frame(&mut self, id: NodeId, out: &mut dyn Write) -> Result<(), RenderError> {
        let session = self.session;
        let node = self.tree.node(id);
        let Frame { name, file, line } = Frame::of(session, self.tree, id);
        let short = match self.tree.node(self.places[id.index()]).kind() {
            NodeKind::Function(function) => self.paths.short(function),
            NodeKind::Thread(_) => THREAD_FILE,
            NodeKind::Root | NodeKind::SelfTime => "",
        };
        write!(
            out,
            "{{\"function\":{},\"file_path_short\":{},\"file_path\":{},\"line_no\":{line},",
            encoded(name)?,
            encoded(short)?,
            encoded(file)?
        )?;
        write!(
            out,
            "\"time\":{:.6},\"await_time\":{:.6},\"is_application_code\":{},",
            node.time().as_secs_f64(),
            self.await_times[id.index()].as_secs_f64(),
            self.is_application[id.index()]
        )?;
        if let Some(group) = node.group() {
            write!(out, "\"group_id\":\"{}\",", group.as_u32())?;
        }
        if let Some(class) = node.class() {
            write!(out, "\"class_name\":{},", encoded(session.string(class))?)?;
        }
        let function = node.function().map(|id| session.function(id));
        if let Some(qualname) = function.and_then(|function| function.qualname) {
            write!(out, "\"qualname\":{},", encoded(qualname)?)?;
        }
        if let Some(resources) = &self.resources {
            resources.write(id, out)?;
        }
        write!(out, "\"children\":[")?;
        Ok(())
    }
}

fn encoded(text: &str) -> Result<String, RenderError> {
    Ok(serde_json::to_string(text).map_err(io::Error::from)?)
}
