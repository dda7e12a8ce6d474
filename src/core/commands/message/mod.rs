//! Commands that send messages, take them back or mark them as read.

pub mod batch;
pub mod markread;
pub mod redact;
pub mod send;
