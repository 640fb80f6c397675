//! `jumper plot SESSION -o FILE`

use std::path::Path;

use jumper_render::{RenderOptions, Renderer, parse_option, renderer, renderer_for_file};
use serde_json::{Value, json};

use crate::args::{IdleArg, PlotArgs, ThemeArg};
use crate::error::CliError;
use crate::input;
use crate::output::Target;
use crate::select;

pub(crate) fn plot(arguments: &PlotArgs) -> Result<u8, CliError> {
    let renderer = renderer_of(&arguments.outfile)?;
    let options = options(arguments, renderer)?;
    let parts = renderer
        .needs(&options)
        .with(select::needs(&arguments.select));
    let target = match arguments.outfile == Path::new("-") {
        true => Target::Stream {
            renderer,
            options,
            to_stdout: true,
        },
        false => Target::File {
            renderer,
            options,
            path: arguments.outfile.clone(),
        },
    };
    let session = input::open(&arguments.session, parts)?;
    if session.metrics().is_empty() {
        return Err(CliError::Failed(format!(
            "there are no metrics in `{}`, only calls; `jumper render` shows those",
            arguments.session.display()
        )));
    }
    let session = select::select(session, &arguments.select)?;
    if session.metrics().is_empty() {
        return Err(CliError::Failed(
            "nothing was measured in the part that was selected; select more of it".into(),
        ));
    }
    target.check()?;
    target.write(&session)?;
    Ok(0)
}

/// The renderer for a file of this name. Of two that make SVG it is not the flame graph.
fn renderer_of(file: &Path) -> Result<&'static dyn Renderer, CliError> {
    const NAMES: [&str; 3] = ["plot", "plot-png", "plot-jpeg"];
    if file == Path::new("-") {
        return Ok(renderer(NAMES[0])?);
    }
    let extension = file.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_lowercase();
    for name in NAMES {
        let known = renderer(name)?;
        if known.about().extensions.contains(&extension.as_str()) {
            return Ok(known);
        }
    }
    let name = file.file_name().and_then(|name| name.to_str());
    let hint = match renderer_for_file(name.unwrap_or_default()) {
        Some(_) => "; `jumper render` makes such files",
        None => "",
    };
    Err(CliError::Usage(format!(
        "`{}` is no picture; end it in .svg, .png or .jpg{hint}",
        file.display()
    )))
}

fn options(arguments: &PlotArgs, renderer: &dyn Renderer) -> Result<RenderOptions, CliError> {
    let mut given: Vec<(String, Value)> = Vec::new();
    if !arguments.metrics.is_empty() {
        given.push(("metrics".into(), json!(arguments.metrics)));
    }
    // Levels that are selected are those that are plotted.
    if !arguments.select.level.is_empty() {
        given.push(("level".into(), json!(arguments.select.level)));
    }
    if arguments.idle == IdleArg::Compressed {
        given.push(("idle".into(), json!("compressed")));
    }
    if arguments.theme == ThemeArg::Dark {
        given.push(("theme".into(), json!("dark")));
    }
    for option in &arguments.render_option {
        given.push(parse_option(option)?);
    }
    Ok(RenderOptions::of(renderer, given)?)
}
