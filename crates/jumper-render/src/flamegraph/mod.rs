//! A flame graph, as an SVG to look into with a browser.
//!
//! [`stacks`] adds up the calls, inferno draws them. What comes from the observed program is text: inferno escapes it, and its
//! script makes no markup of it.

mod label;
mod look;
mod stacks;

use std::io::Write;

use inferno::flamegraph::{self, Direction, TextTruncateDirection};
use jumper_session::{FrameTree, Parts, ProcessorOptions, Scope, Selection, Session, TimeMode};

use crate::calls::CallOptions;
use crate::facts;
use crate::options::common::SHOW_ALL;
use crate::options::{OptionKind, OptionSpec};
use crate::picture::{message, svg};
use crate::theme::{THEME, Theme};
use crate::{About, RenderError, RenderOptions, Renderer};
use stacks::{DEEPEST, Stacks};

const TITLE: OptionSpec = OptionSpec::new(
    "title",
    OptionKind::Text,
    "what to write above it instead of the program's name",
);
const BY: OptionSpec = OptionSpec::new(
    "by",
    OptionKind::Choice {
        default: "thread",
        of: &["thread", "process", "nothing"],
    },
    "what calls are sorted by first",
);
const MODE: OptionSpec = OptionSpec::new(
    "mode",
    OptionKind::Choice {
        default: "wall",
        of: &["wall", "cpu", "gil"],
    },
    "which time counts: all of it, that on a CPU, or that with the interpreter's lock",
);
const MIN_WIDTH: OptionSpec = OptionSpec::new(
    "min_width",
    OptionKind::Number {
        default: 0.1,
        min: 0.01,
        max: 100.0,
    },
    "leave out calls narrower than this, in percent of the whole",
);
const ICICLE: OptionSpec = OptionSpec::new(
    "icicle",
    OptionKind::Flag { default: false },
    "let calls hang down from their callers",
);
const WIDTH: OptionSpec = OptionSpec::new(
    "width",
    OptionKind::Count {
        default: None,
        min: 300,
    },
    "pixels; without, it is as wide as the window",
);

const ABOUT: About = About {
    name: "flamegraph",
    help: "a flame graph to zoom into and to search, in one file",
    extensions: &["svg"],
    media_type: "image/svg+xml",
    is_binary: false,
    options: &[TITLE, BY, MODE, MIN_WIDTH, ICICLE, SHOW_ALL, THEME, WIDTH],
};

/// The renderer `flamegraph`.
pub(crate) struct Flamegraph;

/// What is between the whole and the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Top {
    Thread,
    Process,
    Nothing,
}

impl Renderer for Flamegraph {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, options: &RenderOptions) -> Parts {
        match mode(options) {
            TimeMode::Wall => Parts::CALLS,
            _ => Parts::CALLS.with(Parts::SAMPLES),
        }
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let theme = Theme::of(options);
        let tree = tree(session, options)?;
        let top = match options.choice(&BY).as_str() {
            "process" => Top::Process,
            "nothing" => Top::Nothing,
            _ => Top::Thread,
        };
        let stacks = Stacks::of(session, &tree, top);
        if stacks.total_ns() == 0 {
            let picture = message("no stacks were recorded", theme);
            return Ok(out.write_all(svg(&picture).as_bytes())?);
        }
        let title = options.text(&TITLE);
        let title = title.map_or_else(
            || facts::program(session),
            |title| crate::format::plain(&title),
        );
        let mut colours = look::colours(&stacks, theme);
        let mut drawn = flamegraph::Options::default();
        drawn.title = look::shortened(&title);
        drawn.subtitle = stacks
            .is_cut
            .then(|| format!("calls deeper than {DEEPEST} are part of their callers"));
        drawn.palette_map = Some(&mut colours);
        drawn.bgcolors = Some(look::background(theme));
        drawn.uicolor = look::text(theme);
        drawn.search_color = look::search();
        drawn.direction = match options.flag(&ICICLE) {
            true => Direction::Inverted,
            false => Direction::Straight,
        };
        drawn.image_width = options
            .count(&WIDTH)
            .map(|width| width.min(20_000) as usize);
        drawn.text_truncate_direction = TextTruncateDirection::Right;
        drawn.name_type = "Call:".into();
        // Nanoseconds go in, so that nothing is rounded before it is added up.
        drawn.count_name = "ms".into();
        drawn.factor = 1e-6;
        let min_width = options.number(&MIN_WIDTH);
        drawn.min_width = min_width;
        // The stacks are in order already, by more than the alphabet; as a chart they are left in the order they come in, which
        // is from the right.
        drawn.flame_chart = true;
        let mut lines = stacks.lines(min_width / 100.0);
        lines.reverse();
        let mut svg = Vec::new();
        flamegraph::from_lines(&mut drawn, lines.iter().map(String::as_str), &mut svg)?;
        Ok(out.write_all(&look::finished(svg, theme))?)
    }
}

fn mode(options: &RenderOptions) -> TimeMode {
    match options.choice(&MODE).as_str() {
        "cpu" => TimeMode::Cpu,
        "gil" => TimeMode::Gil,
        _ => TimeMode::Wall,
    }
}

fn tree(session: &Session, options: &RenderOptions) -> Result<FrameTree, RenderError> {
    let calls = CallOptions {
        show_all: options.flag(&SHOW_ALL),
        timeline: false,
        // What is too narrow is left out by its width.
        processors: ProcessorOptions {
            filter_threshold: 0.0,
            ..ProcessorOptions::default()
        },
    };
    match mode(options) {
        TimeMode::Wall => Ok(calls.tree(session, Scope::Thread, false)),
        mode => {
            let selection = Selection::all().in_mode(mode);
            let session = session.clone().select(&selection);
            let session = session.map_err(|error| RenderError::OptionConflict {
                detail: error.to_string(),
            })?;
            Ok(calls.tree(&session, Scope::Thread, false))
        }
    }
}
