//! Texts that nobody else may see.

use std::fmt;

use zeroize::Zeroizing;

/// A password or an invite's link on its way. `Debug` shows nothing of it, and it is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
