//! What the samples of a thread amount to, by stack.

use crate::StackId;
use crate::tables::{NONE_U32, StackTable};
use crate::tree::used::{Spent, Used};

/// Sums for all stacks of a session, of which a thread [meets](Self::meet) some.
pub(super) struct Sums {
    of_stack: Vec<Sum>,
    /// The row of the first sample that ended in each stack, where that is asked for.
    first_ended: Option<Vec<u32>>,
    /// What was used while each stack was the one that ran, where that is asked for.
    used: Option<Vec<Used>>,
    /// Stacks in which samples ended.
    ended: Vec<u32>,
}

/// The samples that ended in a stack.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    /// Their time.
    pub(super) time_ns: u64,
    /// How many there are.
    pub(super) count: u32,
    /// The row of the first sample that was in the stack at all, or [`NONE_U32`].
    pub(super) first_seen: u32,
}

impl Sum {
    const NONE: Self = Self {
        time_ns: 0,
        count: 0,
        first_seen: NONE_U32,
    };
}

impl Sums {
    pub(super) fn new(stacks: usize, with_first_ended: bool, with_used: bool) -> Self {
        Self {
            of_stack: vec![Sum::NONE; stacks],
            first_ended: with_first_ended.then(|| vec![NONE_U32; stacks]),
            used: with_used.then(|| vec![Used::default(); stacks]),
            ended: Vec::new(),
        }
    }

    /// Adds a sample that ended in a stack. Samples come in the order of their rows.
    pub(super) fn add(&mut self, stack: StackId, row: u32, time_ns: u64) {
        let sum = &mut self.of_stack[stack.index()];
        sum.time_ns += time_ns;
        sum.count += 1;
        if sum.first_seen == NONE_U32 {
            sum.first_seen = row;
            self.ended.push(stack.as_u32());
            if let Some(first_ended) = &mut self.first_ended {
                first_ended[stack.index()] = row;
            }
        }
    }

    /// Adds what was used during such a sample.
    pub(super) fn add_used(&mut self, stack: StackId, used: Spent) {
        if let Some(known) = self.used.as_mut().filter(|_| !used.is_nothing()) {
            known[stack.index()].add_own(used);
        }
    }

    /// The stacks that the samples were in, callers before what they called, which then know their first samples.
    pub(super) fn meet(&mut self, stacks: &StackTable) -> Vec<StackId> {
        let ended = std::mem::take(&mut self.ended);
        // Going through all of them takes less than to sort them when they are many.
        match ended.len() > self.of_stack.len() / 16 {
            true => self.meet_in_order(stacks),
            false => self.meet_upwards(stacks, ended),
        }
    }

    fn meet_in_order(&mut self, stacks: &StackTable) -> Vec<StackId> {
        for row in (0..self.of_stack.len()).rev() {
            self.tell_caller(stacks, StackId::from_len(row));
        }
        let sums = self.of_stack.iter().enumerate();
        let met = sums.filter(|(_, sum)| sum.first_seen != NONE_U32);
        met.map(|(row, _)| StackId::from_len(row)).collect()
    }

    fn meet_upwards(&mut self, stacks: &StackTable, mut met: Vec<u32>) -> Vec<StackId> {
        for end in 0..met.len() {
            let mut next = stacks.parent(StackId::from_raw(met[end]));
            let row = self.of_stack[met[end] as usize].first_seen;
            while let Some(stack) = next
                && self.of_stack[stack.index()].first_seen == NONE_U32
            {
                self.of_stack[stack.index()].first_seen = row;
                met.push(stack.as_u32());
                next = stacks.parent(stack);
            }
        }
        met.sort_unstable();
        let met: Vec<StackId> = met.into_iter().map(StackId::from_raw).collect();
        for &stack in met.iter().rev() {
            self.tell_caller(stacks, stack);
        }
        met
    }

    fn tell_caller(&mut self, stacks: &StackTable, stack: StackId) {
        let first_seen = self.of_stack[stack.index()].first_seen;
        if let Some(caller) = stacks.parent(stack) {
            let caller = &mut self.of_stack[caller.index()];
            caller.first_seen = caller.first_seen.min(first_seen);
        }
    }

    pub(super) fn of(&self, stack: StackId) -> Sum {
        self.of_stack[stack.index()]
    }

    /// The row of the first sample that ended in a stack, if there is one and it was asked for.
    pub(super) fn first_ended(&self, stack: StackId) -> Option<u32> {
        let row = self.first_ended.as_ref()?[stack.index()];
        (row != NONE_U32).then_some(row)
    }

    /// Takes what was used while a stack was the one that ran.
    pub(super) fn take_used(&mut self, stack: StackId) -> Spent {
        let used = self.used.as_mut();
        used.map_or_else(Spent::default, |used| used[stack.index()].take_own())
    }

    /// Counts the time of a stack as its caller's too.
    pub(super) fn add_to_caller(&mut self, stacks: &StackTable, stack: StackId) {
        if let Some(caller) = stacks.parent(stack) {
            self.of_stack[caller.index()].time_ns += self.of_stack[stack.index()].time_ns;
        }
    }

    /// Makes room for the next thread.
    pub(super) fn clear(&mut self, met: &[StackId]) {
        for stack in met {
            self.of_stack[stack.index()] = Sum::NONE;
            if let Some(first_ended) = &mut self.first_ended {
                first_ended[stack.index()] = NONE_U32;
            }
        }
    }
}
