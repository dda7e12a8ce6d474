//! Everything that the state has about a person, for them to read.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::model::accounts::AccountState;
use crate::core::model::channel::Channel;
use crate::core::model::files::FileState;
use crate::core::record::{AccountId, Conversation, Invite};
use crate::core::request::admin::AccountError;
use crate::core::state::Core;
use crate::wire::Nick;

impl Core {
    /// Returns everything that the state has about an account, except for secrets, of which there are hashes only.
    ///
    /// # Errors
    /// No account in use has this name.
    pub fn personal_data(&self, name: &Nick) -> Result<Value, AccountError> {
        let id = self.find_account(name)?.id;
        let Some(state) = self.accounts.get(id) else { return Err(AccountError::Unknown(name.clone())) };
        Ok(json!({
            "account": self.account_data(state),
            "devices": state.devices.iter().map(|device| json!({
                "fingerprint": device.fingerprint.to_string(),
                "added": device.added_at.to_string(),
                "last_used": device.last_login.map(|at| at.to_string()),
            })).collect::<Vec<_>>(),
            "groups": self.groups_of(id).iter().map(ToString::to_string).collect::<Vec<_>>(),
            "channels": self.channel_data(id),
            "read_markers": self.marker_data(state),
            "notes": self.note_data(state),
            "invites": self.invite_data(id),
            "access_tokens": self.access_tokens.iter().filter(|token| token.account == id).map(|token| json!({
                "name": token.name.to_string(),
                "created": token.created.to_string(),
                "expires": token.expires.map(|at| at.to_string()),
            })).collect::<Vec<_>>(),
            "files": self.file_data(id),
        }))
    }

    fn account_data(&self, state: &AccountState) -> Value {
        let metadata: serde_json::Map<String, Value> =
            state.metadata.iter().map(|(key, value)| (key.to_string(), json!(**value))).collect();
        json!({
            "id": state.account.id.0,
            "name": state.nick().to_string(),
            "role": state.account.role.to_string(),
            "disabled": state.account.disabled,
            "created": self.accounts.created(state.account.id).to_string(),
            "listed_name": state.listed_name.as_deref(),
            "metadata": metadata,
            "replay": state.preferences.replay,
            "bot": state.preferences.bot,
            "has_password": state.password.is_some(),
            "online": state.is_online(),
            "away": state.away.as_deref(),
            "full_name": &*state.realname,
        })
    }

    fn channel_data(&self, id: AccountId) -> Vec<Value> {
        let is_about = |channel: &&Channel| {
            channel.members.contains(&id)
                || channel.creator == Some(id)
                || channel.invited.contains(&id)
                || !channel.member_status(id).is_empty()
        };
        let data = |channel: &Channel| {
            json!({
                "name": channel.name.to_string(),
                "member": channel.members.contains(&id),
                "status": channel.member_status(id).prefixes(true).collect::<String>(),
                "created_it": channel.creator == Some(id),
                "invited": channel.invited.contains(&id),
            })
        };
        self.channels.iter().filter(is_about).map(data).collect()
    }

    fn marker_data(&self, state: &AccountState) -> Vec<Value> {
        let by_name = |name: String, read: String| json!({ "conversation": name, "read_up_to": read });
        let markers = state.markers.iter();
        let markers = markers.map(|(of, read)| by_name(self.conversation_name(*of, state), read.to_string()));
        let early =
            state.early_markers.iter().map(|(name, read)| by_name(name.to_string(), read.to_string()));
        let mut all: Vec<Value> = markers.chain(early).collect();
        all.sort_by_key(|marker| marker["conversation"].to_string());
        all
    }

    /// Returns what the account has noted for itself about conversations.
    fn note_data(&self, state: &AccountState) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        for (conversation, keys) in &state.private_metadata {
            let name = self.conversation_name(*conversation, state);
            let note = |(key, value): (&Arc<str>, &Arc<str>)| json!({ "conversation": name, "key": **key, "value": **value });
            all.extend(keys.iter().map(note));
        }
        all.sort_by_key(|note| note["conversation"].to_string());
        all
    }

    fn invite_data(&self, id: AccountId) -> Vec<Value> {
        let is_about = |invite: &&Invite| invite.created_by == Some(id) || invite.resets == Some(id);
        let data = |invite: &Invite| {
            json!({
                "number": invite.id.0,
                "made_by_the_account": invite.created_by == Some(id),
                "resets_the_account": invite.resets == Some(id),
                "created": invite.created.to_string(),
                "expires": invite.expires.to_string(),
                "uses": invite.uses,
                "spent": invite.spent,
            })
        };
        self.invites.iter().filter(is_about).map(data).collect()
    }

    fn file_data(&self, id: AccountId) -> Vec<Value> {
        let mut files: Vec<_> = self.files.iter().filter(|state| state.file.owner == id).collect();
        files.sort_unstable_by_key(|state| (state.file.added, state.file.id));
        let data = |state: &FileState| {
            let file = &state.file;
            json!({
                "id": file.id.to_string(),
                "name": &*file.name,
                "media_type": &*file.media_type,
                "size": file.size,
                "sha256": hex(&file.hash),
                "added": file.added.to_string(),
                "has_link": file.link.is_some(),
                "shared_by_messages": state.shares.keys().map(ToString::to_string).collect::<Vec<_>>(),
            })
        };
        files.into_iter().map(data).collect()
    }

    /// Returns the name of a conversation, as the account sees it.
    fn conversation_name(&self, conversation: Conversation, state: &AccountState) -> String {
        let name = match conversation {
            Conversation::Channel(id) => self.channels.get(id).map(|channel| channel.name.to_string()),
            Conversation::Direct(a, b) => {
                let other = if a == state.account.id { b } else { a };
                self.account_name(other).map(ToString::to_string)
            }
        };
        name.unwrap_or_default()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
