//! Sessions of pyinstrument, which its own reports and those that others wrote for it are made of.

use std::io::Write;

use jumper_session::formats::pyinstrument;
use jumper_session::{Parts, Session};

use crate::{About, RenderError, RenderOptions, Renderer};

const ABOUT: About = About {
    name: "pyisession",
    help: "a session of pyinstrument, with every sample",
    extensions: &["pyisession"],
    media_type: "application/json",
    is_binary: false,
    options: &[],
};

/// The renderer `pyisession`.
pub(crate) struct Pyisession;

impl Renderer for Pyisession {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::SAMPLES
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        Ok(pyinstrument::write_to(session, out)?)
    }
}
