//! Channels: membership, modes, member status, moderation.

mod moderation;
mod restart;
mod vanishing;
