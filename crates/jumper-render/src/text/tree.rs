//! The calls as a tree.

use std::fmt::Write as _;
use std::io::{self, Write};

use jumper_session::{FrameTree, NodeId};

use super::calls::Look;
use super::indent::{Below, Indent};
use super::paint::Style;
use super::shown::{Shown, fitted};
use crate::format::plain;

/// Writes the tree of what is a whole.
pub(super) fn write(
    look: &mut Look<'_>,
    top: NodeId,
    margin: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let tree = look.tree;
    let shown = Shown::of(tree, top, |id| look.path(id));
    let is_last = last_children(tree, top, &shown);
    let width = look.options.width;
    let width = width.map(|width| width.saturating_sub(look.figures.width()));
    let mut indent = Indent::new(margin, look.options.unicode, width);
    let mut line = String::new();
    if !look.figures.is_empty() {
        let titles = look.figures.titles();
        writeln!(out, "{}", look.paint.style(Style::Dim, titles.trim_end()))?;
    }
    let mut walk = tree.walk_from(top);
    while let Some((id, depth)) = walk.next() {
        if indent.level(depth) >= look.options.max_depth {
            walk.skip_children(id);
            continue;
        }
        let is_last = is_last[id.index() - top.index()];
        line.clear();
        if shown.is_hidden(id) {
            indent.call(depth, is_last, Below::Nothing, &mut line);
            continue;
        }
        let hidden = shown.hidden_below(tree, id);
        let below = match hidden {
            Some(_) => Below::Group,
            None => Below::Branches,
        };
        look.figures.push(id, look.whole, &mut line);
        let before = line.len();
        indent.call(depth, is_last, below, &mut line);
        let room = |line: &str, more: &str| {
            let taken = line[before..].chars().count() + more.len();
            width.map(|width| width.saturating_sub(taken))
        };
        let cut = match indent.level(depth + 1) >= look.options.max_depth {
            true => tree.walk_from(id).len() - 1,
            false => 0,
        };
        let said = match cut {
            0 => String::new(),
            cut => format!("  [{cut} frames below]"),
        };
        let seconds = tree.node(id).time().as_secs_f64();
        look.call(id, seconds, room(&line, &said), &mut line);
        line += &said;
        line.push('\n');
        if let Some((count, libraries)) = hidden.filter(|_| cut == 0) {
            look.figures.push_none(&mut line);
            let before = line.len();
            indent.below(&mut line);
            let _ = write!(line, "   [{count} frames hidden]  ");
            let taken = line[before..].chars().count();
            let room = width.map(|width| width.saturating_sub(taken));
            line += look.paint.begin(Style::Dim);
            line += &fitted(plain(&libraries), room, look.dots());
            line += look.paint.end();
            line.push('\n');
        }
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Of the nodes from `top` on, whether no drawn sibling comes after them.
fn last_children(tree: &FrameTree, top: NodeId, shown: &Shown) -> Vec<bool> {
    let mut is_last = vec![true; tree.walk_from(top).len()];
    // Whether a child that is drawn was met, from the last one on.
    let mut has_drawn = vec![false; is_last.len()];
    let rows: Vec<NodeId> = tree.walk_from(top).map(|(id, _)| id).collect();
    for (row, &id) in rows.iter().enumerate().skip(1).rev() {
        let parent = tree.node(id).parent().expect("bug: it is below another");
        let above = parent.index() - top.index();
        is_last[row] = !has_drawn[above];
        has_drawn[above] |= !shown.is_hidden(id);
    }
    is_last
}
