//! What one look at a real Python process costs, by what its thread is doing and how it is held.

#![allow(missing_docs, reason = "criterion's macros make the items")]

use std::process::{Child, Command};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use jumper_sampler::metrics::MetricsSampler;
use jumper_sampler::{HoldMode, Pid, StackSampler};

/// A Python program that does `work` at a depth of 20 calls, and is killed in the end.
struct Target(Child);

impl Target {
    fn start(work: &str) -> Self {
        let code = format!(
            "import time\ndef down(n):\n    if n: return down(n - 1)\n    {work}\ndown(18)"
        );
        let child = Command::new("python3")
            .args(["-c", &code])
            .spawn()
            .expect("there is a python3");
        std::thread::sleep(Duration::from_millis(500));
        Self(child)
    }

    fn pid(&self) -> Pid {
        Pid::new(self.0.id())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn stacks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one look, 20 calls deep");
    let busy = "while True: pass";
    for (name, work, mode) in [
        ("blocked", "time.sleep(3600)", HoldMode::Ptrace),
        ("busy, held", busy, HoldMode::Ptrace),
        ("busy, not held", busy, HoldMode::Nothing),
    ] {
        let target = Target::start(work);
        let mut sampler = StackSampler::attach(target.pid(), mode).expect("a supported Python");
        group.bench_function(name, |bencher| {
            bencher.iter(|| sampler.sample().map(|tick| tick.threads().count()))
        });
    }
    group.finish();
}

fn metrics(criterion: &mut Criterion) {
    let mut sampler = MetricsSampler::new(Pid::own()).expect("we run");
    criterion.bench_function("one measurement of resources", |bencher| {
        bencher.iter(|| sampler.sample().rows.len());
    });
}

criterion_group!(benches, stacks, metrics);
criterion_main!(benches);
