//! Where the text of a template comes from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::builtin;
use crate::RenderError;

/// Larger files are no templates.
const LARGEST: u64 = 4 << 20;

/// A template, and where what it includes is.
pub(crate) struct Source {
    /// What messages call it. Its ending says what is escaped.
    pub(super) name: String,
    pub(super) text: String,
    /// Where it lies; `None` for one of ours.
    pub(super) directory: Option<PathBuf>,
}

impl Source {
    /// One of ours, or else a file.
    pub(super) fn of(name: &str) -> Result<Self, RenderError> {
        if let Some(text) = builtin::text(name) {
            return Ok(Self {
                name: name.into(),
                text: text.into(),
                directory: None,
            });
        }
        let path = Path::new(name);
        let text = read(path).map_err(|reason| RenderError::TemplateFile {
            path: path.into(),
            reason: match name.starts_with(builtin::PREFIX) {
                true => format!(
                    "{reason}; ours are {}",
                    builtin::names().collect::<Vec<_>>().join(", ")
                ),
                false => reason,
            },
        })?;
        Ok(Self {
            name: name.into(),
            text,
            directory: Some(path.parent().unwrap_or(Path::new("")).into()),
        })
    }

    /// One of ours.
    pub(crate) fn builtin(name: &'static str) -> Self {
        let text = builtin::text(name).expect("bug: a template of ours is not listed");
        Self {
            name: name.into(),
            text: text.into(),
            directory: None,
        }
    }
}

/// The text of what a template names: one of ours, or a file in the directory of the template or below it. `None` where there is
/// none.
pub(super) fn named(name: &str, directory: Option<&Path>) -> Result<Option<String>, String> {
    if let Some(text) = builtin::text(name) {
        return Ok(Some(text.into()));
    }
    let is_below = name.split('/').all(|part| !part.is_empty() && part != "..");
    let path = match directory {
        Some(directory) if is_below => directory.join(name),
        _ => return Ok(None),
    };
    match path.is_file() {
        true => read(&path).map(Some),
        false => Ok(None),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        _ => error.to_string(),
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}
