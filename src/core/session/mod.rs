//! Sessions: admission, the welcome, replay, leaving.

pub(super) mod admission;
pub mod devices;
pub(super) mod lifecycle;
pub(super) mod preferences;
pub(super) mod replay;
pub(super) mod visibility;
pub(super) mod welcome;
