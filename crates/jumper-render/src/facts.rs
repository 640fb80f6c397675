//! What every report says about a recording before its contents: what ran, how long, and how good the
//! sampling was.

use jumper_session::{Hold, Host, Outcome, ProcessId, Session, Signature, StacksSummary, TagScore};

use crate::format::{count, plain, share, span, wall_clock};

/// One line of the header.
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: String,
}

fn fact(label: &'static str, value: String) -> Fact {
    Fact { label, value }
}

/// What ran: its description, else its command line.
pub(crate) fn program_name(session: &Session) -> &str {
    let program = &session.manifest().program;
    let command = || {
        session
            .processes()
            .iter()
            .find_map(|(id, _)| session.process_command(id))
    };
    match program.description.as_str() {
        "" => command().unwrap_or("an unknown program"),
        description => description,
    }
}

/// The same for people.
pub(crate) fn program(session: &Session) -> String {
    plain(program_name(session))
}

/// When recording began, where it was recorded.
pub(crate) fn recorded(session: &Session) -> String {
    let clock = &session.manifest().clock;
    wall_clock(clock, clock.unix_nanos_at(session.start()))
}

/// How the program, or the recording, came to its end; `None` where it simply did.
pub(crate) fn outcome(session: &Session) -> Option<String> {
    match session.manifest().outcome {
        Outcome::Finished { exit_status: 0 } | Outcome::Detached => None,
        Outcome::Finished { exit_status } => Some(format!("exited with status {exit_status}")),
        Outcome::Killed { signal } => Some(format!("ended by {}", signal_name(signal))),
        Outcome::Interrupted { signal } => {
            Some(format!("recording interrupted by {}", signal_name(signal)))
        }
        Outcome::Unknown => Some("how it ended is not known".into()),
    }
}

/// The names of the signals that end programs (signal(7)).
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.into()
}

/// The interpreter.
pub(crate) fn python(session: &Session) -> Option<String> {
    let python = session.manifest().python.as_ref()?;
    Some(plain(&format!(
        "{} {}",
        python.implementation, python.version
    )))
}

/// Whose thread it is, to be put behind its name where a session has several processes, or several machines.
pub(crate) fn owner(session: &Session, process: ProcessId) -> String {
    let process = session.processes().get(process);
    let pid = match session.processes().len() {
        0 | 1 => String::new(),
        _ => format!(" of process {}", process.pid),
    };
    match session.hosts() {
        [] | [_] => pid,
        hosts => format!("{pid} on {}", plain(&hosts[process.host.index()].name)),
    }
}

/// What is known of a machine.
pub(crate) fn host(host: &Host) -> String {
    let memory = host.memory_bytes as f64 / f64::from(1 << 30);
    let facts = [
        (!host.name.is_empty()).then(|| host.name.clone()),
        (!host.os.is_empty()).then(|| host.os.clone()),
        (host.cpus > 0).then(|| format!("{} CPUs", host.cpus)),
        (host.memory_bytes > 0).then(|| format!("{memory:.1} GiB")),
    ];
    let gpus = host.gpus.iter().map(|gpu| gpu.name.clone());
    let known: Vec<String> = facts.into_iter().flatten().chain(gpus).collect();
    match known.is_empty() {
        true => "unknown".into(),
        false => known.join(", "),
    }
}

/// How long it took, and how good the sampling was.
pub(crate) fn figures(session: &Session) -> Vec<Fact> {
    let duration = session.duration();
    let mut facts = vec![fact("Duration", span(duration))];
    if let Some(cpu) = session.manifest().cpu_time {
        facts.push(fact(
            "CPU time",
            format!(
                "{} ({})",
                span(cpu),
                share(cpu.as_secs_f64(), duration.as_secs_f64())
            ),
        ));
    }
    let Some(stacks) = session.manifest().stacks else {
        return facts;
    };
    let attempted = (stacks.samples + stacks.lost) as f64;
    facts.push(fact("Samples", count(stacks.samples)));
    facts.push(fact(
        "Lost",
        format!(
            "{} ({})",
            count(stacks.lost),
            share(stacks.lost as f64, attempted)
        ),
    ));
    if stacks.partial > 0 {
        let part = share(stacks.partial as f64, attempted);
        let text = format!(
            "{} ({part}), inner frames `[unproven]`",
            count(stacks.partial)
        );
        facts.push(fact("Partial", text));
    }
    if let Some(rate) = rate(&stacks) {
        facts.push(fact("Rate", rate));
    }
    if stacks.late_ticks > 0 {
        let all = stacks.ticks.max(stacks.late_ticks);
        facts.push(fact(
            "Late",
            format!("{} of {} looks", count(stacks.late_ticks), count(all)),
        ));
    }
    if stacks.hold == Hold::None {
        facts.push(fact(
            "Held",
            "no: what changed under the read is `[unproven]` or lost".into(),
        ));
    }
    facts
}

/// What the program was short of, where it was short of anything: JUmPER's performance tags of its level.
pub(crate) fn signature(session: &Session) -> Option<String> {
    let mut signatures = Signature::of(session);
    signatures.retain(|signature| session.string(signature.level) == "process");
    if let [only] = signatures.as_slice() {
        return (!only.is_normal()).then(|| tags(only));
    }
    let mut tags: Vec<(&TagScore, usize)> = Vec::new();
    for signature in signatures.iter().filter(|signature| !signature.is_normal()) {
        for score in &signature.tags {
            match tags.iter_mut().find(|(other, _)| other.tag == score.tag) {
                Some((_, hosts)) => *hosts += 1,
                None => tags.push((score, 1)),
            }
        }
    }
    let texts = tags
        .iter()
        .map(|(score, hosts)| format!("{} ({hosts} of {} hosts)", score.tag, signatures.len()));
    (!tags.is_empty()).then(|| texts.collect::<Vec<_>>().join(", "))
}

/// The tags of a signature with their scores.
pub(crate) fn tags(signature: &Signature) -> String {
    let texts = signature.tags.iter().map(|score| match score.score {
        0.0 => score.tag.to_string(),
        part => format!("{} ({})", score.tag, share(part, 1.0)),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// How often the recorder looked, against how often it meant to.
fn rate(stacks: &StacksSummary) -> Option<String> {
    let (reached, wanted) = rates(stacks)?;
    Some(format!(
        "{} of {} Hz reached",
        hertz(reached),
        hertz(wanted)
    ))
}

/// How often a second the recorder looked, and how often it meant to.
pub(crate) fn rates(stacks: &StacksSummary) -> Option<(f64, f64)> {
    let wanted = 1.0 / stacks.interval.as_secs_f64();
    let reached = stacks.ticks.saturating_sub(1) as f64 / stacks.span.as_secs_f64();
    let known = reached.is_finite() && reached > 0.0 && wanted.is_finite();
    known.then_some((reached, wanted))
}

fn hertz(rate: f64) -> String {
    match rate {
        rate if rate >= 100.0 => count(rate.round() as u64),
        rate => crate::format::number(rate),
    }
}
