//! What can be chosen about a report, by name.
//!
//! A renderer declares its options ([`OptionSpec`]); [`RenderOptions`] are values for them that were checked against what is
//! declared. So an option is one constant, in the file of the renderer whose it is, or in [`common`] if several have it.

pub(crate) mod common;
mod kind;
mod parse;

use std::collections::BTreeMap;

use jumper_session::PathPattern;
use serde_json::Value;

pub use kind::OptionKind;
use kind::Setting;
pub use parse::parse_option;

use crate::{RenderError, Renderer};

/// An option that a renderer has.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OptionSpec {
    /// Its name. What belongs together has a prefix with a dot, such as `processor_options.filter_threshold`.
    pub name: &'static str,
    /// Which values it takes, and which one it has by default.
    pub kind: OptionKind,
    /// What it does, in a line.
    pub help: &'static str,
}

impl OptionSpec {
    /// Declares an option.
    pub const fn new(name: &'static str, kind: OptionKind, help: &'static str) -> Self {
        Self { name, kind, help }
    }
}

/// The options of one list and of another, for a renderer that has both.
///
/// # Panics
/// If they are not `N` together, which does not compile where it is a constant.
pub(crate) const fn joined<const N: usize>(
    one: &[OptionSpec],
    other: &[OptionSpec],
) -> [OptionSpec; N] {
    assert!(one.len() + other.len() == N);
    let mut all = [one[0]; N];
    let mut row = 0;
    while row < N {
        all[row] = match row < one.len() {
            true => one[row],
            false => other[row - one.len()],
        };
        row += 1;
    }
    all
}

/// How to render: what was chosen of a renderer's options. What was not has its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenderOptions {
    settings: BTreeMap<&'static str, Setting>,
}

impl RenderOptions {
    /// Checks options by what a renderer declares. Of several values for one option the last one counts. A value is JSON;
    /// an object stands for its members, with their names behind its own and a dot.
    ///
    /// # Errors
    /// [`RenderError::UnknownOption`] and [`RenderError::OptionValue`].
    pub fn of(
        renderer: &dyn Renderer,
        given: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Self, RenderError> {
        let mut options = Self::default();
        for (name, value) in given {
            options.set(renderer, &name, &value)?;
        }
        Ok(options)
    }

    /// Chooses a value for an option of a renderer.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn set(
        &mut self,
        renderer: &dyn Renderer,
        name: &str,
        value: &Value,
    ) -> Result<(), RenderError> {
        let mut pending = vec![(name.to_owned(), value)];
        while let Some((name, value)) = pending.pop() {
            if let Value::Object(members) = value {
                let members = members.iter().rev();
                pending.extend(members.map(|(member, value)| (format!("{name}.{member}"), value)));
                continue;
            }
            let about = renderer.about();
            let Some(spec) = about.options.iter().find(|spec| spec.name == name) else {
                return Err(RenderError::unknown_option(about, name));
            };
            let setting = spec.kind.setting(value);
            let setting = setting.map_err(|wanted| RenderError::OptionValue {
                name: spec.name,
                value: value.to_string(),
                wanted,
            })?;
            self.settings.insert(spec.name, setting);
        }
        Ok(())
    }

    /// Chooses a value where none was chosen, if the renderer has such an option: what the caller has found out about
    /// the terminal, say. A value that the option does not take is left alone.
    pub fn assume(&mut self, renderer: &dyn Renderer, name: &str, value: impl Into<Value>) {
        if !self.settings.contains_key(name) {
            let _ = self.set(renderer, name, &value.into());
        }
    }

    /// Whether a value was chosen for an option.
    pub fn has(&self, name: &str) -> bool {
        self.settings.contains_key(name)
    }

    fn setting(&self, spec: &OptionSpec) -> Setting {
        let chosen = self.settings.get(spec.name).cloned();
        chosen.unwrap_or_else(|| spec.kind.default_setting())
    }

    /// The value of an [`OptionKind::Flag`].
    pub fn flag(&self, spec: &OptionSpec) -> bool {
        matches!(self.setting(spec), Setting::Flag(true))
    }

    /// The value of an [`OptionKind::Number`].
    pub fn number(&self, spec: &OptionSpec) -> f64 {
        match self.setting(spec) {
            Setting::Number(number) => number,
            other => unreachable!("bug: `{}` is no number but {other:?}", spec.name),
        }
    }

    /// The value of an [`OptionKind::Count`]; `None` where it has no limit.
    pub fn count(&self, spec: &OptionSpec) -> Option<u64> {
        match self.setting(spec) {
            Setting::Count(count) => count,
            other => unreachable!("bug: `{}` is no count but {other:?}", spec.name),
        }
    }

    /// The value of an [`OptionKind::Text`] or of an [`OptionKind::Choice`]; `None` where there is none.
    pub fn text(&self, spec: &OptionSpec) -> Option<String> {
        match self.setting(spec) {
            Setting::Text(text) => text,
            other => unreachable!("bug: `{}` is no text but {other:?}", spec.name),
        }
    }

    /// The value of an [`OptionKind::Choice`].
    pub fn choice(&self, spec: &OptionSpec) -> String {
        self.text(spec).unwrap_or_default()
    }

    /// The value of an [`OptionKind::Pattern`].
    pub fn pattern(&self, spec: &OptionSpec) -> Option<PathPattern> {
        match self.setting(spec) {
            Setting::Pattern(pattern) => pattern,
            other => unreachable!("bug: `{}` is no pattern but {other:?}", spec.name),
        }
    }

    /// The value of an [`OptionKind::List`].
    pub fn list(&self, spec: &OptionSpec) -> Vec<String> {
        match self.setting(spec) {
            Setting::List(items) => items,
            other => unreachable!("bug: `{}` is no list but {other:?}", spec.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::common::{FILTER_THRESHOLD, SHOW_ALL};
    use super::*;
    use crate::renderer;

    #[test]
    fn an_object_stands_for_its_members() {
        let text = renderer("text").expect("it is there");
        let given = json!({"filter_threshold": 0.5});
        let options = RenderOptions::of(text, [("processor_options".into(), given)]);
        assert_eq!(
            options.expect("they are right").number(&FILTER_THRESHOLD),
            0.5
        );
    }

    #[test]
    fn what_was_chosen_counts_more_than_what_was_assumed() {
        let text = renderer("text").expect("it is there");
        let given = [("show_all".into(), json!(false))];
        let mut options = RenderOptions::of(text, given).expect("they are right");
        options.assume(text, "show_all", true);
        options.assume(text, "no such option", true);
        assert!(!options.flag(&SHOW_ALL));
    }

    #[test]
    fn an_unknown_option_names_the_nearest_one() {
        let text = renderer("text").expect("it is there");
        let message = |name: &str, value| {
            let options = RenderOptions::of(text, [(name.into(), value)]);
            options.expect_err("it is wrong").to_string()
        };
        assert!(
            message("shwo_all", json!(true)).starts_with(
                "the renderer `text` has no option `shwo_all`; did you mean `show_all`?"
            )
        );
        assert!(message("zzz", json!(1)).contains("choose one of `"));
        assert_eq!(
            message("processor_options.filter_threshold", json!("much")),
            "the option `processor_options.filter_threshold` cannot be \"much\"; pass a number from 0 to 1"
        );
    }
}
