//! The secret in an invite link.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// A registration token: 128 random bits, written as 22 characters of base64url.
///
/// Whoever has the token may make an account, so `Debug` hides it and dropping it wipes it. The server stores only its
/// [`hash`](Token::hash). That hash needs no salt and no stretching, because 128 random bits cannot be guessed.
#[derive(Clone)]
pub struct Token([u8; 16]);

/// Error of parsing a [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is 22 letters, digits, `-` or `_`, and this is not")]
pub struct TokenError;

impl Token {
    /// Length of the text form, in characters.
    pub const TEXT_LENGTH: usize = 22;

    /// Generates a token from the thread's cryptographic random source.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Returns the SHA-256 of the token, which the server stores and looks up.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Display for Token {
    /// Writes the secret token in full: for the link and for `PASS`, never for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| TokenError)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Token {}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Token {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn token_is_hidden_from_debug_and_random() {
        let token = Token::random();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.to_string().len(), 22);
        assert_ne!(token, Token::random());
    }

    #[test]
    fn hash_is_sha_256() {
        // printf '\0%.0s' {1..16} | sha256sum
        let hash = Token([0; 16]).hash();
        assert_eq!((&hash[..4], &hash[28..]), (&[0x37, 0x47, 0x08, 0xff][..], &[0x28, 0xec, 0x37, 0xbb][..]));
    }

    proptest! {
        #[test]
        fn printed_token_parses_back(bytes: [u8; 16]) {
            prop_assert_eq!(Token(bytes).to_string().parse(), Ok(Token(bytes)));
        }

        #[test]
        fn only_canonical_text_parses(text in "[A-Za-z0-9_-]{20,24}") {
            if let Ok(token) = text.parse::<Token>() {
                prop_assert_eq!(token.to_string(), text);
            }
        }

        #[test]
        fn arbitrary_text_does_not_panic(text: String) {
            let _ = text.parse::<Token>();
        }
    }
}
