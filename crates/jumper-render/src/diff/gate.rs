//! Whether something became too slow, for those who merge.

use std::fmt;
use std::str::FromStr;

use jumper_session::Comparison;

use super::name_and_place;
use crate::data::{line, path_line};
use crate::format::share;

/// By how much of the whole before something may become slower, as a share of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailAbove(f64);

impl FailAbove {
    /// The share, such as 0.05.
    pub fn share(self) -> f64 {
        self.0
    }
}

impl fmt::Display for FailAbove {
    /// As people write it: `5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The digits that were written, and not those of the nearest share of 1.
        write!(f, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

impl FromStr for FailAbove {
    type Err = String;

    /// Reads a number with a percent sign. Without the sign nobody could tell whether `0.5` is a half of the whole or of a
    /// hundredth.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').map(str::trim_end);
        match (number.unwrap_or(text).parse::<f64>(), number) {
            (Ok(percent), Some(_)) if percent.is_finite() && percent >= 0.0 => {
                Ok(Self(percent / 100.0))
            }
            (Ok(percent), Some(_)) if percent < 0.0 => {
                Err("nothing can be required to become faster; write 0% or more".into())
            }
            (Ok(number), None) if number.is_finite() && number >= 0.0 => Err(format!(
                "is that percent? write {number}% or {}%",
                (number * 1e8).round() / 1e6
            )),
            _ => Err("write a number with a percent sign, such as 5%".into()),
        }
    }
}

/// Something that became slower by more than it may.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// The function; `None` is the whole.
    pub function: Option<String>,
    /// The file of the function.
    pub file: String,
    /// What it took before, in seconds: of a function what it took itself.
    pub before_s: f64,
    /// What it takes now.
    pub after_s: f64,
    /// By how much that is more, as a share of the whole before.
    pub share: f64,
}

impl fmt::Display for Regression {
    /// `work in app.py: 0.300 s before, 0.700 s after (+40 % of the whole)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(name) if self.file.is_empty() => write!(f, "{name}")?,
            Some(name) => write!(f, "{name} in {}", self.file)?,
            None => write!(f, "the whole")?,
        }
        write!(
            f,
            ": {:.3} s before, {:.3} s after (+{} of the whole)",
            self.before_s,
            self.after_s,
            share(self.share, 1.0)
        )
    }
}

impl FailAbove {
    /// What became slower by more than this share of the whole before, and by more than chance explains: the whole first, then
    /// functions by their own time, those first that lost most. None where there was no time before.
    pub(super) fn regressions(self, compared: &Comparison) -> Vec<Regression> {
        let (before, after) = compared.total();
        let (before, after) = (before.as_secs_f64(), after.as_secs_f64());
        if before <= 0.0 {
            return Vec::new();
        }
        let is_too_slow = |change: f64| change / before > self.0;
        let whole = Regression {
            function: None,
            file: String::new(),
            before_s: before,
            after_s: after,
            share: (after - before) / before,
        };
        let is_whole = compared.is_total_significant() && is_too_slow(after - before);
        let functions = compared.functions().into_iter();
        let slower = functions
            .filter(|function| function.is_significant() && is_too_slow(function.change()));
        let functions = slower.map(|function| {
            let (name, file) = name_and_place(&function.label);
            Regression {
                function: Some(line(name)),
                file: path_line(file),
                before_s: function.before.time.as_secs_f64(),
                after_s: function.after.time.as_secs_f64(),
                share: function.change() / before,
            }
        });
        is_whole
            .then_some(whole)
            .into_iter()
            .chain(functions)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_has_a_percent_sign() {
        let of = |text: &str| text.parse::<FailAbove>();
        assert_eq!(of("5%").map(FailAbove::share), Ok(0.05));
        assert_eq!(
            of("7 %").map(|threshold| threshold.to_string()),
            Ok("7%".into())
        );
        assert_eq!(
            of("0.1%").map(|threshold| threshold.to_string()),
            Ok("0.1%".into())
        );
        assert_eq!(of("250%").map(FailAbove::share), Ok(2.5));
        let refused = |text: &str| of(text).expect_err("it is wrong");
        assert_eq!(refused("5"), "is that percent? write 5% or 500%");
        assert_eq!(refused("0.05"), "is that percent? write 0.05% or 5%");
        assert_eq!(
            refused("-1%"),
            "nothing can be required to become faster; write 0% or more"
        );
        for wrong in ["abc", "", "%", "nan%", "inf%", "-1", "5%%"] {
            assert_eq!(
                refused(wrong),
                "write a number with a percent sign, such as 5%"
            );
        }
    }
}
