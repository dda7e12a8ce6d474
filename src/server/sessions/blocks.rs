//! Count of the bytes that are on their way to clients.
//!
//! A block that many sessions share counts once: the count is the memory in use, however many sessions wait for the
//! block.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Counter of the blocks in memory. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Blocks(Arc<AtomicUsize>);

/// Share of the count, which ends when this is dropped.
#[derive(Debug)]
pub(in crate::server) struct Counted {
    bytes: usize,
    total: Arc<AtomicUsize>,
}

struct Block {
    bytes: Vec<u8>,
    /// Held for its `Drop`.
    _counted: Counted,
}

impl Blocks {
    /// Memory that a block takes beside its bytes.
    const OVERHEAD: usize = 96;

    /// Makes a counted block.
    pub fn block(&self, bytes: impl Into<Vec<u8>>) -> Bytes {
        let bytes = bytes.into();
        let counted = self.count(bytes.len() + Self::OVERHEAD);
        Bytes::from_owner(Block { bytes, _counted: counted })
    }

    /// Counts bytes that are held in another form.
    pub fn count(&self, bytes: usize) -> Counted {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Counted { bytes, total: self.0.clone() }
    }

    /// Returns the bytes that are held now.
    pub fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counted {
    /// Returns the counted bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_counts_once_until_last_slice_is_dropped() {
        let blocks = Blocks::default();
        let block = blocks.block(vec![7; 1000]);
        let (copy, part) = (block.clone(), block.slice(10..20));
        assert_eq!((&part[..], blocks.held()), (&[7; 10][..], 1000 + Blocks::OVERHEAD));
        drop((block, copy));
        assert!(blocks.held() > 1000);
        drop(part);
        let counted = blocks.count(50);
        assert_eq!((counted.bytes(), blocks.held()), (50, 50));
        drop(counted);
        assert_eq!(blocks.held(), 0);
    }
}
