//! Inputs for the benchmarks. They are made up, and the same on every machine.

use std::time::Duration;

use jumper_session::{
    Extent, Function, FunctionId, Host, Manifest, NewSample, Place, Session, SessionBuilder,
    StackId, StacksSummary, ThreadState, Timestamp,
};

/// The interval of the made-up recording.
const INTERVAL: Duration = Duration::from_millis(1);

/// A session of `samples` samples, one a millisecond, from a [`Walk`].
pub fn walk(samples: u32) -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, Some("walk"));
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let mut walk = Walk::new(&mut builder);
    for sample in 0..samples {
        walk.step();
        let stack = walk.stack(&mut builder);
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

/// A random walk through 800 functions, up to 40 deep and mostly close to that, in which two stacks of five are distinct. Real
/// programs repeat themselves more.
pub struct Walk {
    functions: Vec<FunctionId>,
    frames: Vec<usize>,
    /// Of the outer frames that are as they were the stacks that end there.
    known: Vec<StackId>,
    random: Random,
}

impl Walk {
    /// A walk that has not begun, through functions of `builder`.
    pub fn new(builder: &mut SessionBuilder) -> Self {
        let function = |number: u32| {
            let (name, file) = (
                format!("function_{number}"),
                format!("/app/module_{}.py", number % 37),
            );
            builder.intern_function(&Function {
                name: &name,
                qualname: Some(&name),
                file: &file,
                first_line: number + 1,
                hidden: false,
            })
        };
        Self {
            functions: (0..800).map(function).collect(),
            frames: vec![0],
            known: Vec::new(),
            random: Random(1),
        }
    }

    /// Returns from a few calls and makes a few others.
    pub fn step(&mut self) {
        let draw = self.random.below(10);
        if draw < 3 {
            let left = 1 + self.random.below(4);
            let kept = self.frames.len().saturating_sub(left).max(1);
            self.frames.truncate(kept);
            self.known.truncate(kept);
        }
        if draw < 2 {
            return;
        }
        for _ in 0..1 + self.random.below(3) {
            if let Some(&caller) = self.frames.last()
                && self.frames.len() < 40
            {
                self.frames
                    .push((caller * 7 + 1 + self.random.below(3)) % 800);
            }
        }
    }

    /// The stack that it is in. As the recorder does, only what is new is looked up.
    pub fn stack(&mut self, builder: &mut SessionBuilder) -> Option<StackId> {
        for &frame in &self.frames[self.known.len()..] {
            let line = frame as u32 + 3;
            let place = Place {
                line,
                extent: Extent::new(Some(4), Some(line), Some(20)),
                class: None,
            };
            let parent = self.known.last().copied();
            self.known
                .push(builder.intern_stack(parent, self.functions[frame], place));
        }
        self.known.last().copied()
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
