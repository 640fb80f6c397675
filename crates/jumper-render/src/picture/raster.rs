//! A picture as pixels.

use std::io::{self, Write};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash,
    Transform,
};

use super::font::Font;
use super::{Anchor, Picture, Point, Shape, Text};
use crate::theme::Rgb;

/// Of 100: at less, letters get a halo.
const QUALITY: u8 = 92;

/// Writes the picture as PNG, so many pixels to one of its own.
pub(crate) fn png(picture: &Picture, scale: f64, out: &mut dyn Write) -> io::Result<()> {
    let pixels = drawn(picture, scale);
    let mut encoder = png::Encoder::new(out, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&opaque(&pixels))?;
    Ok(writer.finish()?)
}

/// The same as JPEG.
pub(crate) fn jpeg(picture: &Picture, scale: f64, out: &mut dyn Write) -> io::Result<()> {
    let pixels = drawn(picture, scale);
    let too_large = || io::Error::other("the picture is too large");
    let width = u16::try_from(pixels.width()).map_err(|_| too_large())?;
    let height = u16::try_from(pixels.height()).map_err(|_| too_large())?;
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    // Thin lines in colour would fade.
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    let encoded = encoder.encode(&opaque(&pixels), width, height, ColorType::Rgb);
    encoded.map_err(io::Error::other)?;
    out.write_all(&jpeg)
}

/// What is drawn on a background that is opaque is.
fn opaque(pixels: &Pixmap) -> Vec<u8> {
    let colours = pixels.pixels().iter();
    colours
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect()
}

fn drawn(picture: &Picture, scale: f64) -> Pixmap {
    let pixels = |length: f64| ((length * scale).round().max(1.0)) as u32;
    let mut canvas = Canvas {
        pixels: Pixmap::new(pixels(picture.width), pixels(picture.height))
            .expect("bug: the picture is too large"),
        scale: Transform::from_scale(scale as f32, scale as f32),
    };
    let Rgb(red, green, blue) = picture.background;
    canvas
        .pixels
        .fill(tiny_skia::Color::from_rgba8(red, green, blue, 255));
    for shape in &picture.shapes {
        canvas.draw(shape);
    }
    canvas.pixels
}

struct Canvas {
    pixels: Pixmap,
    scale: Transform,
}

impl Canvas {
    fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Rect { at, size, colour } => {
                let [x, y, width, height] =
                    [at.0, at.1, size.0, size.1].map(|length| length as f32);
                if let Some(rect) = Rect::from_xywh(x, y, width, height) {
                    let paint = paint(*colour, 1.0);
                    self.pixels.fill_rect(rect, &paint, self.scale, None);
                }
            }
            Shape::Lines {
                lines,
                colour,
                width,
                dashed,
            } => {
                let stroke = Stroke {
                    width: *width as f32,
                    line_cap: LineCap::Butt,
                    line_join: LineJoin::Round,
                    dash: dashed
                        .then(|| StrokeDash::new(vec![5.0, 4.0], 0.0))
                        .flatten(),
                    ..Stroke::default()
                };
                if let Some(path) = path(lines, false) {
                    self.pixels
                        .stroke_path(&path, &paint(*colour, 1.0), &stroke, self.scale, None);
                }
            }
            Shape::Areas {
                areas,
                colour,
                opacity,
            } => self.fill(path(areas, true), *colour, *opacity),
            Shape::Dots {
                dots,
                radius,
                colour,
            } => {
                let mut path = PathBuilder::new();
                for dot in dots {
                    path.push_circle(dot.0 as f32, dot.1 as f32, *radius as f32);
                }
                self.fill(path.finish(), *colour, 1.0);
            }
            Shape::Text(text) => self.fill(outline(text), text.colour, 1.0),
        }
    }

    fn fill(&mut self, path: Option<Path>, colour: Rgb, opacity: f64) {
        if let Some(path) = path {
            let paint = paint(colour, opacity);
            self.pixels
                .fill_path(&path, &paint, FillRule::Winding, self.scale, None);
        }
    }
}

fn paint(Rgb(red, green, blue): Rgb, opacity: f64) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, (opacity * 255.0).round() as u8);
    paint.anti_alias = true;
    paint
}

/// `None` where nothing is drawn.
fn path(lines: &[Vec<Point>], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for line in lines {
        for (index, point) in line.iter().enumerate() {
            let (x, y) = (point.0 as f32, point.1 as f32);
            match index {
                0 => path.move_to(x, y),
                _ => path.line_to(x, y),
            }
        }
        if closed {
            path.close();
        }
    }
    path.finish()
}

fn outline(text: &Text) -> Option<Path> {
    let font = Font::of(text.bold);
    let width = font.width(&text.text) * text.size;
    let x = match text.anchor {
        Anchor::Start => text.at.0,
        Anchor::Middle => text.at.0 - width / 2.0,
        Anchor::End => text.at.0 - width,
    };
    let mut path = PathBuilder::new();
    font.outline(&text.text, text.size, (x, text.at.1), &mut path);
    path.finish()
}
