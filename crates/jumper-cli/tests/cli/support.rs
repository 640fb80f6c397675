//! A place to work in, the command, and what came of it.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A directory of its own, in which a test's sessions are kept as well.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("it can be written");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// `jumper` with arguments, its working directory here, and a locale that has Unicode.
    pub(crate) fn jumper(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumper"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env("LC_ALL", "C.UTF-8")
            .env_remove("JUMPER_PYTHON")
            .stdin(Stdio::null());
        command
    }

    /// Runs a line of shell in which `$0` is the command.
    pub(crate) fn run_in_shell(&self, line: &str) -> Done {
        let jumper = self.jumper(&[]);
        let variables = jumper
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        let mut shell = Command::new("sh");
        shell
            .args(["-c", line])
            .arg(jumper.get_program())
            .envs(variables)
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        shell.output().expect("there is a shell").into()
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.jumper(arguments)
            .output()
            .expect("the command starts")
            .into()
    }

    /// Starts the command, and waits until the program that it runs has made the file `ready`.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.jumper(arguments);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        self.wait_for("ready");
        child
    }

    /// Waits until there is a file `name`.
    pub(crate) fn wait_for(&self, name: &str) {
        let start = Instant::now();
        while !self.path(name).exists() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "no file {name} after a minute"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The sessions kept in the user's data directory.
    pub(crate) fn kept(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("data/jumper/sessions"))
            .into_iter()
            .flatten()
            .flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

/// Waits for a command that was started.
pub(crate) fn finish(child: Child) -> Done {
    child.wait_with_output().expect("the command ends").into()
}

/// Sends a signal, by the number that kill(1) takes.
pub(crate) fn send(pid: u32, signal: &str) {
    let status = Command::new("kill")
        .args([&format!("-{signal}"), &pid.to_string()])
        .status();
    assert!(status.expect("there is a kill").success());
}

/// A program that is busy in `spin`, which `main` calls, for so many seconds, after it made the file `ready`.
pub(crate) fn busy(seconds: f64) -> String {
    format!(
        "import time\n\
         def spin(end):\n    \
             while time.monotonic() < end:\n        \
                 sum(range(50))\n\
         def main():\n    \
             open('ready', 'w').close()\n    \
             spin(time.monotonic() + {seconds})\n\
         main()\n"
    )
}

/// The path of a session named in the last line of a text report.
pub(crate) fn session_of(report: &str) -> &Path {
    let line = report.lines().last().expect("there is a last line");
    Path::new(
        line.trim()
            .strip_prefix("Session")
            .expect("the last line names the session")
            .trim(),
    )
}

/// A call tree is deeper than the parser allows by default: importing a module takes a dozen frames.
pub(crate) fn parsed(json: &str) -> Value {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.disable_recursion_limit();
    let value = serde::Deserialize::deserialize(&mut deserializer).expect("valid JSON");
    deserializer.end().expect("one JSON document");
    value
}
