//! The calls as a list of functions.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use jumper_session::{FrameTree, NodeId, NodeKind};

use super::calls::Look;
use super::options::FlatTime;
use super::shown::own_time;

/// Functions with a smaller share are left out.
const SMALLEST: f64 = 0.001;

/// A function, wherever it was called.
struct Listed {
    /// The last call of it, whose looks it has.
    call: NodeId,
    time: Duration,
    /// Where the outermost call ends that has begun last.
    end: usize,
}

/// Writes the functions of what is a whole, the one with the most time first.
pub(super) fn write(
    look: &mut Look<'_>,
    top: NodeId,
    time: FlatTime,
    show_all: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut listed = listed(look.tree, top, time);
    listed.sort_by_key(|function| Reverse(function.time));
    let mut line = String::new();
    for function in listed {
        let seconds = function.time.as_secs_f64();
        if !show_all && look.whole > 0.0 && seconds / look.whole <= SMALLEST {
            continue;
        }
        line.clear();
        look.call(function.call, seconds, look.options.width, &mut line);
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Each function in the order in which the tree has them.
fn listed(tree: &FrameTree, top: NodeId, time: FlatTime) -> Vec<Listed> {
    let mut places: HashMap<NodeKind, usize> = HashMap::new();
    let mut listed: Vec<Listed> = Vec::new();
    for (id, _) in tree.walk_from(top) {
        let node = tree.node(id);
        let place = *places.entry(node.kind()).or_insert_with(|| {
            listed.push(Listed {
                call: id,
                time: Duration::ZERO,
                end: 0,
            });
            listed.len() - 1
        });
        let function = &mut listed[place];
        function.call = id;
        match time {
            FlatTime::Own => function.time += own_time(tree, id),
            FlatTime::LastCall => function.time = node.time(),
            // What is called by the function itself is in its time already.
            FlatTime::Cumulative if id.index() >= function.end => {
                function.time += node.time();
                function.end = id.index() + tree.walk_from(id).len();
            }
            FlatTime::Cumulative => {}
        }
    }
    listed
}
