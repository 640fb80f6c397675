//! Machines that are set up in other ways than this one, as small trees of the files that their kernels show.
//!
//! Paths and numbers are those of real systems: a container of Docker under version 1, systemd under version 2, hybrid hosts, and
//! Slurm with and without control groups.

use std::fs;

use jumper_sampler::Pid;
use jumper_sampler::metrics::{Level, LimitSource, Limits, MetricsOptions, MetricsSampler, Roots};

const ROOT: u32 = 100;
const GIB: u64 = 1 << 30;

/// The files of a machine with four processors and 16 GiB.
struct Machine {
    directory: tempfile::TempDir,
}

impl Machine {
    fn new(mounts: &str) -> Self {
        let machine = Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        };
        machine.write("sys/devices/system/cpu/online", "0-3\n");
        machine.write(
            "proc/meminfo",
            "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n",
        );
        machine.write("proc/self/mountinfo", mounts);
        machine.write("proc/uptime", "1000.00 1.00\n");
        machine.write("proc/loadavg", "0.50 0.25 0.10 1/9 103\n");
        machine
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().expect("it is below")).expect("it is ours");
        fs::write(path, text).expect("it is ours");
        self
    }

    fn remove(&self, path: &str) {
        fs::remove_dir_all(self.directory.path().join(path)).expect("it is ours");
    }

    /// A process with a name, which has used so many ticks of the processor.
    fn process(&self, pid: u32, parent: u32, name: &str, ticks: u64, groups: &str) -> &Self {
        let stat = format!(
            "{pid} ({name}) S {parent} 1 1 0 -1 4194304 1 0 0 0 {ticks} 0 0 0 20 0 2 0 {pid} 1000 256 0\n"
        );
        self.write(&format!("proc/{pid}/stat"), &stat)
            .write(&format!("proc/{pid}/cgroup"), groups)
            .write(&format!("proc/{pid}/status"), "Cpus_allowed_list:\t0-7\n")
    }

    fn roots(&self) -> Roots {
        Roots {
            proc: self.directory.path().join("proc"),
            sys: self.directory.path().join("sys"),
        }
    }

    fn limits(&self) -> Limits {
        Limits::of_root(Pid::new(ROOT), &self.roots())
    }

    fn sampler(&self, levels: &[Level]) -> MetricsSampler {
        let options = MetricsOptions::default()
            .with_roots(self.roots())
            .with_levels(levels.iter().copied());
        MetricsSampler::with_options(Pid::new(ROOT), &options).expect("it can be observed")
    }
}

fn value(sampler: &mut MetricsSampler, level: Level, name: &str) -> Option<f64> {
    let column = sampler.position(name).expect("a metric");
    let row = sampler.sample().row(level).expect("it was asked for");
    row.values[column]
}

/// Where a limit is said, below the machine's directory.
fn place<'a>(machine: &Machine, place: &'a str) -> &'a str {
    let root = machine.directory.path().to_str().expect("a text");
    place.strip_prefix(root).unwrap_or(place)
}

const VERSION_2: &str = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
const DOCKER_1: &str = "\
    31 23 0:27 /docker/4f5e /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
    32 23 0:28 /docker/4f5e /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n";

#[test]
fn version_2_limits_by_the_smallest_above() {
    let machine = Machine::new(VERSION_2);
    machine
        .process(ROOT, 1, "python3", 0, "0::/user.slice/a.scope\n")
        .write("sys/fs/cgroup/user.slice/a.scope/cpu.max", "max 100000\n")
        .write("sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n")
        .write(
            "sys/fs/cgroup/user.slice/a.scope/memory.max",
            "4294967296\n",
        )
        .write("sys/fs/cgroup/user.slice/memory.max", "max\n");
    let limits = machine.limits();
    assert_eq!(
        (limits.cpus(), limits.memory_bytes()),
        (Some(1.5), Some(4 * GIB))
    );
    assert_eq!(limits.cpus[0].source, LimitSource::Cgroup);
    assert_eq!(
        place(&machine, &limits.cpus[0].place),
        "/sys/fs/cgroup/user.slice/cpu.max"
    );
    // All that there is, and who allows it: the affinity names processors that the machine has not.
    let cpus: Vec<_> = limits.cpus[1..]
        .iter()
        .map(|limit| (limit.amount, limit.source))
        .collect();
    assert_eq!(
        cpus,
        [(4.0, LimitSource::Affinity), (4.0, LimitSource::Machine)]
    );
    assert_eq!(limits.affinity, "0-7");
}

#[test]
fn version_1_says_none_with_large_and_negative_numbers() {
    let machine = Machine::new(DOCKER_1);
    let groups = "9:memory:/docker/4f5e\n3:cpu,cpuacct:/docker/4f5e\n1:name=systemd:/docker/4f5e\n";
    machine
        .process(ROOT, 1, "python3", 0, groups)
        .write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
        .write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
        .write(
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
    let limits = machine.limits();
    assert_eq!(
        (limits.cpus(), limits.memory_bytes()),
        (Some(4.0), Some(16 * GIB))
    );
    machine
        .write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n")
        .write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    let limits = machine.limits();
    assert_eq!(
        (limits.cpus(), limits.memory_bytes()),
        (Some(0.5), Some(GIB))
    );
}

#[test]
fn a_hybrid_host_limits_where_the_controller_is() {
    let machine = Machine::new(
        "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
         33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
    );
    machine
        .process(ROOT, 1, "python3", 0, "4:memory:/api/x\n0::/\n")
        .write(
            "sys/fs/cgroup/memory/api/memory.limit_in_bytes",
            "2147483648\n",
        )
        // No controller is there, and what stands in its place is not asked.
        .write("sys/fs/cgroup/unified/api/x/memory.max", "1\n");
    let limits = machine.limits();
    assert_eq!(
        (limits.cpus(), limits.memory_bytes()),
        (Some(4.0), Some(2 * GIB))
    );
}

#[test]
fn slurm_and_the_address_space_limit_too() {
    let machine = Machine::new("");
    machine.process(ROOT, 1, "python3", 0, "").write(
        "proc/100/environ",
        "SLURM_CPUS_ON_NODE=2\0SLURM_MEM_PER_CPU=1024\0SLURM_JOB_ID=7\0",
    );
    let limits = machine.limits();
    assert_eq!(
        (limits.cpus(), limits.memory_bytes()),
        (Some(2.0), Some(2 * GIB))
    );
    assert_eq!(limits.cpus[0].source, LimitSource::Slurm);
    machine.write(
        "proc/100/limits",
        "Limit  Soft Limit  Hard Limit  Units\nMax address space  1073741824  unlimited  bytes\n",
    );
    let limits = machine.limits();
    assert_eq!(limits.memory_bytes(), Some(GIB));
    assert_eq!(limits.memory[0].source, LimitSource::AddressSpace);
}

#[test]
fn a_process_that_is_not_there_has_the_machines_limits() {
    let limits = Machine::new("").limits();
    assert_eq!(
        (limits.cpus(), limits.memory_bytes()),
        (Some(4.0), Some(16 * GIB))
    );
    assert_eq!(limits.affinity, "");
}

#[test]
fn a_container_has_the_processes_and_the_counts_of_its_group() {
    let machine = Machine::new(VERSION_2);
    let group = "sys/fs/cgroup/box";
    machine
        .process(ROOT, 1, "python3", 10, "0::/box\n")
        .process(101, 1, "a) R (b\nc", 20, "0::/box/inner\n")
        .process(102, 1, "other", 30, "0::/boxer\n")
        .write(
            &format!("{group}/cpu.stat"),
            "usage_usec 1000000\nuser_usec 600000\nsystem_usec 400000\n",
        )
        .write(&format!("{group}/memory.current"), "3221225472\n")
        .write(
            &format!("{group}/memory.stat"),
            "anon 5\nactive_file 1073741824\ninactive_file 1073741824\n",
        )
        .write(&format!("{group}/memory.swap.current"), "1073741824\n");
    // Hidden from us, and gone while it was read.
    fs::create_dir(machine.directory.path().join("proc/103")).expect("it is ours");
    let mut sampler = machine.sampler(&[Level::Container, Level::Process]);
    assert_eq!(
        value(&mut sampler, Level::Container, "processes"),
        Some(2.0)
    );
    assert_eq!(value(&mut sampler, Level::Container, "threads"), Some(4.0));
    assert_eq!(value(&mut sampler, Level::Process, "processes"), Some(1.0));
    assert_eq!(value(&mut sampler, Level::Container, "memory"), Some(1.0));
    assert_eq!(value(&mut sampler, Level::Container, "swap"), Some(1.0));
    // What nobody may read is unknown and not zero.
    assert_eq!(value(&mut sampler, Level::Container, "io_read"), None);
    assert_eq!(value(&mut sampler, Level::Process, "memory"), None);
    machine.write(
        &format!("{group}/cpu.stat"),
        "usage_usec 3500000\nuser_usec 2600000\nsystem_usec 900000\n",
    );
    assert_eq!(value(&mut sampler, Level::Container, "cpu_time"), Some(2.5));
    assert_eq!(
        value(&mut sampler, Level::Container, "cpu_time_user"),
        Some(2.0)
    );
    // The controller is taken away.
    machine.write(&format!("{group}/memory.stat"), "");
    assert_eq!(value(&mut sampler, Level::Container, "memory"), None);
}

#[test]
fn without_a_count_of_its_own_a_container_is_the_sum_of_its_processes() {
    // The processor's hierarchy has everybody in one group.
    let machine = Machine::new(
        "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
         32 23 0:28 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n",
    );
    machine
        .process(ROOT, 1, "python3", 10, "4:memory:/box\n2:cpuacct:/\n")
        .process(101, 1, "b", 20, "4:memory:/box\n2:cpuacct:/\n")
        .write("sys/fs/cgroup/cpuacct/cpuacct.usage", "77000000000\n");
    let mut sampler = machine.sampler(&[Level::Container]);
    assert_eq!(value(&mut sampler, Level::Container, "cpu_time"), Some(0.0));
    machine.process(101, 1, "b", 120, "4:memory:/box\n2:cpuacct:/\n");
    let used = value(&mut sampler, Level::Container, "cpu_time").expect("it is known");
    assert!((used - 1.0).abs() < 1e-9, "{used}");
    // It ends, and takes nothing back.
    machine.remove("proc/101");
    assert_eq!(
        value(&mut sampler, Level::Container, "cpu_time"),
        Some(used)
    );
    assert_eq!(
        value(&mut sampler, Level::Container, "processes"),
        Some(1.0)
    );
}

#[test]
fn a_job_is_a_group_or_a_variable() {
    let machine = Machine::new(VERSION_2);
    let step = "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n";
    machine
        .process(ROOT, 1, "python3", 0, step)
        .process(101, 1, "srun", 0, &step.replace("step_0", "step_1"))
        .process(102, 1, "theirs", 0, &step.replace("job_7", "job_77"));
    let mut sampler = machine.sampler(&[Level::Slurm]);
    assert_eq!(value(&mut sampler, Level::Slurm, "processes"), Some(2.0));

    let machine = Machine::new("");
    for (pid, job) in [(ROOT, "7"), (101, "7"), (102, "8")] {
        let environment = format!("A=b\0SLURM_JOB_ID={job}\0");
        machine
            .process(pid, 1, "python3", 0, "")
            .write(&format!("proc/{pid}/environ"), &environment);
    }
    let mut sampler = machine.sampler(&[Level::Slurm, Level::Container]);
    assert_eq!(value(&mut sampler, Level::Slurm, "processes"), Some(2.0));
    // There are no control groups here, and that is said.
    assert_eq!(value(&mut sampler, Level::Container, "processes"), None);
    let notes = sampler.take_notes();
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("level container is unknown")),
        "{notes:?}"
    );
}

#[test]
fn threads_of_the_kernel_belong_to_nobody() {
    let machine = Machine::new(VERSION_2);
    machine.process(ROOT, 1, "python3", 0, "0::/\n").write(
        "proc/2/stat",
        "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 9 0 0 20 0 1 0 2 0 0 0\n",
    );
    machine.write("proc/2/cgroup", "0::/\n");
    let mut sampler = machine.sampler(&[Level::User, Level::Container, Level::System]);
    for level in [Level::User, Level::Container] {
        assert_eq!(value(&mut sampler, level, "processes"), Some(1.0));
    }
    assert_eq!(value(&mut sampler, Level::System, "processes"), Some(2.0));
    assert_eq!(value(&mut sampler, Level::System, "memory"), Some(8.0));
    assert_eq!(value(&mut sampler, Level::System, "load_1"), Some(0.5));
}
