//! The measurements of a level, row by row.

use std::path::Path;

use super::table::Table;
use super::{CELL_INDEX, TIME, file_of};
use crate::Timestamp;
use crate::error::Result;

/// The measurements of a level, as they are being read.
pub(super) struct Level {
    pub(super) name: String,
    pub(super) table: Table,
    time: usize,
    /// Each column that is kept, which metric it is, and what its values are multiplied by.
    pub(super) columns: Vec<(usize, usize, f64)>,
    /// The time of the row at hand, if there is one.
    pub(super) next: Option<Timestamp>,
}

impl Level {
    pub(super) fn open(path: &Path, name: &str) -> Result<Self> {
        let table = Table::open(path, &file_of(name))?;
        let time = table.need(TIME)?;
        Ok(Self {
            name: name.into(),
            table,
            time,
            columns: Vec::new(),
            next: None,
        })
    }

    /// The columns that become metrics.
    pub(super) fn metrics(&self) -> Vec<String> {
        let names = self.table.names().iter();
        names
            .filter(|name| *name != CELL_INDEX && can_be_metric(name))
            .cloned()
            .collect()
    }

    /// The columns that cannot.
    pub(super) fn ignored(&self) -> Vec<&str> {
        let names = self.table.names().iter().map(String::as_str);
        names
            .filter(|name| *name != TIME && !can_be_metric(name))
            .collect()
    }

    pub(super) fn advance(&mut self) -> Result<()> {
        self.next = match self.table.advance()? {
            true => Some(self.table.need_time(self.time)?),
            false => None,
        };
        Ok(())
    }

    /// The values of the row at hand, by metric.
    pub(super) fn values(&self, values: &mut [Option<f64>]) -> Result<()> {
        values.fill(None);
        for &(column, metric, factor) in &self.columns {
            values[metric] = self.table.number(column)?.map(|value| value * factor);
        }
        Ok(())
    }
}

fn can_be_metric(name: &str) -> bool {
    !name.is_empty() && !crate::format::is_fixed_metrics_column(name)
}
