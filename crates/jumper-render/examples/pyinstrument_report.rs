//! Answers with reports of a `.pyisession`.
//!
//! Each line of the standard input is a JSON object, `{"renderer": "text", "options": {"show_all": true}}`. It is answered by a
//! line, `{"ok": true, "size": 120}`, and by as many bytes: the report, or what is wrong where `ok` is false.
//!
//!     cargo run -p jumper-render --example pyinstrument_report -- IN.pyisession

use std::error::Error;
use std::io::{self, BufRead, Write};

use jumper_render::{RenderError, RenderOptions, renderer};
use jumper_session::Session;
use jumper_session::formats::pyinstrument;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1);
    let session = pyinstrument::read(path.ok_or("the path of a session is missing")?)?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let (ok, bytes) = match report(&session, &asked) {
            Ok(report) => (true, report),
            Err(error) => (false, error.to_string().into_bytes()),
        };
        writeln!(out, "{}", json!({"ok": ok, "size": bytes.len()}))?;
        out.write_all(&bytes)?;
        out.flush()?;
    }
    Ok(())
}

fn report(session: &Session, asked: &Value) -> Result<Vec<u8>, RenderError> {
    let renderer = renderer(asked["renderer"].as_str().unwrap_or("text"))?;
    let given = asked["options"].as_object().cloned().unwrap_or_default();
    let options = RenderOptions::of(renderer, given)?;
    let mut report = Vec::new();
    renderer.render(session, &options, &mut report)?;
    Ok(report)
}
