//! The report for a terminal. Its tree of calls is that of pyinstrument's console renderer, line by line.

mod calls;
mod columns;
mod fit;
mod flat;
mod header;
mod indent;
mod link;
mod options;
pub(crate) mod paint;
mod shown;
mod split;
pub(crate) mod table;
mod tree;

use std::io::Write;

use jumper_session::{Attribution, Parts, Session};

use crate::calls::CallOptions;
use crate::{About, RenderError, RenderOptions, Renderer};
use calls::Look;
use columns::Column;
use options::{By, OPTIONS, TextOptions};
use paint::{Paint, Style};

const ABOUT: About = About {
    name: "text",
    help: "the call tree as text, with what the metrics came to",
    extensions: &["txt"],
    media_type: "text/plain; charset=utf-8",
    is_binary: false,
    options: &OPTIONS,
};

/// The renderer `text`.
pub(crate) struct Text;

impl Renderer for Text {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, options: &RenderOptions) -> Result<(), RenderError> {
        options::check(options)
    }

    fn needs(&self, options: &RenderOptions) -> Parts {
        let chosen = TextOptions::of(options);
        let mut needs = Parts::CALLS;
        if chosen.has("metrics") || chosen.has("header") {
            needs = needs.with(Parts::METRICS);
        }
        if chosen.by == By::Cell {
            needs = needs.with(Parts::CELLS);
        }
        for column in &chosen.columns {
            needs = needs.with(match column {
                Column::Cpu | Column::Gil => Parts::SAMPLES,
                Column::Memory => Attribution::NEEDS,
                Column::Percent | Column::Own | Column::Samples => Parts::CALLS,
            });
        }
        needs
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        options::check(options)?;
        let chosen = TextOptions::of(options);
        let paint = Paint::new(chosen.color);
        if chosen.has("header") {
            match chosen.short {
                true => header::short_header(session, out)?,
                false => header::header(session, paint, out)?,
            }
        }
        if chosen.has("calls") {
            calls(session, options, out)?;
        }
        if chosen.short {
            return Ok(());
        }
        if chosen.has("metrics") {
            table::metrics(session, paint, out)?;
        }
        if chosen.has("session") {
            header::footer(session, paint, out)?;
        }
        Ok(())
    }
}

/// Writes the trees, or the lists.
pub(crate) fn calls(
    session: &Session,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    let chosen = &TextOptions::of(options);
    let calls = CallOptions::of(options);
    let margin = if chosen.short { ".  " } else { "" };
    let paint = Paint::new(chosen.color);
    for part in split::parts(session, chosen.by) {
        if let Some(title) = &part.title {
            writeln!(out, "{margin}{}", paint.style(Style::Bold, title))?;
        }
        let more = columns::needed_of_tree(&chosen.columns);
        let tree = calls.tree_with(&part.session, part.scope, &more);
        let tops: Vec<_> = match tree.is_empty() && tree.total().is_zero() {
            true => Vec::new(),
            false => tree.tops().collect(),
        };
        if tops.is_empty() {
            writeln!(out, "{margin}No samples were recorded.\n{margin}")?;
        }
        let mut look = Look::of(&part.session, &tree, chosen, part.scope);
        for top in tops {
            look.begin(top);
            match chosen.flat {
                Some(time) => flat::write(&mut look, top, time, calls.show_all, out)?,
                None => tree::write(&mut look, top, margin, out)?,
            }
            writeln!(out, "{margin}")?;
        }
    }
    if chosen.short {
        writeln!(out, "{:.<53}\n", "")?;
    }
    Ok(())
}
