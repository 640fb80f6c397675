//! The CPython interpreters that tests can run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The versions that this crate says it supports.
pub(crate) const VERSIONS: [&str; 7] = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"];

/// An interpreter of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// Such as 3.11.
    pub(crate) version: String,
    /// Such as 3.11.7.
    pub(crate) full: String,
    place: Place,
}

/// Where an interpreter is.
#[derive(Clone, Debug)]
enum Place {
    Here(PathBuf),
    /// In a directory with a whole system of its own: only what is below `root` exists for it.
    Below {
        root: PathBuf,
        path: PathBuf,
    },
}

impl Place {
    fn command(&self) -> Command {
        match self {
            Self::Here(path) => Command::new(path),
            Self::Below { root, path } => {
                // It becomes the interpreter: the process keeps its number.
                let mut command = Command::new("chroot");
                command.arg(root).arg(path);
                command
            }
        }
    }

    /// The interpreter at another path of the same system.
    fn with(&self, path: PathBuf) -> Self {
        match self {
            Self::Here(_) => Self::Here(path),
            Self::Below { root, .. } => Self::Below {
                root: root.clone(),
                path,
            },
        }
    }

    fn file(&self) -> PathBuf {
        match self {
            Self::Here(path) => path.clone(),
            Self::Below { root, path } => root.join(path.strip_prefix("/").unwrap_or(path)),
        }
    }
}

impl Python {
    /// A command that runs it.
    pub(crate) fn command(&self) -> Command {
        self.place.command()
    }

    /// A command that runs a script of `tests/targets`.
    pub(crate) fn script(&self, script: &str) -> Command {
        let (mut command, path) = (self.command(), script_path(script));
        match &self.place {
            Place::Here(_) => command.arg(path),
            Place::Below { .. } => {
                let code = std::fs::read_to_string(path).expect("the script is there");
                command.arg("-c").arg(code)
            }
        };
        command
    }
}

/// A virtual environment, which goes with this.
pub(crate) struct Venv {
    pub(crate) python: Python,
    folder: PathBuf,
}

impl Venv {
    /// One of `python`; `None` where its system has no module for that.
    pub(crate) fn of(python: &Python) -> Option<Self> {
        let name = format!("jumper-test-venv-{}-{}", python.version, std::process::id());
        let (inside, folder) = match &python.place {
            Place::Here(_) => {
                let folder = std::env::temp_dir().join(name);
                (folder.clone(), folder)
            }
            Place::Below { root, .. } => {
                (Path::new("/tmp").join(&name), root.join("tmp").join(name))
            }
        };
        let mut command = python.command();
        command.args(["-m", "venv", "--without-pip"]).arg(&inside);
        let venv = Self {
            python: Python {
                place: python.place.with(inside.join("bin/python")),
                ..python.clone()
            },
            folder,
        };
        command.status().ok()?.success().then_some(venv)
    }
}

impl Drop for Venv {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Every supported interpreter that can be found, one for each version.
pub(crate) fn pythons() -> Vec<Python> {
    VERSIONS
        .iter()
        .filter_map(|version| python(version))
        .collect()
}

/// The interpreter of one version: as `pythonX.Y` or `python3` on the path, installed by pyenv, or in the root
/// directory that scripts/pythons.sh makes.
pub(crate) fn python(version: &str) -> Option<Python> {
    let name = format!("python{version}");
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path)
        .flat_map(|folder| [folder.join(&name), folder.join("python3")]);
    let installed = pyenv_root().and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    let by_pyenv = installed
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin").join(&name));
    let below = debian_root().map(|root| Place::Below {
        root,
        path: Path::new("/usr/bin").join(&name),
    });
    on_path
        .chain(by_pyenv)
        .map(Place::Here)
        .chain(below)
        .filter(|place| place.file().exists())
        .find_map(|place| ask(place, version))
}

fn directory_in(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

fn pyenv_root() -> Option<PathBuf> {
    directory_in("PYENV_ROOT").or_else(|| Some(directory_in("HOME")?.join(".pyenv")))
}

fn debian_root() -> Option<PathBuf> {
    directory_in("JUMPER_TEST_ROOT").or_else(|| {
        let cache = directory_in("XDG_CACHE_HOME")
            .or_else(|| Some(directory_in("HOME")?.join(".cache")))?;
        Some(cache.join("jumper/sid"))
    })
}

/// What the interpreter at `place` says that it is. The program itself is used, not a wrapper on the path.
fn ask(place: Place, version: &str) -> Option<Python> {
    let question = "import sys, platform, sysconfig; print(platform.python_version(), \
                    sys.implementation.name, bool(sysconfig.get_config_var('Py_GIL_DISABLED')), sys.executable)";
    let output = place.command().args(["-I", "-c", question]).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    let mut words = answer.trim().splitn(4, ' ');
    let full = words.next()?.to_owned();
    if words.next()? != "cpython"
        || words.next()? == "True"
        || !full.starts_with(&format!("{version}."))
    {
        return None;
    }
    let path = words.next()?.into();
    Some(Python {
        version: version.into(),
        full,
        place: place.with(path),
    })
}

pub(crate) fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/targets")
        .join(script)
}
