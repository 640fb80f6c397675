//! Metrics over time, as SVG, PNG and JPEG.
//!
//! [`keys`] knows what can be plotted, [`panel`] collects it, [`draw`] makes a [picture](crate::picture) of it. What is not known
//! is a gap, never zero.

mod draw;
mod keys;
mod panel;
mod scale;
mod thin;
mod timeline;

use std::io::Write;

use jumper_session::{CellOutcome, Parts, Session};

use crate::format::{plain, span};
use crate::options::{OptionKind, OptionSpec};
use crate::picture::{Picture, jpeg, message, png, svg};
use crate::theme::{THEME, Theme};
use crate::{About, RenderError, RenderOptions, Renderer, facts};
use draw::{CellSpan, LimitLines, Plot};
use keys::Measured;
use panel::{Panel, Source};
use timeline::{Timeline, cells};

const METRICS: OptionSpec = OptionSpec::new(
    "metrics",
    OptionKind::List {
        default: &[],
        of: &[],
    },
    "what to plot, by JUmPER's keys or by the names of metrics; all is everything [else: what is looked at most]",
);
const LEVEL: OptionSpec = OptionSpec::new(
    "level",
    OptionKind::List {
        default: &[],
        of: &[],
    },
    "of which levels [else: process, or the first there is]",
);
const CELLS: OptionSpec = OptionSpec::new(
    "cells",
    OptionKind::Flag { default: true },
    "bands where notebook cells ran, with their numbers",
);
const IDLE: OptionSpec = OptionSpec::new(
    "idle",
    OptionKind::Choice {
        default: "shown",
        of: &["shown", "compressed"],
    },
    "whether time in which no notebook cell ran is shown or cut out",
);
const LIMITS: OptionSpec = OptionSpec::new(
    "limits",
    OptionKind::Choice {
        default: "near",
        of: &["near", "always", "never"],
    },
    "lines at what there was to use: where something came near to it, always, or never",
);
const TITLE: OptionSpec = OptionSpec::new(
    "title",
    OptionKind::Text,
    "what to write above it instead of the program's name",
);
const WIDTH: OptionSpec = OptionSpec::new(
    "width",
    OptionKind::Number {
        default: 900.0,
        min: 200.0,
        max: 8000.0,
    },
    "width in pixels",
);
const HEIGHT: OptionSpec = OptionSpec::new(
    "height",
    OptionKind::Count {
        default: None,
        min: 100,
    },
    "height in pixels; without, panels have a usual height",
);
const SCALE: OptionSpec = OptionSpec::new(
    "scale",
    OptionKind::Number {
        default: 2.0,
        min: 0.5,
        max: 8.0,
    },
    "pixels of the file for each of the width and the height",
);

/// More pixels than this are a mistake: 256 MB in memory.
const MOST_PIXELS: f64 = 64e6;
/// JPEG has no room for longer sides.
const LONGEST_SIDE: f64 = 65_535.0;
/// The most lines of a panel that come from different levels and hosts.
const MOST_SOURCES: usize = 16;
/// The most panels of a plot.
const MOST_PANELS: usize = 40;

/// What a plot is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Svg,
    Png,
    Jpeg,
}

const SVG: About = About {
    name: "plot",
    help: "metrics over time, with notebook cells and limits",
    extensions: &["svg"],
    media_type: "image/svg+xml",
    is_binary: false,
    options: &[
        METRICS, LEVEL, CELLS, IDLE, LIMITS, TITLE, THEME, WIDTH, HEIGHT,
    ],
};

const PNG: About = About {
    name: "plot-png",
    help: "the same as pixels",
    extensions: &["png"],
    media_type: "image/png",
    is_binary: true,
    options: &[
        METRICS, LEVEL, CELLS, IDLE, LIMITS, TITLE, THEME, WIDTH, HEIGHT, SCALE,
    ],
};

const JPEG: About = About {
    name: "plot-jpeg",
    help: "the same as JPEG",
    extensions: &["jpg", "jpeg"],
    media_type: "image/jpeg",
    ..PNG
};

/// The renderers of plots, one for each format.
pub(crate) struct PlotRenderer(Format);

/// The renderer `plot`.
pub(crate) const PLOT: PlotRenderer = PlotRenderer(Format::Svg);
/// The renderer `plot-png`.
pub(crate) const PLOT_PNG: PlotRenderer = PlotRenderer(Format::Png);
/// The renderer `plot-jpeg`.
pub(crate) const PLOT_JPEG: PlotRenderer = PlotRenderer(Format::Jpeg);

impl Renderer for PlotRenderer {
    fn about(&self) -> &'static About {
        match self.0 {
            Format::Svg => &SVG,
            Format::Png => &PNG,
            Format::Jpeg => &JPEG,
        }
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::METRICS.with(Parts::CELLS)
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let scale = match self.0 {
            Format::Svg => 1.0,
            Format::Png | Format::Jpeg => options.number(&SCALE),
        };
        let picture = picture(session, options, scale)?;
        if self.0 == Format::Svg {
            return Ok(out.write_all(svg(&picture).as_bytes())?);
        }
        let (width, height) = (picture.width * scale, picture.height * scale);
        if width * height > MOST_PIXELS || width.max(height) > LONGEST_SIDE {
            return Err(RenderError::OptionConflict {
                detail: format!(
                    "a picture of {width:.0} by {height:.0} pixels is too large; choose fewer metrics, or a smaller width, \
                     height or scale"
                ),
            });
        }
        match self.0 {
            Format::Jpeg => jpeg(&picture, scale, out)?,
            _ => png(&picture, scale, out)?,
        }
        Ok(())
    }
}

fn picture(session: &Session, options: &RenderOptions, scale: f64) -> Result<Picture, RenderError> {
    let theme = Theme::of(options);
    let sources = sources(session, &options.list(&LEVEL))?;
    let measured = Measured::of(session, &sources);
    if measured.is_empty() {
        return Ok(message("no metrics were recorded", theme));
    }
    let mut keys = measured.keys(&options.list(&METRICS))?;
    keys.truncate(MOST_PANELS);
    let panels: Vec<Panel> = keys
        .iter()
        .map(|key| Panel::of(session, key, &sources))
        .filter(|panel| !panel.series.is_empty())
        .collect();
    let is_compressed = options.choice(&IDLE) == "compressed";
    let shown = whole(session, &panels);
    // Tried without a size, so that what cannot be drawn is found before it is.
    if is_compressed && Timeline::of_cells(session, 0.0, 1.0).is_none() {
        return Err(RenderError::OptionConflict {
            detail: "idle=compressed cuts out the time between notebook cells, and none ran; leave it away".into(),
        });
    }
    let title = options.text(&TITLE);
    let plot = Plot {
        title: title.map_or_else(|| facts::program(session), |title| plain(&title)),
        subtitle: subtitle(session, &sources, is_compressed),
        longest_step: longest_step(&panels),
        panels,
        cells: match options.flag(&CELLS) {
            true => shown_cells(session),
            false => Vec::new(),
        },
        limits: match options.choice(&LIMITS).as_str() {
            "always" => LimitLines::Always,
            "never" => LimitLines::Never,
            _ => LimitLines::Near,
        },
        theme,
        width: options.number(&WIDTH).round(),
        height: options
            .count(&HEIGHT)
            .map(|height| height.min(20_000) as f64),
        density: scale.max(1.0),
    };
    Ok(plot.drawn(|columns| {
        let (left, right) = (columns.left, columns.right);
        let of_cells = is_compressed.then(|| Timeline::of_cells(session, left, right));
        of_cells
            .flatten()
            .unwrap_or_else(|| Timeline::whole(shown, left, right))
    }))
}

/// The levels that are asked for, on all hosts; without a wish, that of the process.
fn sources(session: &Session, wanted: &[String]) -> Result<Vec<Source>, RenderError> {
    let all = crate::metrics::sources(session);
    let level = |source: &Source| session.string(source.1);
    if let Some(missing) = wanted
        .iter()
        .find(|wanted| !all.is_empty() && !all.iter().any(|source| level(source) == **wanted))
    {
        let mut known: Vec<&str> = all.iter().map(level).collect();
        known.sort_unstable();
        known.dedup();
        return Err(RenderError::OptionConflict {
            detail: format!(
                "nothing was measured at a level `{missing}`; there are `{}`",
                known.join("`, `")
            ),
        });
    }
    let process = all.iter().find(|source| level(source) == "process");
    let default = process.or(all.first()).map(level);
    let is_wanted = |source: &&Source| match wanted {
        [] => Some(level(source)) == default,
        wanted => wanted.iter().any(|wanted| level(source) == wanted),
    };
    Ok(all
        .iter()
        .filter(is_wanted)
        .take(MOST_SOURCES)
        .copied()
        .collect())
}

/// All of the recording, and what was measured at its edges.
fn whole(session: &Session, panels: &[Panel]) -> (i64, i64) {
    let length = i64::try_from(session.duration().as_nanos()).unwrap_or(i64::MAX);
    let series = panels.iter().flat_map(|panel| &panel.series);
    let times = series.flat_map(|series| series.line.iter().chain(&series.band));
    let (from, to) = times.fold((0, length), |(from, to), (time, _)| {
        (from.min(*time), to.max(*time))
    });
    match from < to {
        true => (from, to),
        false => (from, from.saturating_add(1_000_000_000)),
    }
}

/// The longest time between two measurements that is no gap: a few times the usual one.
fn longest_step(panels: &[Panel]) -> i64 {
    const FEW: i64 = 5;
    let longest = panels.iter().flat_map(|panel| &panel.series).map(|series| {
        let points = match series.line.is_empty() {
            true => &series.band,
            false => &series.line,
        };
        let mut steps: Vec<i64> = points
            .windows(2)
            .map(|pair| pair[1].0.saturating_sub(pair[0].0))
            .filter(|step| *step > 0)
            .collect();
        let middle = steps.len() / 2;
        if steps.is_empty() {
            return i64::MAX;
        }
        let (_, usual, _) = steps.select_nth_unstable(middle);
        usual.saturating_mul(FEW)
    });
    longest.max().unwrap_or(i64::MAX)
}

fn shown_cells(session: &Session) -> Vec<CellSpan> {
    let spans = cells(session).map(|(number, cell, span)| CellSpan {
        number,
        failed: cell.outcome == CellOutcome::Error,
        span,
    });
    spans.collect()
}

fn subtitle(session: &Session, sources: &[Source], is_compressed: bool) -> String {
    let mut levels: Vec<&str> = Vec::new();
    for (_, level) in sources {
        let level = session.string(*level);
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    let levels = match levels.as_slice() {
        [only] => format!("{} level", plain(only)),
        several => format!("levels {}", plain(&several.join(", "))),
    };
    let idle = match is_compressed {
        true => "  ·  idle time cut out",
        false => "",
    };
    format!(
        "{levels}  ·  {}{idle}  ·  {}",
        span(session.duration()),
        facts::recorded(session)
    )
}
