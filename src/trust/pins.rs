//! The pins by which a client knows its server: one pin, and two during a rotation.
//!
//! A new root is cross-signed by the old one. A client that knows the old pin sees both in the chain that it verifies,
//! and so learns the new pin from a server that it trusts already. It keeps the old pin until a later connection is
//! proven under the new pin alone; then it drops the old one.

use super::pin::Pin;

/// The pins of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins {
    /// Pin that counts now.
    pub current: Pin,
    /// Pin that will follow it: learned, but not used for a connection yet.
    pub next: Option<Pin>,
}

/// Result of verifying a server's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainProof {
    /// Pin of the root from which signatures lead to the leaf.
    pub root_pin: Pin,
    /// Pin of the next root, which issued the leaf and which that root signed.
    pub successor_pin: Option<Pin>,
}

impl From<Pin> for Pins {
    fn from(pin: Pin) -> Self {
        Self { current: pin, next: None }
    }
}

impl Pins {
    /// Returns all pins, the newest first, because a server that can prove itself under that one shows that it works.
    pub fn newest_first(self) -> impl Iterator<Item = Pin> {
        self.next.into_iter().chain([self.current])
    }

    /// Returns true if `pin` is one of them.
    pub fn contains(self, pin: Pin) -> bool {
        self.newest_first().any(|known| known == pin)
    }

    /// Returns the pins that a client knows after a connection with this proof.
    #[must_use]
    pub fn updated_with(self, proof: ChainProof) -> Self {
        if self.next == Some(proof.root_pin) {
            Self { current: proof.root_pin, next: proof.successor_pin }
        } else if self.current == proof.root_pin {
            // A chain without a successor withdraws nothing: the server's files may just have been restored from a
            // backup.
            Self { current: self.current, next: proof.successor_pin.or(self.next) }
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pin_rotates_in_two_steps() {
        let [a, b, c] = [1, 2, 3].map(|n| Pin::new([n; 32]));
        let proof = |by, successor| ChainProof { root_pin: by, successor_pin: successor };
        let only = |pin| Pins { current: pin, next: None };
        let both = |pin, next| Pins { current: pin, next: Some(next) };

        assert_eq!(only(a).updated_with(proof(a, None)), only(a));
        let learned = only(a).updated_with(proof(a, Some(b)));
        assert_eq!(learned, both(a, b));
        assert_eq!(learned.newest_first().collect::<Vec<_>>(), [b, a]);
        // Until the new pin is seen to work, the old one counts.
        assert_eq!(learned.updated_with(proof(a, None)), both(a, b));
        assert_eq!(learned.updated_with(proof(b, None)), only(b));
        // The next rotation, also before the first one is over.
        assert_eq!(learned.updated_with(proof(b, Some(c))), both(b, c));
        assert_eq!(learned.updated_with(proof(a, Some(c))), both(a, c));
        // A server that the client does not know teaches it nothing.
        assert_eq!(only(a).updated_with(proof(c, Some(b))), only(a));
        assert!(learned.contains(a) && learned.contains(b) && !learned.contains(c));
    }
}
