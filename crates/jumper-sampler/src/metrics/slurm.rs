//! The job of Slurm that a process belongs to, and what it was given.

use super::cgroup::{Group, Hierarchies};

/// How the processes of a job are told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// By the control group that Slurm made for the job.
    Group(Group),
    /// By the variable `SLURM_JOB_ID`, where Slurm was set up without control groups.
    Environment {
        /// The job's number.
        number: String,
    },
}

impl Job {
    /// The job of a process, by what `/proc/PID/cgroup` and, failing that, `/proc/PID/environ` say.
    pub(super) fn find(
        hierarchies: &Hierarchies,
        groups: &str,
        environment: &[u8],
    ) -> Option<Self> {
        if let Some(group) = hierarchies.group_above(groups, is_job) {
            return Some(Self::Group(group));
        }
        let number = Self::number_in(environment)?;
        Some(Self::Environment { number })
    }

    fn number_in(environment: &[u8]) -> Option<String> {
        variable(environment, "SLURM_JOB_ID")
            .or_else(|| variable(environment, "SLURM_JOBID"))
            .filter(|number| !number.is_empty())
            .map(str::to_owned)
    }

    /// Whether an environment is that of a process of job `number`.
    pub(super) fn is_named_in(environment: &[u8], number: &str) -> bool {
        Self::number_in(environment).is_some_and(|named| named == number)
    }
}

/// Whether a path ends in the group of a job. Slurm calls it `job_NUMBER`: below `/slurm/uid_USER` or `/slurm_NODE/uid_USER` in
/// version 1, below `slurmstepd.scope` or `NODE_slurmstepd.scope` in version 2.
fn is_job(path: &str) -> bool {
    let Some((above, name)) = path.rsplit_once('/') else {
        return false;
    };
    let is_numbered = name.strip_prefix("job_").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let mut parents = above.rsplit('/');
    let parent = parents.next().unwrap_or_default();
    let of_version_1 = parent.starts_with("uid_")
        && parents
            .next()
            .is_some_and(|name| name == "slurm" || name.starts_with("slurm_"));
    is_numbered && (of_version_1 || parent.ends_with("slurmstepd.scope"))
}

/// The value of a variable in an environment as `/proc/PID/environ` has it.
pub(super) fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
    environment.split(|&byte| byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_jobs_are_recognised() {
        for path in [
            "/slurm/uid_1000/job_7",
            "/slurm_node1/uid_0/job_123",
            "/system.slice/slurmstepd.scope/job_42",
            "/system.slice/node1_slurmstepd.scope/job_42",
        ] {
            assert!(is_job(path), "{path}");
        }
        for path in [
            "/",
            "",
            "job_7",
            "/slurm/uid_1000/job_7/step_0",
            "/slurm/uid_1000/job_x",
            "/user.slice/job_7",
            "/slurm/uid_1000/job_",
        ] {
            assert!(!is_job(path), "{path}");
        }
    }

    #[test]
    fn a_job_is_named_by_either_variable() {
        let environment = b"A=1\0SLURM_JOBID=5\0SLURM_JOB_ID=7\0\xff=2\0";
        assert!(Job::is_named_in(environment, "7"));
        assert!(Job::is_named_in(b"SLURM_JOBID=5\0", "5"));
        assert!(!Job::is_named_in(b"XSLURM_JOB_ID=7\0SLURM_JOB_ID=\0", "7"));
    }
}
