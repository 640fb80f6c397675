//! The list of renderers, for people.

use std::io::{self, Write};

use crate::Renderer;
use crate::options::OptionKind;

/// Writes what renderers make, and which options they have.
///
/// # Errors
/// If `out` cannot be written to.
pub fn describe_renderers(renderers: &[&dyn Renderer], out: &mut dyn Write) -> io::Result<()> {
    for (index, renderer) in renderers.iter().enumerate() {
        let about = renderer.about();
        if index > 0 {
            writeln!(out)?;
        }
        let extensions: Vec<String> = about
            .extensions
            .iter()
            .map(|extension| format!(".{extension}"))
            .collect();
        let binary = if about.is_binary { ", binary" } else { "" };
        writeln!(out, "{}  {}", about.name, about.help)?;
        writeln!(
            out,
            "    {}{binary}  {}",
            about.media_type,
            extensions.join(" ")
        )?;
        for option in about.options {
            let wanted = match option.kind {
                OptionKind::Flag { .. } => "true or false".into(),
                kind => kind.wanted(),
            };
            writeln!(
                out,
                "    -p {}={}  {}; {wanted}",
                option.name,
                option.kind.default_text(),
                option.help
            )?;
        }
    }
    Ok(())
}
