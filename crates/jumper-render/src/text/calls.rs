//! How a call looks: its time, its name, its place.

use std::fmt::Write;

use jumper_session::{FrameTree, NodeId, NodeKind, Scope, Session, ThreadId};

use super::columns::Figures;
use super::fit;
use super::link;
use super::options::TextOptions;
use super::paint::{Paint, Style};
use crate::facts;
use crate::format::{call_name, count, plain};
use crate::paths::Paths;

/// How the calls of a tree look.
pub(super) struct Look<'a> {
    session: &'a Session,
    pub(super) tree: &'a FrameTree,
    pub(super) options: &'a TextOptions,
    pub(super) paint: Paint,
    pub(super) figures: Figures<'a>,
    paths: Paths<'a>,
    is_application: Vec<bool>,
    scope: Scope,
    decimals: usize,
    /// What is the whole, and its time in seconds.
    top: NodeId,
    pub(super) whole: f64,
}

/// Where the code of a call is.
#[derive(Default)]
struct Position<'a> {
    text: String,
    file: &'a str,
    line: u32,
}

impl<'a> Look<'a> {
    pub(super) fn of(
        session: &'a Session,
        tree: &'a FrameTree,
        options: &'a TextOptions,
        scope: Scope,
    ) -> Self {
        Self {
            session,
            tree,
            options,
            paint: Paint::new(options.color),
            figures: Figures::of(session, tree, &options.columns),
            paths: Paths::of(session),
            is_application: tree.application_code(),
            scope,
            decimals: decimals(session),
            top: tree.root(),
            whole: 0.0,
        }
    }

    /// Begins with a node that is the whole.
    pub(super) fn begin(&mut self, top: NodeId) {
        self.top = top;
        self.whole = self.tree.node(top).time().as_secs_f64();
    }

    /// What stands for what was left out.
    pub(super) fn dots(&self) -> &'static str {
        if self.options.unicode { "…" } else { "..." }
    }

    /// Writes a call with a time, in the room that it has.
    pub(super) fn call(
        &mut self,
        id: NodeId,
        seconds: f64,
        room: Option<usize>,
        line: &mut String,
    ) {
        let share = if self.whole == 0.0 {
            1.0
        } else {
            seconds / self.whole
        };
        let time = match self.options.percent {
            true => format!("{:.1}%", share * 100.0),
            false => format!("{seconds:.*}", self.decimals),
        };
        let heat = Style::of_share(share);
        *line += self.paint.begin(heat);
        *line += &time;
        *line += self.paint.end();
        line.push(' ');
        let name = plain(&self.name(id));
        let position = self.position(id);
        let place = plain(&position.text) + &self.said_of_thread(id);
        let room = room.map_or(2 * fit::LONGEST, |room| room.saturating_sub(time.len() + 1));
        // No text is wider than it is long.
        let (name, place) = match name.len() + 2 + place.len() <= room {
            true => (name, place),
            false => fit::name_and_place(name, place, room, self.dots()),
        };
        if self.is_application[id.index()] {
            *line += self.paint.begin(Style::Application);
        }
        *line += &name;
        *line += self.paint.end();
        *line += "  ";
        if place.is_empty() {
            return;
        }
        let link = match self.options.links {
            true => link::begin(position.file, position.line),
            false => String::new(),
        };
        *line += self.paint.begin(Style::Dim);
        *line += &link;
        *line += &place;
        if !link.is_empty() {
            *line += link::END;
        }
        *line += self.paint.end();
    }

    fn name(&self, id: NodeId) -> String {
        let node = self.tree.node(id);
        match node.kind() {
            NodeKind::Root => "[root]".into(),
            NodeKind::SelfTime => "[self]".into(),
            NodeKind::Thread(thread) => {
                let name = self.session.thread_name(thread);
                name.unwrap_or("unnamed thread").into()
            }
            NodeKind::Function(function) => {
                let class = node.class().map(|class| self.session.string(class));
                call_name(&self.session.function(function), class).into_owned()
            }
        }
    }

    /// Where the code of a call is, in short. What is no code is where its caller is.
    pub(super) fn path(&mut self, id: NodeId) -> String {
        let mut real = id;
        while self.tree.is_synthetic(real) && real != self.top {
            match self.tree.node(real).parent() {
                Some(parent) => real = parent,
                None => break,
            }
        }
        match self.tree.node(real).kind() {
            NodeKind::Root | NodeKind::SelfTime => String::new(),
            NodeKind::Thread(_) => "<thread>".into(),
            NodeKind::Function(function) => self.paths.short(function).into(),
        }
    }

    fn position(&mut self, id: NodeId) -> Position<'a> {
        let mut position = Position {
            text: self.path(id),
            ..Position::default()
        };
        let line = match self.tree.node(id).kind() {
            NodeKind::Root | NodeKind::SelfTime => 0,
            NodeKind::Thread(thread) => self.session.threads().get(thread).native_id,
            NodeKind::Function(function) => {
                let function = self.session.function(function);
                (position.file, position.line) = (function.file, function.first_line);
                function.first_line.into()
            }
        };
        if line > 0 && !position.text.is_empty() {
            let _ = write!(position.text, ":{line}");
        }
        position
    }

    /// Whose a thread is and what was lost of it, where threads have trees of their own.
    fn said_of_thread(&self, id: NodeId) -> String {
        match self.tree.node(id).kind() {
            NodeKind::Thread(thread) if self.scope == Scope::Thread => self.of_thread(thread),
            _ => String::new(),
        }
    }

    fn of_thread(&self, id: ThreadId) -> String {
        let thread = self.session.threads().get(id);
        let mut text = facts::owner(self.session, thread.process);
        if thread.lost > 0 {
            text += &format!(", {} samples lost", count(thread.lost));
        }
        text
    }
}

/// How many decimals the seconds of a session have: as many as its interval.
fn decimals(session: &Session) -> usize {
    let stacks = session.manifest().stacks;
    let interval = stacks.map(|stacks| stacks.max_interval.unwrap_or(stacks.interval));
    let interval = interval.map_or(0.001, |interval| interval.as_secs_f64());
    // No more than the nanoseconds of a clock.
    (-interval.clamp(1e-9, 1.0).log10()).ceil() as usize
}
