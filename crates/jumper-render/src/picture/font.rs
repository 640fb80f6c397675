//! The letters of pictures: Inter, as far as it is in `fonts/`.

use std::sync::LazyLock;

use tiny_skia::PathBuilder;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

static REGULAR: LazyLock<Font> =
    LazyLock::new(|| Font::new(include_bytes!("../../fonts/Inter-Regular.otf")));
static BOLD: LazyLock<Font> =
    LazyLock::new(|| Font::new(include_bytes!("../../fonts/Inter-SemiBold.otf")));

/// A font in one weight. Lengths are in parts of its size.
pub(super) struct Font {
    face: Face<'static>,
    unit: f64,
}

impl Font {
    fn new(file: &'static [u8]) -> Self {
        let face = Face::parse(file, 0).expect("bug: the font is damaged");
        let unit = 1.0 / f64::from(face.units_per_em());
        Self { face, unit }
    }

    pub(super) fn of(bold: bool) -> &'static Self {
        match bold {
            true => &BOLD,
            false => &REGULAR,
        }
    }

    /// A character that the font lacks has the box that stands for such.
    fn glyph(&self, character: char) -> GlyphId {
        self.face.glyph_index(character).unwrap_or(GlyphId(0))
    }

    /// How far it is from a character to the next.
    pub(super) fn advance(&self, character: char) -> f64 {
        let units = self.face.glyph_hor_advance(self.glyph(character));
        f64::from(units.unwrap_or_default()) * self.unit
    }

    pub(super) fn width(&self, text: &str) -> f64 {
        text.chars().map(|character| self.advance(character)).sum()
    }

    /// Adds the outline of a text that begins at `(x, y)` on its base line.
    pub(super) fn outline(
        &self,
        text: &str,
        size: f64,
        (x, y): (f64, f64),
        path: &mut PathBuilder,
    ) {
        let mut x = x;
        for character in text.chars() {
            let mut pen = Pen {
                path,
                scale: (size * self.unit) as f32,
                origin: (x as f32, y as f32),
            };
            self.face.outline_glyph(self.glyph(character), &mut pen);
            x += self.advance(character) * size;
        }
    }
}

/// Draws the outline of a glyph, of which `y` goes up, into a picture, of which it goes down.
struct Pen<'a> {
    path: &'a mut PathBuilder,
    scale: f32,
    origin: (f32, f32),
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (
            self.origin.0 + x * self.scale,
            self.origin.1 - y * self.scale,
        )
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
