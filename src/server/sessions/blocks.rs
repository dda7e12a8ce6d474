//! Count of the bytes that are on their way to clients.
//!
//! A block that many sessions share counts once: the count is the memory in use, however many sessions wait for the
//! block.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Counter of the blocks in memory. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct BlockMemory(Arc<AtomicUsize>);

/// Share of the count, which ends when this is dropped.
#[derive(Debug)]
pub(in crate::server) struct MemoryShare {
    share_bytes: usize,
    total: Arc<AtomicUsize>,
}

struct OwnedBlock {
    bytes: Vec<u8>,
    /// Held for its `Drop`.
    _share: MemoryShare,
}

impl BlockMemory {
    /// Memory that a block takes beside its bytes.
    const OVERHEAD: usize = 96;

    /// Makes a counted block of bytes that are in the form of its sessions.
    pub fn make_block(&self, bytes: impl Into<Vec<u8>>) -> Bytes {
        let bytes = bytes.into();
        let counted = self.count_bytes(bytes.len() + Self::OVERHEAD);
        Bytes::from_owner(OwnedBlock { bytes, _share: counted })
    }

    /// Counts bytes that are held in another form.
    pub fn count_bytes(&self, bytes: usize) -> MemoryShare {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        MemoryShare { share_bytes: bytes, total: self.0.clone() }
    }

    /// Returns the bytes that are held now.
    pub fn used_bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl MemoryShare {
    /// Returns the counted bytes.
    pub fn bytes(&self) -> usize {
        self.share_bytes
    }
}

impl AsRef<[u8]> for OwnedBlock {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.total.fetch_sub(self.share_bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_counts_once_until_last_slice_is_dropped() {
        let blocks = BlockMemory::default();
        let block = blocks.make_block(vec![7; 1000]);
        let (copy, part) = (block.clone(), block.slice(10..20));
        assert_eq!((&part[..], blocks.used_bytes()), (&[7; 10][..], 1000 + BlockMemory::OVERHEAD));
        drop((block, copy));
        assert!(blocks.used_bytes() > 1000);
        drop(part);
        let counted = blocks.count_bytes(50);
        assert_eq!((counted.bytes(), blocks.used_bytes()), (50, 50));
        drop(counted);
        assert_eq!(blocks.used_bytes(), 0);
    }
}
