//! Options that several renderers have: pyinstrument's, under its names.

use super::{OptionKind, OptionSpec};

/// Everything, with nothing hidden or left out.
pub(crate) const SHOW_ALL: OptionSpec = OptionSpec::new(
    "show_all",
    OptionKind::Flag { default: false },
    "leave in what libraries, importing and small functions did",
);

/// Calls in the order of time.
pub(crate) const TIMELINE: OptionSpec = OptionSpec::new(
    "timeline",
    OptionKind::Flag { default: false },
    "leave calls in the order of time instead of adding up equal ones",
);

/// The smallest share that is shown.
pub(crate) const FILTER_THRESHOLD: OptionSpec = OptionSpec::new(
    "processor_options.filter_threshold",
    OptionKind::Number {
        default: 0.01,
        min: 0.0,
        max: 1.0,
    },
    "leave out calls below this share of the whole's time",
);

/// Files that count as a library's.
pub(crate) const HIDE_REGEX: OptionSpec = OptionSpec::new(
    "processor_options.hide_regex",
    OptionKind::Pattern,
    "hide code in files whose paths begin with a match, as that of libraries is",
);

/// Files that never do.
pub(crate) const SHOW_REGEX: OptionSpec = OptionSpec::new(
    "processor_options.show_regex",
    OptionKind::Pattern,
    "never hide code in files whose paths begin with a match",
);

/// Box-drawing characters.
pub(crate) const UNICODE: OptionSpec = OptionSpec::new(
    "unicode",
    OptionKind::Flag { default: true },
    "draw with Unicode characters rather than ASCII",
);

/// Terminal escape sequences for colours.
pub(crate) const COLOR: OptionSpec = OptionSpec::new(
    "color",
    OptionKind::Flag { default: false },
    "colours, as terminal escape sequences",
);
