//! Schedule for the renewal of a server's certificate.

use std::time::Duration;

use rustls_pki_types::UnixTime;

use super::life::DAY;
use super::{Certificates, Validity};

/// Time before a certificate's end at which it is renewed, in seconds; from then on people are warned if it cannot be.
/// It is shorter than usual, because each renewal shows to clients that pinned the certificate itself.
const AHEAD: u64 = 30 * DAY;

/// Action that a certificate needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// The certificate needs no action.
    Fine,
    /// The certificate ends soon, or has ended, or was made while the clock was ahead. It needs renewal.
    Renew {
        /// Whole days that are left.
        days: u64,
    },
}

/// Returns the time from which a certificate needs renewal: 30 days before its end, or a third of its validity if that
/// is shorter.
pub fn due(validity: Validity) -> UnixTime {
    let (from, until) = (validity.from.as_secs(), validity.until.as_secs());
    let ahead = AHEAD.min(until.saturating_sub(from) / 3);
    UnixTime::since_unix_epoch(Duration::from_secs(until.saturating_sub(ahead)))
}

/// Returns the action that these certificates need at the time `now`.
pub fn upkeep(certificates: &Certificates, now: UnixTime) -> Upkeep {
    let Validity { from, until } = certificates.server;
    let due = due(certificates.server).as_secs();
    let (now, from, until) = (now.as_secs(), from.as_secs(), until.as_secs());
    // A clock that shows a time before the root was made is wrong, and no reason to renew.
    if now < certificates.root.from.as_secs() {
        return Upkeep::Fine;
    }
    if now < from || now > due {
        Upkeep::Renew { days: until.saturating_sub(now) / DAY }
    } else {
        Upkeep::Fine
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
        let due = |certificates: &Certificates, now| upkeep(certificates, at(now));
        for (now, expected) in [
            (10_000 * DAY, Upkeep::Fine),
            (10_367 * DAY, Upkeep::Fine),
            (10_367 * DAY + 1, Upkeep::Renew { days: 29 }),
            (10_396 * DAY + 1, Upkeep::Renew { days: 0 }),
            (11_000 * DAY, Upkeep::Renew { days: 0 }),
            // Before the root was made.
            (9_000 * DAY, Upkeep::Fine),
        ] {
            assert_eq!(due(&certificates, now), expected, "{now}");
        }
        // Made while the clock was years ahead; now the clock is right.
        certificates.server = Validity { from: at(14_000 * DAY), until: at(14_400 * DAY) };
        assert!(matches!(due(&certificates, 10_100 * DAY), Upkeep::Renew { .. }));
        // A short validity has a short renewal period.
        certificates.server = Validity { from: at(10_000 * DAY), until: at(10_009 * DAY) };
        assert_eq!(due(&certificates, 10_005 * DAY), Upkeep::Fine);
        assert_eq!(due(&certificates, 10_007 * DAY), Upkeep::Renew { days: 2 });
    }
}
