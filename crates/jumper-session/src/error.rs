//! What can go wrong with a session, in words that say what to do.
//!
//! Every message is one line: it names the path, what is wrong and the remedy. Paths and names come
//! from elsewhere, so that control characters in them are escaped before they reach a terminal.

use std::fmt::{self, Display};
use std::io;
use std::path::{Path, PathBuf};

/// The result of an operation on sessions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a session could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is something at the path, but no session.
    #[error(
        "`{}` is not a jumper session: {detail}; pass the directory that `jumper run --session` wrote",
        OneLine(.path.display())
    )]
    NotASession {
        /// The path that was given.
        path: PathBuf,
        /// How one can tell.
        detail: &'static str,
    },

    /// The session has a higher format version than this crate reads.
    #[error(
        "`{}` was written by a newer jumper (format {found}, this one reads up to {supported}); upgrade \
         jumper",
        OneLine(.path.display())
    )]
    NewerFormat {
        /// The session.
        path: PathBuf,
        /// Its format version.
        found: u64,
        /// The highest version that can be read.
        supported: u32,
    },

    /// A file of the session is missing or ends too early.
    #[error(
        "`{}` is incomplete: {file} is missing or cut off; record again or restore the directory",
        OneLine(.path.display())
    )]
    Incomplete {
        /// The session.
        path: PathBuf,
        /// The file within it.
        file: &'static str,
    },

    /// A file of the session holds something that it must not.
    #[error(
        "`{}` is damaged: {file}{}: {}; record again or restore the directory",
        OneLine(.path.display()), InColumn(.column), OneLine(.detail)
    )]
    Damaged {
        /// The session.
        path: PathBuf,
        /// The file within it.
        file: &'static str,
        /// The column within the file, if it is one column's fault.
        column: Option<String>,
        /// What is wrong.
        detail: String,
    },

    /// The system refused to read.
    #[error("cannot read `{}`: {}; {}", OneLine(.path.display()), reason(.source), read_remedy(.source))]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The system refused to write.
    #[error("cannot write `{}`: {}; {}", OneLine(.path.display()), reason(.source), write_remedy(.source))]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// Something that is not a session is where one was to be written.
    #[error(
        "cannot write `{}`: something else than a jumper session, or more, is there; remove it or choose \
         another place with -o or --session",
        OneLine(.path.display())
    )]
    Occupied {
        /// The path that was given.
        path: PathBuf,
    },

    /// The recording is still going on.
    #[error(
        "`{}` is still being recorded; wait for the end, or end its recorder, and try again",
        OneLine(.path.display())
    )]
    BeingRecorded {
        /// The session.
        path: PathBuf,
    },

    /// There is no time in an interval.
    #[error("an interval must be a number of seconds that is more than 0; pass one such as 0.01")]
    NoInterval,

    /// No session was named.
    #[error("there is nothing to merge; name the sessions")]
    NothingToMerge,

    /// Two sessions measure something different under the same name.
    #[error(
        "the sessions cannot be merged: they measure `{}` in different units; record them with the same version of jumper",
        OneLine(.name)
    )]
    MergeConflict {
        /// The name of the metric.
        name: String,
    },

    /// There is nothing in the part that was selected.
    #[error(
        "nothing was recorded in what is selected; select more time, other threads or another mode"
    )]
    EmptySelection,

    /// What was asked for is not in the session.
    #[error(
        "there is no {kind} `{}` in the session; there are {}",
        OneLine(.wanted), OneLine(.known)
    )]
    NotThere {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        wanted: String,
        /// The names that there are, or some of them.
        known: String,
    },

    /// There are no such cells.
    #[error("{}", no_such_cell(.span, *.count))]
    NoSuchCell {
        /// What was asked for.
        span: String,
        /// How many cells there are.
        count: usize,
    },

    /// A file of another program ends too early.
    #[error(
        "`{}` is not a whole session of {format}: it is cut off; save it again or restore it",
        OneLine(.path.display())
    )]
    ForeignIncomplete {
        /// The file.
        path: PathBuf,
        /// The program that writes such files.
        format: &'static str,
    },

    /// A file of another program holds something that it must not.
    #[error(
        "`{}` cannot be read as a session of {format}: {}{}{}; save it again or restore it",
        OneLine(.path.display()), InFile(.file), OfKey(.key), OneLine(.detail)
    )]
    ForeignDamaged {
        /// The file or directory.
        path: PathBuf,
        /// The program that writes such files.
        format: &'static str,
        /// The file within the directory or archive.
        file: Option<String>,
        /// The key or column within the file, if it is one's fault.
        key: Option<String>,
        /// What is wrong.
        detail: String,
    },

    /// A session that the files of another program have no room for.
    #[error("the session cannot be written as one of {format}: {detail}")]
    Inexpressible {
        /// The program that reads such files.
        format: &'static str,
        /// What there is no room for, and what to do.
        detail: &'static str,
    },

    /// A zip file that holds no session, or something else besides.
    #[error(
        "`{}` is no session in a zip file: {}; pack the directory NAME.jumper anew, or ask for it again",
        OneLine(.path.display()), OneLine(.detail)
    )]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },

    /// A name that says nothing about what a file is to be.
    #[error(
        "cannot tell from the name what to write to `{}`; let it end in one of {}, or name the format with --to",
        OneLine(.path.display()), crate::formats::extensions()
    )]
    UnknownFormat {
        /// The path that was given.
        path: PathBuf,
    },

    /// A text that was to be a regular expression is none.
    #[error(
        "`{}` is not a regular expression that can be used: {}; see https://docs.rs/regex/#syntax for what can be \
         written",
        OneLine(.pattern), OneLine(.detail)
    )]
    Pattern {
        /// The text.
        pattern: String,
        /// What is wrong.
        detail: String,
    },

    /// A metric has a name that no column can have.
    #[error(
        "`{}` cannot be the name of a metric: it must not be empty, `time`, `host` or `level`; give it \
         another name",
        OneLine(.name)
    )]
    MetricName {
        /// The name.
        name: String,
    },
}

fn no_such_cell(span: &str, count: usize) -> String {
    match count {
        0 => format!("there are no cells `{span}`: the recording has no cells"),
        _ => format!(
            "there are no cells `{span}`; the recording has 0 to {}, and -1 is the last one",
            count - 1
        ),
    }
}

impl Error {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.into(),
            source,
        }
    }

    /// The same error, of what came from the file `of`.
    pub(crate) fn in_place_of(mut self, of: &Path) -> Self {
        match &mut self {
            Self::NotASession { path, .. }
            | Self::NewerFormat { path, .. }
            | Self::Incomplete { path, .. }
            | Self::Damaged { path, .. }
            | Self::ForeignDamaged { path, .. }
            | Self::Read { path, .. } => *path = of.into(),
            _ => {}
        }
        self
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.into(),
            source,
        }
    }
}

/// The text of a value with its control characters escaped.
struct OneLine<T>(T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.to_string().chars() {
            match char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') {
                true => write!(f, "{}", char.escape_default())?,
                false => write!(f, "{char}")?,
            }
        }
        Ok(())
    }
}

/// ", column `name`", or nothing.
struct InColumn<'a>(&'a Option<String>);

impl Display for InColumn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |name| write!(f, ", column `{}`", OneLine(name)))
    }
}

/// "name: ", or nothing.
struct InFile<'a>(&'a Option<String>);

impl Display for InFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |name| write!(f, "{}: ", OneLine(name)))
    }
}

/// "`name`: ", or nothing.
struct OfKey<'a>(&'a Option<String>);

impl Display for OfKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |name| write!(f, "`{}`: ", OneLine(name)))
    }
}

/// What the system said, in lower case and without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::NotFound => "no such file or directory".into(),
        io::ErrorKind::StorageFull => "no space left".into(),
        io::ErrorKind::ReadOnlyFilesystem => "read-only file system".into(),
        _ => OneLine(error).to_string(),
    }
}

fn read_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "ask its owner for access",
        io::ErrorKind::NotFound => "check the path",
        _ => "check the disk and try again",
    }
}

fn write_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "create the directory around it first",
        io::ErrorKind::StorageFull => {
            "free some space or choose another place with -o or --session"
        }
        _ => "choose another place with -o or --session",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_is_wrong_and_what_to_do() {
        let path = PathBuf::from("x.jumper");
        let messages = [
            (
                Error::NotASession {
                    path: path.clone(),
                    detail: "it has no manifest.json",
                },
                "`x.jumper` is not a jumper session: it has no manifest.json; pass the directory that \
                 `jumper run --session` wrote",
            ),
            (
                Error::NewerFormat {
                    path: path.clone(),
                    found: 2,
                    supported: 1,
                },
                "`x.jumper` was written by a newer jumper (format 2, this one reads up to 1); upgrade \
                 jumper",
            ),
            (
                Error::Incomplete {
                    path: path.clone(),
                    file: "samples.parquet",
                },
                "`x.jumper` is incomplete: samples.parquet is missing or cut off; record again or \
                 restore the directory",
            ),
            (
                Error::ForeignDamaged {
                    path: path.clone(),
                    format: "pyinstrument",
                    file: None,
                    key: Some("duration".into()),
                    detail: "it is negative".into(),
                },
                "`x.jumper` cannot be read as a session of pyinstrument: `duration`: it is negative; save \
                 it again or restore it",
            ),
            (
                Error::ForeignIncomplete {
                    path: path.clone(),
                    format: "pyinstrument",
                },
                "`x.jumper` is not a whole session of pyinstrument: it is cut off; save it again or \
                 restore it",
            ),
            (
                Error::write(&path, io::ErrorKind::PermissionDenied.into()),
                "cannot write `x.jumper`: permission denied; choose another place with -o or --session",
            ),
        ];
        for (error, expected) in messages {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn hostile_names_stay_on_one_line() {
        let error = Error::Damaged {
            path: "a\nb\x1b[31m".into(),
            file: "metrics.parquet",
            column: Some("c\r\n".into()),
            detail: "bad\u{2028}thing".into(),
        };
        assert_eq!(
            error.to_string(),
            "`a\\nb\\u{1b}[31m` is damaged: metrics.parquet, column `c\\r\\n`: bad\\u{2028}thing; record \
             again or restore the directory"
        );
    }
}
