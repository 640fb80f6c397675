//! What can go wrong with a report.

use std::io;
use std::path::PathBuf;

use crate::nearest::nearest;
use crate::renderer::About;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// There is no renderer of this name.
    #[error("there is no renderer `{name}`; {}choose one of {}", meant(name, known()), known().join(", "))]
    UnknownRenderer {
        /// What was asked for.
        name: String,
    },
    /// What was to be an option has no name.
    #[error("`{text}` is no option; write NAME=VALUE")]
    OptionSyntax {
        /// What was passed.
        text: String,
    },
    /// The renderer has no option of this name.
    #[error(
        "the renderer `{renderer}` has no option `{name}`; {}{}",
        meant(name, known.iter().copied()),
        choices(known)
    )]
    UnknownOption {
        /// The renderer.
        renderer: &'static str,
        /// What was asked for.
        name: String,
        /// The options that it has.
        known: Vec<&'static str>,
    },
    /// An option does not take this value.
    #[error("the option `{name}` cannot be {value}; pass {wanted}")]
    OptionValue {
        /// The option.
        name: &'static str,
        /// What was passed, as JSON.
        value: String,
        /// What it takes.
        wanted: String,
    },
    /// Options contradict each other.
    #[error("{detail}")]
    OptionConflict {
        /// Which, and what to do about it.
        detail: String,
    },
    /// Nothing of this name was measured.
    #[error("there are no measurements of `{name}`; {}{}", meant(name, known.iter().map(String::as_str)), measured(known))]
    UnknownMetric {
        /// What was asked for.
        name: String,
        /// What there are measurements of.
        known: Vec<String>,
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
    /// A template cannot be read.
    #[error("cannot read the template `{}`: {reason}", path.display())]
    TemplateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A template is wrong.
    #[error("the template failed: {detail}")]
    Template {
        /// What is wrong, and where: file and line.
        detail: String,
    },
    /// The data of a report could not be encoded.
    #[error("cannot encode the report: {0}")]
    Encode(#[from] serde_json::Error),
}

impl RenderError {
    pub(crate) fn unknown_option(about: &About, name: String) -> Self {
        Self::UnknownOption {
            renderer: about.name,
            name,
            known: about.options.iter().map(|spec| spec.name).collect(),
        }
    }

    /// Whether the one who asked has to ask otherwise.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::UnknownRenderer { .. }
                | Self::OptionSyntax { .. }
                | Self::UnknownOption { .. }
                | Self::OptionValue { .. }
                | Self::OptionConflict { .. }
                | Self::UnknownMetric { .. }
        )
    }
}

/// The names of all renderers.
fn known() -> Vec<&'static str> {
    let renderers = crate::renderers().iter();
    renderers.map(|renderer| renderer.about().name).collect()
}

/// What was meant, if something is like it.
fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |nearest| format!("did you mean `{nearest}`? "))
}

fn choices(known: &[&str]) -> String {
    match known {
        [] => "it has none".into(),
        known => format!("choose one of `{}`", known.join("`, `")),
    }
}

fn measured(known: &[String]) -> String {
    format!("there are those of `{}`", known.join("`, `"))
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
