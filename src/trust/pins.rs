//! What a client knows its server by, over the years: one pin, and while the server changes its root, two.
//!
//! A new root is signed by the old one. A client that knows the old pin sees both in the chain that it verifies, and so
//! learns the new pin from whom it trusts already. It keeps the old pin until a later connection was proven under the
//! new pin alone; then it drops the old one.

use super::pin::Pin;

/// The pins of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins {
    /// The pin.
    pub pin: Pin,
    /// The one that will follow it: learned, and not yet seen to work.
    pub next: Option<Pin>,
}

/// What a server's chain proved to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The pinned root from which signatures lead to the server's certificate.
    pub by: Pin,
    /// The root that follows it and that it signed: the one that issued the server's certificate.
    pub successor: Option<Pin>,
}

impl From<Pin> for Pins {
    fn from(pin: Pin) -> Self {
        Self { pin, next: None }
    }
}

impl Pins {
    /// All pins, the newest first: a server that can prove itself under that one shows that it works.
    pub fn newest_first(self) -> impl Iterator<Item = Pin> {
        self.next.into_iter().chain([self.pin])
    }

    /// Is this one of them?
    pub fn contains(self, pin: Pin) -> bool {
        self.newest_first().any(|known| known == pin)
    }

    /// What a client knows after a connection that proved this.
    #[must_use]
    pub fn after(self, proof: Proof) -> Self {
        if self.next == Some(proof.by) {
            Self { pin: proof.by, next: proof.successor }
        } else if self.pin == proof.by {
            // A chain without a successor takes back nothing: an older one may just have been restored.
            Self { pin: self.pin, next: proof.successor.or(self.next) }
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_moves_in_two_steps() {
        let [a, b, c] = [1, 2, 3].map(|n| Pin::new([n; 32]));
        let proof = |by, successor| Proof { by, successor };
        let only = |pin| Pins { pin, next: None };
        let both = |pin, next| Pins { pin, next: Some(next) };

        assert_eq!(only(a).after(proof(a, None)), only(a));
        let learned = only(a).after(proof(a, Some(b)));
        assert_eq!(learned, both(a, b));
        assert_eq!(learned.newest_first().collect::<Vec<_>>(), [b, a]);
        // Until the new one was seen to work, the old one counts.
        assert_eq!(learned.after(proof(a, None)), both(a, b));
        assert_eq!(learned.after(proof(b, None)), only(b));
        // The next change, also while the first is not over.
        assert_eq!(learned.after(proof(b, Some(c))), both(b, c));
        assert_eq!(learned.after(proof(a, Some(c))), both(a, c));
        // Nothing is learned from whom one does not know.
        assert_eq!(only(a).after(proof(c, Some(b))), only(a));
        assert!(learned.contains(a) && learned.contains(b) && !learned.contains(c));
    }
}
