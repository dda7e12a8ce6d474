//! The server's certificate at run time: loaded again when its files change, renewed before it ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rustls_pki_types::UnixTime;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::core::request::settings::Certificate;
use crate::trust::certs::{self, CertError, Identity, Name, Upkeep, upkeep};
use crate::trust::live::LiveIdentity;
use crate::wire::Millis;

/// The certificate folder of a running server, and the identity that clients see.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
    /// Additional names for certificates that are made.
    names: RwLock<Vec<Name>>,
    current: RwLock<Identity>,
    live: Arc<LiveIdentity>,
    /// Lock that lets only one change run at a time.
    changing: Mutex<()>,
}

impl Certificates {
    /// Loads the folder. Makes certificates if there are none, and a new leaf if that is due and the root's key is
    /// present.
    pub fn open(folder: PathBuf, names: Vec<Name>, now: UnixTime) -> Result<Self, CertError> {
        let identity = match certs::load(&folder, now) {
            Err(CertError::NoneYet(_)) => {
                let made = certs::generate(&folder, &names, false, now)?;
                info!(folder = %folder.display(), pin = %made.pin(), "made certificates");
                made
            }
            Err(refused @ (CertError::Expired { .. } | CertError::NotYetValid { .. })) => {
                mend(&folder, &names, now).ok_or(refused)?
            }
            loaded => loaded?,
        };
        let live = Arc::new(LiveIdentity::new(&identity));
        let (names, current) = (RwLock::new(names), RwLock::new(identity));
        Ok(Self { folder, names, current, live, changing: Mutex::new(()) })
    }

    /// Returns the replaceable identity, for TLS.
    pub fn live(&self) -> Arc<LiveIdentity> {
        Arc::clone(&self.live)
    }

    /// Returns the identity that is shown now.
    pub fn current(&self) -> Identity {
        self.current.read().clone()
    }

    /// Returns the dates that the core reports to admins.
    pub fn note(&self) -> Certificate {
        let current = self.current.read();
        let server = current.certificates().server;
        let millis = |time: UnixTime| Millis(time.as_secs().saturating_mul(1000));
        Certificate {
            until: millis(server.until),
            due: millis(certs::due(server)),
            renews: current.can_renew(),
        }
    }

    /// Sets the names for certificates that are made from now on.
    pub fn set_names(&self, names: Vec<Name>) {
        *self.names.write() = names;
    }

    /// Loads the folder and shows its content to new connections. After an error the old identity stays.
    pub fn reload(&self, now: UnixTime) -> Result<(), CertError> {
        let _one = self.changing.lock();
        let identity = certs::load(&self.folder, now)?;
        self.show(identity);
        Ok(())
    }

    /// Renews the certificate if that is due, or logs a warning. Returns true if the shown certificate changed.
    pub fn look_after(&self, now: UnixTime) -> bool {
        let _one = self.changing.lock();
        let current = self.current();
        let Upkeep::Renew { days } = upkeep(current.certificates(), now) else { return false };
        // Another command may have renewed it, or may have restored the root's key.
        match certs::load(&self.folder, now) {
            Ok(there) if upkeep(there.certificates(), now) == Upkeep::Fine => {
                self.show(there);
                return true;
            }
            _ => {}
        }
        let names = self.names.read().clone();
        match certs::renew(&self.folder, &names, now) {
            Ok(renewed) => {
                self.show(renewed);
                true
            }
            Err(CertError::NoRootKey { .. }) => {
                let until = current.certificates().server.to_string();
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

    fn show(&self, identity: Identity) {
        let before = self.current().certificates().clone();
        let after = identity.certificates();
        if before == *after {
            info!("the certificates are the same as before");
        } else {
            info!(pin = %after.pin, server = %after.server, "the server shows other certificates from now on");
        }
        if let Some(rotating) = after.rotating.filter(|_| before.pin != after.pin) {
            info!(old = %rotating.old, "the root is changing: clients learn the new pin as they connect");
        }
        self.live.replace(&identity);
        *self.current.write() = identity;
    }
}

/// Renews a certificate that has ended or is not valid yet, if that is its only defect.
fn mend(folder: &std::path::Path, names: &[Name], now: UnixTime) -> Option<Identity> {
    let certificates = certs::inspect(folder).ok()?;
    let Upkeep::Renew { .. } = upkeep(&certificates, now) else { return None };
    let renewed = certs::renew(folder, names, now).ok()?;
    info!(server = %renewed.certificates().server, "renewed the server's certificate ({})", certificates.server);
    Some(renewed)
}

/// Schedule of the certificate's checks: at the start, each day, and after a jump of the clock.
#[derive(Debug, Default)]
pub(in crate::server) struct Rounds {
    /// Clock at the last check and at the last poll, in seconds.
    last: Option<(u64, u64)>,
}

impl Rounds {
    /// Interval of the polls.
    pub const ASK: Duration = Duration::from_mins(1);
    /// A longer jump of the clock, in seconds, triggers a check. It is more than clocks drift or machines stall; an
    /// extra check does no harm.
    const JUMP: u64 = 60 * 60;
    const DAY: u64 = 24 * 60 * 60;

    /// Returns true if a check is due at the time `now`, `elapsed` after the last poll.
    pub fn due(&mut self, now: UnixTime, elapsed: Duration) -> bool {
        let now = now.as_secs();
        let (looked, asked) = self.last.unwrap_or((0, 0));
        let jumped = now.abs_diff(asked.saturating_add(elapsed.as_secs())) > Self::JUMP;
        let due = self.last.is_none() || jumped || now.saturating_sub(looked) >= Self::DAY;
        self.last = Some((if due { now } else { looked }, now));
        due
    }
}

/// Checks the certificate periodically and never returns; calls `changed` after each renewal.
pub(in crate::server) async fn run<Fut: Future<Output = ()>>(
    certificates: Arc<Certificates>,
    changed: impl Fn() -> Fut,
) {
    let (mut rounds, mut asked) = (Rounds::default(), Instant::now());
    loop {
        let now = UnixTime::now();
        if rounds.due(now, asked.elapsed()) {
            let certificates = certificates.clone();
            let looked = tokio::task::spawn_blocking(move || certificates.look_after(now)).await;
            if looked.unwrap_or(false) {
                changed().await;
            }
        }
        asked = Instant::now();
        tokio::time::sleep(Rounds::ASK).await;
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

    fn open(folder: &std::path::Path, now: u64) -> Result<Certificates, CertError> {
        Certificates::open(folder.to_owned(), Vec::new(), at(now))
    }

    fn until(certificates: &Certificates) -> u64 {
        certificates.note().until.0 / 1000
    }

    #[test]
    fn check_is_due_at_start_daily_and_after_clock_jump() {
        let mut rounds = Rounds::default();
        let minute = Duration::from_mins(1);
        assert!(rounds.due(at(MADE), Duration::ZERO));
        assert!(!rounds.due(at(MADE + 60), minute));
        let looks = (2..3000).filter(|n| rounds.due(at(MADE + 60 * n), minute)).collect::<Vec<_>>();
        assert_eq!(looks, [1440, 2880]);
        // The clock set ahead, the clock set back, and a machine that slept.
        assert!(rounds.due(at(MADE + 3001 * 60 + 5 * DAY), minute));
        assert!(rounds.due(at(MADE), minute));
        assert!(rounds.due(at(MADE + 8 * 3600), minute));
        assert!(!rounds.due(at(MADE + 8 * 3600 + 100), minute));
    }

    #[test]
    fn running_server_renews_only_when_due() {
        let folder = tempfile::tempdir().expect("a folder");
        let certificates = open(folder.path(), MADE).expect("made");
        assert!(!certificates.look_after(at(MADE + 366 * DAY)));
        let later = MADE + 368 * DAY;
        assert!(certificates.look_after(at(later)));
        assert_eq!((until(&certificates), certificates.note().renews), (later + 397 * DAY, true));
        assert!(!certificates.look_after(at(later)));
        // A certificate made by another command is taken over.
        let much = later + 390 * DAY;
        certs::renew(folder.path(), &[], at(much)).expect("renewed");
        assert!(certificates.look_after(at(much + 1)));
        assert_eq!(until(&certificates), much + 397 * DAY);
    }

    #[test]
    fn missing_root_key_is_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        open(folder.path(), MADE).expect("made");
        fs::remove_file(folder.path().join("root.key")).expect("removed");
        let certificates = open(folder.path(), MADE).expect("loaded");
        assert!(!certificates.look_after(at(MADE + 380 * DAY)));
        assert_eq!((until(&certificates), certificates.note().renews), (MADE + 397 * DAY, false));
    }

    #[test]
    fn expired_certificate_is_renewed_at_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let pin = open(folder.path(), MADE).expect("made").current().pin();
        let later = MADE + 1000 * DAY;
        let certificates = open(folder.path(), later).expect("renewed");
        assert_eq!((until(&certificates), certificates.current().pin()), (later + 397 * DAY, pin));
        // The clock was ahead, and is right again.
        assert!(open(folder.path(), MADE + 2 * DAY).is_ok_and(|it| until(&it) == MADE + 399 * DAY));
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
        let (shown, key) = (certificates.current(), folder.path().join("server.key"));
        let good = fs::read(&key).expect("a key");
        fs::write(&key, fs::read(folder.path().join("root.key")).expect("a key")).expect("written");
        let error = certificates.reload(at(MADE)).expect_err("refused").to_string();
        assert!(error.contains("server.key is not the key of"), "{error}");
        assert_eq!(certificates.current().certificates(), shown.certificates());
        fs::write(&key, good).expect("written");
        certificates.reload(at(MADE)).expect("loaded");
    }
}
