//! Collapsed stacks: a line for each distinct stack, its frames from the outermost to the innermost with `;` between them, and
//! how much of the whole it is. What `flamegraph.pl`, inferno and speedscope read.

use std::fmt::Write as _;
use std::io::Write;

use jumper_session::{FrameTree, NodeId, NodeKind, Parts, Session};

use super::owners::{process_name, thread_name};
use crate::format::call_name;
use crate::options::{OptionKind, OptionSpec};
use crate::paths::Paths;
use crate::{About, RenderError, RenderOptions, Renderer};

const COUNT: OptionSpec = OptionSpec::new(
    "count",
    OptionKind::Choice {
        default: "samples",
        of: &["samples", "microseconds"],
    },
    "what the number behind each stack counts",
);

const ABOUT: About = About {
    name: "collapsed",
    help: "collapsed stacks for flamegraph.pl, inferno and speedscope",
    extensions: &["collapsed", "folded"],
    media_type: "text/plain; charset=utf-8",
    is_binary: false,
    options: &[COUNT],
};

/// The renderer `collapsed`.
pub(crate) struct Collapsed;

impl Renderer for Collapsed {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::CALLS
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let counts_time = options.choice(&COUNT) == "microseconds";
        let tree = FrameTree::build(session);
        let samples = own_samples(&tree);
        let mut paths = Paths::of(session);
        let mut line = String::new();
        // How long the line is before the frames of each depth.
        let mut ends: Vec<usize> = Vec::new();
        for (id, depth) in tree.walk() {
            ends.truncate(depth);
            line.truncate(ends.last().copied().unwrap_or(0));
            if depth > 0 {
                line.push(';');
            }
            frame(session, &tree, id, &mut paths, &mut line);
            ends.push(line.len());
            let node = tree.node(id);
            let count = match counts_time {
                true => (node.self_time() + node.absorbed_time()).as_micros(),
                false => samples[id.index()].into(),
            };
            if count > 0 {
                writeln!(out, "{line} {count}")?;
            }
        }
        Ok(())
    }
}

/// Of each node the samples whose innermost frame it was.
fn own_samples(tree: &FrameTree) -> Vec<u64> {
    let mut own: Vec<u64> = vec![0; tree.len()];
    for (id, _) in tree.walk() {
        let node = tree.node(id);
        own[id.index()] += node.sample_count();
        if let Some(parent) = node.parent().filter(|parent| *parent != tree.root()) {
            own[parent.index()] -= node.sample_count();
        }
    }
    own
}

/// Appends a frame, or for a thread its process where there are several, and the thread.
fn frame(
    session: &Session,
    tree: &FrameTree,
    id: NodeId,
    paths: &mut Paths<'_>,
    line: &mut String,
) {
    let node = tree.node(id);
    match node.kind() {
        NodeKind::Thread(thread) => {
            let process = session.threads().get(thread).process;
            if session.processes().len() > 1 {
                let pid = session.processes().get(process).pid;
                escape(&format!("{} ({pid})", process_name(session, process)), line);
                line.push(';');
            }
            escape(&thread_name(session, thread), line);
        }
        NodeKind::Function(id) => {
            let function = session.function(id);
            let class = node.class().map(|class| session.string(class));
            escape(&call_name(&function, class), line);
            if !function.file.is_empty() {
                line.push_str(" (");
                escape(paths.short(id), line);
                let _ = write!(line, ":{})", function.first_line);
            }
        }
        NodeKind::Root | NodeKind::SelfTime => {}
    }
}

/// Appends a text without what would end the frame or the line. There is no escape sequence that readers know: what looks like
/// it takes its place. What is empty would be no frame at all.
fn escape(text: &str, line: &mut String) {
    if text.is_empty() {
        line.push_str("(no name)");
    }
    line.extend(text.chars().map(|character| match character {
        ';' => '\u{ff1b}',
        character if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => ' ',
        character => character,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_a_frame_or_a_line() {
        let mut line = String::new();
        escape("a;b\nc\r\u{2028}d\x1b", &mut line);
        assert_eq!(line, "a\u{ff1b}b c  d ");
        escape("", &mut line);
        assert!(line.ends_with("(no name)"));
    }
}
