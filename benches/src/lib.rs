//! Inputs for the benchmarks. They are made up, and the same on every machine.

use std::time::Duration;

use jumper_session::{
    Function, Host, Manifest, NewSample, Session, SessionBuilder, StacksSummary, ThreadState,
    Timestamp,
};

/// The interval of the made-up recording.
const INTERVAL: Duration = Duration::from_millis(1);

/// A session of `samples` samples, one a millisecond, from a random walk through 800 functions about 20 deep.
pub fn walk(samples: u32) -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, Some("walk"));
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let functions: Vec<_> = (0..800_u32)
        .map(|number| {
            let (name, file) = (
                format!("function_{number}"),
                format!("/app/module_{}.py", number % 37),
            );
            builder.intern_function(&Function {
                name: &name,
                qualname: None,
                file: &file,
                first_line: number,
                hidden: false,
            })
        })
        .collect();
    let mut random = Random(1);
    let mut stack = vec![0_usize];
    for sample in 0..samples {
        step(&mut stack, &mut random);
        let frames = stack
            .iter()
            .map(|&function| (functions[function], function as u32 + 1));
        let stack = builder.intern_stack_frames(frames);
        let time = Timestamp::from_nanos(i64::from(sample) * INTERVAL.as_nanos() as i64);
        builder.push_sample(NewSample {
            time,
            duration: INTERVAL,
            thread,
            task: None,
            state: ThreadState::ON_CPU,
            stack,
        });
    }
    let end = Timestamp::from_nanos(i64::from(samples) * INTERVAL.as_nanos() as i64);
    let stacks = Some(StacksSummary {
        interval: INTERVAL,
        ..StacksSummary::default()
    });
    builder.finish(Manifest {
        end,
        stacks,
        ..Manifest::default()
    })
}

/// Returns from a few calls and makes a few others.
fn step(stack: &mut Vec<usize>, random: &mut Random) {
    if random.below(10) < 3 {
        let kept = stack.len().saturating_sub(1 + random.below(4)).max(1);
        stack.truncate(kept);
    }
    for _ in 0..random.below(3) {
        if stack.len() < 40 {
            let caller = stack[stack.len() - 1];
            stack.push((caller * 7 + 1 + random.below(3)) % 800);
        }
    }
}

/// A linear congruential generator (Knuth, MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}
