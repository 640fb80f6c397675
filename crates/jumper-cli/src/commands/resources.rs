//! `jumper resources`

use std::io::{self, Write};
use std::time::Duration;

use jumper_session::{GpuInfo, Limit, LimitSource, Limits, Pid};
use serde_json::{Value, json};

use crate::args::ResourcesArgs;
use crate::error::CliError;

/// How long a driver of a GPU may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn resources(arguments: &ResourcesArgs) -> Result<u8, CliError> {
    let pid = arguments.pid.map_or_else(Pid::own, Pid::new);
    let limits = Limits::of(pid);
    if limits.affinity.is_empty() {
        return Err(CliError::Failed(format!(
            "there is no process {pid}, or it is hidden; `ps -e` lists those that run"
        )));
    }
    let gpus = jumper_session::gpus(PATIENCE);
    let mut out = io::stdout().lock();
    let written = match arguments.json {
        true => writeln!(out, "{:#}", as_json(&limits, gpus.as_deref().ok())),
        false => write_text(&mut out, &limits, &gpus),
    };
    match written {
        // A reader that goes away early is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}

fn write_text(
    out: &mut impl Write,
    limits: &Limits,
    gpus: &Result<Vec<GpuInfo>, String>,
) -> io::Result<()> {
    writeln!(out, "CPUs      {}", summary(&limits.cpus, cpus))?;
    for limit in &limits.cpus {
        writeln!(out, "  {:>12}  {}", cpus(limit.amount), shown(limit))?;
    }
    writeln!(out, "Affinity  {}", limits.affinity)?;
    writeln!(out, "Memory    {}", summary(&limits.memory, gibibytes))?;
    for limit in &limits.memory {
        writeln!(out, "  {:>12}  {}", gibibytes(limit.amount), shown(limit))?;
    }
    match gpus {
        Err(error) => writeln!(out, "GPUs      unknown: {error}"),
        Ok(gpus) if gpus.is_empty() => writeln!(out, "GPUs      none found"),
        Ok(gpus) => {
            writeln!(out, "GPUs      {}", gpus.len())?;
            gpus.iter().try_for_each(|gpu| {
                let memory = gpu.memory_bytes.map(|bytes| gibibytes(bytes as f64));
                let memory = memory.as_deref().unwrap_or("unknown");
                writeln!(out, "  {memory:>12}  {}", gpu.name.escape_debug())
            })
        }
    }
}

/// What binds, and what there is besides.
fn summary(limits: &[Limit], amount: fn(f64) -> String) -> String {
    let Some(binding) = limits.first() else {
        return "unknown".into();
    };
    let machine = limits
        .iter()
        .find(|limit| limit.source == LimitSource::Machine);
    match machine {
        Some(machine) if machine.amount > binding.amount => format!(
            "{} of {}, limited by {}",
            amount(binding.amount),
            amount(machine.amount),
            binding.source
        ),
        _ => amount(binding.amount),
    }
}

fn shown(limit: &Limit) -> String {
    // The name of a control group is whatever somebody called it.
    format!("{:<14} {}", limit.source, limit.place.escape_debug())
}

fn cpus(amount: f64) -> String {
    // Whole ones as such, parts to a hundredth.
    let text = format!("{amount:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn gibibytes(bytes: f64) -> String {
    format!("{:.2} GiB", bytes / f64::from(1 << 30))
}

fn as_json(limits: &Limits, gpus: Option<&[GpuInfo]>) -> Value {
    let list = |limits: &[Limit], amount: fn(f64) -> Value| -> Vec<Value> {
        let one = |limit: &Limit| {
            json!({
                "amount": amount(limit.amount),
                "source": limit.source.name(),
                "place": limit.place,
            })
        };
        limits.iter().map(one).collect()
    };
    // Bytes are whole, and a double holds those of any machine.
    let (cpus, bytes) = (|amount| json!(amount), |amount: f64| json!(amount as u64));
    json!({
        "cpus": limits.cpus(),
        "cpu_limits": list(&limits.cpus, cpus),
        "affinity": limits.affinity,
        "memory_bytes": limits.memory_bytes(),
        "memory_limits": list(&limits.memory, bytes),
        // Null is unknown.
        "gpus": gpus.map(|gpus| {
            let one = |gpu: &GpuInfo| json!({"name": gpu.name, "memory_bytes": gpu.memory_bytes});
            gpus.iter().map(one).collect::<Vec<_>>()
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_binds_is_named_where_it_is_less_than_the_machine() {
        let limit = |amount, source| Limit {
            amount,
            source,
            place: String::new(),
        };
        let machine = limit(4.0, LimitSource::Machine);
        assert_eq!(summary(&[], cpus), "unknown");
        assert_eq!(summary(std::slice::from_ref(&machine), cpus), "4");
        let quota = limit(1.5, LimitSource::Cgroup);
        assert_eq!(
            summary(&[quota, machine], cpus),
            "1.5 of 4, limited by cgroup"
        );
        assert_eq!(gibibytes(1.5 * f64::from(1 << 30)), "1.50 GiB");
    }
}
