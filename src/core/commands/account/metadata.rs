//! METADATA ([metadata](https://ircv3.net/specs/extensions/metadata)), as `draft/metadata-2` and as its revision
//! `draft/metadata-3`, which announces changes by numerics and uses the usual error codes.
//!
//! Public metadata of accounts and channels is visible to all accounts that may know of them. Private metadata
//! (`soju.im/pinned` and the like) belongs to an account and describes a conversation.

use std::sync::Arc;

use crate::core::commands::{Command, Spec};
use crate::core::model::channel::Channel;
use crate::core::model::metadata::{self, MetadataDialect, MetadataEntry, Visibility};
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ModeFlag;
use crate::core::record::{MetadataOwner, Record};
use crate::core::request::target::Target;
use crate::core::state::context::Context;
use crate::core::state::metadata_sync;
use crate::invariants::MustExist as _;
use crate::wire::numeric::RPL_METADATASYNCLATER;
use crate::wire::{Cap, Message, Reply};

/// The METADATA command: queries and changes metadata.
pub const SPEC: Spec = Spec { name: "METADATA", min_params: 2, parse };

/// Maximum number of conversations with private metadata of an account.
const MAX_PRIVATE_CONVERSATIONS: usize = 4096;

/// A parsed METADATA.
#[derive(Debug)]
pub struct Metadata {
    target: Box<str>,
    subcommand: Subcommand,
    params: Vec<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subcommand {
    Get,
    List,
    Set,
    Clear,
    Sync,
    /// SUB, UNSUB or SUBS.
    Subscriptions(&'static str),
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let (target, word) = (message.param(0).unwrap_or_default(), message.param(1).unwrap_or_default());
    let subcommand = match word.to_ascii_uppercase().as_str() {
        "GET" => Subcommand::Get,
        "LIST" => Subcommand::List,
        "SET" => Subcommand::Set,
        "CLEAR" => Subcommand::Clear,
        "SYNC" => Subcommand::Sync,
        "SUB" => Subcommand::Subscriptions("SUB"),
        "UNSUB" => Subcommand::Subscriptions("UNSUB"),
        "SUBS" => Subcommand::Subscriptions("SUBS"),
        _ => return Err(metadata::invalid_subcommand(word)),
    };
    let params: Vec<Box<str>> = message.params().iter().skip(2).map(|&param| param.into()).collect();
    if params.is_empty()
        && !matches!(
            subcommand,
            Subcommand::List | Subcommand::Clear | Subcommand::Sync | Subcommand::Subscriptions("SUBS")
        )
    {
        return Err(metadata::need_more_params());
    }
    Ok(Command::Metadata(Metadata { target: target.into(), subcommand, params }))
}

/// Target of the command, with its name in its own spelling.
struct ResolvedTarget {
    /// Owner of the public metadata.
    owner: MetadataOwner,
    /// Owner of the account's private metadata, if it may have some about the target.
    private: Option<MetadataOwner>,
    name: Arc<str>,
    /// The account may change the public metadata.
    is_writable: bool,
}

impl Metadata {
    /// Returns whether it changes stored metadata.
    pub(in crate::core::commands) fn sets(&self) -> bool {
        matches!(self.subcommand, Subcommand::Set | Subcommand::Clear)
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let caps = cx.sender.caps;
        let dialect = MetadataDialect::for_caps(caps);
        if let Subcommand::Subscriptions(word) = self.subcommand {
            return self.handle_subscriptions(cx, word, dialect);
        }
        if self.subcommand == Subcommand::Sync
            && dialect == MetadataDialect::Revised
            && self.target.eq_ignore_ascii_case("*all")
        {
            let shown =
                metadata_sync::all_subscribed_metadata(cx.core, (cx.sender.account, cx.sender.session));
            return Self::reply_with_sync(cx, "*ALL", &shown, dialect);
        }
        let Some(target) = self.resolve_target(cx) else {
            let reply = Reply::fail("METADATA", "INVALID_TARGET").arg(&*self.target);
            return cx.reply(reply.text("No such account or channel"));
        };
        match self.subcommand {
            Subcommand::Get => {
                let replies: Vec<Reply> =
                    self.params.iter().map(|key| get_reply(cx, &target, key, dialect)).collect();
                reply_in_batch(cx, &target.name, replies);
            }
            Subcommand::List => {
                let shown = list_entries(cx, &target);
                reply_in_batch(cx, &target.name, shown.iter().map(MetadataEntry::reply));
            }
            Subcommand::Sync => {
                let shown = match target.owner {
                    MetadataOwner::Channel(id) => {
                        metadata_sync::channel_metadata(cx.core, (cx.sender.account, cx.sender.session), id)
                    }
                    _ => metadata_sync::owner_metadata(
                        cx.core,
                        cx.sender.session,
                        target.owner,
                        target.private,
                        &target.name,
                    ),
                };
                Self::reply_with_sync(cx, &target.name, &shown, dialect);
            }
            Subcommand::Set => self.set_key(cx, &target, dialect),
            Subcommand::Clear => clear_keys(cx, &target),
            Subcommand::Subscriptions(_) => {}
        }
    }

    fn resolve_target(&self, cx: &Context<'_>) -> Option<ResolvedTarget> {
        let me = cx.sender.account;
        let target = if &*self.target == "*" {
            Target::Nick(cx.sender.nick.clone())
        } else {
            Target::parse(&self.target)
        };
        let private = cx
            .resolve_conversation(&target)
            .map(|(conversation, _)| MetadataOwner::Private(me, conversation));
        match target {
            Target::Channel(name) => {
                let channel = cx.visible_channel(&name).filter(|channel| is_readable(cx, channel))?;
                let is_writable = cx.permission_level(channel).at_least(PrefixMode::Op);
                Some(ResolvedTarget {
                    owner: MetadataOwner::Channel(channel.id),
                    private,
                    name: channel.name.shared(),
                    is_writable,
                })
            }
            Target::Nick(nick) => {
                let account_state = cx.core.accounts.get_enabled_by_name(&nick)?;
                let id = account_state.account.id;
                let name = account_state.nick().shared();
                Some(ResolvedTarget {
                    owner: MetadataOwner::Account(id),
                    private,
                    name,
                    is_writable: id == me,
                })
            }
            Target::Invalid(_) => None,
        }
    }

    fn set_key(&self, cx: &mut Context<'_>, target: &ResolvedTarget, dialect: MetadataDialect) {
        let key = self.params.first().map(|key| &**key).unwrap_or_default();
        let value = self.params.get(1).map(|value| &**value).filter(|value| !value.is_empty());
        if let Err(reply) = metadata::check_change(key, value, dialect) {
            return cx.reply(reply);
        }
        let is_private = metadata::visibility_of_key(key) == Visibility::Private;
        let owner =
            if is_private { target.private } else { Some(target.owner).filter(|_| target.is_writable) };
        let Some(owner) = owner else {
            let reply = Reply::fail("METADATA", "KEY_NO_PERMISSION").arg(&*target.name).arg(key);
            return cx.reply(reply.text("You may not set this key on that target"));
        };
        if let MetadataOwner::Private(_, conversation) = owner
            && cx.sender_account().is_some_and(|me| {
                me.private_metadata.len() >= MAX_PRIVATE_CONVERSATIONS
                    && !me.private_metadata.contains_key(&conversation)
            })
        {
            let reply = Reply::fail("METADATA", "LIMIT_REACHED")
                .arg(&*target.name)
                .arg(MAX_PRIVATE_CONVERSATIONS.to_string());
            return cx.reply(reply.text("You have private metadata for too many conversations"));
        }
        let keys = cx.core.metadata_mut(owner).must_exist("the target was resolved");
        let Some(keys) = keys else { return };
        let had = keys.get(key).is_some();
        if value.is_some() && !had && !keys.has_room() {
            let reply = Reply::fail("METADATA", "LIMIT_REACHED").arg(&*target.name);
            return cx.reply(reply.arg(metadata::MAX_KEYS.to_string()).text("Too many keys"));
        }
        if value.is_none() && !had && dialect == MetadataDialect::Draft {
            let reply = Reply::fail("METADATA", "KEY_NOT_SET").arg(&*target.name).arg(key);
            return cx.reply(reply.text("The key is not set"));
        }
        let change = MetadataEntry {
            name: target.name.clone(),
            key: key.into(),
            value: value.map(Into::into),
            visibility: metadata::visibility_of_key(key),
        };
        cx.reply(change.reply());
        cx.set_metadata(owner, &change);
    }

    /// Sends values in a batch, each in the form of a change.
    fn reply_with_sync(cx: &mut Context<'_>, name: &str, shown: &[MetadataEntry], dialect: MetadataDialect) {
        reply_in_batch(cx, name, shown.iter().map(|shown| shown.notification(dialect)));
    }

    fn handle_subscriptions(&self, cx: &mut Context<'_>, word: &str, dialect: MetadataDialect) {
        let caps = cx.sender.caps;
        let Some(known) = cx.sender_session_mut() else { return };
        let keys: Vec<&str> = self.params.iter().map(|key| &**key).collect();
        let before = known.subscriptions.len();
        let replies = metadata::handle_subscriptions(word, &keys, &mut known.subscriptions, caps);
        let has_new_subscriptions = known.subscriptions.len() > before;
        cx.replies(replies);
        if has_new_subscriptions && caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            // The client fetches the present values with SYNC when it is ready.
            for name in metadata_sync::deferred_sync_targets(cx.core, cx.sender.account, dialect) {
                cx.reply(Reply::numeric(RPL_METADATASYNCLATER).arg(&*name).arg("0"));
            }
        }
    }
}

/// Returns whether the account may read a channel's metadata. Only members may read that of an invite-only channel.
fn is_readable(cx: &Context<'_>, channel: &Channel) -> bool {
    !channel.modes.has(ModeFlag::InviteOnly) || cx.permission_level(channel) > PermissionLevel::NonMember
}

fn get_reply(cx: &Context<'_>, target: &ResolvedTarget, key: &str, dialect: MetadataDialect) -> Reply {
    if !metadata::is_key(key) {
        return metadata::invalid_key(key, dialect);
    }
    let visibility = metadata::visibility_of_key(key);
    let owner = if visibility == Visibility::Private { target.private } else { Some(target.owner) };
    let keys = owner.and_then(|subject| cx.core.metadata(subject));
    let value = keys.and_then(|keys| keys.get(key)).cloned();
    MetadataEntry { name: target.name.clone(), key: key.into(), value, visibility }.reply()
}

fn list_entries(cx: &Context<'_>, target: &ResolvedTarget) -> Vec<MetadataEntry> {
    let mut all = Vec::new();
    for owner in [Some(target.owner), target.private].into_iter().flatten() {
        if let Some(keys) = cx.core.metadata(owner) {
            all.extend(keys.iter().map(|(key, value)| MetadataEntry::new(&target.name, key, value)));
        }
    }
    all
}

/// Clears the public metadata of the account itself, or of a channel that it operates.
fn clear_keys(cx: &mut Context<'_>, target: &ResolvedTarget) {
    if !target.is_writable {
        let reply = Reply::fail("METADATA", "KEY_NO_PERMISSION").arg(&*target.name).arg("*");
        return cx.reply(reply.text("You may not clear the keys of that target"));
    }
    let public = |shown: &MetadataEntry| shown.visibility == Visibility::Public;
    let cleared: Vec<MetadataEntry> = list_entries(cx, target).into_iter().filter(public).collect();
    let cleared: Vec<MetadataEntry> =
        cleared.into_iter().map(|shown| MetadataEntry { value: None, ..shown }).collect();
    // The draft specifies the numeric for a value, which would have to be empty; its revision specifies the numeric for
    // a key that is not set.
    reply_in_batch(cx, &target.name, cleared.iter().map(MetadataEntry::reply));
    for change in &cleared {
        cx.set_metadata(target.owner, change);
    }
}

/// Sends a batch `metadata`, or only its replies to a session without batches.
fn reply_in_batch(cx: &mut Context<'_>, target: &str, replies: impl IntoIterator<Item = Reply>) {
    if cx.sender.caps.has(Cap::Batch) {
        cx.replies(metadata::batch(target, replies));
    } else {
        cx.replies(replies);
    }
}

impl Context<'_> {
    /// Sets or clears a key, records the change and sends it to subscribed sessions, except for the one that made it.
    pub(in crate::core) fn set_metadata(&mut self, owner: MetadataOwner, change: &MetadataEntry) {
        let (key, value) = (change.key.clone(), change.value.clone());
        if !self.core.metadata_mut(owner).is_some_and(|keys| keys.set(key.clone(), value.clone())) {
            return;
        }
        self.fx.records.push(Record::MetadataSet { owner, key, value });
        if let MetadataOwner::Channel(_) = owner {
            self.audit("channel metadata", &change.name, &change.key);
        }
        for (session, caps) in metadata_sync::subscribers(self.core, owner, &change.key) {
            if session == self.sender.session {
                continue;
            }
            self.core.send(&self.core.addressee(session), change.announcement(caps), self.fx);
        }
    }
}
