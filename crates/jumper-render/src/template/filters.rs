//! The filters of templates that are ours: quantities and texts as all our reports have them.

use std::time::Duration;

use jumper_session::path_end;
use minijinja::{Environment, Error, Value};

use super::markdown;
use crate::format;
use crate::metrics::with_unit;

/// Adds them. What is not known (null) is an empty text.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("duration", known(duration));
    environment.add_filter("bytes", known(format::bytes));
    environment.add_filter("percent", known(|share| format::share(share, 1.0)));
    environment.add_filter(
        "count",
        known(|number| format::count(number.round() as u64)),
    );
    environment.add_filter("number", known(format::number));
    environment.add_filter("quantity", |value: Option<f64>, unit: &str| {
        value.map_or_else(String::new, |value| with_unit(value, unit))
    });
    environment.add_filter("plain", |text: &str| format::plain(text));
    environment.add_filter("short_path", |path: &str| path_end(path).to_owned());
    environment.add_filter("left", |value: &Value, width: usize| {
        let text = text_of(value);
        let padding = padding(&text, width);
        text + &padding
    });
    environment.add_filter("right", |value: &Value, width: usize| {
        let text = text_of(value);
        padding(&text, width) + &text
    });
    environment.add_filter("tags", tags);
    environment.add_filter("machine", machine);
    environment.add_filter("csv", csv);
    environment.add_filter("code", |text: &str| {
        Value::from_safe_string(markdown::code(text))
    });
    environment.add_filter("fence", |text: &Value| {
        Value::from_safe_string(markdown::fence(&text.to_string()))
    });
}

/// A filter of numbers.
fn known(format: impl Fn(f64) -> String) -> impl Fn(Option<f64>) -> String {
    move |value| value.map_or_else(String::new, &format)
}

/// What a level was short of, in a line.
fn tags(level: &Value) -> Result<String, Error> {
    let rows = level.get_attr("tags")?.try_iter()?;
    let texts = rows.map(|row| {
        let tag = row.get_attr("tag")?;
        Ok(match f64::try_from(row.get_attr("score")?)? {
            0.0 => tag.to_string(),
            score => format!("{tag} ({})", format::share(score, 1.0)),
        })
    });
    Ok(texts.collect::<Result<Vec<String>, Error>>()?.join(", "))
}

/// What is known of a machine, in a line; empty where nothing is.
fn machine(host: &Value) -> Result<String, Error> {
    let number = |name: &str| Ok::<_, Error>(f64::try_from(host.get_attr(name)?).ok());
    let texts = [
        host.get_attr("name")?.to_string(),
        host.get_attr("os")?.to_string(),
        number("cpus")?.map_or_else(String::new, |cpus| format!("{cpus} CPUs")),
        number("memory_bytes")?.map_or_else(String::new, format::bytes),
    ];
    let gpus = host.get_attr("gpus")?;
    let gpus = gpus.try_iter()?.map(|gpu| gpu.to_string());
    let known = texts
        .into_iter()
        .chain(gpus)
        .filter(|text| !text.is_empty());
    Ok(known.collect::<Vec<_>>().join(", "))
}

/// Seconds, which may be less than none where two things are compared.
fn duration(seconds: f64) -> String {
    let size = Duration::try_from_secs_f64(seconds.abs()).unwrap_or(Duration::MAX);
    match seconds < 0.0 {
        true => format!("-{}", format::span(size)),
        false => format::span(size),
    }
}

fn text_of(value: &Value) -> String {
    match value.is_none() {
        true => String::new(),
        false => value.to_string(),
    }
}

/// A width of more than this is a mistake.
const WIDEST: usize = 1000;

fn padding(text: &str, width: usize) -> String {
    " ".repeat(width.min(WIDEST).saturating_sub(text.chars().count()))
}

/// A field of a line of CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe.
fn csv(value: &Value) -> String {
    let text = text_of(value);
    if value.as_str().is_none() {
        return text;
    }
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text,
    };
    match text.contains([',', '"', '\n', '\r', ';']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stay_fields() {
        let field = |text: &str| csv(&text.into());
        assert_eq!(field("a"), "a");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(csv(&(-1.5).into()), "-1.5");
        assert_eq!(csv(&().into()), "");
    }

    #[test]
    fn less_than_no_time_has_a_sign() {
        assert_eq!(duration(-0.25), "-0.250 s");
        assert_eq!(duration(f64::NAN), format::span(Duration::MAX));
    }
}
