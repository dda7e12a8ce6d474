//! The core: the rules of the chat as a pure, deterministic state machine from inputs to effects.
//!
//! [`Chat::handle`] is the only way to change its state. Inputs carry their time; handlers never wait, never do IO and
//! never panic. The same inputs give the same effects and the same state.

pub mod account;
pub mod admin;
mod admission;
pub mod ask;
pub mod audience;
mod batched;
pub mod certificate;
pub mod channel;
pub mod commands;
pub mod context;
pub mod devices;
pub mod effects;
pub mod event;
mod fit;
mod handle;
pub mod history;
pub mod input;
pub mod invites;
pub mod isupport;
pub mod json;
pub mod label;
pub mod lists;
pub mod login;
mod long;
pub mod metadata;
pub mod modes;
mod monitors;
pub mod people;
pub mod playback;
pub mod power;
mod preferences;
pub mod ranks;
pub mod record;
mod replay;
mod requests;
pub mod sasl;
pub mod secret;
pub mod seen;
pub mod sends;
mod sessions;
pub mod settings;
mod silenced;
mod state;
mod sync;
pub mod target;
mod welcome;

#[cfg(test)]
pub(crate) mod tests;

pub use ask::{Answer, Ask, Failure};
pub use audience::SessionId;
pub use commands::Command;
pub use effects::{Effects, Origin, Output};
pub use event::{Event, EventKind, Renderer};
pub use input::{Input, InputKind};
pub use login::Login;
pub use settings::Settings;
pub use state::{Chat, Sizes};
