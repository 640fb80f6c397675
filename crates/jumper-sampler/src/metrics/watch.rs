//! Says once of each metric that it was known and is no longer: a file was unmounted, a permission taken away.

use std::time::Duration;

use super::level::Level;
use super::metric::Metric;
use crate::Timestamp;

/// So long a metric must be unknown. Some are now and then, such as utilisation between two ticks of the kernel's clock.
const PATIENCE: Duration = Duration::from_secs(2);

/// When the metrics of one level were known last.
#[derive(Debug, Default)]
pub(super) struct Watch {
    columns: Vec<State>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    NeverKnown,
    KnownAt(Timestamp),
    Said,
}

impl Watch {
    /// Takes the values of a sample, of those columns for which `is_watched` says so. Returns what there is to say.
    pub(super) fn look(
        &mut self,
        (time, level): (Timestamp, Level),
        metrics: &[Metric],
        values: &[Option<f64>],
        is_watched: impl Fn(usize) -> bool,
    ) -> Option<String> {
        self.columns.resize(values.len(), State::default());
        let mut lost: Option<String> = None;
        for (at, (state, value)) in self.columns.iter_mut().zip(values).enumerate() {
            match (*state, value) {
                (State::Said, _) => {}
                (_, Some(_)) => *state = State::KnownAt(time),
                (State::KnownAt(known), None)
                    if time.saturating_duration_since(known) >= PATIENCE && is_watched(at) =>
                {
                    *state = State::Said;
                    let lost = lost.get_or_insert_default();
                    lost.push_str(if lost.is_empty() { "`" } else { ", `" });
                    lost.push_str(&metrics[at].name);
                    lost.push('`');
                }
                _ => {}
            }
        }
        lost.map(|names| format!("no longer known at level {level}: {names}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::metric::{Unit, gauge};
    use super::*;

    #[test]
    fn what_is_lost_is_said_once_and_not_too_soon() {
        let metrics = [gauge("a", Unit::Count, ""), gauge("b", Unit::Count, "")];
        let mut watch = Watch::default();
        let mut look = |seconds: i64, values: [Option<f64>; 2]| {
            let time = Timestamp::from_nanos(seconds * 1_000_000_000);
            watch.look((time, Level::User), &metrics, &values, |_| true)
        };
        assert_eq!(look(0, [Some(1.0), None]), None);
        assert_eq!(look(1, [None, Some(0.0)]), None);
        let said = "no longer known at level user: `a`";
        assert_eq!(look(2, [None, Some(0.0)]).as_deref(), Some(said));
        assert_eq!(look(9, [None, Some(0.0)]), None);
        assert_eq!(look(10, [Some(1.0), None]), None);
        assert_eq!(
            look(13, [None, None]).as_deref(),
            Some("no longer known at level user: `b`")
        );
    }
}
