//! What templates can ask for.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jumper_session::Session;
use minijinja::value::{Kwargs, Object, ObjectRepr, Serde};
use minijinja::{Environment, Error, ErrorKind, Value, context};
use serde::Serialize;

use crate::data::{self, Recording};
use crate::text::{self, Text};
use crate::{RenderOptions, facts};

/// The variables of a template.
pub(super) fn variables(session: &Session) -> Value {
    context! {
        session => Value::from(Serde(Recording::of(session))),
        facts => Value::from(Serde(facts(session))),
    }
}

/// The names of the variables, and of our functions as they are called.
pub(super) const NAMES: [&str; 9] = [
    "session",
    "facts",
    "functions()",
    "levels()",
    "metrics()",
    "signature()",
    "threads()",
    "cells()",
    "tree()",
];

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: String,
}

/// What stands above a report, as it stands there.
fn facts(session: &Session) -> Vec<Fact> {
    let figures = facts::figures(session).into_iter();
    figures
        .map(|fact| Fact {
            label: fact.label,
            value: fact.value,
        })
        .collect()
}

/// Adds the functions, which work out what is asked for once, when it is asked for.
pub(super) fn add_functions(environment: &mut Environment<'_>, session: &Session) {
    let session = Arc::new(session.clone());
    let functions = Rows::of(&session, data::functions);
    environment.add_function(
        "functions",
        move |limit: Option<usize>, options: Kwargs| -> Result<Value, Error> {
            let by: Option<String> = options.get("by")?;
            options.assert_all_used()?;
            let rows = functions.get();
            let mut rows: Vec<&Value> = rows.iter().collect();
            let key = match by.as_deref() {
                None | Some("self") => None,
                Some("time") => Some("time_s"),
                Some(other) => return Err(no_choice("by", other, "self or time")),
            };
            if let Some(key) = key {
                let time = |row: &Value| {
                    row.get_attr(key)
                        .ok()
                        .and_then(|time| f64::try_from(time).ok())
                };
                rows.sort_by(|one, other| {
                    let (one, other) = (time(one), time(other));
                    other.partial_cmp(&one).unwrap_or(std::cmp::Ordering::Equal)
                });
            }
            Ok(rows
                .into_iter()
                .take(limit.unwrap_or(usize::MAX))
                .cloned()
                .collect())
        },
    );
    let threads = Rows::of(&session, data::threads);
    environment.add_function("threads", move || threads.all());
    let cells = Rows::of(&session, data::cells);
    environment.add_function("cells", move || cells.all());
    let levels = Rows::of(&session, data::levels);
    let all = Arc::clone(&levels);
    environment.add_function("levels", move |level: Option<&str>| -> Value {
        of_level(all.get(), level).cloned().collect()
    });
    environment.add_function("metrics", move |options: Kwargs| -> Result<Value, Error> {
        let (level, name): (Option<String>, Option<String>) =
            (options.get("level")?, options.get("name")?);
        options.assert_all_used()?;
        let mut metrics = Vec::new();
        for level in of_level(levels.get(), level.as_deref()) {
            for metric in level.get_attr("metrics")?.try_iter()? {
                let is_wanted = match &name {
                    Some(name) => metric.get_attr("name")?.as_str() == Some(name),
                    None => true,
                };
                if is_wanted {
                    metrics.push(metric);
                }
            }
        }
        Ok(metrics.into())
    });
    let judged = Arc::clone(&session);
    environment.add_function("signature", move || -> Option<String> {
        facts::signature(&judged)
    });
    environment.add_function("tree", move |options: Kwargs| -> Result<Value, Error> {
        let options = tree_options(&options)?;
        Ok(Value::from_object(Tree {
            session: Arc::clone(&session),
            options,
        }))
    });
}

fn of_level<'a>(levels: &'a [Value], wanted: Option<&str>) -> impl Iterator<Item = &'a Value> {
    levels.iter().filter(move |level| {
        let name = level.get_attr("level").ok();
        wanted.is_none_or(|wanted| name.is_some_and(|name| name.as_str() == Some(wanted)))
    })
}

fn no_choice(name: &str, value: &str, wanted: &str) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("`{name}` cannot be `{value}`; pass {wanted}"),
    )
}

/// Rows that are worked out when they are first asked for.
struct Rows<T> {
    session: Arc<Session>,
    of: fn(&Session) -> Vec<T>,
    rows: OnceLock<Vec<Value>>,
}

impl<T: Serialize> Rows<T> {
    fn of(session: &Arc<Session>, of: fn(&Session) -> Vec<T>) -> Arc<Self> {
        Arc::new(Self {
            session: Arc::clone(session),
            of,
            rows: OnceLock::new(),
        })
    }

    fn get(&self) -> &[Value] {
        self.rows.get_or_init(|| {
            let rows = (self.of)(&self.session);
            rows.iter().map(|row| Value::from(Serde(row))).collect()
        })
    }

    fn all(&self) -> Value {
        self.get().iter().cloned().collect()
    }
}

/// The options of the text report, under their names; `_` stands for a dot.
fn tree_options(given: &Kwargs) -> Result<RenderOptions, Error> {
    let mut options = RenderOptions::default();
    for name in given.args() {
        let value: Value = given.get(name)?;
        let value = serde_json::to_value(&value).map_err(|error| {
            Error::new(ErrorKind::InvalidOperation, format!("`{name}`: {error}"))
        })?;
        options
            .set(&Text, name, &value)
            .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    }
    Ok(options)
}

/// The call tree as text, which is made where it is written.
struct Tree {
    session: Arc<Session>,
    options: RenderOptions,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call tree")
    }
}

impl Object for Tree {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::calls(&self.session, &self.options, &mut IntoFormatter(f)).map_err(|_| fmt::Error)
    }
}

/// Bytes into a formatter, which takes text.
struct IntoFormatter<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl std::io::Write for IntoFormatter<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The tree is written in whole characters: each call here is of one piece of formatted text.
        let text = std::str::from_utf8(bytes).map_err(std::io::Error::other)?;
        self.0.write_str(text).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
