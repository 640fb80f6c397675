//! What can go wrong with a report.

use std::io;
use std::path::PathBuf;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// There is no renderer of this name.
    #[error("there is no renderer `{name}`; choose one of {known}", known = known())]
    UnknownRenderer {
        /// What was asked for.
        name: String,
    },
    /// A report cannot be put into this file.
    #[error("cannot write `{}`: {}; choose another place for the report", path.display(), reason(source))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The report could not be written to a stream.
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
    /// A template is wrong.
    #[error("the template failed: {0:#}")]
    Template(#[from] minijinja::Error),
    /// The data of a report could not be encoded.
    #[error("cannot encode the report: {0}")]
    Encode(#[from] serde_json::Error),
}

/// The names of all renderers, for people.
fn known() -> String {
    let names: Vec<&str> = crate::renderers()
        .iter()
        .map(|renderer| renderer.name())
        .collect();
    names.join(", ")
}

/// What the system said, in words that fit into a sentence.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        _ => error.to_string(),
    }
}
