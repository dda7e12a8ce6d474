//! Assertion of values that must exist.
//!
//! A server does not end because of a bug in one command, so that code goes on without such a value. In debug builds,
//! and so in all tests and in the simulation, its absence is a panic.

/// An optional value that is absent only by a bug. Nothing that a peer sends and no failure outside the program may
/// make it absent.
pub trait MustExist {
    /// Returns the value as it is. In debug builds, panics if it is absent.
    ///
    /// `reason` says why the value exists: "a session has an account".
    #[must_use]
    fn must_exist(self, reason: &str) -> Self;
}

impl<T> MustExist for Option<T> {
    #[track_caller]
    fn must_exist(self, reason: &str) -> Self {
        debug_assert!(self.is_some(), "absent, although {reason}");
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_value_is_returned() {
        assert_eq!(Some(1).must_exist("it is there"), Some(1));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "absent, although a session has an account")]
    fn absence_panics_in_debug_builds() {
        let _ = None::<u8>.must_exist("a session has an account");
    }
}
