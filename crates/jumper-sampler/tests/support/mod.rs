//! Real interpreters to test against, and programs that run in them.

mod pythons;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use jumper_sampler::Pid;

use pythons::script_path;
pub(crate) use pythons::{Python, VERSIONS, Venv, python, pythons};

/// A Python program that is killed when the test is done with it.
pub(crate) struct Target {
    child: Child,
}

impl Target {
    /// Starts a script of `tests/targets` and waits until it says `ready`.
    pub(crate) fn start(python: &Python, script: &str) -> Self {
        let (target, line) = Self::start_and_hear(python, script);
        assert_eq!(line, "ready", "{script} under {}", python.full);
        target
    }

    /// Starts a script of `tests/targets` and waits for its first line.
    pub(crate) fn start_and_hear(python: &Python, script: &str) -> (Self, String) {
        let child = python
            .script(script)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {python:?}: {error}"));
        let mut target = Self { child };
        let stdout = target.child.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the target speaks");
        (target, line.trim_end().to_owned())
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

/// The text of a script of `tests/targets`.
pub(crate) fn source(script: &str) -> String {
    std::fs::read_to_string(script_path(script)).expect("the script is there")
}

/// The number of the line of `script` that is marked `# line:name`.
pub(crate) fn marked_line(script: &str, name: &str) -> u32 {
    let text = source(script);
    let mark = format!("# line:{name}");
    let line = text
        .lines()
        .position(|line| line.trim_end().ends_with(&mark))
        .expect("the mark is there");
    line as u32 + 1
}
