//! Schedule for the renewal of a server's certificate.

use std::time::Duration;

use rustls_pki_types::UnixTime;

use super::lifetimes::DAY;
use super::{CertificateInfo, Validity};

/// Time before a certificate's end at which it is renewed, in seconds; from then on admins are warned if it cannot be.
/// It is shorter than usual, because each renewal shows to clients that pinned the certificate itself.
const RENEW_BEFORE_SECONDS: u64 = 30 * DAY;

/// Action that a certificate needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalStatus {
    /// The certificate needs no action.
    NotDue,
    /// The certificate ends soon, or has ended, or was made while the clock was ahead. It needs renewal.
    Due {
        /// Whole days that are left.
        days: u64,
    },
}

/// Returns the time from which a certificate needs renewal: 30 days before its end, or a third of its validity if that
/// is shorter.
pub fn renewal_due(validity: Validity) -> UnixTime {
    let (from, until) = (validity.from.as_secs(), validity.until.as_secs());
    let renew_before = RENEW_BEFORE_SECONDS.min(until.saturating_sub(from) / 3);
    UnixTime::since_unix_epoch(Duration::from_secs(until.saturating_sub(renew_before)))
}

/// Returns the action that these certificates need at the time `now`.
pub fn renewal_status(certificates: &CertificateInfo, now: UnixTime) -> RenewalStatus {
    let Validity { from, until } = certificates.leaf_validity;
    let due = renewal_due(certificates.leaf_validity).as_secs();
    let (now, from, until) = (now.as_secs(), from.as_secs(), until.as_secs());
    // A clock that shows a time before the root was made is wrong, and no reason to renew.
    if now < certificates.root_validity.from.as_secs() {
        return RenewalStatus::NotDue;
    }
    if now < from || now > due {
        RenewalStatus::Due { days: until.saturating_sub(now) / DAY }
    } else {
        RenewalStatus::NotDue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::certs::generate;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn renewal_is_due_in_last_month_or_before_validity() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = generate(folder.path(), &[], false, at(10_000 * DAY)).expect("certificates");
        let mut certificates = made.certificates().clone();
        let due = |certificates: &CertificateInfo, now| renewal_status(certificates, at(now));
        for (now, expected) in [
            (10_000 * DAY, RenewalStatus::NotDue),
            (10_367 * DAY, RenewalStatus::NotDue),
            (10_367 * DAY + 1, RenewalStatus::Due { days: 29 }),
            (10_396 * DAY + 1, RenewalStatus::Due { days: 0 }),
            (11_000 * DAY, RenewalStatus::Due { days: 0 }),
            // Before the root was made.
            (9_000 * DAY, RenewalStatus::NotDue),
        ] {
            assert_eq!(due(&certificates, now), expected, "{now}");
        }
        // Made while the clock was years ahead; now the clock is right.
        certificates.leaf_validity = Validity { from: at(14_000 * DAY), until: at(14_400 * DAY) };
        assert!(matches!(due(&certificates, 10_100 * DAY), RenewalStatus::Due { .. }));
        // A short validity has a short renewal period.
        certificates.leaf_validity = Validity { from: at(10_000 * DAY), until: at(10_009 * DAY) };
        assert_eq!(due(&certificates, 10_005 * DAY), RenewalStatus::NotDue);
        assert_eq!(due(&certificates, 10_007 * DAY), RenewalStatus::Due { days: 2 });
    }
}
