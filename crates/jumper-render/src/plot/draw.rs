//! A plot as a picture: panels one above the other over one time axis, with the notebook's cells behind them.

use super::panel::{Panel, Series};
use super::scale::{Axis, Unit, moments};
use super::thin::{Run, Sample, area, line, thinned};
use super::timeline::Timeline;
use crate::picture::{Anchor, Picture, Shape, Text, fitted, text_width};
use crate::theme::{Rgb, Theme};

const MARGIN: f64 = 16.0;
const TITLE_SIZE: f64 = 16.0;
const LABEL_SIZE: f64 = 12.5;
const SMALL_SIZE: f64 = 11.0;
/// What stands above the panels, without cells.
const HEAD: f64 = 58.0;
/// Numbers of cells.
const CELLS: f64 = 18.0;
/// What stands above a panel, and the room below it.
const PANEL_HEAD: f64 = 33.0;
const PANEL_FOOT: f64 = 11.0;
/// The time axis.
const FOOT: f64 = 24.0;
/// A panel with nothing asked of its height.
const PANEL_HEIGHT: f64 = 110.0;
/// A panel in which nothing could be made out is no panel.
const LEAST_HEIGHT: f64 = 24.0;
/// More lines than this are told apart by shades.
const COLOURS: usize = 5;

/// A run of a cell, as it is shown.
pub(super) struct CellSpan {
    pub(super) number: usize,
    pub(super) failed: bool,
    pub(super) span: (i64, i64),
}

/// Which limits are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitLines {
    /// Those that something came near to; the others are named.
    Near,
    Always,
    Never,
}

/// What is drawn, and how.
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) panels: Vec<Panel>,
    pub(super) cells: Vec<CellSpan>,
    pub(super) limits: LimitLines,
    pub(super) theme: Theme,
    pub(super) width: f64,
    /// All of it, if it was asked for.
    pub(super) height: Option<f64>,
    /// Points that are measured for each pixel of the width.
    pub(super) density: f64,
    /// The longest time between two measurements that follow each other.
    pub(super) longest_step: i64,
}

/// Where the lines of all panels begin and end.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) left: f64,
    pub(super) right: f64,
}

/// Where the lines of a panel are.
struct Room {
    columns: Columns,
    top: f64,
    bottom: f64,
}

impl Room {
    fn y(&self, axis: &Axis, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * axis.share(value)
    }
}

impl Plot {
    /// Draws it; `timeline` makes the time axis for the columns that there are.
    pub(super) fn drawn(&self, timeline: impl FnOnce(Columns) -> Timeline) -> Picture {
        let head = HEAD + if self.cells.is_empty() { 0.0 } else { CELLS };
        let count = self.panels.len() as f64;
        let around = head + FOOT + count * (PANEL_HEAD + PANEL_FOOT);
        let of_height = |height: f64| ((height - around) / count).floor();
        let panel_height = self
            .height
            .map_or(PANEL_HEIGHT, of_height)
            .max(LEAST_HEIGHT);
        let axes: Vec<Axis> = self
            .panels
            .iter()
            .map(|panel| self.axis(panel, panel_height))
            .collect();
        let columns = self.columns(&axes);
        let timeline = timeline(columns);
        let mut drawing = Drawing {
            plot: self,
            timeline: &timeline,
            shapes: Vec::new(),
        };
        drawing.head(columns);
        let mut top = head;
        for (panel, axis) in self.panels.iter().zip(&axes) {
            let room = Room {
                columns,
                top: top + PANEL_HEAD,
                bottom: top + PANEL_HEAD + panel_height,
            };
            drawing.panel(panel, axis, &room);
            top = room.bottom + PANEL_FOOT;
        }
        drawing.time_axis(columns, top - PANEL_FOOT);
        Picture {
            width: self.width,
            height: (around + count * panel_height).max(self.height.unwrap_or_default()),
            background: self.theme.background(),
            title: format!("{}: {}", self.title, self.subtitle),
            shapes: drawing.shapes,
        }
    }

    fn axis(&self, panel: &Panel, height: f64) -> Axis {
        /// A limit is near from this part of it on.
        const NEAR: f64 = 0.4;
        let (low, high) = panel.range();
        let drawn = panel.limits.iter().filter(|&&limit| match self.limits {
            LimitLines::Near => high >= NEAR * limit,
            LimitLines::Always => true,
            LimitLines::Never => false,
        });
        let high = drawn.fold(high, |high, &limit| high.max(limit));
        Axis::of(&panel.unit, (low, high), (height / 34.0).clamp(1.0, 6.0))
    }

    /// Between the labels of the value axes, and room for half of the last label of the time axis.
    fn columns(&self, axes: &[Axis]) -> Columns {
        let labels = axes.iter().flat_map(|axis| &axis.ticks);
        let widest = labels
            .map(|(_, label)| text_width(label, SMALL_SIZE, false))
            .fold(0.0, f64::max);
        let left = (MARGIN + widest + 8.0).min(self.width / 2.0);
        Columns {
            left,
            right: (self.width - MARGIN - 8.0).max(left + 1.0),
        }
    }
}

struct Drawing<'a> {
    plot: &'a Plot,
    timeline: &'a Timeline,
    shapes: Vec<Shape>,
}

impl Drawing<'_> {
    fn theme(&self) -> Theme {
        self.plot.theme
    }

    fn text(&mut self, at: (f64, f64), anchor: Anchor, colour: Rgb, text: String) {
        self.shapes.push(Shape::Text(Text {
            at,
            size: SMALL_SIZE,
            anchor,
            bold: false,
            colour,
            text,
        }));
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: Rgb) {
        self.shapes.push(Shape::Lines {
            lines: vec![vec![from, to]],
            colour,
            width: 1.0,
            dashed: false,
        });
    }

    /// Title, subtitle and the numbers of cells.
    fn head(&mut self, columns: Columns) {
        let room = self.plot.width - 2.0 * MARGIN;
        self.shapes.push(Shape::Text(Text {
            at: (MARGIN, 28.0),
            size: TITLE_SIZE,
            anchor: Anchor::Start,
            bold: true,
            colour: self.theme().text(),
            text: fitted(&self.plot.title, TITLE_SIZE, true, room),
        }));
        self.shapes.push(Shape::Text(Text {
            at: (MARGIN, 47.0),
            size: 12.0,
            anchor: Anchor::Start,
            bold: false,
            colour: self.theme().muted(),
            text: fitted(&self.plot.subtitle, 12.0, false, room),
        }));
        if self.plot.cells.is_empty() {
            return;
        }
        let y = HEAD + CELLS - 1.0;
        let mut free = MARGIN;
        let is_room = columns.left - MARGIN > text_width("cell", SMALL_SIZE, false) + 4.0;
        if is_room {
            self.text(
                (columns.left - 8.0, y),
                Anchor::End,
                self.theme().muted(),
                "cell".into(),
            );
            free = columns.left;
        }
        for cell in &self.plot.cells {
            let Some((left, right)) = self.timeline.span(cell.span.0, cell.span.1) else {
                continue;
            };
            let number = cell.number.to_string();
            let half = text_width(&number, SMALL_SIZE, false) / 2.0;
            let middle = (left + right) / 2.0;
            // Numbers that would touch are left out.
            if middle - half < free {
                continue;
            }
            free = middle + half + 3.0;
            let colour = match cell.failed {
                true => self.theme().limit(),
                false => self.theme().muted(),
            };
            self.text((middle, y), Anchor::Middle, colour, number);
        }
    }

    fn panel(&mut self, panel: &Panel, axis: &Axis, room: &Room) {
        self.cells(room);
        for (value, label) in &axis.ticks {
            let y = room.y(axis, *value);
            let colour = match *value == 0.0 {
                true => self.theme().axis(),
                false => self.theme().grid(),
            };
            self.line((room.columns.left, y), (room.columns.right, y), colour);
            let at = (room.columns.left - 8.0, y + 4.0);
            self.text(at, Anchor::End, self.theme().muted(), label.clone());
        }
        for x in self.timeline.cuts().collect::<Vec<_>>() {
            self.shapes.push(Shape::Lines {
                lines: vec![vec![(x, room.top), (x, room.bottom)]],
                colour: self.theme().axis(),
                width: 1.0,
                dashed: true,
            });
        }
        for (row, series) in panel.series.iter().enumerate() {
            self.band(series, self.colour(row, panel), axis, room);
        }
        self.limits(panel, axis, room);
        for (row, series) in panel.series.iter().enumerate() {
            self.series(series, self.colour(row, panel), axis, room);
        }
        self.panel_head(panel, room);
    }

    /// A band behind each run of a cell; of those that share a pixel, one.
    fn cells(&mut self, room: &Room) {
        let mut last = f64::MIN;
        for cell in &self.plot.cells {
            let Some((left, right)) = self.timeline.span(cell.span.0, cell.span.1) else {
                continue;
            };
            if right - last < 1.0 && right >= last {
                continue;
            }
            last = right;
            self.shapes.push(Shape::Rect {
                at: (left, room.top),
                size: ((right - left).max(0.5), room.bottom - room.top),
                colour: self.theme().bands()[cell.number % 2],
            });
        }
    }

    fn colour(&self, row: usize, panel: &Panel) -> Rgb {
        let count = panel.series.len();
        if count <= COLOURS {
            return self.theme().series(row);
        }
        let (first, last) = (self.theme().series(0), self.theme().series(1));
        first.mixed(last, row as f64 / (count - 1) as f64)
    }

    fn runs(&self, points: &[(i64, Option<(f64, f64)>)]) -> Vec<Run> {
        let mut before: Option<i64> = None;
        let mut samples = Vec::with_capacity(points.len());
        for (time, range) in points {
            // Nobody looked for so long that what was between them is not known.
            let is_late =
                before.is_some_and(|before| time.saturating_sub(before) > self.plot.longest_step);
            if is_late {
                samples.push(None);
            }
            before = Some(*time);
            let place = self.timeline.place(*time);
            samples.push(
                range
                    .zip(place)
                    .map(|((low, high), (piece, x))| (piece, Sample { x, low, high })),
            );
        }
        thinned(samples.into_iter(), self.plot.density)
    }

    fn band(&mut self, series: &Series, colour: Rgb, axis: &Axis, room: &Room) {
        let runs = self.runs(&series.band);
        let y = |value| room.y(axis, value);
        let areas: Vec<_> = runs.iter().map(|run| area(run, y)).collect();
        if !areas.is_empty() {
            self.shapes.push(Shape::Areas {
                areas,
                colour,
                opacity: 0.22,
            });
        }
    }

    fn series(&mut self, series: &Series, colour: Rgb, axis: &Axis, room: &Room) {
        let runs = self.runs(&series.line);
        let lines = runs
            .iter()
            .map(|run| line(run, |value| room.y(axis, value)));
        let (dots, lines): (Vec<_>, Vec<_>) = lines.partition(|points| points.len() == 1);
        if !lines.is_empty() {
            self.shapes.push(Shape::Lines {
                lines,
                colour,
                width: 1.6,
                dashed: false,
            });
        }
        if !dots.is_empty() {
            self.shapes.push(Shape::Dots {
                dots: dots.into_iter().flatten().collect(),
                radius: 2.0,
                colour,
            });
        }
    }

    fn limits(&mut self, panel: &Panel, axis: &Axis, room: &Room) {
        if self.plot.limits == LimitLines::Never {
            return;
        }
        for limit in panel.limits.iter().filter(|&&limit| limit <= axis.high) {
            let y = room.y(axis, *limit);
            self.shapes.push(Shape::Lines {
                lines: vec![vec![(room.columns.left, y), (room.columns.right, y)]],
                colour: self.theme().limit(),
                width: 1.2,
                dashed: true,
            });
        }
    }

    /// The title, what the lines are, and what they came to, as far as there is room.
    fn panel_head(&mut self, panel: &Panel, room: &Room) {
        let y = room.top - 13.0;
        let (left, right) = (MARGIN, room.columns.right);
        let title = fitted(&panel.title, LABEL_SIZE, true, right - left);
        let mut x = left + text_width(&title, LABEL_SIZE, true) + 14.0;
        self.shapes.push(Shape::Text(Text {
            at: (left, y),
            size: LABEL_SIZE,
            anchor: Anchor::Start,
            bold: true,
            colour: self.theme().text(),
            text: title,
        }));
        let mut end = right;
        // What matters least comes first, because it is at the right.
        for (text, colour) in self.figures(panel).into_iter().rev() {
            let width = text_width(&text, SMALL_SIZE, false);
            if end - width < x {
                continue;
            }
            self.text((end, y), Anchor::End, colour, text);
            end -= width + 14.0;
        }
        let count = panel.series.len();
        for (row, series) in panel.series.iter().enumerate().filter(|_| count > 1) {
            let width = text_width(&series.label, SMALL_SIZE, false);
            let rest = format!("+{}", count - row);
            let is_last = row + 1 == count;
            let more = if is_last {
                0.0
            } else {
                text_width(&rest, SMALL_SIZE, false)
            };
            if x + 14.0 + width + 12.0 + more > end {
                self.text((x, y), Anchor::Start, self.theme().muted(), rest);
                break;
            }
            self.shapes.push(Shape::Rect {
                at: (x, y - 5.0),
                size: (10.0, 3.0),
                colour: self.colour(row, panel),
            });
            let at = (x + 14.0, y);
            self.text(
                at,
                Anchor::Start,
                self.theme().muted(),
                series.label.clone(),
            );
            x += 14.0 + width + 12.0;
        }
    }

    /// The limits, and what the only line came to.
    fn figures(&self, panel: &Panel) -> Vec<(String, Rgb)> {
        let mut figures = Vec::new();
        let quantity = |value: f64| Unit::for_values(&panel.unit, value.abs()).quantity(value);
        if self.plot.limits != LimitLines::Never {
            let limits = panel.limits.iter();
            let named = limits.map(|limit| format!("limit {}", quantity(*limit)));
            figures.extend(named.map(|text| (text, self.theme().limit())));
        }
        if let [only] = panel.series.as_slice()
            && let Some((average, most)) = only.figures()
        {
            let muted = self.theme().muted();
            figures.push((format!("mean {}", quantity(average)), muted));
            figures.push((format!("max {}", quantity(most)), muted));
        }
        figures
    }

    fn time_axis(&mut self, columns: Columns, y: f64) {
        let wanted = (columns.right - columns.left) / 80.0;
        for (moment, label) in moments(self.timeline.shown(), wanted) {
            let x = self
                .timeline
                .at(self.timeline.first().saturating_add(moment));
            self.line((x, y), (x, y + 4.0), self.theme().axis());
            let half = text_width(&label, SMALL_SIZE, false) / 2.0;
            // The last label stays within the picture.
            let x = x.min(self.plot.width - 4.0 - half);
            self.text((x, y + 17.0), Anchor::Middle, self.theme().muted(), label);
        }
    }
}
