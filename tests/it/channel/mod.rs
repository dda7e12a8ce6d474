//! Channels: membership, modes, member status, moderation.

mod channels;
mod moderation;
mod modes;
mod ranks;
mod renaming;
mod vanishing;
