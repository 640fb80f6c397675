//! What the terminal can show, if there is one.

use std::io::{IsTerminal, Write};
#[cfg(feature = "record")]
use std::sync::{Arc, atomic::AtomicBool};
use std::time::{Duration, Instant};

#[cfg(feature = "record")]
use crate::error::CliError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Says something on stderr. Where that cannot be written, nobody wants to know.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "jumper: {text}");
}

/// A switch. Once it is set, these signals end the command as they do by default, although they are caught: a
/// report that nobody reads must not keep it for ever.
#[cfg(feature = "record")]
pub(crate) fn end_by_default(signals: &[i32]) -> Result<Arc<AtomicBool>, CliError> {
    let switch = Arc::new(AtomicBool::new(false));
    for &signal in signals {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&switch))
            .map_err(|error| CliError::Failed(format!("cannot catch signals: {error}")))?;
    }
    Ok(switch)
}

/// Whether a stream shows colours, and they are wanted.
pub(crate) fn can_color(stream: &impl IsTerminal) -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stream.is_terminal() && wanted && !dumb
}

/// The first of these variables that is set decides (locale(7)).
pub(crate) fn locale_is_utf8() -> bool {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(set)
        .unwrap_or_default()
        .to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// A line on the terminal that says what takes so long, from half a second on. Nothing where stderr is no
/// terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    from: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style =
            ProgressStyle::with_template("{spinner} {msg}").expect("bug: the template is fixed");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        Self {
            bar,
            from: Instant::now() + Duration::from_millis(500),
        }
    }

    /// Shows `message`, if it is time to.
    pub(crate) fn tell(&self, message: impl FnOnce() -> String) {
        if Instant::now() >= self.from {
            self.bar.set_message(message());
            self.bar.tick();
        }
    }

    /// Does `work` under a line that says `message`.
    pub(crate) fn during<T>(message: &'static str, work: impl FnOnce() -> T) -> T {
        let progress = Self::new();
        progress.bar.set_message(message);
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let waiting = waiting;
                let pause = Duration::from_millis(100);
                while waiting.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                {
                    progress.tell(|| message.into());
                }
            });
            let result = work();
            drop(done);
            result
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
