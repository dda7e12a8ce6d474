//! Seeds of random tests.

use std::io::Write as _;

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
            // Not `eprintln!`, which would panic once more where nobody reads the output.
            let _ = writeln!(std::io::stderr(), "the seed is {:#x}", self.0);
        }
    }
}
