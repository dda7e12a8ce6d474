//! The core: the rules of the chat as a pure, deterministic state machine from inputs to effects.
//!
//! [`Core::handle`] is the only way to change its state. Inputs carry their time; handlers never wait, never do IO and
//! never panic. The same inputs give the same effects and the same state.

mod administration;
pub mod commands;
pub mod effects;
mod handle;
pub mod input;
pub mod login;
pub mod model;
pub mod record;
pub mod request;
pub mod session;
pub mod settings;
mod state;

#[cfg(test)]
pub(crate) mod tests;

pub use commands::Command;
pub use effects::event::{Event, EventKind, Renderer};
pub use effects::query::{Query, QueryFailure, QueryResult};
pub use effects::{EffectCounts, Effects, Origin, Output};
pub use input::{Input, InputKind};
pub use login::Login;
pub use model::audience::SessionId;
pub use settings::Settings;
pub use state::{Core, CoreCounts, MessageNames};
