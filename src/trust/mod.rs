//! Trust and its proofs: certificates, pins, the pinning verifier, invite links.
//!
//! | module | content |
//! | --- | --- |
//! | [`Pin`] | the pin: SHA-256 of the public key of the server's root certificate |
//! | [`pins`] | the pins of one server: how a client learns a new one |
//! | [`certs`] | makes, checks and loads the files of the certificate folder |
//! | [`device`], `client_certificates` | a device's key and certificate, on the client's and on the server's side |
//! | [`fingerprint`] | the fingerprints of the server's certificate, in the spellings of other programs |
//! | [`verifier`] | accepts only the server whose chain leads to the pinned root |
//! | [`tls`], [`live_identity`] | the TLS configurations of both sides; the server's identity while it runs |
//! | [`web_identity`] | what the server shows to browsers: its own certificate, or the operator's for a public name |
//! | [`link`] | the invite link and its addresses |
//! | `token` | random secrets that are written as text |
//! | [`announcement`] | a server's announcement on the local network: a hint, never a proof |
//!
//! Nothing here reads the clock: the caller of a check passes the time. No option turns verification off, and nothing
//! trusts on first use.

pub mod announcement;
pub mod certs;
mod client_certificates;
pub mod device;
pub mod fingerprint;
pub mod link;
pub mod live_identity;
mod pin;
pub mod pins;
mod provider;
pub mod tls;
mod token;
pub mod verifier;
pub mod web_identity;

pub use announcement::Announcement;
pub use client_certificates::{UnusableCertificate, certificate_hash, check_device_certificate};
pub use link::address::Address;
pub use link::invite::InviteLink;
pub use pin::Pin;
pub use pins::Pins;
pub use token::{AccessToken, RandomToken, Token, TokenError};
