//! Colours, where they are wanted.

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Warning,
    /// Half of the time and more.
    Hottest,
    /// A fifth and more.
    Hot,
    /// A twentieth and more.
    Warm,
    /// Less.
    Cool,
}

impl Style {
    /// The colour of a share of the time. Hue and weight both change, so that it can be told without seeing
    /// red from green.
    pub(crate) fn of_share(share: f64) -> Self {
        match share {
            share if share >= 0.5 => Self::Hottest,
            share if share >= 0.2 => Self::Hot,
            share if share >= 0.05 => Self::Warm,
            _ => Self::Cool,
        }
    }

    /// Parameters of the SGR sequence (ECMA-48, 8.3.117).
    fn codes(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Warning | Self::Hot => "33",
            Self::Hottest => "1;31",
            Self::Warm => "36",
            Self::Cool => "2",
        }
    }
}

/// Paints or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    color: bool,
}

impl Paint {
    pub(crate) fn new(color: bool) -> Self {
        Self { color }
    }

    pub(crate) fn style(self, style: Style, text: &str) -> String {
        match style.codes() {
            codes if self.color && !codes.is_empty() => format!("\x1b[{codes}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}
