//! Random secrets that are written as text: in invite links, and in addresses by which programs use a server.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// Token of an invite, of a link to a file, or of a session: 128 random bits, written as 22 characters of base64url.
pub type Token = RandomToken<16>;

/// Token of a hook: 256 random bits, written as 43 characters of base64url.
pub type AccessToken = RandomToken<32>;

/// A secret of this many random bytes, written as base64url.
///
/// Whoever has it may do what it stands for, so `Debug` hides it and dropping it wipes it. The server stores only its
/// [`hash`](RandomToken::hash). That hash needs no salt and no stretching, because 128 random bits and more cannot be guessed.
#[derive(Clone)]
pub struct RandomToken<const BYTES: usize>([u8; BYTES]);

/// Error of parsing a token that has this many characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is {0} letters, digits, `-` or `_`, and this is not")]
pub struct TokenError(usize);

impl<const BYTES: usize> RandomToken<BYTES> {
    /// Length of the text form, in characters.
    pub const TEXT_LENGTH: usize = (BYTES * 4).div_ceil(3);

    /// Generates a token from the thread's cryptographic random source.
    pub fn random() -> Self {
        Self(rand::rng().random())
    }

    /// Returns the SHA-256 of the token, which the server stores and looks up.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl<const BYTES: usize> fmt::Display for RandomToken<BYTES> {
    /// Writes the secret token in full: for its owner, never for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0)))
    }
}

impl<const BYTES: usize> fmt::Debug for RandomToken<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl<const BYTES: usize> FromStr for RandomToken<BYTES> {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let error = TokenError(Self::TEXT_LENGTH);
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| error)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| error)
    }
}

impl<const BYTES: usize> PartialEq for RandomToken<BYTES> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const BYTES: usize> Eq for RandomToken<BYTES> {}

impl<const BYTES: usize> Drop for RandomToken<BYTES> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const BYTES: usize> ZeroizeOnDrop for RandomToken<BYTES> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn token_is_hidden_from_debug_and_random() {
        let token = Token::random();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!((token.to_string().len(), Token::TEXT_LENGTH), (22, 22));
        let longer = AccessToken::random();
        assert_eq!((longer.to_string().len(), AccessToken::TEXT_LENGTH), (43, 43));
        assert_eq!(longer.to_string().parse(), Ok(longer));
        assert_eq!(token.to_string().parse::<AccessToken>(), Err(TokenError(43)));
        assert_ne!(token, Token::random());
    }

    #[test]
    fn hash_is_sha_256() {
        // printf '\0%.0s' {1..16} | sha256sum
        let hash = RandomToken([0; 16]).hash();
        assert_eq!((&hash[..4], &hash[28..]), (&[0x37, 0x47, 0x08, 0xff][..], &[0x28, 0xec, 0x37, 0xbb][..]));
    }

    proptest! {
        #[test]
        fn printed_token_parses_back(bytes: [u8; 16]) {
            prop_assert_eq!(RandomToken(bytes).to_string().parse(), Ok(RandomToken(bytes)));
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
