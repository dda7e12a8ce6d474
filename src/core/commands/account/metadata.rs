//! METADATA ([metadata](https://ircv3.net/specs/extensions/metadata)), as `draft/metadata-2` and as its revision
//! `draft/metadata-3`, which announces changes by numerics and uses the usual error codes.
//!
//! Public metadata of accounts and channels is visible to all accounts that may know of them. Private metadata
//! (`soju.im/pinned` and the like) belongs to an account and describes a conversation.

use std::sync::Arc;

use crate::core::batched;
use crate::core::commands::{Command, Spec};
use crate::core::model::channel::Channel;
use crate::core::model::metadata::{self, Dialect, Shown, Visibility};
use crate::core::model::power::Power;
use crate::core::record::modes::Flag;
use crate::core::record::ranks::Rank;
use crate::core::record::{Record, Subject};
use crate::core::state::context::Context;
use crate::core::state::sync;
use crate::core::target::Target;
use crate::wire::numeric::RPL_METADATASYNCLATER;
use crate::wire::{Cap, Message, Nick, Reply};

/// The METADATA command: queries and changes metadata.
pub const SPEC: Spec = Spec { name: "METADATA", least: 2, parse };

/// Maximum number of conversations with private metadata of an account.
const MOST_NOTED: usize = 4096;

/// A parsed METADATA.
#[derive(Debug)]
pub struct Metadata {
    target: Box<str>,
    what: What,
    params: Vec<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
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
    let what = match word.to_ascii_uppercase().as_str() {
        "GET" => What::Get,
        "LIST" => What::List,
        "SET" => What::Set,
        "CLEAR" => What::Clear,
        "SYNC" => What::Sync,
        "SUB" => What::Subscriptions("SUB"),
        "UNSUB" => What::Subscriptions("UNSUB"),
        "SUBS" => What::Subscriptions("SUBS"),
        _ => return Err(metadata::bad_subcommand(word)),
    };
    let params: Vec<Box<str>> = message.params().iter().skip(2).map(|&param| param.into()).collect();
    if params.is_empty()
        && !matches!(what, What::List | What::Clear | What::Sync | What::Subscriptions("SUBS"))
    {
        return Err(metadata::need_more());
    }
    Ok(Command::Metadata(Metadata { target: target.into(), what, params }))
}

/// Target of the command, with its name in its own spelling.
struct Of {
    /// Owner of the public metadata.
    subject: Subject,
    /// Owner of the account's private metadata, if it may have some about the target.
    notes: Option<Subject>,
    name: Arc<str>,
    /// The account may change the public metadata.
    may_change: bool,
}

impl Metadata {
    /// Returns whether it changes stored metadata.
    pub(in crate::core::commands) fn sets(&self) -> bool {
        matches!(self.what, What::Set | What::Clear)
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let caps = cx.member.caps;
        let dialect = Dialect::of(caps);
        if let What::Subscriptions(word) = self.what {
            return self.subscriptions(cx, word, dialect);
        }
        if self.what == What::Sync && dialect == Dialect::Revised && self.target.eq_ignore_ascii_case("*all")
        {
            let shown = sync::all(cx.chat, (cx.member.account, cx.member.session));
            return Self::sync(cx, "*ALL", &shown, dialect);
        }
        let Some(of) = self.of(cx) else {
            let reply = Reply::fail("METADATA", "INVALID_TARGET").arg(&*self.target);
            return cx.reply(reply.text("No such account or channel"));
        };
        match self.what {
            What::Get => {
                let replies: Vec<Reply> = self.params.iter().map(|key| get(cx, &of, key, dialect)).collect();
                batch(cx, &of.name, &replies);
            }
            What::List => {
                let shown = list(cx, &of);
                let replies: Vec<Reply> = shown.iter().map(Shown::reply).collect();
                batch(cx, &of.name, &replies);
            }
            What::Sync => {
                let shown = match of.subject {
                    Subject::Channel(id) => {
                        sync::channel(cx.chat, (cx.member.account, cx.member.session), id)
                    }
                    _ => sync::subject(cx.chat, cx.member.session, of.subject, of.notes, &of.name),
                };
                Self::sync(cx, &of.name, &shown, dialect);
            }
            What::Set => self.set(cx, &of, dialect),
            What::Clear => clear(cx, &of),
            What::Subscriptions(_) => {}
        }
    }

    fn of(&self, cx: &Context<'_>) -> Option<Of> {
        let me = cx.member.account;
        let target = if &*self.target == "*" {
            Target::Person(cx.member.nick.clone())
        } else {
            Target::parse(&self.target)
        };
        let notes = cx.place(&target).map(|(place, _)| Subject::Private(me, place));
        match target {
            Target::Channel(name) => {
                let channel = cx.visible(&name).filter(|channel| is_open(cx, channel))?;
                let may_change = cx.power(channel).at_least(Rank::Op);
                Some(Of {
                    subject: Subject::Channel(channel.id),
                    notes,
                    name: channel.name.shared(),
                    may_change,
                })
            }
            Target::Person(nick) => {
                let person = cx.chat.people.named(&nick)?;
                let id = person.account.id;
                let name = person.nick().shared();
                Some(Of { subject: Subject::Account(id), notes, name, may_change: id == me })
            }
            Target::Nobody(_) => None,
        }
    }

    fn set(&self, cx: &mut Context<'_>, of: &Of, dialect: Dialect) {
        let key = self.params.first().map(|key| &**key).unwrap_or_default();
        let value = self.params.get(1).map(|value| &**value).filter(|value| !value.is_empty());
        if let Err(reply) = metadata::check(key, value, dialect) {
            return cx.reply(reply);
        }
        let private = metadata::visibility(key) == Visibility::Owner;
        let subject = if private { of.notes } else { Some(of.subject).filter(|_| of.may_change) };
        let Some(subject) = subject else {
            let reply = Reply::fail("METADATA", "KEY_NO_PERMISSION").arg(&*of.name).arg(key);
            return cx.reply(reply.text("You may not set this key on that target"));
        };
        if let Subject::Private(_, place) = subject
            && cx.me().is_some_and(|me| me.private.len() >= MOST_NOTED && !me.private.contains_key(&place))
        {
            let reply = Reply::fail("METADATA", "LIMIT_REACHED").arg(&*of.name).arg(MOST_NOTED.to_string());
            return cx.reply(reply.text("You have private metadata for too many conversations"));
        }
        let Some(keys) = cx.chat.keys_mut(subject) else { return };
        let had = keys.get(key).is_some();
        if value.is_some() && !had && !keys.has_room() {
            let reply = Reply::fail("METADATA", "LIMIT_REACHED").arg(&*of.name);
            return cx.reply(reply.arg(metadata::MAX_KEYS.to_string()).text("Too many keys"));
        }
        if value.is_none() && !had && dialect == Dialect::Draft {
            let reply = Reply::fail("METADATA", "KEY_NOT_SET").arg(&*of.name).arg(key);
            return cx.reply(reply.text("The key is not set"));
        }
        let change = Shown {
            name: of.name.clone(),
            key: key.into(),
            value: value.map(Into::into),
            visibility: metadata::visibility(key),
        };
        cx.reply(change.reply());
        cx.set_metadata(subject, &change);
    }

    /// Sends values in a batch, each in the form of a change.
    fn sync(cx: &mut Context<'_>, name: &str, shown: &[Shown], dialect: Dialect) {
        let replies: Vec<Reply> = shown.iter().map(|shown| shown.notice(dialect)).collect();
        batch_as(cx, name, &replies, if dialect == Dialect::Revised { Some("*") } else { None });
    }

    fn subscriptions(&self, cx: &mut Context<'_>, word: &str, dialect: Dialect) {
        let (nick, caps) = (cx.member.nick.clone(), cx.member.caps);
        let server = cx.chat.settings.server_name.clone();
        let Some(known) = cx.chat.sessions.get_mut(&cx.member.session) else { return };
        let keys: Vec<&str> = self.params.iter().map(|key| &**key).collect();
        let before = known.subscriptions.len();
        let lines =
            metadata::subscriptions(word, &keys, &mut known.subscriptions, ((&server, nick.as_str()), caps));
        let follows_more = known.subscriptions.len() > before;
        cx.lines(lines);
        if follows_more && caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            // The client fetches the present values with SYNC when it is ready.
            for name in sync::later(cx.chat, cx.member.account, dialect) {
                cx.reply(Reply::numeric(RPL_METADATASYNCLATER).arg(&*name).arg("0"));
            }
        }
    }
}

/// Returns whether the account may read a channel's metadata. Only members may read that of an invite-only channel.
fn is_open(cx: &Context<'_>, channel: &Channel) -> bool {
    !channel.modes.has(Flag::InviteOnly) || cx.power(channel) > Power::Stranger
}

fn get(cx: &Context<'_>, of: &Of, key: &str, dialect: Dialect) -> Reply {
    if !metadata::is_key(key) {
        return metadata::bad_key(key, dialect);
    }
    let visibility = metadata::visibility(key);
    let subject = if visibility == Visibility::Owner { of.notes } else { Some(of.subject) };
    let keys = subject.and_then(|subject| cx.chat.keys(subject));
    let value = keys.and_then(|keys| keys.get(key)).cloned();
    Shown { name: of.name.clone(), key: key.into(), value, visibility }.reply()
}

fn list(cx: &Context<'_>, of: &Of) -> Vec<Shown> {
    let mut all = Vec::new();
    for subject in [Some(of.subject), of.notes].into_iter().flatten() {
        if let Some(keys) = cx.chat.keys(subject) {
            all.extend(keys.iter().map(|(key, value)| Shown::new(&of.name, key, value)));
        }
    }
    all
}

/// Clears the public metadata of the account itself, or of a channel that it operates.
fn clear(cx: &mut Context<'_>, of: &Of) {
    if !of.may_change {
        let reply = Reply::fail("METADATA", "KEY_NO_PERMISSION").arg(&*of.name).arg("*");
        return cx.reply(reply.text("You may not clear the keys of that target"));
    }
    let public = |shown: &Shown| shown.visibility == Visibility::Everybody;
    let gone: Vec<Shown> = list(cx, of).into_iter().filter(public).collect();
    let gone: Vec<Shown> = gone.into_iter().map(|shown| Shown { value: None, ..shown }).collect();
    // The draft specifies the numeric for a value, which would have to be empty; its revision specifies the numeric for
    // a key that is not set.
    let replies: Vec<Reply> = gone.iter().map(Shown::reply).collect();
    batch(cx, &of.name, &replies);
    for change in &gone {
        cx.set_metadata(of.subject, change);
    }
}

fn batch(cx: &mut Context<'_>, target: &str, replies: &[Reply]) {
    batch_as(cx, target, replies, None);
}

/// Sends a batch `metadata`. Its numerics are addressed to `to` instead of the nick.
fn batch_as(cx: &mut Context<'_>, target: &str, replies: &[Reply], to: Option<&str>) {
    let nick: Nick = cx.member.nick.clone();
    let to = to.unwrap_or(nick.as_str());
    let lines = if cx.member.caps.has(Cap::Batch) {
        batched::lines("m", &format!("metadata {target}"), replies, (&cx.chat.settings.server_name, to))
    } else {
        replies.iter().map(|reply| reply.render(cx.chat.settings.server_name.as_str(), to)).collect()
    };
    cx.lines(lines);
}

impl Context<'_> {
    /// Sets or clears a key, records the change and sends it to subscribed sessions, except for the one that made it.
    pub(in crate::core) fn set_metadata(&mut self, subject: Subject, change: &Shown) {
        let (key, value) = (change.key.clone(), change.value.clone());
        if !self.chat.keys_mut(subject).is_some_and(|keys| keys.set(key.clone(), value.clone())) {
            return;
        }
        self.fx.records.push(Record::MetadataSet { of: subject, key, value });
        if let Subject::Channel(_) = subject {
            self.audit("channel metadata", &change.name, &change.key);
        }
        for (session, caps) in sync::followers(self.chat, subject, &change.key) {
            if session == self.member.session {
                continue;
            }
            let line = change.told_to(caps, (&self.chat.settings.server_name, &self.chat.nick_of(session)));
            self.fx.outputs.push(crate::core::Output::Line(session, line));
        }
    }
}
