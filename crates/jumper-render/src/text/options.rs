//! What can be chosen about the report for a terminal.

use crate::calls::CALL_OPTIONS;
use crate::options::common::{COLOR, TIMELINE, UNICODE};
use crate::options::{OptionKind, OptionSpec, joined};
use crate::text::columns::Column;
use crate::{RenderError, RenderOptions};

const FLAT: OptionSpec = OptionSpec::new(
    "flat",
    OptionKind::Flag { default: false },
    "a list of functions instead of a tree of calls",
);

const FLAT_TIME: OptionSpec = OptionSpec::new(
    "flat_time",
    OptionKind::Choice {
        default: "self",
        of: &["self", "cumulative", "total"],
    },
    "of the functions in the list: their own time, with all that they called, or that of the last of their calls, as \
     pyinstrument counts a total",
);

const TIME: OptionSpec = OptionSpec::new(
    "time",
    OptionKind::Choice {
        default: "seconds",
        of: &["seconds", "percent_of_total"],
    },
    "how times are written",
);

const SHORT_MODE: OptionSpec = OptionSpec::new(
    "short_mode",
    OptionKind::Flag { default: false },
    "the calls and little else, for a page on which much is printed",
);

const BY: OptionSpec = OptionSpec::new(
    "by",
    OptionKind::Choice {
        default: "auto",
        of: &["auto", "session", "thread", "process", "cell"],
    },
    "a tree for each of these; auto is by thread where there are several",
);

const COLUMNS: OptionSpec = OptionSpec::new(
    "columns",
    OptionKind::List {
        default: &[],
        of: &Column::NAMES,
    },
    "figures to the left of the tree: share and own time, time on a CPU and with the interpreter's lock, growth of memory \
     (an estimate), samples",
);

const MAX_DEPTH: OptionSpec = OptionSpec::new(
    "max_depth",
    OptionKind::Count {
        default: None,
        min: 1,
    },
    "how many levels of calls are drawn",
);

const WIDTH: OptionSpec = OptionSpec::new(
    "width",
    OptionKind::Count {
        default: None,
        min: 20,
    },
    "how many columns a line of the tree may have; names and paths are shortened",
);

const LINKS: OptionSpec = OptionSpec::new(
    "links",
    OptionKind::Flag { default: false },
    "links to files, as terminal escape sequences (OSC 8)",
);

const SECTIONS: OptionSpec = OptionSpec::new(
    "sections",
    OptionKind::List {
        default: &["header", "calls", "metrics", "session"],
        of: &["header", "calls", "metrics", "session"],
    },
    "what there is in the report",
);

pub(super) const OPTIONS: [OptionSpec; 17] = joined(
    &CALL_OPTIONS,
    &[
        UNICODE, COLOR, TIME, FLAT, FLAT_TIME, SHORT_MODE, BY, COLUMNS, MAX_DEPTH, WIDTH, LINKS,
        SECTIONS,
    ],
);

/// What was chosen.
#[derive(Clone, Debug)]
pub(super) struct TextOptions {
    pub(super) unicode: bool,
    pub(super) color: bool,
    pub(super) percent: bool,
    pub(super) flat: Option<FlatTime>,
    pub(super) short: bool,
    pub(super) by: By,
    pub(super) columns: Vec<Column>,
    pub(super) max_depth: usize,
    pub(super) width: Option<usize>,
    pub(super) links: bool,
    sections: Vec<String>,
}

/// Which time a list of functions has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlatTime {
    Own,
    Cumulative,
    /// That of the last call in the tree: pyinstrument's figure.
    LastCall,
}

/// What has a tree of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Auto,
    Session,
    Thread,
    Process,
    Cell,
}

impl TextOptions {
    pub(super) fn of(options: &RenderOptions) -> Self {
        let flat_time = match options.choice(&FLAT_TIME).as_str() {
            "cumulative" => FlatTime::Cumulative,
            "total" => FlatTime::LastCall,
            _ => FlatTime::Own,
        };
        let by = match options.choice(&BY).as_str() {
            "session" => By::Session,
            "thread" => By::Thread,
            "process" => By::Process,
            "cell" => By::Cell,
            _ => By::Auto,
        };
        let columns = options.list(&COLUMNS);
        let limit = |spec| {
            let limit = options.count(spec);
            limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
        };
        Self {
            unicode: options.flag(&UNICODE),
            color: options.flag(&COLOR),
            percent: options.choice(&TIME) == "percent_of_total",
            flat: options.flag(&FLAT).then_some(flat_time),
            short: options.flag(&SHORT_MODE),
            by,
            columns: columns.iter().filter_map(|name| Column::of(name)).collect(),
            max_depth: limit(&MAX_DEPTH).unwrap_or(usize::MAX),
            width: limit(&WIDTH),
            links: options.flag(&LINKS),
            sections: options.list(&SECTIONS),
        }
    }

    pub(super) fn has(&self, section: &str) -> bool {
        self.sections.iter().any(|known| known == section)
    }
}

/// Finds what cannot be chosen together.
pub(super) fn check(options: &RenderOptions) -> Result<(), RenderError> {
    let conflict = |detail: &str| {
        Err(RenderError::OptionConflict {
            detail: detail.into(),
        })
    };
    let is_flat = options.flag(&FLAT);
    if is_flat && options.flag(&TIMELINE) {
        return conflict(
            "`flat` adds up what `timeline` keeps apart; choose one of `flat` and `timeline`",
        );
    }
    if is_flat && !options.list(&COLUMNS).is_empty() {
        return conflict(
            "`columns` are figures of calls, and `flat` lists functions; choose one of `flat` and `columns`",
        );
    }
    Ok(())
}
