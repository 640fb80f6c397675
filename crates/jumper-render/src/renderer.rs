//! What a renderer is, and which there are.

use std::io::Write;

use jumper_session::{Parts, Session};

use crate::RenderError;
use crate::html::Html;
use crate::json::Json;
use crate::text::Text;

/// How to render. Each renderer reads what concerns it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RenderOptions {
    /// Colours, as terminal escape sequences. Default off.
    pub color: bool,
    /// Box-drawing characters rather than ASCII. Default on.
    pub unicode: bool,
    /// The smallest share of its thread's time that a call must have to be shown in text, from 0 to 1.
    /// Default 0.01.
    pub filter_threshold: f64,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            color: false,
            unicode: true,
            filter_threshold: 0.01,
        }
    }
}

impl RenderOptions {
    /// These options for a terminal that can, or cannot, show colours and Unicode.
    #[must_use]
    pub fn for_terminal(self, color: bool, unicode: bool) -> Self {
        Self {
            color,
            unicode,
            ..self
        }
    }

    /// These options with another threshold for calls in the text report.
    #[must_use]
    pub fn with_filter_threshold(self, filter_threshold: f64) -> Self {
        Self {
            filter_threshold,
            ..self
        }
    }
}

/// Something that turns a session into bytes.
pub trait Renderer: Sync {
    /// The name that users choose it by.
    fn name(&self) -> &'static str;

    /// The extension of its files, without the dot.
    fn extension(&self) -> &'static str;

    /// The media type of its output.
    fn media_type(&self) -> &'static str;

    /// What of a session it looks at, so that the rest need not be [read](Session::read).
    fn needs(&self) -> Parts;

    /// Writes the report.
    ///
    /// # Errors
    /// If it cannot be written; the other [errors](RenderError) are those of particular renderers.
    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError>;
}

/// All renderers.
pub fn renderers() -> &'static [&'static dyn Renderer] {
    &[&Text, &Html, &Json]
}

/// The renderer with this name.
///
/// # Errors
/// [`RenderError::UnknownRenderer`], which lists those that there are.
pub fn renderer(name: &str) -> Result<&'static dyn Renderer, RenderError> {
    let found = renderers().iter().find(|renderer| renderer.name() == name);
    found
        .copied()
        .ok_or_else(|| RenderError::UnknownRenderer { name: name.into() })
}

/// The renderer whose files have this extension (without the dot, in any case).
pub fn renderer_for_extension(extension: &str) -> Option<&'static dyn Renderer> {
    let same =
        |renderer: &&&'static dyn Renderer| renderer.extension().eq_ignore_ascii_case(extension);
    renderers().iter().find(same).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_extensions_are_unique() {
        let names: BTreeSet<_> = renderers().iter().map(|renderer| renderer.name()).collect();
        let extensions: BTreeSet<_> = renderers()
            .iter()
            .map(|renderer| renderer.extension())
            .collect();
        assert_eq!(
            (names.len(), extensions.len()),
            (renderers().len(), renderers().len())
        );
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let Err(error) = renderer("pdf") else {
            panic!("there is none")
        };
        assert_eq!(
            error.to_string(),
            "there is no renderer `pdf`; choose one of text, html, json"
        );
        assert!(renderer_for_extension("HTML").is_some());
        assert!(renderer_for_extension("pdf").is_none());
    }
}
