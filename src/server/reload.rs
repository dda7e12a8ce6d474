//! Taking a changed configuration and changed certificates into the running server: nobody is disconnected.

use std::sync::Arc;

use rustls_pki_types::UnixTime;
use tokio::sync::watch;
use tracing::{info, warn};

use super::certificates::Certificates;
use super::config::{Config, History};
use super::handle::HubHandle;
use super::settings;
use crate::chat::Settings;
use crate::store::{Store, StoreError, audit};
use crate::trust::certs::{CertError, Identity};
use crate::wire::Millis;

/// Reads the configuration, or says what is wrong with it.
pub(super) type ReadConfig = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// Why everything stays as it was. The texts end with what to do, where that is not plain.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration.
    #[error("{0}")]
    Config(String),
    /// The certificates.
    #[error("the certificates stay as they were: {0}")]
    Certificates(#[from] CertError),
    /// It came to no end.
    #[error("it could not be read: try again")]
    Ended,
}

/// What a running server can read again.
pub struct Reloader {
    pub(super) config: ReadConfig,
    pub(super) certificates: Arc<Certificates>,
    pub(super) started: Millis,
    /// Stays: the buffers of those who are connected have it.
    pub(super) line_bytes: usize,
    pub(super) history: watch::Sender<History>,
    /// For connections that are not in the chat yet.
    pub(super) settings: watch::Sender<Arc<Settings>>,
    pub(super) hub: HubHandle,
    pub(super) store: Store,
}

impl Reloader {
    /// Reads everything again, or nothing where something is wrong: the configuration and the certificates.
    pub async fn everything(self: &Arc<Self>) -> Result<(), ReloadError> {
        match self.read().await {
            Ok(settings) => {
                self.hub.settings_changed(settings).await;
                self.note_root().await;
                info!("the configuration and the certificates were read again");
                Ok(())
            }
            Err(error) => {
                warn!("nothing was changed: {error}");
                Err(error)
            }
        }
    }

    /// Reads the certificates again; what is shown from now on.
    pub async fn certificates(&self) -> Result<Identity, ReloadError> {
        let certificates = self.certificates.clone();
        let read = apart(move || Ok(certificates.reload(UnixTime::now())?)).await;
        if let Err(error) = &read {
            warn!("{error}");
        }
        read?;
        self.tell_of_certificate().await;
        self.note_root().await;
        Ok(self.certificates.current())
    }

    /// What is shown to clients now.
    pub fn identity(&self) -> Identity {
        self.certificates.current()
    }

    /// For who tells the chat of the settings by himself.
    pub(super) async fn read(self: &Arc<Self>) -> Result<Settings, ReloadError> {
        let reloader = self.clone();
        apart(move || reloader.read_here()).await
    }

    fn read_here(&self) -> Result<Settings, ReloadError> {
        let config = (self.config)().map_err(ReloadError::Config)?;
        self.certificates.reload(UnixTime::now())?;
        self.certificates.set_names(config.tls.names.clone());
        // Clients know the server by its name as long as they are connected.
        let server_name = self.settings.borrow().server_name.clone();
        let settings = Settings {
            server_name,
            line_bytes: self.line_bytes,
            certificate: Some(self.certificates.note()),
            ..settings(&config, self.started)
        };
        self.history.send_replace(config.history);
        self.settings.send_replace(Arc::new(settings.clone()));
        Ok(settings)
    }

    /// Notes in the audit which root is shown, if that is a new one: who was there before has not seen it.
    pub(super) async fn note_root(&self) {
        let pin = self.certificates.current().pin().to_string();
        let now = self.hub.clock.now();
        let noted = self.store.write(move |tx| Ok::<_, StoreError>(audit::note_root(tx, now, &pin)?));
        if let Err(error) = noted.await {
            warn!(%error, "cannot note which root is shown");
        }
    }

    /// Has the chat know when the certificate ends.
    pub(super) async fn tell_of_certificate(&self) {
        let certificate = Some(self.certificates.note());
        let settings = Settings { certificate, ..Settings::clone(&self.settings.borrow()) };
        self.settings.send_replace(Arc::new(settings.clone()));
        self.hub.settings_changed(settings).await;
    }
}

/// Reads files where waiting for a disk, or for a command that holds the folder, keeps nobody's chat waiting.
async fn apart<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReloadError> + Send + 'static,
) -> Result<T, ReloadError> {
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(ReloadError::Ended))
}
