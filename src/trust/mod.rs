//! Who is trusted and how it is proven: certificates, pins, the pinning verifier, invite links.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`Pin`] | the pin: SHA-256 over the public key of the server's root certificate |
//! | [`pins`] | the pins of one server: how a client learns a new one |
//! | [`certs`] | makes, checks and loads the files of the certificate folder |
//! | [`device`], `devices` | the key of a client and the certificate that it shows, on both sides |
//! | [`fingerprint`] | the server certificate's fingerprints in the forms other programs use |
//! | [`verifier`] | accepts the server whose chain leads to the pinned root, and no other |
//! | [`tls`], [`live`] | the TLS configurations of both sides; what a server shows, to be exchanged while it runs |
//! | [`address`], [`token`], [`invite`] | the invite link and its parts |
//! | [`announcement`] | what a server says of itself on the local network: a hint, never a proof |
//!
//! Nothing here reads the clock: whoever asks for a check says which time it is. There is no switch
//! that turns verification off, and nothing that trusts on first use.

pub mod address;
pub mod announcement;
pub mod certs;
pub mod device;
mod devices;
pub mod fingerprint;
pub mod invite;
pub mod live;
pub mod pasted;
mod pin;
pub mod pins;
mod provider;
pub mod tls;
pub mod token;
pub mod verifier;

pub use address::Address;
pub use announcement::Announcement;
pub use devices::{UnusableCertificate, certificate_hash, check_device_certificate};
pub use invite::InviteLink;
pub use pin::Pin;
pub use pins::Pins;
pub use token::Token;
