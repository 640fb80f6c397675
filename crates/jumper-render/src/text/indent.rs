//! What is drawn to the left of calls: who called whom.

use std::fmt::Write;

/// Levels beyond this one are not indented further, but numbered: a recursion of thousands of levels would otherwise be a
/// line of thousands of columns. No Python program gets there without asking for it, and few with it.
const DEEPEST: usize = 3 * 512;

/// How much of the indentation is left then.
const KEPT: usize = 3 * 48;

/// How branches are drawn.
#[derive(Clone, Copy, Debug)]
struct Branches {
    child: &'static str,
    last: &'static str,
    through: &'static str,
    below: &'static str,
}

const UNICODE: Branches = Branches {
    child: "├─ ",
    last: "└─ ",
    through: "│  ",
    below: "   ",
};

const ASCII: Branches = Branches {
    child: "|- ",
    last: "`- ",
    through: "|  ",
    below: "   ",
};

/// What is called by a group, of which only some functions are drawn.
const GROUP: Branches = Branches {
    child: "      ",
    last: "      ",
    through: "      ",
    below: "      ",
};

/// What is called by a function that is not drawn.
const HIDDEN: Branches = Branches {
    child: "",
    last: "",
    through: "",
    below: "",
};

/// How a call shows what it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    Branches,
    Group,
    Nothing,
}

/// The indentation of the call at hand, and of those above it.
pub(super) struct Indent {
    /// What is to the left of what it calls.
    text: String,
    above: Vec<Above>,
    branches: Branches,
    deepest: usize,
    kept: usize,
}

#[derive(Clone, Copy)]
struct Above {
    /// How much of the text is to the left of what it calls, in bytes and in columns.
    bytes: usize,
    columns: usize,
    /// How many calls are drawn from the outermost to this one.
    level: usize,
    below: Below,
}

impl Indent {
    pub(super) fn new(margin: &str, unicode: bool, width: Option<usize>) -> Self {
        Self {
            text: margin.into(),
            above: Vec::new(),
            branches: if unicode { UNICODE } else { ASCII },
            // Half of a line is for the call.
            deepest: width.map_or(DEEPEST, |width| (width / 2).min(DEEPEST)),
            kept: width.map_or(KEPT, |width| (width / 4).min(KEPT)),
        }
    }

    /// How many calls are drawn above one at this depth of the tree.
    pub(super) fn level(&self, depth: usize) -> usize {
        depth
            .checked_sub(1)
            .map_or(0, |above| self.above[above].level)
    }

    /// Writes what is to the left of a call, and begins with what is below it.
    pub(super) fn call(&mut self, depth: usize, is_last: bool, below: Below, line: &mut String) {
        self.above.truncate(depth);
        let is_drawn = below != Below::Nothing;
        let level = self.level(depth) + usize::from(is_drawn);
        let mut columns = 0;
        if let Some(above) = self.above.last() {
            self.text.truncate(above.bytes);
            let branches = match above.below {
                Below::Branches => self.branches,
                Below::Group => GROUP,
                Below::Nothing => HIDDEN,
            };
            let (own, under) = match is_last {
                true => (branches.last, branches.below),
                false => (branches.child, branches.through),
            };
            if is_drawn {
                self.push(level, line);
                *line += own;
            }
            columns = above.columns + under.chars().count();
            self.text += under;
        } else {
            *line += &self.text;
        }
        self.above.push(Above {
            bytes: self.text.len(),
            columns,
            level,
            below,
        });
    }

    /// Writes what is to the left of what the call at hand calls.
    pub(super) fn below(&self, line: &mut String) {
        self.push(self.above.last().map_or(0, |above| above.level), line);
    }

    fn push(&self, level: usize, line: &mut String) {
        let columns = self.above.last().map_or(0, |above| above.columns);
        if columns <= self.deepest {
            *line += &self.text;
            return;
        }
        let left_out = columns - self.kept;
        let first = self.above.partition_point(|above| above.columns < left_out);
        let _ = write!(line, "{level}: {}", &self.text[self.above[first].bytes..]);
    }
}
