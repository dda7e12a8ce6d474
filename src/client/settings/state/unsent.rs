//! Texts that were not sent: drafts, and messages that were not confirmed.

use serde::{Deserialize, Serialize};

use super::key::ConversationKey;
use crate::client::model::{KeptMessage, MessageKind};

/// Text that was not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Text in the composer.
    pub text: String,
    /// Id of the message that it replies to.
    pub reply_to: Option<String>,
}

/// Message that was not confirmed when the client ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsentMessage {
    /// Name of the server in `servers.toml`.
    pub server: String,
    /// Message as it was typed.
    pub message: KeptMessage,
    /// Reason of its failure; `None` for one that is still to be sent.
    pub failed: Option<String>,
}

impl UnsentMessage {
    /// Returns the key of its conversation.
    pub fn key(&self) -> ConversationKey {
        ConversationKey { server: self.server.clone(), conversation: self.message.target.clone() }
    }

    /// Returns the draft that sends the message again.
    pub fn into_draft(self) -> Draft {
        let KeptMessage { kind, text, reply_to, .. } = self.message;
        let action = if kind == MessageKind::Action { "/me " } else { "" };
        Draft { text: format!("{action}{text}"), reply_to }
    }
}

/// Form of an [`UnsentMessage`] in the file.
#[derive(Serialize, Deserialize)]
pub(super) struct UnsentForm {
    conversation: String,
    text: String,
    #[serde(default, skip_serializing_if = "KindForm::is_text")]
    kind: KindForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    send_id: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    was_sent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindForm {
    #[default]
    Text,
    Action,
    Notice,
}

impl KindForm {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

impl From<UnsentMessage> for UnsentForm {
    fn from(unsent: UnsentMessage) -> Self {
        let conversation = unsent.key().to_string();
        let KeptMessage { kind, text, reply_to, send_id, was_sent, .. } = unsent.message;
        let kind = match kind {
            MessageKind::Text => KindForm::Text,
            MessageKind::Action => KindForm::Action,
            MessageKind::Notice => KindForm::Notice,
        };
        Self { conversation, text, kind, reply_to, send_id, was_sent, failed: unsent.failed }
    }
}

impl UnsentForm {
    /// Returns the message; `None` if it names no conversation.
    pub(super) fn into_message(self) -> Option<UnsentMessage> {
        let ConversationKey { server, conversation: target } = self.conversation.parse().ok()?;
        let kind = match self.kind {
            KindForm::Text => MessageKind::Text,
            KindForm::Action => MessageKind::Action,
            KindForm::Notice => MessageKind::Notice,
        };
        let Self { text, reply_to, send_id, was_sent, failed, .. } = self;
        let message = KeptMessage { target, kind, text, reply_to, send_id, was_sent };
        Some(UnsentMessage { server, message, failed })
    }
}
