//! The server's certificate at run time: loaded again when its files change, renewed before it ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rustls_pki_types::UnixTime;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::core::settings::CertificateValidity;
use crate::trust::certs::{
    self, CertError, Identity, RenewalStatus, SubjectAltName, WebCertificates, renewal_status,
};
use crate::trust::live_identity::LiveIdentity;
use crate::trust::web_identity::WebIdentity;
use crate::wire::Timestamp;

/// The certificate folder of a running server, and the identity that clients see.
#[derive(Debug)]
pub struct LiveCertificates {
    folder: PathBuf,
    /// Additional names for certificates that are made.
    extra_names: RwLock<Vec<SubjectAltName>>,
    current_identity: RwLock<Identity>,
    live_identity: Arc<LiveIdentity>,
    /// Lock that lets only one change run at a time.
    change_lock: Mutex<()>,
}

impl LiveCertificates {
    /// Loads the folder. Makes certificates if there are none, and a new leaf if that is due and the root's key is
    /// present.
    pub fn open(folder: PathBuf, names: Vec<SubjectAltName>, now: UnixTime) -> Result<Self, CertError> {
        let identity = match certs::load(&folder, now) {
            Err(CertError::NoCertificates(_)) => {
                let made = certs::generate(&folder, &names, false, now)?;
                info!(folder = %folder.display(), pin = %made.pin(), "made certificates");
                made
            }
            Err(refused @ (CertError::Expired { .. } | CertError::NotYetValid { .. })) => {
                renew_expired(&folder, &names, now).ok_or(refused)?
            }
            loaded => loaded?,
        };
        let live = Arc::new(LiveIdentity::new(&identity));
        let (names, current) = (RwLock::new(names), RwLock::new(identity));
        Ok(Self {
            folder,
            extra_names: names,
            current_identity: current,
            live_identity: live,
            change_lock: Mutex::new(()),
        })
    }

    /// Returns the replaceable identity, for TLS.
    pub fn live_identity(&self) -> Arc<LiveIdentity> {
        Arc::clone(&self.live_identity)
    }

    /// Returns the identity that is shown now.
    pub fn current_identity(&self) -> Identity {
        self.current_identity.read().clone()
    }

    /// Returns the dates that the core reports to admins.
    pub fn certificate_dates(&self) -> CertificateValidity {
        let current = self.current_identity.read();
        let server = current.certificates().leaf_validity;
        let millis = |time: UnixTime| Timestamp(time.as_secs().saturating_mul(1000));
        CertificateValidity {
            not_after: millis(server.until),
            renewal_due: millis(certs::renewal_due(server)),
            renews_automatically: current.can_renew(),
        }
    }

    /// Sets the names for certificates that are made from now on.
    pub fn set_names(&self, names: Vec<SubjectAltName>) {
        *self.extra_names.write() = names;
    }

    /// Loads the folder and shows its content to new connections. After an error the old identity stays.
    pub fn reload(&self, now: UnixTime) -> Result<(), CertError> {
        let _one = self.change_lock.lock();
        let identity = certs::load(&self.folder, now)?;
        self.replace_identity(identity);
        Ok(())
    }

    /// Renews the certificate if that is due, or logs a warning. Returns true if the shown certificate changed.
    pub fn renew_if_due(&self, now: UnixTime) -> bool {
        let _one = self.change_lock.lock();
        let current = self.current_identity();
        let RenewalStatus::Due { days } = renewal_status(current.certificates(), now) else { return false };
        // Another command may have renewed it, or may have restored the root's key.
        match certs::load(&self.folder, now) {
            Ok(loaded) if renewal_status(loaded.certificates(), now) == RenewalStatus::NotDue => {
                self.replace_identity(loaded);
                return true;
            }
            _ => {}
        }
        let names = self.extra_names.read().clone();
        match certs::renew(&self.folder, &names, now) {
            Ok(renewed) => {
                self.replace_identity(renewed);
                true
            }
            Err(CertError::NoRootKey { .. }) => {
                let until = current.certificates().leaf_validity.to_string();
                warn!(
                    days,
                    "the server's certificate ({until}) ends soon, and then nobody gets in: renew it with \
                     `parlour certs renew --offline-root DIR`, where the root's key is"
                );
                false
            }
            Err(error) => {
                error!(days, "the server's certificate ends soon and cannot be renewed: {error}");
                false
            }
        }
    }

    /// Loads the web root of the folder, if there is one, and renews its leaf if that is due.
    pub fn load_web_root(&self, now: UnixTime) -> Result<Option<WebCertificates>, CertError> {
        let _one = self.change_lock.lock();
        certs::load_web_root(&self.folder, now)
    }

    /// Renews the leaf for browsers if that is due, or logs a warning.
    pub fn renew_web_leaf_if_due(&self, web: &WebIdentity, now: UnixTime) {
        if !web.web_certificates().is_some_and(|current| current.is_renewal_due(now)) {
            return;
        }
        match self.load_web_root(now) {
            Ok(Some(renewed)) if renewed.is_renewal_due(now) => warn!(
                until = %renewed.leaf_validity,
                "the certificate for browsers under the web root ends soon and cannot be renewed: web-root.key is missing, \
                 or the web root ends itself"
            ),
            Ok(loaded) => {
                info!("renewed the certificate for browsers under the web root");
                web.replace_web_certificates(loaded);
            }
            Err(error) => {
                error!("the certificate for browsers under the web root cannot be renewed: {error}");
            }
        }
    }

    fn replace_identity(&self, identity: Identity) {
        let before = self.current_identity().certificates().clone();
        let after = identity.certificates();
        if before == *after {
            info!("the certificates are the same as before");
        } else {
            info!(pin = %after.pin, server = %after.leaf_validity, "the server shows other certificates from now on");
        }
        if let Some(rotating) = after.rotation.filter(|_| before.pin != after.pin) {
            info!(old = %rotating.old_pin, "the root is changing: clients learn the new pin as they connect");
        }
        self.live_identity.replace(&identity);
        *self.current_identity.write() = identity;
    }
}

/// Renews a certificate that has ended or is not valid yet, if that is its only defect.
fn renew_expired(folder: &std::path::Path, names: &[SubjectAltName], now: UnixTime) -> Option<Identity> {
    let certificates = certs::inspect(folder).ok()?;
    let RenewalStatus::Due { .. } = renewal_status(&certificates, now) else { return None };
    let renewed = certs::renew(folder, names, now).ok()?;
    info!(server = %renewed.certificates().leaf_validity, "renewed the server's certificate ({})", certificates.leaf_validity);
    Some(renewed)
}

/// Schedule of the certificate's checks: at the start, each day, and after a jump of the clock.
#[derive(Debug, Default)]
pub(in crate::server) struct CheckSchedule {
    /// `None` before the first poll.
    last: Option<LastPoll>,
}

/// The clock at earlier polls, in seconds.
#[derive(Clone, Copy, Debug)]
struct LastPoll {
    checked_at: u64,
    polled_at: u64,
}

impl CheckSchedule {
    /// Interval of the polls.
    pub const POLL_INTERVAL: Duration = Duration::from_mins(1);
    /// A longer jump of the clock, in seconds, triggers a check. It is more than clocks drift or machines stall; an
    /// extra check does no harm.
    const MAX_DRIFT_SECONDS: u64 = 60 * 60;
    const CHECK_INTERVAL_SECONDS: u64 = 24 * 60 * 60;

    /// Returns true if a check is due at the time `now`, `elapsed` after the last poll.
    pub fn is_due(&mut self, now: UnixTime, elapsed: Duration) -> bool {
        let now = now.as_secs();
        let unchecked_since = self.last.and_then(|LastPoll { checked_at, polled_at }| {
            let jumped = now.abs_diff(polled_at.saturating_add(elapsed.as_secs())) > Self::MAX_DRIFT_SECONDS;
            let overdue = now.saturating_sub(checked_at) >= Self::CHECK_INTERVAL_SECONDS;
            (!jumped && !overdue).then_some(checked_at)
        });
        self.last = Some(LastPoll { checked_at: unchecked_since.unwrap_or(now), polled_at: now });
        unchecked_since.is_none()
    }
}

/// Checks the certificates periodically and never returns; calls `changed` after each renewal.
pub(in crate::server) async fn run<Fut: Future<Output = ()>>(
    certificates: Arc<LiveCertificates>,
    web: Option<Arc<WebIdentity>>,
    changed: impl Fn() -> Fut,
) {
    let (mut schedule, mut polled_at) = (CheckSchedule::default(), Instant::now());
    loop {
        let now = UnixTime::now();
        if schedule.is_due(now, polled_at.elapsed()) {
            let (certificates, web) = (certificates.clone(), web.clone());
            let renewed = tokio::task::spawn_blocking(move || {
                if let Some(web) = web {
                    certificates.renew_web_leaf_if_due(&web, now);
                }
                certificates.renew_if_due(now)
            })
            .await;
            if renewed.unwrap_or(false) {
                changed().await;
            }
        }
        polled_at = Instant::now();
        tokio::time::sleep(CheckSchedule::POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const DAY: u64 = 24 * 60 * 60;
    const MADE: u64 = 20_000 * DAY;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    fn open(folder: &std::path::Path, now: u64) -> Result<LiveCertificates, CertError> {
        LiveCertificates::open(folder.to_owned(), Vec::new(), at(now))
    }

    fn leaf_expiry(certificates: &LiveCertificates) -> u64 {
        certificates.certificate_dates().not_after.0 / 1000
    }

    #[test]
    fn check_is_due_at_start_daily_and_after_clock_jump() {
        let mut rounds = CheckSchedule::default();
        let minute = Duration::from_mins(1);
        assert!(rounds.is_due(at(MADE), Duration::ZERO));
        assert!(!rounds.is_due(at(MADE + 60), minute));
        let looks = (2..3000).filter(|n| rounds.is_due(at(MADE + 60 * n), minute)).collect::<Vec<_>>();
        assert_eq!(looks, [1440, 2880]);
        // The clock set ahead, the clock set back, and a machine that slept.
        assert!(rounds.is_due(at(MADE + 3001 * 60 + 5 * DAY), minute));
        assert!(rounds.is_due(at(MADE), minute));
        assert!(rounds.is_due(at(MADE + 8 * 3600), minute));
        assert!(!rounds.is_due(at(MADE + 8 * 3600 + 100), minute));
    }

    #[test]
    fn running_server_renews_only_when_due() {
        let folder = tempfile::tempdir().expect("a folder");
        let certificates = open(folder.path(), MADE).expect("made");
        assert!(!certificates.renew_if_due(at(MADE + 366 * DAY)));
        let later = MADE + 368 * DAY;
        assert!(certificates.renew_if_due(at(later)));
        assert_eq!(
            (leaf_expiry(&certificates), certificates.certificate_dates().renews_automatically),
            (later + 397 * DAY, true)
        );
        assert!(!certificates.renew_if_due(at(later)));
        // A certificate made by another command is taken over.
        let much = later + 390 * DAY;
        certs::renew(folder.path(), &[], at(much)).expect("renewed");
        assert!(certificates.renew_if_due(at(much + 1)));
        assert_eq!(leaf_expiry(&certificates), much + 397 * DAY);
    }

    #[test]
    fn missing_root_key_is_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        open(folder.path(), MADE).expect("made");
        fs::remove_file(folder.path().join("root.key")).expect("removed");
        let certificates = open(folder.path(), MADE).expect("loaded");
        assert!(!certificates.renew_if_due(at(MADE + 380 * DAY)));
        assert_eq!(
            (leaf_expiry(&certificates), certificates.certificate_dates().renews_automatically),
            (MADE + 397 * DAY, false)
        );
    }

    #[test]
    fn expired_certificate_is_renewed_at_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let pin = open(folder.path(), MADE).expect("made").current_identity().pin();
        let later = MADE + 1000 * DAY;
        let certificates = open(folder.path(), later).expect("renewed");
        assert_eq!(
            (leaf_expiry(&certificates), certificates.current_identity().pin()),
            (later + 397 * DAY, pin)
        );
        // The clock was ahead, and is right again.
        assert!(open(folder.path(), MADE + 2 * DAY).is_ok_and(|it| leaf_expiry(&it) == MADE + 399 * DAY));
        // The clock is wrong: it shows a time before the root was made.
        assert!(matches!(open(folder.path(), MADE - 2 * DAY), Err(CertError::NotYetValid { .. })));
        // Renewal is impossible.
        fs::remove_file(folder.path().join("root.key")).expect("removed");
        assert!(matches!(open(folder.path(), later), Err(CertError::Expired { .. })));
    }

    #[test]
    fn failed_reload_keeps_old_identity() {
        let folder = tempfile::tempdir().expect("a folder");
        let certificates = open(folder.path(), MADE).expect("made");
        let (shown, key) = (certificates.current_identity(), folder.path().join("server.key"));
        let good = fs::read(&key).expect("a key");
        fs::write(&key, fs::read(folder.path().join("root.key")).expect("a key")).expect("written");
        let error = certificates.reload(at(MADE)).expect_err("refused").to_string();
        assert!(error.contains("server.key is not the key of"), "{error}");
        assert_eq!(certificates.current_identity().certificates(), shown.certificates());
        fs::write(&key, good).expect("written");
        certificates.reload(at(MADE)).expect("loaded");
    }
}
