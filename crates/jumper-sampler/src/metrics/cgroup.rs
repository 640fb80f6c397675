//! Control groups: where the hierarchies are mounted, and which group a process is in.
//!
//! Version 1 has a hierarchy for each controller, version 2 ("unified") one for all; a hybrid host has both. `/proc/PID/cgroup` names the
//! group in each of them, `/proc/self/mountinfo` says where each is mounted, and of which group the mount is the top: in a
//! container that may be the container's own. See cgroups(7).

use std::path::{Path, PathBuf};

use super::roots::Roots;

/// The controllers that are asked here, by their names in version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Cpu,
    CpuAccounting,
    Memory,
}

impl Controller {
    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::CpuAccounting => "cpuacct",
            Self::Memory => "memory",
        }
    }
}

/// The version of the hierarchy in which something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// A hierarchy that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    /// The controllers of a hierarchy of version 1; `None` for the unified one.
    controllers: Option<Vec<String>>,
    /// The group that is at the top of the mount.
    root: String,
    point: PathBuf,
}

/// The hierarchies of a machine, as they can be seen from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hierarchies {
    mounts: Vec<Mount>,
}

impl Hierarchies {
    /// What is mounted, by `/proc/self/mountinfo`. With another root of sysfs, mounts below `/sys` are looked for there.
    pub(super) fn read(roots: &Roots) -> Self {
        let text = std::fs::read_to_string(roots.proc("self/mountinfo")).unwrap_or_default();
        let mut hierarchies = Self::parse(&text);
        for mount in &mut hierarchies.mounts {
            if let Ok(below) = mount.point.strip_prefix("/sys") {
                mount.point = roots.sys.join(below);
            }
        }
        hierarchies
    }

    fn parse(mountinfo: &str) -> Self {
        Self {
            mounts: mountinfo.lines().filter_map(parse_mount).collect(),
        }
    }

    /// The group that `/proc/PID/cgroup` puts a process in. Where the hierarchies disagree it is the one that lies deepest:
    /// the others do not tell the process from what is beside it.
    pub(super) fn group(&self, groups: &str) -> Option<Group> {
        let depth = |path: &str| path.split('/').filter(|part| !part.is_empty()).count();
        let entries: Vec<_> = groups.lines().filter_map(Entry::parse).collect();
        let deepest = entries
            .iter()
            .filter(|entry| self.mount(entry.controllers).is_some())
            .max_by_key(|entry| (depth(entry.path), entry.controllers.is_empty()))?;
        Some(self.at(deepest.controllers, deepest.path))
    }

    /// The nearest group above a process, or its own, of whose path `is_meant` says so.
    pub(super) fn group_above(
        &self,
        groups: &str,
        is_meant: impl Fn(&str) -> bool,
    ) -> Option<Group> {
        groups.lines().filter_map(Entry::parse).find_map(|entry| {
            let mut path = entry.path;
            while !is_meant(path) {
                path = &path[..path.rfind('/')?];
            }
            Some(self.at(entry.controllers, path))
        })
    }

    fn at(&self, controllers: &str, path: &str) -> Group {
        Group {
            hierarchy: controllers.into(),
            path: path.into(),
            hierarchies: self.clone(),
        }
    }

    fn mount(&self, controllers: &str) -> Option<&Mount> {
        self.mounts.iter().find(|mount| match &mount.controllers {
            None => controllers.is_empty(),
            Some(names) => {
                !controllers.is_empty()
                    && controllers
                        .split(',')
                        .all(|name| names.iter().any(|known| known == name))
            }
        })
    }

    /// The directory of a group in the hierarchy of a controller; `None` where it cannot be seen.
    fn directory(mount: &Mount, path: &str) -> Option<PathBuf> {
        // A path that goes up leads out of our namespace of control groups.
        if path.split('/').any(|part| part == "..") {
            return None;
        }
        let below = match mount.root.as_str() {
            "/" => path,
            root => match path.strip_prefix(root) {
                Some(below) if below.is_empty() || below.starts_with('/') => below,
                _ => return None,
            },
        };
        Some(mount.point.join(below.trim_start_matches('/')))
    }

    /// The directories in which `controller` keeps what it has of a process, the process's own first and then those above it, up to
    /// the top of the mount.
    pub(super) fn directories(
        &self,
        groups: &str,
        controller: Controller,
    ) -> Option<(Version, Vec<PathBuf>)> {
        let entries: Vec<_> = groups.lines().filter_map(Entry::parse).collect();
        let (version, entry) = entries
            .iter()
            .find(|entry| entry.has(controller))
            .map(|entry| (Version::One, entry))
            .or_else(|| {
                let unified = entries.iter().find(|entry| entry.controllers.is_empty());
                unified.map(|entry| (Version::Two, entry))
            })?;
        let mount = self.mount(entry.controllers)?;
        let own = Self::directory(mount, entry.path)?;
        let above = own
            .ancestors()
            .take_while(|directory| directory.starts_with(&mount.point))
            .map(Path::to_owned);
        Some((version, above.collect()))
    }
}

/// A line of `/proc/PID/cgroup`: `number:controllers:path`, without controllers for the unified hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'a> {
    controllers: &'a str,
    path: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        // So says the kernel of a group that was removed while a process was in it.
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        path.starts_with('/').then_some(Self { controllers, path })
    }

    fn has(&self, controller: Controller) -> bool {
        self.controllers
            .split(',')
            .any(|name| name == controller.name())
    }
}

/// One control group: all processes in it and in those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The controllers of the hierarchy that the group is in, as `/proc/PID/cgroup` has them.
    hierarchy: String,
    path: String,
    hierarchies: Hierarchies,
}

impl Group {
    /// Whether a process with these lines in `/proc/PID/cgroup` is in it.
    pub(super) fn contains(&self, groups: &str) -> bool {
        groups
            .lines()
            .filter_map(Entry::parse)
            .find(|entry| entry.controllers == self.hierarchy)
            .is_some_and(|entry| is_at_or_below(entry.path, &self.path))
    }

    /// The directory in which `controller` keeps what it has of just this group. `groups` is what `/proc/PID/cgroup` says of one of
    /// its processes: in the hierarchy of that controller it may be in another group, which has other processes in it too.
    pub(super) fn directory(
        &self,
        groups: &str,
        controller: Controller,
    ) -> Option<(Version, PathBuf)> {
        let entries: Vec<_> = groups.lines().filter_map(Entry::parse).collect();
        let of_one = entries.iter().find(|entry| entry.has(controller));
        let unified = entries.iter().find(|entry| entry.controllers.is_empty());
        // Time is told by the unified hierarchy of hybrid hosts too.
        let told = match controller {
            Controller::Cpu | Controller::CpuAccounting if self.hierarchy.is_empty() => unified,
            _ => of_one.or(unified),
        }?;
        is_at_or_below(told.path, &self.path).then_some(())?;
        let mount = self.hierarchies.mount(told.controllers)?;
        let directory = Hierarchies::directory(mount, &self.path)?;
        let version = match mount.controllers {
            None => Version::Two,
            Some(_) => Version::One,
        };
        Some((version, directory))
    }
}

fn is_at_or_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top.trim_end_matches('/'))
        .is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// A line of `mountinfo`, if it is of control groups; see proc(5).
fn parse_mount(line: &str) -> Option<Mount> {
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, point) = (unescape(place.next()?), unescape(place.next()?));
    let mut kind = kind.split(' ');
    let controllers = match kind.next()? {
        "cgroup2" => None,
        "cgroup" => {
            let options = kind.nth(1)?.split(',');
            let flags = ["rw", "ro", "xattr", "none", "noprefix"];
            Some(
                options
                    .filter(|option| !flags.contains(option))
                    .map(str::to_owned)
                    .collect(),
            )
        }
        _ => return None,
    };
    Some(Mount {
        controllers,
        root,
        point: point.into(),
    })
}

/// Spaces and the like are octal there, as `\040`.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(byte) if byte.is_ascii() => {
                plain.push(char::from(byte));
                plain.push_str(&part[3..]);
            }
            _ => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
        24 1 0:5 / /proc rw - proc proc rw\n\
        30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
        31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        32 23 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
        33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";

    const DOCKER_1: &str = "\
        31 23 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
        30 23 0:26 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n";

    #[test]
    fn the_deepest_group_is_the_one_that_a_process_is_in() {
        let hierarchies = Hierarchies::parse(HYBRID);
        let groups = "4:memory:/api/x\n3:cpu,cpuacct:/\n2:pids:/api/x/deeper\n1:name=systemd:/init.scope\n0::/\n";
        let group = hierarchies.group(groups).expect("there is one");
        assert_eq!(
            (group.path.as_str(), group.hierarchy.as_str()),
            ("/api/x", "memory")
        );
        assert!(group.contains("4:memory:/api/x/below\n"));
        assert!(!group.contains("4:memory:/api/xy\n") && !group.contains("0::/api/x\n"));
        let memory = group.directory(groups, Controller::Memory);
        assert_eq!(
            memory,
            Some((Version::One, "/sys/fs/cgroup/memory/api/x".into()))
        );
        // That controller has the process in a group with all others.
        assert_eq!(group.directory(groups, Controller::CpuAccounting), None);
    }

    #[test]
    fn a_mount_may_begin_at_the_containers_own_group() {
        let hierarchies = Hierarchies::parse(DOCKER_1);
        let groups = "4:memory:/docker/abc/sub\n3:cpu,cpuacct:/docker/abc/sub\n";
        let (version, directories) = hierarchies
            .directories(groups, Controller::Memory)
            .expect("it is mounted");
        assert_eq!(version, Version::One);
        let expected = ["/sys/fs/cgroup/memory/sub", "/sys/fs/cgroup/memory"];
        assert_eq!(directories, expected.map(PathBuf::from));
        assert_eq!(
            hierarchies.directories("4:memory:/other\n", Controller::Memory),
            None
        );
        assert_eq!(
            hierarchies.directories("4:memory:/../x\n", Controller::Memory),
            None
        );
    }

    #[test]
    fn version_2_has_one_group_for_all() {
        let mountinfo = "33 23 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let hierarchies = Hierarchies::parse(mountinfo);
        let groups = "0::/user.slice/a.scope (deleted)\n";
        let group = hierarchies.group(groups).expect("there is one");
        assert_eq!(group.path, "/user.slice/a.scope");
        for controller in [
            Controller::Cpu,
            Controller::CpuAccounting,
            Controller::Memory,
        ] {
            let expected = PathBuf::from("/sys/fs/cgroup/user.slice/a.scope");
            assert_eq!(
                group.directory(groups, controller),
                Some((Version::Two, expected))
            );
        }
        let above = hierarchies.group_above(groups, |path| path == "/user.slice");
        assert_eq!(above.expect("it is above").path, "/user.slice");
        assert_eq!(
            hierarchies.group_above(groups, |path| path == "/other"),
            None
        );
    }

    #[test]
    fn without_control_groups_there_is_no_group() {
        let hierarchies = Hierarchies::parse("24 1 0:5 / /proc rw - proc proc rw\n");
        assert_eq!(hierarchies.group("0::/\n"), None);
        assert_eq!(
            Hierarchies::parse(HYBRID).group("x\n:\n4:memory:relative\n"),
            None
        );
    }

    #[test]
    fn spaces_in_mount_points_are_octal() {
        assert_eq!(unescape(r"/a\040b\134c\x"), r"/a b\c\x");
        assert_eq!(unescape(r"\04"), r"\04");
    }
}
