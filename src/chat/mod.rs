//! The rules of the chat, pure: a deterministic state machine from inputs to effects.

pub mod record;
