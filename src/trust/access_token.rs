//! Secrets by which programs use a server over HTTP.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// Token of a hook or of the API: 256 random bits, written as 43 characters of base64url.
///
/// `Debug` hides it and dropping it wipes it. The server stores only its [`hash`](AccessToken::hash), which needs no salt
/// and no stretching, because 256 random bits cannot be guessed.
#[derive(Clone)]
pub struct AccessToken([u8; 32]);

/// Error of parsing an [`AccessToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is 43 letters, digits, `-` or `_`, and this is not")]
pub struct AccessTokenError;

impl AccessToken {
    /// Generates a token from the thread's cryptographic random source.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Returns the SHA-256 of the token, which the server stores and looks up.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Display for AccessToken {
    /// Writes the secret token in full: for its owner, never for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0)))
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

impl FromStr for AccessToken {
    type Err = AccessTokenError;

    fn from_str(text: &str) -> Result<Self, AccessTokenError> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| AccessTokenError)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| AccessTokenError)
    }
}

impl Drop for AccessToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for AccessToken {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_hidden_from_debug_and_parses_back() {
        let token = AccessToken::random();
        assert_eq!(format!("{token:?}"), "AccessToken(…)");
        let text = token.to_string();
        assert_eq!(text.len(), 43);
        assert_eq!(text.parse::<AccessToken>().expect("parses").hash(), token.hash());
        assert_ne!(token.hash(), AccessToken::random().hash());
        for wrong in ["", "x", &text[1..], &format!("{text}A"), &text.replace(&text[..1], "/")] {
            assert_eq!(
                wrong.parse::<AccessToken>().map(|token| token.hash()),
                Err(AccessTokenError),
                "{wrong}"
            );
        }
    }
}
