//! The table on the terminal that is drawn anew in place.
//!
//! It has the last lines of the screen for itself: the terminal scrolls only what is above them (DECSTBM), so that the
//! program's output comes and goes there as it would without us.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jumper_render::{LiveOptions, live_table};
use jumper_session::{Timestamp, Watcher};

use crate::args::OutputArgs;
use crate::terminal;

/// How often to look for a new measurement.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// So many lines of the screen are left to others.
const LEAST_LEFT: usize = 8;

/// A table that is being shown, until it is dropped.
pub(super) struct Live {
    thread: Option<JoinHandle<()>>,
    end: Option<Sender<()>>,
}

impl Live {
    /// Shows it, where stderr is a terminal that can.
    pub(super) fn start(watcher: Watcher, arguments: &OutputArgs) -> Option<Self> {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        if !io::stderr().is_terminal() || is_dumb {
            return None;
        }
        let color = (terminal::can_color(&io::stderr()) || arguments.color) && !arguments.no_color;
        let unicode = (terminal::locale_is_utf8() || arguments.unicode) && !arguments.no_unicode;
        let (end, ended) = channel::<()>();
        let show = move || {
            let mut screen = Screen {
                color,
                unicode,
                start: Instant::now(),
                region: None,
            };
            let mut shown = Timestamp::default();
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if let Some(measured) = watcher.measured().filter(|new| new.time != shown) {
                    shown = measured.time;
                    screen.draw(&|options| live_table(&measured.columns, &measured.rows, options));
                }
            }
            screen.leave();
        };
        let thread = std::thread::Builder::new()
            .name("jumper-live".into())
            .spawn(show)
            .ok()?;
        Some(Self {
            thread: Some(thread),
            end: Some(end),
        })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The screen, and the part of it that is ours.
struct Screen {
    color: bool,
    unicode: bool,
    start: Instant,
    region: Option<Region>,
}

/// The last lines of a screen of this size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    rows: usize,
    columns: usize,
    lines: usize,
}

impl Screen {
    fn draw(&mut self, table: &dyn Fn(&LiveOptions) -> Vec<String>) {
        let Ok(size) = rustix::termios::tcgetwinsize(io::stderr()) else {
            return;
        };
        let (rows, columns) = (usize::from(size.ws_row), usize::from(size.ws_col));
        let Some(most) = rows.checked_sub(LEAST_LEFT).filter(|&most| most >= 3) else {
            return self.leave();
        };
        let lines = table(&LiveOptions {
            elapsed: self.start.elapsed(),
            width: columns,
            lines: most,
            color: self.color,
            unicode: self.unicode,
        });
        // It never shrinks: lines that come and go would shake the screen.
        let before = self.region.map_or(0, |region| region.lines.min(most));
        let region = Region {
            rows,
            columns,
            lines: lines.len().max(before),
        };
        let mut text = String::new();
        if self.region != Some(region) {
            self.region
                .take()
                .iter()
                .for_each(|old| release(*old, &mut text));
            reserve(region, &mut text);
            self.region = Some(region);
        }
        let first = region.rows - region.lines + 1;
        text.push_str("\x1b7");
        for at in 0..region.lines {
            let line = lines.get(at).map_or("", String::as_str);
            let _ = write!(text, "\x1b[{};1H{line}\x1b[K", first + at);
        }
        text.push_str("\x1b8");
        show(&text);
    }

    /// Leaves the screen as if it had never been there.
    fn leave(&mut self) {
        if let Some(region) = self.region.take() {
            let mut text = String::new();
            release(region, &mut text);
            show(&text);
        }
    }
}

/// Makes room at the bottom, by scrolling what is there up, and keeps it.
fn reserve(Region { rows, lines, .. }: Region, text: &mut String) {
    (0..lines).for_each(|_| text.push('\n'));
    let _ = write!(text, "\x1b[{lines}A\x1b7\x1b[1;{}r\x1b8", rows - lines);
}

/// Gives it back, empty. The cursor stays where it is.
fn release(Region { rows, lines, .. }: Region, text: &mut String) {
    let _ = write!(text, "\x1b7\x1b[r\x1b[{};1H\x1b[J\x1b8", rows - lines + 1);
}

/// In one piece, so that what the program writes does not get into the middle of it.
fn show(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}
