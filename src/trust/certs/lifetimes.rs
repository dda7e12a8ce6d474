//! Validity periods of certificates, in seconds.

pub const DAY: u64 = 24 * 60 * 60;

/// Time before its issue at which a certificate's validity begins, so that a client whose clock is slow (or in the
/// wrong time zone) can connect at once.
pub const BACKDATE_SECONDS: u64 = DAY;

/// Validity of a root. It outlives the machine, because its end means that everyone must be invited again.
pub const ROOT_LIFETIME_SECONDS: u64 = 30 * 365 * DAY;

/// Validity of a web root. Its end means that it must be installed again on every phone; but what is forgotten on one ends.
pub const WEB_ROOT_LIFETIME_SECONDS: u64 = 10 * 365 * DAY;

/// Validity of a leaf. Some systems refuse server certificates that live longer than 398 days, even under a private
/// root ([Apple: 825 days for such](https://support.apple.com/en-us/103769)); 397 days suits them all.
pub const LEAF_LIFETIME_SECONDS: u64 = 397 * DAY;
