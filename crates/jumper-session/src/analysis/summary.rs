//! Numbers in sum.

/// What is known of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) count: usize,
    pub(super) min: f64,
    pub(super) average: f64,
    pub(super) max: f64,
}

impl Summary {
    /// `None` for no numbers; they are finite.
    ///
    /// What was rounded off is added at the end (Neumaier), so that the average of equal numbers is that number: it
    /// may be exactly a threshold.
    pub(super) fn of(numbers: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let (mut count, mut sum, mut rounded) = (0, 0.0_f64, 0.0);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for number in numbers.clone() {
            let next = sum + number;
            rounded += match sum.abs() >= number.abs() {
                true => (sum - next) + number,
                false => (number - next) + sum,
            };
            sum = next;
            count += 1;
            min = min.min(number);
            max = max.max(number);
        }
        if count == 0 {
            return None;
        }
        let average = (sum + rounded) / count as f64;
        let average = match average.is_finite() {
            true => average,
            // The sum of what is so large is none, but its average is.
            false => numbers.map(|number| number / count as f64).sum(),
        };
        Some(Self {
            count,
            min,
            average: average.clamp(min, max),
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_of_equal_numbers_is_that_number() {
        for number in [6.4, 0.1, 70.1, 1e300, f64::MAX] {
            for count in [1, 3, 10, 1000] {
                let summary = Summary::of(std::iter::repeat_n(number, count)).unwrap();
                assert_eq!((summary.count, summary.average), (count, number));
            }
        }
        assert_eq!(Summary::of(std::iter::empty()), None);
    }
}
