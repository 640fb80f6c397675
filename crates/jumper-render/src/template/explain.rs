//! What is wrong with a template, in a line.

use std::error::Error as _;

use minijinja::{Error, ErrorKind, Value};

use super::context::NAMES;
use crate::nearest::nearest;

/// The message, with the causes behind it, and with what there is where something is not.
pub(super) fn explain(error: &Error, variables: &Value) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        let place = place(error).map_or_else(String::new, |place| format!(" (in {place})"));
        return format!("it takes too many steps{place}; is there a loop within a loop?");
    }
    let mut text = error.to_string();
    let mut innermost = error;
    while let Some(cause) = innermost
        .source()
        .and_then(|cause| cause.downcast_ref::<Error>())
    {
        text += &format!(": {cause}");
        innermost = cause;
    }
    match innermost.kind() {
        ErrorKind::UndefinedError | ErrorKind::UnknownFunction => {
            text += &there_is(innermost, variables).unwrap_or_default();
        }
        ErrorKind::UnknownFilter => text += "; docs/templates.md lists the filters",
        _ => {}
    }
    text
}

/// The file and the line.
fn place(error: &Error) -> Option<String> {
    Some(format!("{}:{}", error.name()?, error.line()?))
}

/// What there is instead of what is not: what an object has, or else the variables and functions.
fn there_is(error: &Error, variables: &Value) -> Option<String> {
    let missing = error.detail()?.split('`').nth(1);
    let missing = missing.or_else(|| error.detail()?.split_whitespace().next())?;
    let (object, name) = missing.rsplit_once('.').unwrap_or(("", missing));
    let known: Vec<String> = match object {
        "" => NAMES.iter().map(|name| (*name).into()).collect(),
        object => {
            let mut found = variables.clone();
            for part in object.split('.') {
                found = found.get_attr(part).ok()?;
            }
            found.try_iter().ok()?.map(|key| key.to_string()).collect()
        }
    };
    let names = known.iter().map(|known| known.trim_end_matches("()"));
    let meant = nearest(name, names);
    let meant = meant.map_or_else(String::new, |meant| format!("did you mean `{meant}`? "));
    let of = match object {
        "" => "there are".into(),
        object => format!("`{object}` has"),
    };
    Some(format!("; {meant}{of} {}", known.join(", ")))
}
