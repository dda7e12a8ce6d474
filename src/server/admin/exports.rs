//! Pages of an export, and the check of what an import would add. Both are read from the store, whether a server runs or
//! not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{AdminReply, Failure};
use crate::core::model::accounts::{ECHO_ACCOUNT_ID, ECHO_ACCOUNT_NAME};
use crate::core::model::metadata::{Visibility, visibility_of_key};
use crate::core::record::file::FileId;
use crate::core::record::modes::ModeFlag;
use crate::core::record::{AccountId, Conversation, MetadataOwner, Role, Snapshot, StoredChannel};
use crate::core::request::export::{
    ExportedAccount, ExportedChannel, ExportedFile, ExportedItem, ExportedListEntry, ExportedMember,
    ExportedMessage, ExportedShare, ExportedTopic,
};
use crate::core::request::json;
use crate::store::history::export::{self, NamedConversation, NamedMessage};
use crate::store::{Store, StoreError};
use crate::wire::{ChannelName, MessageId, Nick};

/// Limit of a page, in bytes of JSON, so that a reply stays below that of the control socket.
const PAGE_BYTES: usize = 400 * 1024;

/// The part of an export that a page is of, and where the page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExportQuery {
    /// Accounts by name, after this one.
    Accounts(#[serde(with = "json::option")] Option<Nick>),
    /// Channels by name, after this one.
    Channels(#[serde(with = "json::option")] Option<ChannelName>),
    /// Messages by id, after this one.
    Messages(#[serde(with = "json::text")] MessageId),
    /// Files by id, after this one.
    Files(#[serde(with = "json::option")] Option<FileId>),
}

/// A page of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportReply {
    /// Items of the page.
    pub items: Vec<ExportedItem>,
    /// Position after which the next page begins; `None` at the end.
    #[serde(with = "json::option")]
    pub last: Option<MessageId>,
    /// Count of messages that cannot be read, because the database is damaged.
    pub unreadable: u64,
}

/// Reads a page of an export.
pub(super) async fn page(store: &Store, query: ExportQuery) -> Result<AdminReply, Failure> {
    let reply = match query {
        ExportQuery::Messages(after) => {
            let page = store.read(move |conn| export::read_all(conn, after, PAGE_BYTES)).await?;
            let items = page.messages.into_iter().map(|message| ExportedItem::Message(exported(message)));
            ExportReply { items: items.collect(), last: page.last, unreadable: page.unreadable }
        }
        query => {
            let names = Names::new(store.snapshot().await?);
            let items = match query {
                ExportQuery::Accounts(after) => names.accounts(after.as_ref()),
                ExportQuery::Channels(after) => names.channels(after.as_ref()),
                ExportQuery::Files(after) => names.files(after),
                ExportQuery::Messages(_) => Vec::new(),
            };
            ExportReply { items: first_of(items), last: None, unreadable: 0 }
        }
    };
    Ok(AdminReply::Exported(reply))
}

/// Returns for each item whether the server has it already.
pub(super) async fn known(store: &Store, items: Vec<ExportedItem>) -> Result<AdminReply, Failure> {
    let needs_state = items.iter().any(|item| !matches!(item, ExportedItem::Message(_)));
    let state = if needs_state { Some(store.snapshot().await?) } else { None };
    let (mut accounts, mut channels, mut files) = (HashSet::new(), HashSet::new(), HashSet::new());
    if let Some(state) = state {
        accounts.extend(state.accounts.into_iter().map(|account| account.name));
        accounts.extend(state.reserved_names.into_iter().map(|reserved| reserved.name));
        channels.extend(state.channels.into_iter().map(|channel| channel.name));
        files.extend(state.files.into_iter().map(|file| file.id));
    }
    let known = store.read(move |conn| {
        let is_known = |item: &ExportedItem| match item {
            ExportedItem::Account(account) => {
                Ok(accounts.contains(&account.name) || account.name.as_str() == ECHO_ACCOUNT_NAME)
            }
            ExportedItem::Channel(channel) => Ok(channels.contains(&channel.name)),
            ExportedItem::File(file) => Ok(files.contains(&file.id)),
            ExportedItem::Message(message) => match named_conversation(message) {
                Some(conversation) => {
                    export::has_message(conn, message.msgid, &message.from, message.kind, &conversation)
                }
                None => Ok(false),
            },
        };
        items.iter().map(is_known).collect::<rusqlite::Result<Vec<bool>>>().map_err(StoreError::from)
    });
    Ok(AdminReply::Known(known.await?))
}

fn named_conversation(message: &ExportedMessage) -> Option<NamedConversation> {
    match (&message.channel, &*message.between) {
        (Some(channel), _) => Some(NamedConversation::Channel(channel.clone())),
        (None, [a, b]) => Some(NamedConversation::Between(a.clone(), b.clone())),
        _ => None,
    }
}

fn exported(message: NamedMessage) -> ExportedMessage {
    let NamedMessage { id, time, conversation, from, kind, text, tags, redacted } = message;
    let (channel, between) = match conversation {
        NamedConversation::Channel(name) => (Some(name), Vec::new()),
        NamedConversation::Between(a, b) => (None, vec![a, b]),
    };
    ExportedMessage { msgid: id, time, channel, between, from, kind, text, tags, redacted }
}

/// Returns the first items, up to the size of a page and at least one.
fn first_of(items: Vec<ExportedItem>) -> Vec<ExportedItem> {
    let mut spent = 0;
    let fits = |item: &ExportedItem| {
        let fits = spent < PAGE_BYTES;
        spent += serde_json::to_string(item).map_or(0, |text| text.len());
        fits
    };
    items.into_iter().take_while(fits).collect()
}

/// A snapshot with the names of its accounts and channels.
struct Names {
    state: Snapshot,
    accounts: HashMap<AccountId, Nick>,
}

impl Names {
    fn new(state: Snapshot) -> Self {
        let mut accounts: HashMap<AccountId, Nick> =
            state.accounts.iter().map(|account| (account.id, account.name.clone())).collect();
        accounts.extend(state.reserved_names.iter().map(|reserved| (reserved.id, reserved.name.clone())));
        accounts.extend(Nick::parse(ECHO_ACCOUNT_NAME).ok().map(|echo| (ECHO_ACCOUNT_ID, echo)));
        Self { state, accounts }
    }

    fn account(&self, id: AccountId) -> Option<Nick> {
        self.accounts.get(&id).cloned()
    }

    /// Returns the public metadata of an account or a channel.
    fn metadata(&self, owner: MetadataOwner) -> BTreeMap<String, String> {
        let own =
            self.state.metadata.iter().filter(|stored| {
                stored.owner == owner && visibility_of_key(&stored.key) == Visibility::Public
            });
        own.map(|stored| (stored.key.to_string(), stored.value.to_string())).collect()
    }

    fn accounts(&self, after: Option<&Nick>) -> Vec<ExportedItem> {
        let created: HashMap<_, _> = self.state.created.iter().copied().collect();
        let hooks: HashSet<_> = self.state.hooks.iter().map(|hook| hook.account).collect();
        let in_use = self.state.accounts.iter().map(|account| {
            let removed = hooks.contains(&account.id);
            ExportedAccount {
                name: account.name.clone(),
                role: account.role,
                created: created.get(&account.id).copied().unwrap_or_default(),
                disabled: account.disabled,
                removed,
                metadata: if removed {
                    BTreeMap::new()
                } else {
                    self.metadata(MetadataOwner::Account(account.id))
                },
            }
        });
        let removed = self.state.reserved_names.iter().map(|reserved| ExportedAccount {
            name: reserved.name.clone(),
            role: Role::Member,
            created: created.get(&reserved.id).copied().unwrap_or_default(),
            disabled: false,
            removed: true,
            metadata: BTreeMap::new(),
        });
        let mut all: Vec<_> = in_use.chain(removed).collect();
        all.retain(|account| after.is_none_or(|after| account.name > *after));
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all.into_iter().map(ExportedItem::Account).collect()
    }

    fn channels(&self, after: Option<&ChannelName>) -> Vec<ExportedItem> {
        let mut all: Vec<&StoredChannel> = self.state.channels.iter().collect();
        all.retain(|channel| after.is_none_or(|after| channel.name > *after));
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all.into_iter().map(|channel| ExportedItem::Channel(self.channel(channel))).collect()
    }

    fn channel(&self, channel: &StoredChannel) -> ExportedChannel {
        let statuses: HashMap<_, _> = channel.member_statuses.iter().copied().collect();
        let members: HashSet<_> = channel.members.iter().copied().collect();
        let left = channel.member_statuses.iter().map(|(id, _)| *id).filter(|id| !members.contains(id));
        let member = |id| {
            let status = statuses.get(&id).map(|status| status.prefixes(true).collect()).unwrap_or_default();
            Some(ExportedMember { account: self.account(id)?, status, left: !members.contains(&id) })
        };
        let list_entry = |(list, entry): &(crate::core::record::modes::ListKind, _)| {
            let crate::core::record::modes::ListEntry { mask, by, at } = entry;
            ExportedListEntry { list: list.letter(), mask: mask.to_string(), by: by.clone(), at: *at }
        };
        ExportedChannel {
            name: channel.name.clone(),
            created: channel.created,
            creator: channel.creator.filter(|id| *id != ECHO_ACCOUNT_ID).and_then(|id| self.account(id)),
            topic: channel.topic.as_ref().map(|topic| ExportedTopic {
                text: topic.text.to_string(),
                by: topic.by.clone(),
                at: topic.at,
            }),
            modes: ModeFlag::ALL
                .into_iter()
                .filter(|flag| channel.modes.has(*flag))
                .map(ModeFlag::letter)
                .collect(),
            key: channel.modes.key.as_deref().map(ToOwned::to_owned),
            limit: channel.modes.limit,
            members: channel.members.iter().copied().chain(left).filter_map(member).collect(),
            lists: channel.lists.iter().map(list_entry).collect(),
            archived: channel.archived,
            metadata: self.metadata(MetadataOwner::Channel(channel.id)),
        }
    }

    fn files(&self, after: Option<FileId>) -> Vec<ExportedItem> {
        let mut all: Vec<_> = self.state.files.iter().collect();
        all.retain(|file| after.is_none_or(|after| file.id > after));
        all.sort_unstable_by_key(|file| file.id);
        let mut shares: HashMap<FileId, Vec<ExportedShare>> = HashMap::new();
        for share in &self.state.file_shares {
            let (channel, between) = match share.conversation {
                Conversation::Channel(id) => (
                    self.state.channels.iter().find(|channel| channel.id == id).map(|c| c.name.clone()),
                    Vec::new(),
                ),
                Conversation::Direct(a, b) => {
                    (None, [a, b].into_iter().filter_map(|id| self.account(id)).collect())
                }
            };
            let share = (share.file, ExportedShare { msgid: share.message, channel, between });
            shares.entry(share.0).or_default().push(share.1);
        }
        let item = |file: &crate::core::record::file::StoredFile| {
            let sha256 = file.hash.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            Some(ExportedItem::File(ExportedFile {
                id: file.id,
                owner: self.account(file.owner)?,
                name: file.name.to_string(),
                media_type: file.media_type.to_string(),
                size: file.size,
                sha256,
                dimensions: file.dimensions.map(|dimensions| (dimensions.width, dimensions.height)),
                added: file.added,
                shares: shares.remove(&file.id).unwrap_or_default(),
            }))
        };
        all.into_iter().filter_map(item).collect()
    }
}
