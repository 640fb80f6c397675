//! Values as Python writes them, so that a table that nothing was changed in is the same text again.

/// The shortest text of a number that is read back as the same, as `repr` has it.
pub(super) fn number(value: f64) -> String {
    let shortest = format!("{value:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    // Of two that are as short and as near, Rust takes the larger one here and Python the even one, as Rust does where the
    // number of digits is given.
    if (-4..16).contains(&exponent) {
        let behind_point = (count as i32 - 1 - exponent).max(1) as usize;
        return format!("{value:.behind_point$}");
    }
    let digits = format!("{value:.*e}", count - 1);
    let digits = digits.split('e').next().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// A list of texts, as `str` has it.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(text).collect();
    format!("[{}]", texts.join(", "))
}

fn text(text: &str) -> String {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    let mut quoted = String::from(quote);
    for char in text.chars() {
        match char {
            '\t' | '\n' | '\r' | '\\' => quoted.extend(char.escape_default()),
            char if char == quote => quoted.extend(['\\', quote]),
            char => quoted.push(char),
        }
    }
    quoted.push(quote);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_python_prints() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (33_825.323_344_696, "33825.323344696"),
            (145_060.0 / 1_048_576.0, "0.13833999633789062"),
            (-1_048_576.5, "-1048576.5"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1.5e-10, "1.5e-10"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn lists_are_what_python_prints() {
        assert_eq!(list([]), "[]");
        assert_eq!(
            list(["time f()", "x 'a'", "y \"a\" 'b'", "\\\t"]),
            r#"['time f()', "x 'a'", 'y "a" \'b\'', '\\\t']"#
        );
    }
}
