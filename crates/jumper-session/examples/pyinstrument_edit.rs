//! Makes another `.pyisession` of some, as methods of pyinstrument's `Session` do.
//!
//!     cargo run -p jumper-session --example pyinstrument_edit -- combine ONE.pyisession OTHER.pyisession OUT.pyisession
//!     cargo run -p jumper-session --example pyinstrument_edit -- resample SECONDS IN.pyisession OUT.pyisession

use std::error::Error;
use std::time::Duration;

use jumper_session::combine;
use jumper_session::formats::pyinstrument::{read, write};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (session, out) = match arguments[..] {
        ["combine", one, other, out] => (combine(&[read(one)?, read(other)?])?, out),
        ["resample", seconds, path, out] => {
            let interval = Duration::try_from_secs_f64(seconds.parse()?)?;
            (read(path)?.resample(interval)?, out)
        }
        _ => return Err("say combine ONE OTHER OUT or resample SECONDS IN OUT".into()),
    };
    Ok(write(&session, out)?)
}
