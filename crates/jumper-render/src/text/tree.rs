//! The call tree of one thread: figures in columns on the left, where they can be compared, calls to the right.

use std::io::{self, Write};

use jumper_session::{FrameTree, NodeId, NodeKind, Session};

use super::paint::{Paint, Style};
use crate::format::{call_name, count, plain, share, span};
use crate::options::common;
use crate::options::common::{COLOR, FILTER_THRESHOLD};
use crate::paths::Paths;
use crate::{RenderOptions, facts};

/// Levels beyond this one are not indented further, but numbered: a recursion of thousands of levels would
/// otherwise be a line of thousands of columns.
const DEEPEST_INDENT: usize = 48;

/// How branches are drawn.
struct Branches {
    child: &'static str,
    last: &'static str,
    through: &'static str,
}

const UNICODE: Branches = Branches {
    child: "├─ ",
    last: "└─ ",
    through: "│  ",
};
const ASCII: Branches = Branches {
    child: "|- ",
    last: "`- ",
    through: "|  ",
};

/// Whether a node is the last of its siblings that is drawn.
fn is_last(tree: &FrameTree, id: NodeId) -> bool {
    let parent = tree.node(id).parent();
    parent.is_some_and(|parent| tree.children(parent).last() == Some(id))
}

/// Writes the trees of threads.
pub(super) struct Calls<'a> {
    session: &'a Session,
    tree: &'a FrameTree,
    options: &'a RenderOptions,
    paint: Paint,
    branches: Branches,
    paths: Paths<'a>,
    /// Of each node whether it is the program's own code.
    is_application: Vec<bool>,
    /// The thread's time, in seconds.
    total: f64,
}

impl<'a> Calls<'a> {
    pub(super) fn of(
        session: &'a Session,
        tree: &'a FrameTree,
        options: &'a RenderOptions,
    ) -> Self {
        Self {
            session,
            tree,
            options,
            paint: Paint::new(options.flag(&COLOR)),
            branches: if options.flag(&common::UNICODE) {
                UNICODE
            } else {
                ASCII
            },
            paths: Paths::of(session),
            is_application: tree.application_code(),
            total: 0.0,
        }
    }

    /// Writes the tree of one thread.
    pub(super) fn thread(&mut self, root: NodeId, out: &mut dyn Write) -> io::Result<()> {
        self.total = self.tree.node(root).time().as_secs_f64();
        self.title(root, out)?;
        let mut lines = vec![true];
        for (id, depth) in self.tree.walk_from(root).skip(1) {
            lines.truncate(depth);
            lines.push(is_last(self.tree, id));
            self.line(id, &lines[1..], out)?;
        }
        self.left_out(root, self.options.number(&FILTER_THRESHOLD), out)?;
        writeln!(out)
    }

    fn title(&self, root: NodeId, out: &mut dyn Write) -> io::Result<()> {
        let NodeKind::Thread(id) = self.tree.node(root).kind() else {
            return Ok(());
        };
        let thread = self.session.threads().get(id);
        let name = plain(self.session.thread_name(id).unwrap_or("unnamed thread"));
        let mut rest = format!(
            "thread {}{}, {}",
            thread.native_id,
            facts::owner(self.session, thread.process),
            span(self.tree.node(root).time())
        );
        if thread.lost > 0 {
            rest += &format!(", {} samples lost", count(thread.lost));
        }
        writeln!(
            out,
            "  {}  {}",
            self.paint.style(Style::Bold, &name),
            self.paint.style(Style::Dim, &rest)
        )?;
        let head = format!("{:>10} {:>6} {:>9}", "seconds", "%", "self");
        writeln!(out, "{}", self.paint.style(Style::Dim, &head))
    }

    /// One call. `last` says of it and of each call above whether it is the last of its siblings.
    fn line(&mut self, id: NodeId, last: &[bool], out: &mut dyn Write) -> io::Result<()> {
        let node = self.tree.node(id);
        let seconds = node.time().as_secs_f64();
        let part = if self.total > 0.0 {
            seconds / self.total
        } else {
            0.0
        };
        let own = node.self_time().as_secs_f64();
        let own = if own / self.total.max(f64::MIN_POSITIVE) < 0.001 {
            String::new()
        } else {
            format!("{own:.3}")
        };
        let figures = format!("{seconds:>10.3} {:>6.1} {own:>9}", part * 100.0);
        let figures = self.paint.style(Style::of_share(part), &figures);
        let indent = self.paint.style(Style::Dim, &self.indent(last));
        writeln!(out, "{figures}  {indent}{}", self.call(id))
    }

    /// The outermost call stands at the margin.
    fn indent(&self, last: &[bool]) -> String {
        let levels = last.get(1..).unwrap_or_default();
        let drawn = &levels[levels.len().saturating_sub(DEEPEST_INDENT)..];
        let mut indent = String::new();
        if drawn.len() < levels.len() {
            indent += &format!("{}: ", last.len());
        }
        let Some((own, above)) = drawn.split_last() else {
            return indent;
        };
        for is_last in above {
            indent += if *is_last {
                "   "
            } else {
                self.branches.through
            };
        }
        indent
            + if *own {
                self.branches.last
            } else {
                self.branches.child
            }
    }

    fn call(&mut self, id: NodeId) -> String {
        let node = self.tree.node(id);
        let Some(function_id) = node.function() else {
            return String::new();
        };
        let function = self.session.function(function_id);
        let style = match self.is_application[id.index()] {
            true => Style::Bold,
            false => Style::Plain,
        };
        let path = plain(self.paths.short(function_id));
        let place = match function.first_line {
            0 => path,
            line => format!("{path}:{line}"),
        };
        let class = node.class().map(|class| self.session.string(class));
        let name = self
            .paint
            .style(style, &plain(&call_name(&function, class)));
        format!("{name}  {}", self.paint.style(Style::Dim, &place))
    }

    /// Says what the tree does not show.
    fn left_out(&self, root: NodeId, threshold: f64, out: &mut dyn Write) -> io::Result<()> {
        let nodes = self
            .tree
            .walk_from(root)
            .map(|(id, _)| self.tree.node(id).absorbed_time().as_secs_f64());
        let hidden: f64 = nodes.sum();
        if hidden <= 0.0 {
            return Ok(());
        }
        let text = format!(
            "{hidden:>10.3} {:>6.1} {:>9}  in calls below {} each, not shown",
            100.0 * hidden / self.total,
            "",
            share(threshold, 1.0)
        );
        writeln!(out, "{}", self.paint.style(Style::Dim, &text))
    }
}
