//! Prints the stacks of a Python process once a second: `cargo run --example stacks -- PID`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use jumper_sampler::{Error, HoldMode, Pid, StackSampler, Ticker};

fn main() -> Result<(), Error> {
    let pid = std::env::args().nth(1).and_then(|pid| pid.parse().ok());
    let pid = Pid::new(pid.expect("pass the PID of a Python process"));
    let mut sampler = StackSampler::attach(pid, HoldMode::Ptrace)?;
    println!("process {pid} runs {}", sampler.version());
    let mut ticker = Ticker::start(std::time::Duration::from_secs(1));
    loop {
        let tick = sampler.sample()?;
        for sample in tick.threads() {
            let thread = tick.sampler().thread(sample.thread);
            println!(
                "{} ({}), on CPU: {}",
                thread.name, thread.tid, sample.on_cpu
            );
            for frame in sample.frames {
                let function = tick.sampler().function(frame.function);
                let name = function.qualname.as_ref().unwrap_or(&function.name);
                println!("    {name}  {}:{}", function.file, frame.line.unwrap_or(0));
            }
        }
        ticker.wait();
    }
}
