//! The server's identity, replaceable while the server runs. Connections that exist are not affected.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certs::Identity;
use super::pin::Pin;

/// The present certificate with its key, and the key of the session tickets.
///
/// A ticket preserves what the handshake proved when it was made: that the client has the key of the certificate that
/// it presented. The login looks up the device of that certificate each time, as after a full handshake. A client that
/// resumes does not see the chain, so a new root, which clients must see, invalidates all tickets; a new leaf under the
/// same root does not.
#[derive(Debug)]
pub struct LiveIdentity {
    current: RwLock<CurrentIdentity>,
}

#[derive(Debug)]
struct CurrentIdentity {
    pin: Pin,
    key: Arc<CertifiedKey>,
    /// `None` if there was no randomness to make a key; then no session is resumed.
    ticketer: Option<Arc<dyn ProducesTickets>>,
}

impl LiveIdentity {
    /// Starts with this identity.
    pub fn new(identity: &Identity) -> Self {
        let (pin, key) = (identity.pin(), identity.certified_key());
        Self { current: RwLock::new(CurrentIdentity { pin, key, ticketer: Ticketer::new().ok() }) }
    }

    /// Replaces the identity for new connections.
    pub fn replace(&self, identity: &Identity) {
        let mut current = self.current.write();
        current.key = identity.certified_key();
        if current.pin != identity.pin() {
            current.pin = identity.pin();
            current.ticketer = Ticketer::new().ok();
        }
    }

    fn ticketer(&self) -> Option<Arc<dyn ProducesTickets>> {
        self.current.read().ticketer.clone()
    }
}

impl ResolvesServerCert for LiveIdentity {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().key))
    }
}

impl ProducesTickets for LiveIdentity {
    fn enabled(&self) -> bool {
        self.ticketer().is_some_and(|tickets| tickets.enabled())
    }

    fn lifetime(&self) -> u32 {
        self.ticketer().map_or(0, |tickets| tickets.lifetime())
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.ticketer()?.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.ticketer()?.decrypt(cipher)
    }
}
