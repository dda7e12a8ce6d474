//! The client: one pure model of what goes on, and the IO around it.
//!
//! | file | purity | what it does |
//! | --- | --- | --- |
//! | [`line`](mod@line) | pure | the lines that go to the server |
//! | [`split`] | pure | long texts into pieces that fit a line |
//! | [`login`] | pure | capabilities and SASL, or the redeeming of an invite |
//! | [`model`] | pure | what goes on: channels, messages on their way, what was shown |
//! | [`password`] | pure | a password on its way to the server |
//! | [`servers`] | files | the servers that one has joined |
//! | [`render`] | pure | events as lines of text or JSON |
//! | [`clean`] | pure | takes out of foreign text what a terminal would obey |

pub mod clean;
pub mod line;
pub mod login;
pub mod model;
pub mod password;
pub mod render;
pub mod servers;
pub mod split;
