//! Check of this machine's clock against local knowledge. No other machine is queried.

use std::time::Duration;

use rustls::pki_types::UnixTime;

use super::report::Finding;
use crate::cli::output::format_minute;
use crate::platform::clock;
use crate::server::clock::TRUSTED_JUMP_MS;
use crate::trust::certs::CertificateInfo;
use crate::wire::Timestamp;

/// Tolerance for ordinary adjustments of the clock.
const TOLERANCE: Duration = Duration::from_mins(5);

/// Time since expiry from which it is more likely that the clock is ahead, because an expired certificate is noticed.
const LONG: Duration = Duration::from_hours(365 * 24);

/// Says how to set the clock.
fn remedy() -> String {
    format!("set the clock: {}", clock::SET_CLOCK)
}

/// Compares the clock with the dates of the certificates and with the time that the server knows: the last one it
/// recorded, or that of the latest message.
pub fn check(
    now: UnixTime,
    certificates: Option<&CertificateInfo>,
    last_stored: Option<Timestamp>,
) -> Finding {
    let time = |time: UnixTime| format_minute(Timestamp(time.as_secs().saturating_mul(1000)));
    let says = format!("the clock says {}", time(now));
    if let Some(made) =
        certificates.map(|certificates| certificates.root_validity.from).filter(|from| *from > now)
    {
        return Finding::problem(
            "clock",
            format!("{says}, and the root was made after {}", time(made)),
            remedy(),
        );
    }
    let slack = u64::try_from(TOLERANCE.as_millis()).unwrap_or_default();
    let wall = now.as_secs().saturating_mul(1000);
    if let Some(known) = last_stored.filter(|known| known.0 > wall.saturating_add(slack)) {
        let summary = format!("{says}, and the server has noted {}", format_minute(known));
        return Finding::problem(
            "clock",
            summary,
            format!("{}; or, if it is right, `parlour clock accept`", remedy()),
        );
    }
    if let Some(known) =
        last_stored.filter(|known| known.0.saturating_add(TRUSTED_JUMP_MS.unsigned_abs()) < wall)
    {
        let summary = format!(
            "{says}, and the server has noted {}: until that is settled it removes nothing by the new time",
            format_minute(known)
        );
        return Finding::warning(
            "clock",
            summary,
            format!("if it is right, `parlour clock accept`; if not, {}", remedy()),
        );
    }
    let ended = certificates.map(|certificates| certificates.leaf_validity.until);
    if let Some(ended) = ended.filter(|until| until.as_secs() + LONG.as_secs() < now.as_secs()) {
        let summary =
            format!("{says}, and the certificate ended long ago, on {}: is the clock ahead?", time(ended));
        return Finding::warning("clock", summary, remedy());
    }
    Finding::ok("clock", format!("{says}, which agrees with the certificates and the database"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Level;
    use crate::trust::certs::generate;

    #[test]
    fn clock_that_is_years_off_is_a_problem() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let year = 365 * 86_400;
        let made = 1_700_000_000;
        let folder = tempfile::tempdir().expect("a folder");
        let identity = generate(folder.path(), &[], false, at(made)).expect("made");
        let certificates = Some(identity.certificates());
        let message = Some(Timestamp((made + 10) * 1000));
        let level = |now, latest| check(at(now), certificates, latest).level;
        assert_eq!(level(made + 20, message), Level::Ok);
        assert_eq!(level(made, message), Level::Ok, "a few seconds are nothing");
        assert_eq!(level(made - 3600, message), Level::Problem, "a message of the future");
        assert_eq!(level(made - 3600, None), Level::Ok);
        assert_eq!(level(made - 5 * year, None), Level::Problem, "before the certificates");
        assert_eq!(level(made + 5 * year, None), Level::Warning, "far behind their end");
        assert_eq!(level(made + 3 * 86_400, message), Level::Warning, "three days after it was there last");
        assert_eq!(check(at(made - 5 * year), None, None).level, Level::Ok, "nothing is known");
        let finding = check(at(made - 3600), certificates, message);
        assert_eq!(
            finding.summary,
            "the clock says 2023-11-14 21:13 UTC, and the server has noted 2023-11-14 22:13 UTC"
        );
    }
}
