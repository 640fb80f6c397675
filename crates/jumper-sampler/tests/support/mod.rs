//! Real interpreters to test against, and programs that run in them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jumper_sampler::Pid;

/// The versions that this crate says it supports.
pub(crate) const VERSIONS: [&str; 5] = ["3.9", "3.10", "3.11", "3.12", "3.13"];

/// An interpreter of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// Such as 3.11.
    pub(crate) version: String,
    /// Such as 3.11.7.
    pub(crate) full: String,
    pub(crate) path: PathBuf,
}

/// Every supported interpreter that can be found, one for each version: as `pythonX.Y` or `python3` on the path,
/// or installed by pyenv.
pub(crate) fn pythons() -> Vec<Python> {
    VERSIONS
        .iter()
        .filter_map(|version| python(version))
        .collect()
}

/// The interpreter of one version.
pub(crate) fn python(version: &str) -> Option<Python> {
    let name = format!("python{version}");
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> = std::env::split_paths(&on_path)
        .flat_map(|folder| [folder.join(&name), folder.join("python3")])
        .collect();
    let home = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let installed = home.and_then(|home| std::fs::read_dir(home.join("versions")).ok());
    candidates.extend(
        installed
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin").join(&name)),
    );
    candidates
        .into_iter()
        .filter(|path| path.exists())
        .find_map(|path| ask(&path, version))
}

/// What the interpreter behind `path` says that it is. The program itself is used, not a wrapper on the path.
fn ask(path: &Path, version: &str) -> Option<Python> {
    let question = "import sys, platform, sysconfig; print(platform.python_version(), \
                    sys.implementation.name, bool(sysconfig.get_config_var('Py_GIL_DISABLED')), sys.executable)";
    let output = Command::new(path)
        .args(["-I", "-c", question])
        .output()
        .ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    let mut words = answer.trim().splitn(4, ' ');
    let full = words.next()?.to_owned();
    if words.next()? != "cpython"
        || words.next()? == "True"
        || !full.starts_with(&format!("{version}."))
    {
        return None;
    }
    Some(Python {
        version: version.into(),
        full,
        path: words.next()?.into(),
    })
}

/// A Python program that is killed when the test is done with it.
pub(crate) struct Target {
    child: Child,
}

impl Target {
    /// Starts a script of `tests/targets` and waits until it says `ready`.
    pub(crate) fn start(python: &Python, script: &str) -> Self {
        let child = Command::new(&python.path)
            .arg(script_path(script))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", python.path.display()));
        let mut target = Self { child };
        let stdout = target.child.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the target speaks");
        assert_eq!(line.trim(), "ready", "{script} under {}", python.full);
        target
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::new(self.child.id())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/targets")
        .join(script)
}

/// The number of the line of `script` that is marked `# line:name`.
pub(crate) fn marked_line(script: &str, name: &str) -> u32 {
    let text = std::fs::read_to_string(script_path(script)).expect("the script is there");
    let mark = format!("# line:{name}");
    let line = text
        .lines()
        .position(|line| line.trim_end().ends_with(&mark))
        .expect("the mark is there");
    line as u32 + 1
}
