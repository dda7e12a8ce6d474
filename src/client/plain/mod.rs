//! Plain chat, in lines for pipes, screen readers and simple terminals.
//!
//! | file | purity | content |
//! | --- | --- | --- |
//! | [`chat`] | IO | the plain chat: lines in, lines out |
//! | `consent` | IO | answers, questions before requests that harm somebody, redactions that can be undone |
//! | [`navigation`] | pure | commands that find channels and messages |
//! | [`output`] | IO | output of lines |
//! | [`recent`] | pure | recent messages, to quote and to refer to |
//! | [`render`] | pure | events as lines of text |
//! | `unread` | pure | unread messages at the start |

pub mod chat;
mod consent;
pub mod navigation;
pub mod output;
pub mod recent;
pub mod render;
pub mod settings;
mod unread;
