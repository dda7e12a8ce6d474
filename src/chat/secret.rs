//! Secret texts, kept out of logs and errors.

use std::fmt;

use zeroize::Zeroizing;

/// A password or an invite link in transit. `Debug` does not show it, and it is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_nothing() {
        assert_eq!(format!("{:?}", Secret(Zeroizing::new("hush".to_owned()))), "Secret(…)");
    }
}
