//! The rule by which the counters of many processes add up to one total that is neither short nor double.

/// One cumulative counter of one process, as read.
///
/// The kernel adds the counters of a child to its parent's when the parent waits for it (wait4(2)). For processor
/// time the parent shows that part apart (`cutime`, `cstime` in proc(5)); in `/proc/PID/io` it is mixed with the
/// parent's own, which proc(5) does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// What is certainly the process's own.
    pub(super) own: u64,
    /// What may contain children that were waited for.
    pub(super) folded: u64,
}

impl Reading {
    const ZERO: Self = Self { own: 0, folded: 0 };

    /// A counter that the kernel does not split.
    pub(super) const fn mixed(folded: u64) -> Self {
        Self { own: 0, folded }
    }
}

/// What has been counted of one counter of one process.
///
/// A child that was seen has been counted when its parent waits for it, and then turns up a second time in the
/// parent's counter, together with what it did unseen: its last moments, and children of its own that lived and
/// died between two samples. So the growth of a parent counts *less what was counted for the children that it
/// may just have waited for*. That amount is [owed](Self::owe) for two samples, since a parent can have been read
/// just before the wait that removed the child, and is forgotten then: the child may have been waited for by
/// somebody else, e.g. by init.
///
/// ```text
/// sample         1       2       3
/// child    ------+-------+--x            counted: 3 at 1, then 7 at 2; uses 2 more, ends, is waited for
/// parent   ------+-------+--|----+       its `folded` grows by 9 until 3
///                           owes 7       counted at 3: 9 - 7 = 2
/// ```
///
/// Where the guess is wrong the total is short by at most what is owed; it is never too high and never falls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    last: Option<Reading>,
    owed: u64,
    owed_anew: u64,
    /// What is still owed because the kernel rounds down what a parent finds; never forgotten.
    credit: u64,
}

impl Account {
    /// For a process that started since the previous sample: all that it shows at first sight counts.
    pub(super) const FROM_START: Self = Self {
        last: Some(Reading::ZERO),
        owed: 0,
        owed_anew: 0,
        credit: 0,
    };

    /// For a process that was there before: it counts from its first sight on.
    pub(super) const FROM_NOW: Self = Self {
        last: None,
        owed: 0,
        owed_anew: 0,
        credit: 0,
    };

    /// All that a parent may find in its own counter when it waits for this process.
    pub(super) fn inheritance(&self) -> u64 {
        self.last.map_or(0, |last| last.own + last.folded)
            + self.owed
            + self.owed_anew
            + self.credit
    }

    /// Notes that `amount`, counted already for a process that has just ended, may turn up here again.
    pub(super) fn owe(&mut self, amount: u64) {
        self.owed_anew += amount;
    }

    /// Takes a new reading; returns what it adds to the total.
    ///
    /// `waited` is whether the process has waited for a child since the sample before the previous one. One that
    /// did not, as the kernel discards its children (`SIGCHLD` ignored), finds nothing of them in its counter. `grain` is how
    /// much of a child the parent's counter may be short of for now, as it shows whole ticks only.
    pub(super) fn settle(&mut self, now: Reading, waited: bool, grain: u64) -> u64 {
        let owed = self.owed + self.owed_anew + self.credit;
        let last = self.last.replace(now).unwrap_or(now);
        let folded = now.folded.saturating_sub(last.folded);
        let settled = if waited { owed.min(folded) } else { 0 };
        let left = owed - settled;
        self.credit = match settled {
            0 => self.credit,
            _ => left.min(grain),
        };
        self.owed = self.owed_anew.min(left - self.credit.min(left));
        self.owed_anew = 0;
        now.own.saturating_sub(last.own) + (folded - settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(own: u64, folded: u64) -> Reading {
        Reading { own, folded }
    }

    #[test]
    fn a_new_process_counts_whole_and_an_old_one_from_now_on() {
        assert_eq!({ Account::FROM_START }.settle(reading(5, 2), false, 0), 7);
        let mut old = Account::FROM_NOW;
        assert_eq!(old.settle(reading(5, 2), false, 0), 0);
        assert_eq!(old.settle(reading(6, 2), false, 0), 1);
    }

    #[test]
    fn a_child_that_was_seen_is_not_counted_again_by_its_parent() {
        let (mut parent, mut child) = (Account::FROM_NOW, Account::FROM_START);
        let mut total =
            parent.settle(reading(10, 0), false, 0) + child.settle(reading(3, 0), false, 0);
        total += parent.settle(reading(11, 0), false, 0) + child.settle(reading(7, 0), false, 0);
        assert_eq!(total, 8);
        // The child used 2 more, and a grandchild that was never seen used 4: 13 are waited for.
        parent.owe(child.inheritance());
        total += parent.settle(reading(12, 13), true, 0);
        assert_eq!(total, 8 + 1 + 6);
    }

    #[test]
    fn a_parent_that_was_read_before_it_waited_settles_at_the_next_sample() {
        let mut parent = Account::FROM_NOW;
        parent.settle(reading(0, 0), true, 0);
        parent.owe(7);
        assert_eq!(parent.settle(reading(0, 0), true, 0), 0);
        assert_eq!(parent.settle(reading(0, 9), true, 0), 2);
    }

    #[test]
    fn what_nobody_waited_for_is_forgotten_after_two_samples() {
        let mut parent = Account::FROM_NOW;
        parent.settle(reading(0, 0), true, 0);
        parent.owe(7);
        parent.settle(reading(0, 0), true, 0);
        parent.settle(reading(0, 0), true, 0);
        assert_eq!(parent.settle(reading(0, 9), true, 0), 9);
    }

    #[test]
    fn a_parent_that_has_not_waited_keeps_its_own_growth() {
        let mut parent = Account::FROM_NOW;
        parent.settle(Reading::mixed(100), false, 0);
        parent.owe(50);
        assert_eq!(parent.settle(Reading::mixed(160), false, 0), 60);
    }

    #[test]
    fn what_an_ended_process_owed_is_passed_on() {
        let mut middle = Account::FROM_NOW;
        middle.settle(reading(1, 0), true, 0);
        middle.owe(5);
        middle.settle(reading(1, 0), true, 0);
        assert_eq!(middle.inheritance(), 6);
    }

    #[test]
    fn what_the_kernel_rounds_away_is_owed_until_it_shows() {
        // Each child uses 14, was seen, and is waited for; the parent's counter shows multiples of 10.
        let mut parent = Account::FROM_NOW;
        parent.settle(reading(0, 0), true, 10);
        let mut total = 0;
        for children in 1..=50 {
            parent.owe(14);
            total += parent.settle(reading(0, children * 14 / 10 * 10), true, 10);
        }
        assert_eq!(total, 0);
    }

    #[test]
    fn a_counter_that_falls_adds_nothing() {
        let mut account = Account::FROM_NOW;
        account.settle(reading(9, 9), false, 0);
        assert_eq!(account.settle(reading(1, 1), false, 0), 0);
    }
}
