//! Loading of a changed configuration and of changed certificates at run time, without disconnecting a client.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls_pki_types::UnixTime;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::{info, warn};

use super::certificates::LiveCertificates;
use super::service_reports::ServiceReports;
use crate::core::request::admin::ChangeRequest;
use crate::core::request::maintenance::Maintenance;
use crate::core::{InputKind, Settings};
use crate::server::config::changes::{ChangedKey, ValuesInForce};
use crate::server::config::{self, Config, History};
use crate::server::sessions::hub_handle::HubHandle;
use crate::server::settings::settings_from_config;
use crate::trust::certs::{CertError, Identity};
use crate::trust::web_identity::{PublicCertificate, WebIdentity, WebIdentityError};
use crate::wire::Timestamp;

/// Reads the configuration, or returns a description of the error.
pub(in crate::server) type ReadConfig = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// Reason why a reload changed nothing. The texts end with the remedy where it is not obvious.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(String),
    /// The certificates cannot be used.
    #[error("the certificates stay as they were: {0}")]
    Certificates(#[from] CertError),
    /// The operator's certificate for browsers cannot be used.
    #[error("the certificate for browsers stays as it was: {0}")]
    WebCertificate(#[from] WebIdentityError),
    /// The reading task did not complete.
    #[error("it could not be read: try again")]
    TaskFailed,
}

/// Maximum length of the names of keys in a short description, in bytes. It has two of these, and a line of a client has 512.
const MAX_KEY_BYTES: usize = 120;

/// Changes that a reload has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The keys of the configuration that differ from what the server went by, in their order.
    pub changes: Vec<ChangedKey>,
    /// SHA-256 of the certificate that is shown from now on, in hexadecimal digits, if it is another one.
    pub certificate: Option<String>,
}

impl Reloaded {
    /// Names what has changed, without values, for the log.
    pub fn describe(&self) -> String {
        self.describe_within(usize::MAX)
    }

    /// Names what has changed, without values, as far as a line of a client has room.
    pub fn describe_shortly(&self) -> String {
        self.describe_within(MAX_KEY_BYTES)
    }

    /// Names what has changed. For the keys that are in force, and for those that need a restart, there are so many bytes.
    fn describe_within(&self, most: usize) -> String {
        let keys = |needs_restart: bool| {
            let keys = self.changes.iter().filter(|change| change.needs_restart == needs_restart);
            let (mut text, mut left_out) = (String::new(), 0);
            for ChangedKey { key, .. } in keys {
                let separator = if text.is_empty() { "" } else { ", " };
                if left_out > 0 || text.len() + separator.len() + key.len() > most {
                    left_out += 1;
                } else {
                    text = text + separator + key;
                }
            }
            match (text.is_empty(), left_out) {
                (_, 0) => text,
                (true, 1) => "1 key".to_owned(),
                (true, count) => format!("{count} keys"),
                (false, count) => format!("{text} and {count} more"),
            }
        };
        let (now, later) = (keys(false), keys(true));
        let certificate = if self.certificate.is_some() { "the certificate is another one" } else { "" };
        let now = if now.is_empty() { now } else { format!("changed: {now}") };
        let later = if later.is_empty() { later } else { format!("only after a restart: {later}") };
        let parts = [now.as_str(), later.as_str(), certificate];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { "nothing has changed".to_owned() } else { parts.join("; ") }
    }
}

/// State of a running server that can be reloaded.
pub struct Reloader {
    pub(in crate::server) read_config: ReadConfig,
    /// The values that the server goes by.
    pub(in crate::server) in_force: Mutex<ValuesInForce>,
    pub(in crate::server) certificates: Arc<LiveCertificates>,
    /// Identity for browsers, if the page is enabled.
    pub(in crate::server) web: Option<Arc<WebIdentity>>,
    pub(in crate::server) started: Timestamp,
    /// URL of the server without a path, for requests over HTTP.
    pub(in crate::server) http_url: Option<String>,
    /// Maximum length of a line, in bytes. Not reloaded, because the buffers of existing connections have this size.
    pub(in crate::server) line_bytes: usize,
    pub(in crate::server) history_sender: watch::Sender<History>,
    pub(in crate::server) log_sender: watch::Sender<config::Log>,
    /// Settings for connections before their login.
    pub(in crate::server) settings_sender: watch::Sender<Arc<Settings>>,
    pub(in crate::server) hub: HubHandle,
    pub(in crate::server) reports: Arc<ServiceReports>,
}

impl Reloader {
    /// Reloads the configuration and the certificates, or nothing if one of them is wrong. Returns what has changed.
    pub async fn reload_all(self: &Arc<Self>) -> Result<Reloaded, ReloadError> {
        self.reports.reloading().await;
        let result = self.read_and_apply().await;
        self.reports.reloaded(&result).await;
        result
    }

    async fn read_and_apply(self: &Arc<Self>) -> Result<Reloaded, ReloadError> {
        match self.read_all().await {
            Ok((settings, reloaded)) => {
                self.hub.apply_input(InputKind::Settings(Box::new(settings))).await;
                self.audit_reload(&reloaded).await;
                self.audit_shown_root().await;
                Ok(reloaded)
            }
            Err(error) => {
                warn!("nothing was changed: {error}");
                Err(error)
            }
        }
    }

    /// Returns the settings of the log, as they were read last.
    pub fn log_settings(&self) -> watch::Receiver<config::Log> {
        self.log_sender.subscribe()
    }

    /// Reports that another program is started in the place of this one.
    pub async fn report_start(&self) {
        self.reports.reloading().await;
    }

    /// Reports why it did not take over.
    pub async fn report_failed_start(&self, why: &str) {
        warn!("this server goes on: {why}");
        self.reports.reloaded(&Err::<(), _>(why)).await;
    }

    /// Reloads the certificates. Returns the identity that is shown from now on.
    pub async fn reload_certificates(&self) -> Result<Identity, ReloadError> {
        let (certificates, web) = (self.certificates.clone(), self.web.clone());
        let read = run_blocking_read(move || {
            let now = UnixTime::now();
            let phones = web.as_ref().map(|_| certificates.load_web_root(now)).transpose()?;
            certificates.reload(now)?;
            if let Some(web) = web {
                web.replace_web_certificates(phones.flatten());
            }
            Ok(())
        })
        .await;
        if let Err(error) = &read {
            warn!("{error}");
        }
        read?;
        self.update_certificate_dates().await;
        self.audit_shown_root().await;
        Ok(self.certificates.current_identity())
    }

    /// Removes at once what the retention no longer keeps, after a change of a channel's limits.
    pub fn apply_retention(&self) {
        self.history_sender.send_modify(|_| ());
    }

    /// Returns the identity that is shown to clients now.
    pub fn current_identity(&self) -> Identity {
        self.certificates.current_identity()
    }

    /// Reads everything, for a caller that passes the settings to the core itself. The log names what has changed.
    pub(in crate::server) async fn read_all(self: &Arc<Self>) -> Result<(Settings, Reloaded), ReloadError> {
        let reloader = self.clone();
        run_blocking_read(move || reloader.read_all_blocking()).await
    }

    fn read_all_blocking(&self) -> Result<(Settings, Reloaded), ReloadError> {
        let shown_before = self.certificates.current_identity().certificates().leaf_fingerprints.certificate;
        let config = (self.read_config)().map_err(ReloadError::Config)?;
        let public = config.web.public_certificate().map(PublicCertificate::load).transpose()?;
        let now = UnixTime::now();
        let phones = self.web.as_ref().map(|_| self.certificates.load_web_root(now)).transpose()?;
        self.certificates.reload(now)?;
        if let Some(web) = &self.web {
            web.replace(public);
            web.replace_web_certificates(phones.flatten());
        }
        self.certificates.set_names(config.tls.names.clone());
        // Not reloaded, because connected clients know the server by its name.
        let server_name = self.settings_sender.borrow().server_name.clone();
        let settings = Settings {
            server_name,
            line_bytes: self.line_bytes,
            certificate: Some(self.certificates.certificate_dates()),
            ..settings_from_config(&config, self.started, self.http_url.as_deref())
        };
        let changes = self.in_force.lock().take_over(&config);
        self.history_sender.send_replace(config.history);
        self.log_sender.send_replace(config.log);
        self.settings_sender.send_replace(Arc::new(settings.clone()));
        let shown = self.certificates.current_identity().certificates().leaf_fingerprints.certificate;
        let certificate = (shown != shown_before).then(|| shown.to_hex());
        let reloaded = Reloaded { changes, certificate };
        info!("the configuration and the certificates were read again: {}", reloaded.describe());
        Ok((settings, reloaded))
    }

    /// Notes a reload in the audit log.
    async fn audit_reload(&self, reloaded: &Reloaded) {
        let note = Maintenance::NoteReload(reloaded.describe_shortly().into());
        if let Err(error) = self.hub.request(ChangeRequest::Maintenance(note)).await {
            warn!(%error, "cannot note the reload in the audit");
        }
    }

    /// Notes a new root in the audit log: devices that logged in before have not seen it.
    pub(in crate::server) async fn audit_shown_root(&self) {
        if let Err(error) = self.hub.request(self.showing()).await {
            warn!(%error, "cannot note which root is shown");
        }
    }

    /// Returns the request to note the root that is shown now.
    pub(in crate::server) fn showing(&self) -> ChangeRequest {
        ChangeRequest::Maintenance(Maintenance::ShowRoot(
            self.certificates.current_identity().pin().to_string().into(),
        ))
    }

    /// Tells the core when the certificate ends.
    pub(in crate::server) async fn update_certificate_dates(&self) {
        let certificate = Some(self.certificates.certificate_dates());
        let settings = Settings { certificate, ..Settings::clone(&self.settings_sender.borrow()) };
        self.settings_sender.send_replace(Arc::new(settings.clone()));
        self.hub.apply_input(InputKind::Settings(Box::new(settings))).await;
    }
}

/// Reads files on a blocking thread, because a slow disk, or a command that locks the folder, must not delay sessions.
async fn run_blocking_read<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReloadError> + Send + 'static,
) -> Result<T, ReloadError> {
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(ReloadError::TaskFailed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_description_names_what_fits() {
        let change = |key: String, needs_restart| ChangedKey { key, old: None, new: None, needs_restart };
        let mut reloaded = Reloaded { changes: Vec::new(), certificate: None };
        assert_eq!(reloaded.describe_shortly(), "nothing has changed");
        reloaded.changes = vec![change("motd".to_owned(), false), change("listen".to_owned(), true)];
        let text = "changed: motd; only after a restart: listen";
        assert_eq!((reloaded.describe_shortly(), reloaded.describe()), (text.to_owned(), text.to_owned()));
        let channel = |number| format!("history.channels.\"#room{number:02}\".keep_days");
        reloaded.changes = (0..20).map(|number| change(channel(number), false)).collect();
        let shown: Vec<String> = (0..3).map(channel).collect();
        assert_eq!(reloaded.describe_shortly(), format!("changed: {} and 17 more", shown.join(", ")));
        assert!(reloaded.describe().ends_with(&channel(19)));
        reloaded.changes = vec![change("x".repeat(200), true)];
        assert_eq!(reloaded.describe_shortly(), "only after a restart: 1 key");
    }
}
