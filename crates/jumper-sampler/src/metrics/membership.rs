//! Who belongs to which level, apart from descent.

use std::fs;
use std::os::linux::fs::MetadataExt as _;

use super::cgroup::{Group, Hierarchies};
use super::level::{Level, LevelSet};
use super::process::ProcessPath;
use super::roots::Roots;
use super::slurm::Job;
use crate::Pid;

/// How the members of the levels are recognised, all by what the observed process was when the sampler started.
#[derive(Debug, Default)]
pub(super) struct Membership {
    /// The user whom the process acts as.
    pub(super) user: Option<u32>,
    /// The job that it belongs to.
    pub(super) job: Option<Job>,
    /// The control group that it is in.
    pub(super) container: Option<Group>,
    /// What `/proc/PID/cgroup` said of the process.
    pub(super) groups: String,
}

impl Membership {
    /// Finds out what the levels asked for are made of.
    pub(super) fn find(root: Pid, wanted: LevelSet, roots: &Roots) -> Self {
        let mut path = ProcessPath::new(roots);
        path.of(root.get());
        let hierarchies = Hierarchies::read(roots);
        let groups = fs::read_to_string(path.file("cgroup")).unwrap_or_default();
        let mut environment = || fs::read(path.file("environ")).unwrap_or_default();
        let job = wanted
            .contains(Level::Slurm)
            .then(|| Job::find(&hierarchies, &groups, &environment()))
            .flatten();
        let container = wanted
            .contains(Level::Container)
            .then(|| hierarchies.group(&groups))
            .flatten();
        let user = wanted
            .contains(Level::User)
            .then(|| user(&mut path))
            .flatten();
        Self {
            user,
            job,
            container,
            groups,
        }
    }

    /// The levels that the process of `path` belongs to. What cannot be read is no reason to belong.
    pub(super) fn of(&self, path: &mut ProcessPath) -> LevelSet {
        let mut levels = LevelSet::EMPTY;
        if self.user.is_some() && user(path) == self.user {
            levels.insert(Level::User);
        }
        let by_group = matches!(self.job, Some(Job::Group(_))) || self.container.is_some();
        let groups = by_group
            .then(|| fs::read_to_string(path.file("cgroup")).ok())
            .flatten();
        let is_in = |group: &Group| groups.as_deref().is_some_and(|text| group.contains(text));
        if self.container.as_ref().is_some_and(is_in) {
            levels.insert(Level::Container);
        }
        let is_of_job = match &self.job {
            Some(Job::Group(group)) => is_in(group),
            Some(Job::Environment { number }) => {
                fs::read(path.file("environ")).is_ok_and(|text| Job::is_named_in(&text, number))
            }
            None => false,
        };
        if is_of_job {
            levels.insert(Level::Slurm);
        }
        levels
    }
}

/// The user whom a process acts as: the owner of its directory, whatever else it hides.
pub(super) fn user(path: &mut ProcessPath) -> Option<u32> {
    fs::metadata(path.directory())
        .ok()
        .map(|file| file.st_uid())
}
