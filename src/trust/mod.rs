//! Who is trusted and how it is proven: certificates, pins, the pinning verifier, invite links.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`pin`] | the pin: SHA-256 over the public key of the server's root certificate |
//! | [`fingerprint`] | the server certificate's fingerprints in the forms other programs use |
//! | [`address`], [`token`], [`invite`] | the invite link and its parts |
//!
//! Nothing here reads the clock: whoever asks for a check says which time it is. There is no switch
//! that turns verification off, and nothing that trusts on first use.

pub mod address;
pub mod fingerprint;
pub mod invite;
pub mod pin;
pub mod token;

pub use address::Address;
pub use invite::InviteLink;
pub use pin::Pin;
pub use token::Token;
