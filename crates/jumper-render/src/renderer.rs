//! What a renderer is, and which there are.

use std::io::Write;

use jumper_session::{Parts, Session};

use crate::flamegraph::Flamegraph;
use crate::html::Html;
use crate::interchange::{Collapsed, Firefox, Perfetto, Pprof, Pstats, Pyisession, Speedscope};
use crate::json::Json;
use crate::markdown::Markdown;
use crate::options::OptionSpec;
use crate::perfreport::{PerfReport, PerfReportHtml};
use crate::plot::{PLOT, PLOT_JPEG, PLOT_PNG};
use crate::summary::Summary;
use crate::template::Template;
use crate::text::Text;
use crate::{RenderError, RenderOptions};

/// What a renderer says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name that users choose it by.
    pub name: &'static str,
    /// What it makes, in a line.
    pub help: &'static str,
    /// The extensions of its files, without the dot, the customary one first. What is after a dot of an extension belongs to
    /// it: `pb.gz`.
    pub extensions: &'static [&'static str],
    /// The media type of its output.
    pub media_type: &'static str,
    /// Whether the output is no text.
    pub is_binary: bool,
    /// What can be chosen.
    pub options: &'static [OptionSpec],
}

impl About {
    /// The customary extension of its files.
    pub fn extension(&self) -> &'static str {
        self.extensions.first().copied().unwrap_or("txt")
    }
}

/// Something that turns a session into bytes.
pub trait Renderer: Sync {
    /// What it says of itself.
    fn about(&self) -> &'static About;

    /// What of a session it looks at with these options, so that the rest need not be [read](Session::read).
    fn needs(&self, options: &RenderOptions) -> Parts;

    /// Finds out what is wrong with options before any work is put into a report: that they contradict each other, or what has
    /// to be looked at elsewhere, such as a file that one names.
    ///
    /// # Errors
    /// Those that [`render`](Self::render) would give.
    fn check(&self, _options: &RenderOptions) -> Result<(), RenderError> {
        Ok(())
    }

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
    // Another renderer is another line. Of several with the same extension the first one has it.
    &[
        &Text,
        &Html,
        &Json,
        &PerfReport,
        &PerfReportHtml,
        &Markdown,
        &Summary,
        &Template,
        &Flamegraph,
        &PLOT,
        &PLOT_PNG,
        &PLOT_JPEG,
        &Speedscope,
        &Pstats,
        &Pyisession,
        &Collapsed,
        &Pprof,
        &Firefox,
        &Perfetto,
    ]
}

/// The renderer with this name.
///
/// # Errors
/// [`RenderError::UnknownRenderer`], which lists those that there are.
pub fn renderer(name: &str) -> Result<&'static dyn Renderer, RenderError> {
    let found = renderers().iter().find(|known| known.about().name == name);
    found
        .copied()
        .ok_or_else(|| RenderError::UnknownRenderer { name: name.into() })
}

/// The renderer for files of this name, by the longest extension that there is one for, in any case.
pub fn renderer_for_file(name: &str) -> Option<&'static dyn Renderer> {
    let name = name.to_lowercase();
    let mut found: Option<(usize, &'static dyn Renderer)> = None;
    for &renderer in renderers() {
        for extension in renderer.about().extensions {
            let is_its = name
                .strip_suffix(extension)
                .is_some_and(|stem| stem.ends_with('.'));
            if is_its && found.is_none_or(|(length, _)| extension.len() > length) {
                found = Some((extension.len(), renderer));
            }
        }
    }
    found.map(|(_, renderer)| renderer)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_renderer_has_an_extension() {
        let names: BTreeSet<_> = renderers().iter().map(|known| known.about().name).collect();
        assert_eq!(names.len(), renderers().len());
        for renderer in renderers() {
            let about = renderer.about();
            assert!(!about.extensions.is_empty(), "{}", about.name);
            let options: BTreeSet<_> = about.options.iter().map(|spec| spec.name).collect();
            assert_eq!(options.len(), about.options.len(), "{}", about.name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let Err(error) = renderer("jsn") else {
            panic!("there is none")
        };
        let known: Vec<&str> = renderers().iter().map(|known| known.about().name).collect();
        assert_eq!(
            error.to_string(),
            format!(
                "there is no renderer `jsn`; did you mean `json`? choose one of {}",
                known.join(", ")
            )
        );
    }

    #[test]
    fn a_file_says_by_its_name_who_makes_it() {
        let name = |file| renderer_for_file(file).map(|renderer| renderer.about().name);
        assert_eq!(name("report.HTML"), Some("html"));
        assert_eq!(name("report.json"), Some("json"));
        assert_eq!(name("html"), None);
        assert_eq!(name("report.pdf"), None);
    }
}
