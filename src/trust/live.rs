//! What a server proves itself with, exchanged while it runs: connections that stand are not touched.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certs::Identity;
use super::pin::Pin;

/// The present certificate with its key, and the key of session tickets.
///
/// A ticket holds what was proven when it was made: that the client has the key of the certificate it showed. Whether
/// that is (still) anybody's device the login looks up each time, as after a whole handshake. A client that resumes
/// does not see the chain, so a new root, which clients are to see, ends all tickets; a new certificate under the same
/// root does not.
#[derive(Debug)]
pub struct LiveIdentity {
    now: RwLock<Shown>,
}

#[derive(Debug)]
struct Shown {
    pin: Pin,
    key: Arc<CertifiedKey>,
    /// `None` where there is no randomness to make one of: then nothing is resumed.
    tickets: Option<Arc<dyn ProducesTickets>>,
}

impl LiveIdentity {
    /// Shows this identity.
    pub fn new(identity: &Identity) -> Self {
        let (pin, key) = (identity.pin(), identity.certified_key());
        Self { now: RwLock::new(Shown { pin, key, tickets: Ticketer::new().ok() }) }
    }

    /// Shows this one from now on.
    pub fn replace(&self, identity: &Identity) {
        let mut now = self.now.write();
        now.key = identity.certified_key();
        if now.pin != identity.pin() {
            now.pin = identity.pin();
            now.tickets = Ticketer::new().ok();
        }
    }

    fn tickets(&self) -> Option<Arc<dyn ProducesTickets>> {
        self.now.read().tickets.clone()
    }
}

impl ResolvesServerCert for LiveIdentity {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.now.read().key))
    }
}

impl ProducesTickets for LiveIdentity {
    fn enabled(&self) -> bool {
        self.tickets().is_some_and(|tickets| tickets.enabled())
    }

    fn lifetime(&self) -> u32 {
        self.tickets().map_or(0, |tickets| tickets.lifetime())
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.tickets()?.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.tickets()?.decrypt(cipher)
    }
}
