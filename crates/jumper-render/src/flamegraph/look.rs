//! The colours of a flame graph: the program's own code in orange, that of libraries in blue, which those who cannot tell red from
//! green can tell apart, each in shades by name.

use inferno::flamegraph::color::{BackgroundColor, Color, PaletteMap, SearchColor};

use super::stacks::{Owner, Stacks};
use crate::theme::{Rgb, Theme};

/// The longest title, in characters.
const TITLE_LENGTH: usize = 90;

fn colour(Rgb(r, g, b): Rgb) -> Color {
    Color { r, g, b }
}

pub(super) fn background(theme: Theme) -> BackgroundColor {
    BackgroundColor::Flat(colour(theme.background()))
}

pub(super) fn text(theme: Theme) -> Color {
    colour(theme.text())
}

/// Unlike any frame, and dark enough for nothing to be mistaken.
pub(super) fn search() -> SearchColor {
    "#e06ad0".parse().expect("bug: no colour")
}

/// A colour for each label. Names are black in either theme, so that all colours are light.
pub(super) fn colours(stacks: &Stacks, theme: Theme) -> PaletteMap {
    let mut colours = PaletteMap::default();
    let whole = match theme {
        Theme::Light => Rgb(222, 226, 232),
        Theme::Dark => Rgb(166, 174, 184),
    };
    colours.insert("", colour(whole));
    for (label, owner) in stacks.labels() {
        let (deep, pale) = match owner {
            Owner::Application => (Rgb(240, 160, 60), Rgb(250, 205, 130)),
            Owner::Library => (Rgb(120, 180, 225), Rgb(178, 213, 240)),
            Owner::Place => (whole, whole),
        };
        colours.insert(label, colour(deep.mixed(pale, shade(label))));
    }
    colours
}

/// From 0 to 1, always the same for a name (FNV-1a).
fn shade(name: &str) -> f64 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    f64::from(hash >> 16) / f64::from(u16::MAX)
}

pub(super) fn shortened(title: &str) -> String {
    match title.char_indices().nth(TITLE_LENGTH) {
        Some((end, _)) => format!("{}…", &title[..end]),
        None => title.into(),
    }
}

/// The picture with the colours that inferno has no option for. Nothing that users name comes before the end of its style.
pub(super) fn finished(svg: Vec<u8>, theme: Theme) -> Vec<u8> {
    const END: &[u8] = b"</style>";
    let Some(at) = svg.windows(END.len()).position(|bytes| bytes == END) else {
        return svg;
    };
    let style = format!(
        "#subtitle, #unzoom, #search, #details, #matched {{ fill:{text}; }}\n#search {{ opacity:0.6; }}\n",
        text = theme.muted()
    );
    [&svg[..at], style.as_bytes(), &svg[at..]].concat()
}
