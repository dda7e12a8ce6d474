//! The journal: the writer's thread with its group commits, and the checkpoints of the write-ahead log.

pub(super) mod checkpoint;
pub(super) mod status;
pub(super) mod wake;
pub(super) mod writer;
