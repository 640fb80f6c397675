//! Metrics that somebody else serves, as text in Prometheus' format over HTTP.
//!
//! What is read is another's: its size, its time and the number of its metrics have limits.
//!
//! | file | what it does |
//! | --- | --- |
//! | `endpoint` | where it is: `[NAME=]http://HOST[:PORT][/PATH]` |
//! | `http` | one request |
//! | `exposition` | the format |

mod endpoint;
mod exposition;
mod http;

use std::collections::HashMap;

use super::metric::{Kind, Metric};
use super::source::{Answer, Question, Source, SourceError};
pub use endpoint::Endpoint;
use exposition::{Line, Type};

/// So many metrics of one endpoint have a column; a server can have thousands, with labels.
const MOST: usize = 256;

/// The source of one endpoint's metrics.
///
/// ```no_run
/// use jumper_sampler::Pid;
/// use jumper_sampler::metrics::{Endpoint, MetricsSampler, Scrape};
///
/// let endpoint: Endpoint = "server=http://127.0.0.1:8000/metrics".parse()?;
/// let mut sampler = MetricsSampler::new(Pid::own())?;
/// sampler.add_source(Scrape::new(endpoint))?;
/// # Ok::<(), jumper_sampler::metrics::MetricsError>(())
/// ```
#[derive(Debug)]
pub struct Scrape {
    endpoint: Endpoint,
    name: String,
    metrics: Vec<Metric>,
    /// The column of each name in the text.
    columns: HashMap<String, usize>,
    totals: Vec<Total>,
}

impl Scrape {
    /// Asks there, from the first sample on.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            name: format!("`{endpoint}`"),
            endpoint,
            metrics: Vec::new(),
            columns: HashMap::new(),
            totals: Vec::new(),
        }
    }

    /// Takes in what was read; says what there was no room for.
    fn take(&mut self, text: &str, values: &mut Vec<Option<f64>>) -> Option<String> {
        let mut left_out = 0_usize;
        exposition::read(text, |line| match self.column(line) {
            Some(column) => {
                values.resize(self.metrics.len().max(values.len()), None);
                values[column] = match self.metrics[column].kind {
                    Kind::Counter => Some(self.totals[column].at(line.value)),
                    Kind::Gauge => Some(line.value),
                };
            }
            None => left_out += 1,
        });
        (left_out > 0).then(|| {
            format!(
                "{} has {left_out} metrics more than the {MOST} that are read",
                self.name
            )
        })
    }

    /// The column of a line, a new one where it has none and there is room.
    fn column(&mut self, line: &Line<'_>) -> Option<usize> {
        if let Some(&column) = self.columns.get(line.series) {
            return Some(column);
        }
        if self.metrics.len() >= MOST {
            return None;
        }
        let name = match self.endpoint.name() {
            Some(name) => format!("{name}_{}", line.series),
            None => line.series.to_owned(),
        };
        let help = match line.help {
            "" => format!("read at {}", self.endpoint),
            help => format!("{help} (read at {})", self.endpoint),
        };
        let kind = match line.kind {
            Type::Counter => Kind::Counter,
            Type::Other => Kind::Gauge,
        };
        self.metrics.push(Metric {
            help: help.into(),
            ..Metric::new(name.into(), line.unit(), kind, "")
        });
        self.totals.push(Total::default());
        self.columns
            .insert(line.series.to_owned(), self.metrics.len() - 1);
        Some(self.metrics.len() - 1)
    }
}

impl Source for Scrape {
    fn name(&self) -> &str {
        &self.name
    }

    fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    fn read(&mut self, _question: &Question, answer: &mut Answer) -> Result<(), SourceError> {
        let text = http::get(&self.endpoint).map_err(SourceError::Failed)?;
        let left_out = self.take(&text, answer.own());
        if answer.own().is_empty() {
            return Err(SourceError::Failed(
                "it serves no metrics in Prometheus' text format".into(),
            ));
        }
        if let Some(left_out) = left_out {
            answer.remark(left_out);
        }
        Ok(())
    }
}

/// A counter since it was seen first.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    last: Option<f64>,
    sum: f64,
}

impl Total {
    /// One that falls was started anew, from 0.
    fn at(&mut self, value: f64) -> f64 {
        let grown = match self.last {
            Some(last) if value >= last => value - last,
            Some(_) => value,
            None => 0.0,
        };
        self.last = Some(value);
        self.sum += grown.max(0.0);
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Unit;

    fn scrape(name: &str) -> Scrape {
        Scrape::new(
            format!("{name}http://127.0.0.1:1/metrics")
                .parse()
                .expect("an endpoint"),
        )
    }

    #[test]
    fn counters_count_from_the_first_look_and_new_series_come_behind() {
        let mut scrape = scrape("web=");
        let mut take = |text: &str| {
            let mut values = Vec::new();
            assert_eq!(scrape.take(text, &mut values), None);
            values
        };
        let first =
            "# TYPE requests_total counter\nrequests_total 100\n# TYPE queue gauge\nqueue 3\n";
        assert_eq!(take(first), [Some(0.0), Some(3.0)]);
        let second = first
            .replace("100", "107")
            .replace("queue 3", "queue{a=\"b\"} 1\nqueue 4");
        assert_eq!(take(&second), [Some(7.0), Some(4.0), Some(1.0)]);
        // The server was started anew; `queue` is gone.
        assert_eq!(
            take("# TYPE requests_total counter\nrequests_total 5\n"),
            [Some(12.0), None, None]
        );
        let names: Vec<_> = scrape.metrics.iter().map(|metric| &*metric.name).collect();
        assert_eq!(
            names,
            ["web_requests_total", "web_queue", "web_queue{a=\"b\"}"]
        );
        assert_eq!(scrape.metrics[0].kind, Kind::Counter);
    }

    #[test]
    fn what_there_is_no_room_for_is_said() {
        let mut scrape = scrape("");
        let text: String = (0..300)
            .map(|number| format!("a{{n=\"{number}\"}} 1\n"))
            .collect();
        let mut values = Vec::new();
        let remark = scrape.take(&text, &mut values).expect("it is said");
        assert_eq!(values.len(), MOST);
        assert!(remark.contains("44 metrics more than the 256"), "{remark}");
    }

    #[test]
    fn units_are_in_names() {
        let mut scrape = scrape("");
        let text =
            "a_seconds_total 1\nb_bytes 1\nc_celsius 1\nd 1\ne_joules_total 2\nf_percent 4\n";
        scrape.take(text, &mut Vec::new());
        let units: Vec<_> = scrape
            .metrics
            .iter()
            .map(|metric| metric.unit.clone())
            .collect();
        let bytes = Unit::Other("B".into());
        let expected = [
            Unit::Seconds,
            bytes,
            Unit::Celsius,
            Unit::Count,
            Unit::Joules,
            Unit::Percent,
        ];
        assert_eq!(units, expected);
    }
}
