//! A cheap hasher for the integer keys of the recorder's interning maps.
//!
//! A recorder looks up every frame of every sample, and the standard hasher would be most of that cost.
//! The standard one resists keys chosen to collide; this one does not, so it must only see numbers
//! that this process gave out itself, never ones read from a file.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are small tuples of row numbers made in this process.
pub(crate) type IntMap<K, V> = HashMap<K, V, BuildIntHasher>;

/// What makes the hasher of such a map.
pub(crate) type BuildIntHasher = BuildHasherDefault<IntHasher>;

/// Folds each integer into the state by one multiplication of 64 to 128 bits.
#[derive(Default)]
pub(crate) struct IntHasher(u64);

// Any odd number with well mixed bits does; this is 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IntHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, value: u64) {
        // Both halves are kept: the table takes its slot from the low bits and its tag from the high.
        let product =
            u128::from(self.0.rotate_left(23) ^ value ^ MULTIPLIER) * u128::from(MULTIPLIER);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    #[test]
    fn neighbouring_keys_spread_over_slots() {
        let build = BuildHasherDefault::<IntHasher>::default();
        let slots: HashSet<u64> = (0..1000_u32)
            .map(|row| build.hash_one((row, 7_u32, row % 5)) & 0xffff)
            .collect();
        // 1000 random draws from 65536 slots give about 992 distinct ones.
        assert!(slots.len() > 970, "{} distinct slots", slots.len());
    }

    #[test]
    fn order_of_the_parts_matters() {
        let build = BuildHasherDefault::<IntHasher>::default();
        assert_ne!(
            build.hash_one((1_u32, 2_u32)),
            build.hash_one((2_u32, 1_u32))
        );
    }
}
