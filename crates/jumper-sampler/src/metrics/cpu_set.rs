//! Sets of processors.

/// Processors as the kernel lists them: `0-3,8`, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CpuSet {
    ranges: Vec<(u32, u32)>,
}

impl CpuSet {
    pub(super) fn parse(list: &str) -> Option<Self> {
        let parts = list.trim().split(',').filter(|part| !part.is_empty());
        let ranges = parts.map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last && last < MOST_CPUS).then_some((first, last))
        });
        Some(Self {
            ranges: ranges.collect::<Option<_>>()?,
        })
    }

    pub(super) fn len(&self) -> u32 {
        self.shared_with(self)
    }

    pub(super) fn shared_with(&self, other: &Self) -> u32 {
        let pairs = self
            .ranges
            .iter()
            .flat_map(|one| other.ranges.iter().map(move |two| (one, two)));
        pairs
            .map(|(one, two)| (one.1.min(two.1) + 1).saturating_sub(one.0.max(two.0)))
            .sum()
    }
}

/// Far more than Linux can be built for.
const MOST_CPUS: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_lists_are_counted_and_intersected() {
        let count = |list: &str| CpuSet::parse(list).map(|set| set.len());
        assert_eq!(count("\t0-1\n"), Some(2));
        assert_eq!(count("0-3,8,10-11"), Some(7));
        assert_eq!(count(""), Some(0));
        assert_eq!(count("3-1"), None);
        assert_eq!(count("0-4294967295"), None);
        assert_eq!(count("x"), None);
        let (allowed, online) = (
            CpuSet::parse("0-127").unwrap(),
            CpuSet::parse("0-1,64").unwrap(),
        );
        assert_eq!(allowed.shared_with(&online), 3);
    }
}
