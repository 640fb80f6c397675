//! The colours of pictures, as the HTML report has them: light and dark, for those as well who cannot tell red from green.

use std::fmt;

use crate::RenderOptions;
use crate::options::{OptionKind, OptionSpec};

/// Light or dark.
pub(crate) const THEME: OptionSpec = OptionSpec::new(
    "theme",
    OptionKind::Choice {
        default: "light",
        of: &["light", "dark"],
    },
    "the colours",
);

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Rgb {
    /// A colour between this one and another, as far from it as `share` says.
    pub(crate) fn mixed(self, other: Self, share: f64) -> Self {
        let of = |one: u8, other: u8| {
            let mixed = f64::from(one) + (f64::from(other) - f64::from(one)) * share;
            mixed.round().clamp(0.0, 255.0) as u8
        };
        Self(
            of(self.0, other.0),
            of(self.1, other.1),
            of(self.2, other.2),
        )
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// A set of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Dark on white.
    Light,
    /// Light on black.
    Dark,
}

impl Theme {
    /// The one that was chosen.
    pub(crate) fn of(options: &RenderOptions) -> Self {
        match options.choice(&THEME).as_str() {
            "dark" => Self::Dark,
            _ => Self::Light,
        }
    }

    /// Behind everything.
    pub(crate) fn background(self) -> Rgb {
        self.either(Rgb(0xff, 0xff, 0xff), Rgb(0x14, 0x17, 0x1b))
    }

    /// What is to be read.
    pub(crate) fn text(self) -> Rgb {
        self.either(Rgb(0x1b, 0x20, 0x26), Rgb(0xe3, 0xe7, 0xec))
    }

    /// What is to be read second.
    pub(crate) fn muted(self) -> Rgb {
        self.either(Rgb(0x5a, 0x64, 0x72), Rgb(0x9b, 0xa6, 0xb3))
    }

    /// Lines of a grid.
    pub(crate) fn grid(self) -> Rgb {
        self.either(Rgb(0xe4, 0xe8, 0xec), Rgb(0x2b, 0x31, 0x39))
    }

    /// Axes, and the edges of what stands on them.
    pub(crate) fn axis(self) -> Rgb {
        self.either(Rgb(0xb4, 0xbc, 0xc6), Rgb(0x4d, 0x57, 0x63))
    }

    /// Every second notebook cell, behind the grid.
    pub(crate) fn bands(self) -> [Rgb; 2] {
        self.either(
            [Rgb(0xea, 0xf0, 0xf6), Rgb(0xf6, 0xf2, 0xe8)],
            [Rgb(0x1c, 0x26, 0x30), Rgb(0x25, 0x22, 0x1a)],
        )
    }

    /// What must not be crossed.
    pub(crate) fn limit(self) -> Rgb {
        self.either(Rgb(0x9a, 0x4a, 0x00), Rgb(0xf0, 0xb0, 0x72))
    }

    /// Lines of measurements: those of Okabe and Ito, darkened or lightened for contrast.
    pub(crate) fn series(self, row: usize) -> Rgb {
        const LIGHT: [Rgb; 5] = [
            Rgb(0x00, 0x72, 0xb2),
            Rgb(0xc2, 0x4d, 0x00),
            Rgb(0x00, 0x7a, 0x5a),
            Rgb(0xa0, 0x3d, 0x7c),
            Rgb(0x6b, 0x6b, 0x00),
        ];
        const DARK: [Rgb; 5] = [
            Rgb(0x56, 0xb4, 0xe9),
            Rgb(0xf2, 0xa4, 0x44),
            Rgb(0x35, 0xc4, 0x9c),
            Rgb(0xe2, 0x9b, 0xc6),
            Rgb(0xd9, 0xcf, 0x4a),
        ];
        self.either(LIGHT, DARK)[row % LIGHT.len()]
    }

    fn either<T>(self, light: T, dark: T) -> T {
        match self {
            Self::Light => light,
            Self::Dark => dark,
        }
    }
}
