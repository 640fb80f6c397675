//! Quantities and texts as people read them. The same in every report.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use jumper_session::{ClockAnchor, Function};

/// A span of time in seconds, with as many decimals as make sense for its size: `12.3 s`, `4.812 s`, `0.35 ms`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s >= 100.0 => format!("{s:.1} s"),
        s if s >= 0.1 => format!("{s:.3} s"),
        s if s > 0.0 => format!("{:.2} ms", s * 1000.0),
        _ => "0 s".into(),
    }
}

/// A whole number with its thousands apart: `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `part` of `whole` in percent with two digits that mean something: `100 %`, `99.98 %`, `4.1 %`, `0.06 %`.
pub(crate) fn share(part: f64, whole: f64) -> String {
    if whole <= 0.0 {
        return "0 %".into();
    }
    match 100.0 * part / whole {
        0.0 => "0 %".into(),
        100.0 => "100 %".into(),
        percent if percent < 0.01 => "<0.01 %".into(),
        percent if percent < 1.0 || percent > 99.0 && percent < 100.0 => format!("{percent:.2} %"),
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// A number with three digits that mean something, and no more than two decimals; nothing is `0`.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// So many bytes, in MiB or GiB.
pub(crate) fn bytes(bytes: f64) -> String {
    let mebibytes = bytes / f64::from(1 << 20);
    match mebibytes.abs() {
        size if size < 1024.0 => format!("{} MiB", number(mebibytes)),
        _ => format!("{} GiB", number(mebibytes / 1024.0)),
    }
}

/// The time of day at which a session began, where it was recorded: `2026-11-21 10:00:00 +0100`.
pub(crate) fn wall_clock(anchor: &ClockAnchor, unix_ns: i64) -> String {
    let utc = DateTime::from_timestamp_nanos(unix_ns);
    let zone = FixedOffset::east_opt(anchor.utc_offset_s)
        .unwrap_or(FixedOffset::east_opt(0).expect("bug: UTC"));
    utc.with_timezone(&zone)
        .format("%Y-%m-%d %H:%M:%S %z")
        .to_string()
}

/// A text from the observed program, on one line and without power over a terminal or a reader: control
/// characters and those that turn the direction of writing are spelled out.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => plain.push_str("\\n"),
            '\t' => plain.push_str("\\t"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                let _ = write!(plain, "\\x{:02x}", character as u32);
            }
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                let _ = write!(plain, "\\u{:04x}", character as u32);
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// What to call a function that ran as a method of `class`.
///
/// The qualified name says where a method was written, the class whose it is: `FastWorker.run` for what `FastWorker`
/// inherits as `Worker.run`. Functions within functions keep their qualified name.
pub(crate) fn call_name<'a>(function: &Function<'a>, class: Option<&str>) -> Cow<'a, str> {
    let Some(class) = class else {
        return function.display_name().into();
    };
    let owner = function.qualname.and_then(|qualname| {
        let owner = qualname.strip_suffix(function.name)?.strip_suffix('.')?;
        Some(owner.rsplit_once('.').map_or(owner, |(_, last)| last))
    });
    match owner {
        Some(owner) if owner == class || owner == "<locals>" => function.display_name().into(),
        _ => format!("{class}.{}", function.name).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_decimals_for_their_size() {
        let spans = [0, 350_000, 4_812_345_678, 130_000_000_000]
            .map(|nanos| span(Duration::from_nanos(nanos)));
        assert_eq!(spans, ["0 s", "0.35 ms", "4.812 s", "130.0 s"]);
    }

    #[test]
    fn shares_never_round_to_all_or_nothing() {
        let shares = [
            (0.0, 5.0),
            (1.0, 1e6),
            (5.0, 5.0),
            (4999.0, 5000.0),
            (2.0, 4700.0),
            (1.0, 3.0),
            (0.0, 0.0),
        ];
        let shares = shares.map(|(part, whole)| share(part, whole));
        assert_eq!(
            shares,
            [
                "0 %", "<0.01 %", "100 %", "99.98 %", "0.04 %", "33 %", "0 %"
            ]
        );
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!(
            [7, 999, 1000, 1_234_567].map(count),
            ["7", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn a_name_has_no_power_over_the_terminal() {
        assert_eq!(
            plain("a\x1b[31mb\nc\u{202e}d\u{9b}é"),
            "a\\x1b[31mb\\nc\\u202ed\\x9bé"
        );
    }

    #[test]
    fn a_method_is_called_by_the_class_whose_it_is() {
        let name = |qualname: Option<&str>, name, class| {
            let function = Function {
                name,
                qualname,
                file: "",
                first_line: 1,
                hidden: false,
            };
            call_name(&function, class).into_owned()
        };
        let cases = [
            ("Worker.run", "run", Some("FastWorker"), "FastWorker.run"),
            ("Worker.run", "run", Some("Worker"), "Worker.run"),
            ("Worker.run", "run", None, "Worker.run"),
            ("Outer.Inner.run", "run", Some("Inner"), "Outer.Inner.run"),
            (
                "main.<locals>.W.run",
                "run",
                Some("W"),
                "main.<locals>.W.run",
            ),
            (
                "W.run.<locals>.<lambda>",
                "<lambda>",
                Some("W"),
                "W.run.<locals>.<lambda>",
            ),
            ("patched", "patched", Some("Worker"), "Worker.patched"),
        ];
        for (qualname, plain, class, shown) in cases {
            assert_eq!(name(Some(qualname), plain, class), shown);
        }
        assert_eq!(name(None, "run", Some("Worker")), "Worker.run");
        assert_eq!(name(None, "run", None), "run");
    }

    #[test]
    fn the_time_of_day_is_that_of_the_place() {
        let anchor = ClockAnchor {
            utc_offset_s: 3600,
            ..ClockAnchor::default()
        };
        assert_eq!(
            wall_clock(&anchor, 1_700_000_000_000_000_000),
            "2023-11-14 23:13:20 +0100"
        );
    }
}
