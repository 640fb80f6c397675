//! Pictures made of a few kinds of shapes, which can be written as SVG or drawn as pixels.
//!
//! One description serves all formats, so that they show the same. Letters come from a font that is part of the program: a
//! picture is the same on every machine.

mod font;
mod raster;
mod svg;

use crate::theme::{Rgb, Theme};

pub(crate) use raster::{jpeg, png};
pub(crate) use svg::svg;

/// A point, from the left and from the top.
pub(crate) type Point = (f64, f64);

/// Where a text stands: what its `x` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text on one line.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) at: Point,
    pub(crate) size: f64,
    pub(crate) anchor: Anchor,
    pub(crate) bold: bool,
    pub(crate) colour: Rgb,
    pub(crate) text: String,
}

/// What a picture is made of.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A rectangle: its corner, its width and height.
    Rect {
        at: Point,
        size: (f64, f64),
        colour: Rgb,
    },
    /// Lines that belong together.
    Lines {
        lines: Vec<Vec<Point>>,
        colour: Rgb,
        width: f64,
        dashed: bool,
    },
    /// Filled polygons.
    Areas {
        areas: Vec<Vec<Point>>,
        colour: Rgb,
        opacity: f64,
    },
    /// Dots.
    Dots {
        dots: Vec<Point>,
        radius: f64,
        colour: Rgb,
    },
    /// A text.
    Text(Text),
}

/// A picture.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) background: Rgb,
    /// What it shows, for those who cannot see it.
    pub(crate) title: String,
    /// The later ones over the earlier ones.
    pub(crate) shapes: Vec<Shape>,
}

/// How wide a text is in a font of a size.
pub(crate) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    font::Font::of(bold).width(text) * size
}

/// A text that is no wider than there is room for: its end is left out where it has to be, and all of it where not even the
/// beginning would fit.
pub(crate) fn fitted(text: &str, size: f64, bold: bool, room: f64) -> String {
    if text_width(text, size, bold) <= room {
        return text.into();
    }
    let font = font::Font::of(bold);
    let mut width = font.width("…") * size;
    let mut kept = String::new();
    for character in text.chars() {
        width += font.advance(character) * size;
        if width > room {
            break;
        }
        kept.push(character);
    }
    match kept.trim_end() {
        kept if kept.chars().count() < 3 => String::new(),
        kept => format!("{kept}…"),
    }
}

/// A picture of some words, where there is nothing to show.
pub(crate) fn message(text: &str, theme: Theme) -> Picture {
    let (width, height) = (480.0, 80.0);
    Picture {
        width,
        height,
        background: theme.background(),
        title: text.into(),
        shapes: vec![Shape::Text(Text {
            at: (width / 2.0, height / 2.0 + 5.0),
            size: 14.0,
            anchor: Anchor::Middle,
            bold: false,
            colour: theme.muted(),
            text: fitted(text, 14.0, false, width - 32.0),
        })],
    }
}
