//! Which parts of a session are read: a report that shows call trees has no use for the rest.

use std::fmt;

/// Parts of a session: a set.
///
/// Of every session its manifest, its processes and its threads are read, which are small, and of all its tables how many
/// rows they have. Of the rest a reader says what it needs. What was not read is not empty: asking for it is a mistake
/// of the caller, like a handle of another session, and panics with words that name the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parts(u8);

impl Parts {
    /// Nothing but what is always read.
    pub const NONE: Self = Self(0);
    /// Of each sample its thread, so that the samples of a thread can be counted.
    pub const SAMPLE_COUNTS: Self = Self(1);
    /// What call trees are made of: functions, stacks, and of each sample when it was, for how long, of which thread, and its
    /// stack.
    pub const CALLS: Self = Self(2).with(Self::SAMPLE_COUNTS);
    /// All of each sample: its state and its task too.
    pub const SAMPLES: Self = Self(4).with(Self::CALLS);
    /// The measurements of resources. Which metrics there are is known without.
    pub const METRICS: Self = Self(8);
    /// The runs of notebook cells.
    pub const CELLS: Self = Self(16);
    // Another table is another bit, here and in `ALL` and `NAMES`.

    /// All of a session.
    pub const ALL: Self = Self::SAMPLES.with(Self::METRICS).with(Self::CELLS);

    /// What people call them, those that contain others last.
    const NAMES: [(Self, &'static str); 5] = [
        (Self::SAMPLE_COUNTS, "the threads of the samples"),
        (Self::CALLS, "the calls"),
        (Self::SAMPLES, "all of the samples"),
        (Self::METRICS, "the metrics"),
        (Self::CELLS, "the cells"),
    ];

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Makes sure that `needed` was read.
    ///
    /// # Panics
    /// If it was not.
    pub(crate) fn assert(self, needed: Self) {
        assert!(
            self.contains(needed),
            "bug: {needed} of the session were not read, and are needed"
        );
    }
}

impl Default for Parts {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for Parts {
    /// The names of the largest parts in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut left, mut names) = (*self, Vec::new());
        for (part, name) in Self::NAMES.into_iter().rev() {
            if left.contains(part) {
                left = Self(left.0 & !part.0);
                names.push(name);
            }
        }
        names.reverse();
        f.write_str(&names.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_parts_contain_smaller_ones() {
        assert!(Parts::ALL.contains(Parts::CALLS) && Parts::CALLS.contains(Parts::SAMPLE_COUNTS));
        assert!(!Parts::CALLS.contains(Parts::SAMPLES) && !Parts::SAMPLES.contains(Parts::METRICS));
        assert_eq!(Parts::CALLS.with(Parts::SAMPLES), Parts::SAMPLES);
        assert_eq!(Parts::default(), Parts::ALL);
    }

    #[test]
    fn every_part_has_a_name() {
        assert_eq!(Parts::CALLS.to_string(), "the calls");
        assert_eq!(
            Parts::ALL.to_string(),
            "all of the samples and the metrics and the cells"
        );
        let named = Parts::NAMES
            .iter()
            .fold(Parts::NONE, |all, (part, _)| all.with(*part));
        assert_eq!(named, Parts::ALL);
    }
}
