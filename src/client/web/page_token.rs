//! The secret by which a page proves that the user opened it.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// 256 random bits. `Debug` hides them.
///
/// Other programs and other users of this machine can reach the port, and pages from elsewhere can make the browser
/// send requests there; none of them knows the token. It is not a cookie, which the browser would send on behalf of any
/// page.
pub struct PageToken([u8; 32]);

impl PageToken {
    /// Length in hexadecimal digits.
    pub const HEX_LENGTH: usize = 64;

    /// Makes a token.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// Returns the token as lower-case hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut hex = Zeroizing::new(String::with_capacity(Self::HEX_LENGTH));
        for byte in self.0 {
            for digit in [byte >> 4, byte & 15] {
                hex.extend(char::from_digit(digit.into(), 16));
            }
        }
        hex
    }

    /// Returns whether a text is the token, after a time that does not depend on how much of it is right.
    pub fn matches(&self, text: &str) -> bool {
        self.to_hex().as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl Drop for PageToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_digits_of_the_token_match() {
        let token = PageToken::generate();
        let hex = token.to_hex();
        assert_eq!(hex.len(), PageToken::HEX_LENGTH);
        assert!(token.matches(&hex));
        assert!(!token.matches(&hex[..63]));
        assert!(!token.matches(&format!("{}0", *hex)));
        assert!(!token.matches(""));
        assert!(!token.matches(&PageToken::generate().to_hex()));
        assert_eq!(format!("{token:?}"), "PageToken(…)");
    }
}
