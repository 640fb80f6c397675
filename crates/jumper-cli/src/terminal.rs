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

/// How many columns a stream has, where it is a terminal that says so.
pub(crate) fn width(stream: &impl IsTerminal) -> Option<u16> {
    // What is asked is the first standard stream that is a terminal: a program has one.
    let size = stream.is_terminal().then(terminal_size::terminal_size);
    let (width, _) = size.flatten()?;
    (width.0 > 0).then_some(width.0)
}

/// Whether a stream is a terminal that is known to follow links to files.
pub(crate) fn can_link(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && follows_links(|name| std::env::var(name).ok())
}

/// Whether these variables are those of a terminal that is known to follow links (OSC 8). There is nothing to ask a terminal by,
/// and of those that do not know the sequence some show what is in it.
fn follows_links(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
    let term = variable("TERM").unwrap_or_default();
    // A multiplexer passes on the variables of the terminal that it was started in, and not always the links.
    let is_within = ["screen", "tmux"].iter().any(|name| term.starts_with(name));
    // The files are on another machine than the terminal.
    let is_elsewhere = ["SSH_CONNECTION", "SSH_TTY"].iter().any(is_set);
    if is_within || is_elsewhere || ["TMUX", "STY"].iter().any(is_set) {
        return false;
    }
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let version = |name| variable(name).and_then(|version| version.parse::<u32>().ok());
    ["vscode", "iTerm.app", "WezTerm", "ghostty"].contains(&program.as_str())
        || ["xterm-kitty", "xterm-ghostty", "foot", "wezterm"].contains(&term.as_str())
        // Terminals of GNOME and its like, from 0.50 on.
        || version("VTE_VERSION").is_some_and(|version| version >= 5000)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_for_terminals_that_are_known_to_follow_them() {
        let follows = |variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
            follows_links(|name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(follows(&[("TERM_PROGRAM", "vscode")]));
        assert!(follows(&[("TERM", "xterm-kitty")]));
        assert!(follows(&[
            ("TERM", "xterm-256color"),
            ("VTE_VERSION", "7600")
        ]));
        assert!(!follows(&[("TERM", "xterm-256color")]));
        assert!(!follows(&[("VTE_VERSION", "4800")]));
        assert!(!follows(&[
            ("VTE_VERSION", "7600"),
            ("TMUX", "/tmp/tmux-0/default,1,0")
        ]));
        assert!(!follows(&[
            ("TERM", "screen-256color"),
            ("TERM_PROGRAM", "iTerm.app")
        ]));
        assert!(!follows(&[
            ("TERM_PROGRAM", "WezTerm"),
            ("SSH_TTY", "/dev/pts/0")
        ]));
    }
}
