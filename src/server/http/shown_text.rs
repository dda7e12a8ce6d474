//! The text of a message, as programs get it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::core::record::{LINE_BREAK, LINE_CONCAT, MessageKind, StoredMessage};

/// Kind of a message that shows a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::server) enum ShownKind {
    /// An ordinary message.
    Message,
    /// A message that no program answers.
    Notice,
    /// An action of the sender (`/me`).
    Action,
}

/// A text and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct ShownText {
    pub kind: ShownKind,
    /// Lines are separated by line feeds.
    pub text: String,
}

impl ShownText {
    /// Returns the text of a message; `None` for one that shows none, such as a CTCP request.
    pub fn of(message: &StoredMessage) -> Option<Self> {
        let text = message.text.replace(LINE_CONCAT, "");
        debug_assert_eq!(LINE_BREAK, '\n', "programs are sent the separator as it is");
        let action = text.strip_prefix("\u{1}ACTION ").map(|rest| rest.trim_end_matches('\u{1}').to_owned());
        let (kind, text) = match (message.kind, action) {
            (MessageKind::Privmsg, Some(action)) => (ShownKind::Action, action),
            (MessageKind::Privmsg, None) => (ShownKind::Message, text),
            (MessageKind::Notice, _) => (ShownKind::Notice, text),
            _ => return None,
        };
        (!text.starts_with('\u{1}')).then_some(Self { kind, text })
    }
}
