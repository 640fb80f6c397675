//! GPUs that are not there: a library with NVML's binary interface, made of `tests/gpu/nvml_stand_in.c`, and directories
//! like those of AMD's driver, after the kernel's documentation of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use super::numbering::Numbering;
use super::*;
use crate::metrics::level::Level;

/// A machine with such GPUs, until it is dropped.
struct Machine {
    directory: TempDir,
}

/// The library, compiled once; each machine has a copy of its own, beside which it looks for its state.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("libnvidia-ml.so.1");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gpu/nvml_stand_in.c");
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&path)
            .arg(source)
            .status();
        assert!(status.expect("there is a C compiler").success());
        (directory, path)
    });
    path
}

impl Machine {
    fn new(state: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::copy(library(), directory.path().join("libnvidia-ml.so.1")).expect("it can be copied");
        let machine = Self { directory };
        machine.is_now(state);
        machine
    }

    /// Changes what the library says, at once.
    fn is_now(&self, state: &str) {
        let path = self.directory.path().join("nvml.state");
        fs::write(path.with_extension("new"), state).expect("it can be written");
        fs::rename(path.with_extension("new"), path).expect("it can be renamed");
    }

    fn find(&self) -> Result<Option<Nvidia>, String> {
        let library = self.directory.path().join("libnvidia-ml.so.1");
        Nvidia::find_with(library.as_os_str(), Numbering::Same)
    }

    fn nvidia(&self) -> Nvidia {
        self.find().expect("it can be asked").expect("it has GPUs")
    }

    /// The source of this machine's metrics.
    fn gpus(&self) -> Gpus {
        let drivers: Drivers = vec![Box::new(self.nvidia())];
        Gpus::found_by(move || (drivers, None))
    }
}

fn readings(driver: &mut dyn Driver, pids: &[u32]) -> Vec<Reading> {
    let mut readings = Vec::new();
    driver.read(Some(pids), &mut readings);
    readings
}

#[test]
fn what_nvml_says_is_what_is_read() {
    let machine =
        Machine::new("process 0 40 512 30 5\nprocess 0 41 256 20 5\nprocess 1 40 64 7 1\n");
    let mut nvidia = machine.nvidia();
    let gpu = GpuInfo {
        name: "NVIDIA Stand-in 1".into(),
        memory_bytes: Some(16 << 30),
    };
    assert_eq!(nvidia.gpus()[1..], [gpu]);
    let first = readings(&mut nvidia, &[40, 41]);
    assert_eq!(
        first[0].processes.busy, None,
        "what the driver had before is of unknown age"
    );
    let [one, two] = &readings(&mut nvidia, &[40, 41])[..] else {
        panic!("there are two")
    };
    assert_eq!(
        (one.util, two.util, one.band),
        (Some(60.0), Some(80.0), Some(30.0))
    );
    assert_eq!(
        (one.memory, one.power, one.temperature),
        (Some(4 << 30), Some(250.5), Some(65.0))
    );
    assert_eq!((one.clock, one.memory_clock), (Some(1755.0), Some(2619.0)));
    let (one_down, two_down) = (
        one.throttle.expect("it is known"),
        two.throttle.expect("it is known"),
    );
    assert!(one_down.power && !one_down.thermal && !one_down.other);
    assert!(!two_down.power && two_down.thermal && !two_down.other);
    let energy = |reading: &Reading| reading.energy.expect("it is known");
    assert_eq!(energy(one) - energy(&first[0]), 10.0);
    // A process that computes and draws is in two lists, with the same memory.
    let share = one.processes.share_of(&[40, 41]);
    assert_eq!(
        (share.util, share.band, share.memory),
        (Some(50.0), Some(10.0), Some(768 << 20))
    );
    assert_eq!(one.processes.share_of(&[7]).memory, Some(0));
    assert_eq!(two.processes.share_of(&[40, 41]).util, Some(7.0));
}

#[test]
fn a_gpu_that_is_cut_into_instances_is_as_busy_as_nobody_knows() {
    let machine = Machine::new("mig 0\nprocess 0 40 512 30 5\n");
    let mut nvidia = machine.nvidia();
    readings(&mut nvidia, &[40]);
    let [cut, whole] = &readings(&mut nvidia, &[40])[..] else {
        panic!("there are two")
    };
    assert_eq!(
        (cut.util, cut.band, &cut.processes.busy),
        (None, None, &None)
    );
    assert_eq!((cut.memory, cut.power), (Some(4 << 30), Some(250.5)));
    assert_eq!(cut.processes.share_of(&[40]).memory, Some(512 << 20));
    assert_eq!(whole.util, Some(80.0));
}

#[test]
fn a_gpu_that_is_lost_is_unknown_and_the_other_goes_on() {
    let machine = Machine::new("process 1 40 512 30 5\n");
    let mut nvidia = machine.nvidia();
    readings(&mut nvidia, &[40]);
    machine.is_now("lost 1\n");
    let [left, lost] = &readings(&mut nvidia, &[40])[..] else {
        panic!("it keeps its place")
    };
    assert_eq!(left.util, Some(60.0));
    assert_eq!(*lost, Reading::default());
}

#[test]
fn processes_that_may_not_be_asked_for_are_unknown() {
    let machine = Machine::new("denied\nprocess 0 40 512 30 5\n");
    let mut nvidia = machine.nvidia();
    readings(&mut nvidia, &[40]);
    let [one, _] = &readings(&mut nvidia, &[40])[..] else {
        panic!("there are two")
    };
    assert_eq!(
        (one.util, &one.processes),
        (Some(60.0), &Processes::default())
    );
}

#[test]
fn a_machine_without_gpus_is_told_from_one_that_may_not_be_asked() {
    let missing = Nvidia::find_with("/nowhere/libnvidia-ml.so.1".as_ref(), Numbering::Same);
    assert!(matches!(missing, Ok(None)));
    assert!(matches!(Machine::new("gpus 0\n").find(), Ok(None)));
    let refused = Machine::new("refused\n")
        .find()
        .err()
        .expect("it may not be asked");
    assert!(refused.contains("permission"), "{refused}");
}

/// A sysfs and a `/proc` with one card of AMD's, and another maker's.
fn amd(directory: &Path) -> Amd {
    let (drm, proc) = (directory.join("drm"), directory.join("proc"));
    let files = [
        ("card1/device/vendor", "0x1002\n"),
        ("card1/device/device", "0x740f\n"),
        (
            "card1/device/uevent",
            "DRIVER=amdgpu\nPCI_CLASS=38000\nPCI_SLOT_NAME=0000:03:00.0\n",
        ),
        ("card1/device/gpu_busy_percent", "37\n"),
        ("card1/device/mem_busy_percent", "12\n"),
        ("card1/device/mem_info_vram_used", "1073741824\n"),
        ("card1/device/mem_info_vram_total", "68702699520\n"),
        ("card1/device/hwmon/hwmon4/power1_average", "41000000\n"),
        ("card1/device/hwmon/hwmon4/temp1_input", "35000\n"),
        ("card1/device/hwmon/hwmon4/freq1_input", "800000000\n"),
        ("card1/device/hwmon/hwmon4/freq2_input", "1600000000\n"),
        ("card1-DP-1/device/vendor", "0x1002\n"),
        ("card0/device/vendor", "0x1a03\n"),
    ];
    for (name, text) in files {
        let path = drm.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    Amd::find_below(&drm, &proc).expect("there is one")
}

#[test]
fn amd_tells_in_files_and_those_that_are_missing_are_unknown() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut amd = amd(directory.path());
    let gpu = GpuInfo {
        name: "AMD GPU 0x740f".into(),
        memory_bytes: Some(68_702_699_520),
    };
    assert_eq!(amd.gpus(), [gpu]);
    let [one] = &readings(&mut amd, &[])[..] else {
        panic!("there is one")
    };
    assert_eq!(
        (one.util, one.band, one.memory),
        (Some(37.0), Some(12.0), Some(1 << 30))
    );
    assert_eq!((one.power, one.temperature), (Some(41.0), Some(35.0)));
    assert_eq!((one.clock, one.memory_clock), (Some(800.0), Some(1600.0)));
    assert_eq!((one.throttle, one.energy), (None, None));
    // The device is taken out.
    fs::remove_dir_all(directory.path().join("drm/card1")).expect("it is there");
    let [gone] = &readings(&mut amd, &[])[..] else {
        panic!("it keeps its place")
    };
    assert_eq!(gone.whole(), Reading::default().whole());
}

/// Asks a source as a sampler does, at such a time.
fn ask(gpus: &mut Gpus, seconds: i64, pids: &[u32]) -> Result<Answer, SourceError> {
    let mut question = Question {
        time: Timestamp::from_nanos(seconds * 1_000_000_000),
        ..Question::default()
    };
    question.processes.resize(Level::ALL.len(), None);
    question.processes[0] = Some(pids.to_vec());
    let mut answer = Answer::default();
    gpus.read(&question, &mut answer).map(|()| answer)
}

fn value(gpus: &Gpus, answer: &mut Answer, level: Level, name: &str) -> Option<f64> {
    let at = gpus.metrics().iter().position(|metric| metric.name == name);
    let at = at.unwrap_or_else(|| panic!("no metric {name}"));
    answer.level(level).get(at).copied().flatten()
}

#[test]
fn both_makers_have_one_numbering_and_processes_their_own_beat() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let machine = Machine::new("gpus 1\nprocess 0 40 512 30 5\n");
    let drivers: Drivers = vec![Box::new(machine.nvidia()), Box::new(amd(directory.path()))];
    let mut gpus = Gpus::found_by(move || (drivers, None));
    let found = gpus.found();
    ask(&mut gpus, 10, &[40]).expect("it answers");
    assert_eq!(found.get().len(), 2);
    let mut answer = ask(&mut gpus, 11, &[40]).expect("it answers");
    let mut of = |level, name| value(&gpus, &mut answer, level, name);
    assert_eq!(
        [
            of(Level::System, "gpu_util_0"),
            of(Level::System, "gpu_util_1")
        ],
        [Some(60.0), Some(37.0)]
    );
    assert_eq!(of(Level::System, "gpu_util_avg"), Some(48.5));
    assert_eq!(
        [
            of(Level::Process, "gpu_util_0"),
            of(Level::Process, "gpu_mem_0")
        ],
        [Some(30.0), Some(0.5)]
    );
    assert_eq!(
        [
            of(Level::Process, "gpu_mem_1"),
            of(Level::Process, "gpu_power_0")
        ],
        [Some(0.0), None]
    );
    // Nobody asked for this level.
    assert_eq!(of(Level::User, "gpu_util_avg"), None);
    // Processes are as they were a moment ago; the device is as it is.
    machine.is_now("gpus 1\nlost 0\n");
    let at = Timestamp::from_nanos(11_500_000_000);
    let mut question = Question {
        time: at,
        processes: vec![Some(vec![40]); 1],
    };
    question.processes.resize(Level::ALL.len(), None);
    let mut answer = Answer::default();
    gpus.read(&question, &mut answer).expect("it answers");
    assert_eq!(
        value(&gpus, &mut answer, Level::Process, "gpu_mem_0"),
        Some(0.5)
    );
    assert_eq!(value(&gpus, &mut answer, Level::System, "gpu_mem_0"), None);
    let mut answer = ask(&mut gpus, 13, &[40]).expect("it answers");
    assert_eq!(value(&gpus, &mut answer, Level::Process, "gpu_mem_0"), None);
}

#[test]
fn no_gpu_is_no_source_and_one_that_may_not_be_asked_is_a_note() {
    let mut none = Gpus::found_by(|| (Vec::new(), None));
    assert_eq!(ask(&mut none, 1, &[]).err(), Some(SourceError::Absent));
    let mut refused = Gpus::found_by(|| (Vec::new(), Some("no permission".into())));
    assert_eq!(
        ask(&mut refused, 1, &[]).err(),
        Some(SourceError::Failed("no permission".into()))
    );
    assert_eq!(ask(&mut refused, 2, &[]).err(), Some(SourceError::Absent));
}

#[test]
fn a_driver_that_hangs_is_unknown_and_said_so_once() {
    use crate::Pid;
    use crate::metrics::MetricsSampler;

    let machine = Machine::new("");
    let mut sampler = MetricsSampler::new(Pid::own()).expect("we are alive");
    sampler
        .add_source(machine.gpus())
        .expect("no GPU of this machine has these columns");
    let mut notes = Vec::new();
    let mut sample = || {
        std::thread::sleep(Duration::from_millis(10));
        let row = sampler
            .sample()
            .row(Level::System)
            .cloned()
            .expect("it is measured");
        notes.extend(sampler.take_notes());
        let value = |name| sampler.position(name).and_then(|column| row.values[column]);
        (value("gpu_util_0"), value("processes"))
    };
    while sample().0 != Some(60.0) {}
    machine.is_now("hang\n");
    let mut unknown = 0;
    while unknown < 20 {
        let (gpu, processes) = sample();
        assert!(processes.is_some(), "the recording goes on");
        unknown = if gpu.is_none() { unknown + 1 } else { 0 };
    }
    let hung = notes.iter().filter(|note| note.contains("GPU")).count();
    assert_eq!(hung, 1, "{notes:?}");
    assert!(notes[0].contains("does not answer in time"), "{notes:?}");
}
