//! What one sample of a busy thread, 20 frames deep, costs in the sampler's own thread.
//!
//! Prints the CPU time of each of seven rounds, and, on stderr, what else there is to know about them.
//! `cargo run --release -p jumper-benches --example sample_cost [PYTHON [agent|ptrace|none [DEPTH [functions|methods|objects]]]]`
//! (functions, methods of one object, or a method of an object of its own at each level).

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jumper_sampler::{HoldMode, Pid, SampleOutcome, StackSampler};

const ROUNDS: usize = 7;
const SAMPLES: u32 = 20_000;

/// Calls at the bottom of a stack of the depth asked for.
const PROGRAM: &str = "
import sys
def leaf(x): return x + 1
def work():
    x = 0
    while True: x = leaf(x)
def down(depth):
    if depth: down(depth - 1)
    else: work()
depth = int(sys.argv[1])
sys.setrecursionlimit(depth + 100)
down(depth - 4)
";

/// The same with methods.
const METHODS: &str = "
import sys
class Work:
    def leaf(self, x): return x + 1
    def work(self):
        x = 0
        while True: x = self.leaf(x)
    def down(self, depth):
        if depth: (Work() if apart else self).down(depth - 1)
        else: self.work()
depth, apart = int(sys.argv[1]), sys.argv[2] == 'objects'
sys.setrecursionlimit(depth + 100)
Work().down(depth - 4)
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let python = arguments.next().unwrap_or_else(|| "python3".into());
    let hold = arguments.next().unwrap_or_else(|| "agent".into());
    let depth = arguments.next().unwrap_or_else(|| "20".into());
    let calls = arguments.next().unwrap_or_else(|| "functions".into());
    let code = if calls == "functions" {
        PROGRAM
    } else {
        METHODS
    };
    let agent = jumper_session::agent()?;
    let program = Command::new(python)
        .args(["-c", code, &depth, &calls])
        .envs(
            (hold == "agent")
                .then(|| agent.environment())
                .into_iter()
                .flatten(),
        )
        .spawn()?;
    let program = Killed(program);
    std::thread::sleep(Duration::from_millis(500));
    let pid = Pid::new(program.0.id());
    let mut sampler = match hold.as_str() {
        "ptrace" => StackSampler::attach(pid, HoldMode::Ptrace)?,
        "none" => StackSampler::attach(pid, HoldMode::Nothing)?,
        _ => StackSampler::attach_through(pid, &agent)?,
    };
    for _ in 0..ROUNDS {
        let (mut whole, mut frames) = (0, 0);
        let (begin, cpu) = (Instant::now(), own_cpu_time());
        for _ in 0..SAMPLES {
            for sample in sampler.sample()?.threads() {
                whole += u32::from(sample.outcome == SampleOutcome::Stack);
                frames = sample.frames.len().max(frames);
            }
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(SAMPLES);
        println!("{:.2} us", each(own_cpu_time() - cpu));
        eprintln!(
            "{:?}: {whole} of {SAMPLES} whole, up to {frames} frames, {:.2} microseconds apart",
            sampler.hold_mode(),
            each(begin.elapsed())
        );
    }
    Ok(())
}

/// The CPU time of this thread, of which there is only one: the first figure of schedstat (proc(5)) is exact as soon as the
/// thread has been off the CPU, which a moment's sleep sees to.
fn own_cpu_time() -> Duration {
    std::thread::sleep(Duration::from_micros(100));
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// A program that is ended when the measurement is.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
