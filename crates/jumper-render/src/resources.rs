//! Which functions used what besides time: the largest few of each resource, as a table.

use std::io::{self, Write};

use jumper_session::{Attribution, FrameTree, FunctionUse, Parts, Resource, Session, TreeOptions};

use crate::format::{bytes, number, plain, share};
use crate::paths::Paths;

/// So many functions are named for each resource.
const LISTED: usize = 5;
/// The smallest share of what was measured that a function must have to be named.
const LEAST_SHARE: f64 = 0.01;

/// What of a session [`resources`] looks at.
pub const RESOURCES_NEED: Parts = Attribution::NEEDS;

/// Writes which functions used most of each resource, as the estimate that it is. Nothing is written where nothing is known.
///
/// # Errors
/// If `out` cannot be written to.
pub fn resources(session: &Session, out: &mut dyn Write) -> io::Result<()> {
    let options = TreeOptions {
        resources: true,
        ..TreeOptions::default()
    };
    let tree = FrameTree::build_with(session, &options);
    let Some(attribution) = tree.attribution().filter(|found| !found.is_empty()) else {
        return Ok(());
    };
    let here = tree.resource_totals()[tree.root().index()];
    let functions = tree.functions();
    let mut paths = Paths::of(session);
    writeln!(
        out,
        "  Used while functions ran: an estimate, from what ran between two measurements\n"
    )?;
    for resource in Resource::ALL {
        let Some(measured) = attribution.measured(resource).filter(|all| *all > 0.0) else {
            continue;
        };
        let unattributed = attribution.unattributed(resource).unwrap_or_default();
        let whole = match session.is_selected() {
            true => " in the whole recording",
            false => "",
        };
        let title = format!(
            "{} of {} measured{whole}, {} unattributed",
            quantity(resource, here.get(resource)),
            quantity(resource, measured),
            quantity(resource, unattributed),
        );
        writeln!(out, "  {:<20}{title}", label(resource))?;
        let mut most: Vec<&FunctionUse> = functions.iter().collect();
        most.sort_by(|one, other| {
            let own = |used: &FunctionUse| used.own.get(resource);
            own(other).total_cmp(&own(one))
        });
        let least = LEAST_SHARE * measured;
        for used in most.into_iter().take(LISTED) {
            if used.own.get(resource) >= least {
                let file = plain(paths.short(used.function));
                function(&tree, used, &file, (resource, measured), out)?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn function(
    tree: &FrameTree,
    used: &FunctionUse,
    file: &str,
    (resource, measured): (Resource, f64),
    out: &mut dyn Write,
) -> io::Result<()> {
    let called = tree.function(used.function);
    let (own, total) = (used.own.get(resource), used.total.get(resource));
    writeln!(
        out,
        "  {:>12} {:>6}   with calls {:>12}   {}  {}",
        quantity(resource, own),
        share(own, measured),
        quantity(resource, total),
        plain(called.display_name()),
        file,
    )
}

fn label(resource: Resource) -> &'static str {
    match resource {
        Resource::CpuTime => "CPU time",
        Resource::MemoryGained => "memory gained",
        Resource::MemoryFreed => "memory freed",
        Resource::BytesRead => "read",
        Resource::BytesWritten => "written",
        Resource::GpuTime => "GPU time",
        Resource::GpuMemoryGained => "GPU memory gained",
        Resource::GpuMemoryFreed => "GPU memory freed",
        resource => resource.name(),
    }
}

fn quantity(resource: Resource, amount: f64) -> String {
    match resource.unit() {
        "B" => bytes(amount),
        unit => format!("{} {unit}", number(amount)),
    }
}
