//! Colours, where they are wanted.

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Bold,
    Dim,
    Warning,
    /// More than 0.6 of the time.
    Hottest,
    /// More than 0.2.
    Hot,
    /// More than 0.05.
    Warm,
    /// Less.
    Cool,
    /// A function of the program itself.
    Application,
}

impl Style {
    /// The colour of a share of the time, as pyinstrument has it.
    pub(crate) fn of_share(share: f64) -> Self {
        match share {
            share if share > 0.6 => Self::Hottest,
            share if share > 0.2 => Self::Hot,
            share if share > 0.05 => Self::Warm,
            _ => Self::Cool,
        }
    }

    /// SGR sequences (ECMA-48, 8.3.117).
    fn codes(self) -> &'static str {
        match self {
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Warning | Self::Hot => "\x1b[33m",
            Self::Hottest => "\x1b[31m",
            Self::Warm => "\x1b[32m",
            Self::Cool => "\x1b[92m\x1b[2m",
            Self::Application => "\x1b[48;5;24m\x1b[38;5;15m",
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
        self.begin(style).to_owned() + text + self.end()
    }

    /// What is to be written before a text.
    pub(crate) fn begin(self, style: Style) -> &'static str {
        match self.color {
            true => style.codes(),
            false => "",
        }
    }

    /// What is to be written after it.
    pub(crate) fn end(self) -> &'static str {
        match self.color {
            true => "\x1b[0m",
            false => "",
        }
    }
}
