//! Plain chat, in lines for pipes, screen readers and simple terminals.
//!
//! | file | purity | content |
//! | --- | --- | --- |
//! | `attention` | pure | mentions, and what rings the bell |
//! | [`chat`] | IO | the plain chat: lines in, lines out |
//! | `consent` | IO | answers, questions before requests that harm somebody, redactions that can be undone |
//! | [`navigation`] | pure | commands that find channels and messages |
//! | [`output`] | IO | output of lines |
//! | [`recent`] | pure | recent messages, to quote and to refer to |
//! | `remembered` | files | drafts, conversation and do-not-disturb, from one run to the next |
//! | [`render`] | pure | events as lines of text |
//! | `unread` | pure | unread messages at the start |

mod attention;
pub mod chat;
mod consent;
pub mod navigation;
pub mod output;
pub mod recent;
mod remembered;
pub mod render;
pub mod settings;
mod unread;

/// A line of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedLine {
    /// The text, without the end of the line.
    pub text: String,
    /// Set unless the input ended within the line.
    pub is_finished: bool,
}
