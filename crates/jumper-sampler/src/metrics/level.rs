//! Whose use is measured.

use std::fmt;
use std::str::FromStr;

use super::MetricsError;

/// Whose use a row of a sample describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// The observed process and its descendants, also those whose parent has ended meanwhile.
    Process,
    /// All processes of the user whom the observed process runs as.
    User,
    /// The whole machine, as far as it is visible from here.
    System,
    /// All processes of the Slurm job that the observed process belongs to.
    Slurm,
    /// All processes in the cgroup of the observed process and below: in a container, all that is in it.
    Container,
}

impl Level {
    /// All that there are, in the order in which a sample has them.
    pub const ALL: [Self; 5] = [
        Self::Process,
        Self::User,
        Self::System,
        Self::Slurm,
        Self::Container,
    ];

    /// The name in tables and options; the first four are JUmPER's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::User => "user",
            Self::System => "system",
            Self::Slurm => "slurm",
            Self::Container => "container",
        }
    }
}

/// A set of levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LevelSet(u8);

impl LevelSet {
    pub(super) const EMPTY: Self = Self(0);

    pub(super) const fn contains(self, level: Level) -> bool {
        self.0 & (1 << level as u8) != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn insert(&mut self, level: Level) {
        self.0 |= 1 << level as u8;
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Level> {
        Level::ALL
            .into_iter()
            .filter(move |&level| self.contains(level))
    }
}

impl FromIterator<Level> for LevelSet {
    fn from_iter<T: IntoIterator<Item = Level>>(levels: T) -> Self {
        let mut set = Self::EMPTY;
        levels.into_iter().for_each(|level| set.insert(level));
        set
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = MetricsError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| MetricsError::UnknownLevel { name: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_level_is_answered_with_those_there_are() {
        for level in Level::ALL {
            assert_eq!(level.name().parse::<Level>().ok(), Some(level));
        }
        let error = "proces".parse::<Level>().expect_err("there is none");
        assert_eq!(
            error.to_string(),
            "there is no level `proces`; there are process, user, system, slurm and container"
        );
    }
}
