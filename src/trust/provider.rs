//! The cryptography that certificates and TLS use.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// Returns aws-lc-rs. X25519MLKEM768 comes first, so that traffic recorded today stays unreadable for future quantum
/// computers.
pub(super) fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid_key_exchange_is_preferred() {
        assert_eq!(crypto_provider().kx_groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
    }
}
