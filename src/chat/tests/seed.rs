//! Seeds of random tests.

use rand::SeedableRng as _;
use rand::rngs::SmallRng;

/// The seed of a test's random numbers. A test that panics while it has one prints it.
pub(crate) struct Seed(pub u64);

impl Seed {
    /// The random numbers of this seed.
    pub fn rng(&self) -> SmallRng {
        SmallRng::seed_from_u64(self.0)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {:#x}", self.0);
        }
    }
}
