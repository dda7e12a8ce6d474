//! The bulk export of a Mattermost server: a file of JSON Lines, also in a zip archive.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context as _;
use serde::Deserialize;

use super::Setup;
use super::messages;
use super::people::{self, Author, People, Person};
use super::report::Report;
use super::sender::Sender;
use super::source::{Line, Lines, Source, has_extension};
use crate::core::record::MessageKind;
use crate::core::request::export::{
    ExportedChannel, ExportedItem, ExportedMember, ExportedMessage, ExportedTopic,
};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// A line of the export; only the field that its type names is there.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    channel: Option<Channel>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    post: Option<Post>,
    #[serde(default)]
    direct_channel: Option<DirectChannel>,
    #[serde(default)]
    direct_post: Option<Post>,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    team: String,
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    header: String,
    #[serde(default)]
    purpose: String,
    /// Time at which it was archived; 0 for never.
    #[serde(default, alias = "delete_at")]
    deleted_at: Option<u64>,
}

#[derive(Deserialize)]
struct User {
    username: String,
    #[serde(default)]
    nickname: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    delete_at: u64,
    #[serde(default)]
    teams: Option<Vec<Team>>,
}

#[derive(Deserialize)]
struct Team {
    name: String,
    #[serde(default)]
    channels: Option<Vec<Membership>>,
}

#[derive(Deserialize)]
struct Membership {
    name: String,
    #[serde(default)]
    roles: String,
}

#[derive(Deserialize)]
struct DirectChannel {
    #[serde(default)]
    members: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Post {
    #[serde(default)]
    team: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    channel_members: Option<Vec<String>>,
    #[serde(flatten)]
    message: Message,
    #[serde(default)]
    replies: Option<Vec<Message>>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    user: String,
    #[serde(default, rename = "message")]
    text: String,
    #[serde(default)]
    create_at: u64,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    reactions: Option<Vec<Reaction>>,
    #[serde(default)]
    attachments: Option<Vec<Attachment>>,
}

#[derive(Deserialize)]
struct Reaction {
    #[serde(default)]
    user: String,
    #[serde(default)]
    create_at: u64,
    #[serde(default)]
    emoji_name: String,
}

#[derive(Deserialize)]
struct Attachment {
    #[serde(default)]
    path: String,
}

/// Team and name of a channel.
type ChannelKey = (String, String);

/// Properties of a channel that stand before its messages.
#[derive(Default)]
struct Known {
    is_private: bool,
    topic: String,
    /// Members with whether they are its admins.
    members: BTreeMap<String, bool>,
    created: u64,
    archived: Option<u64>,
}

/// Returns the name of the file with the lines, if it is an export of Mattermost.
pub fn lines_file(source: &mut Source) -> Option<String> {
    let named: Vec<String> =
        source.names().iter().filter(|name| has_extension(name, "jsonl")).cloned().collect();
    named.into_iter().take(100).find(|name| {
        let Ok(Some(reader)) = source.read(name) else { return false };
        let mut lines = Lines::new(reader);
        // The first line has the version of the format, or information about the server.
        let Ok(Some(Line::Text(line))) = lines.next_line() else { return false };
        serde_json::from_str::<Entry>(line).is_ok_and(|entry| matches!(&*entry.kind, "version" | "info"))
    })
}

/// Sends what the export has.
pub fn send(source: &mut Source, file: &str, setup: &Setup, sender: &mut Sender<'_>) -> anyhow::Result<()> {
    let (mut people, mut channels) = (BTreeMap::new(), BTreeMap::new());
    let mut report = std::mem::take(&mut sender.report);
    each_entry(source, file, &mut report, |entry, _| {
        survey(entry, &mut people, &mut channels);
        people::check_count(people.len())
    })?;
    let several_teams = channels.keys().map(|(team, _): &ChannelKey| team).collect::<BTreeSet<_>>().len() > 1;
    let (people, new) = People::assign(people.into_values().collect(), setup, &mut report)?;
    sender.report = report;
    new.into_iter().try_for_each(|account| sender.push(ExportedItem::Account(account)))?;
    let mut names = BTreeMap::new();
    for (key, known) in &channels {
        let (team, name) = key;
        let name = if several_teams { format!("{team}-{name}") } else { name.clone() };
        let Some(name) = messages::channel_name(&name) else {
            sender.report.leave_out("a channel whose name cannot be one here");
            continue;
        };
        sender.push(ExportedItem::Channel(channel_of(&name, known, &people, setup.now)))?;
        names.insert(key.clone(), name);
    }
    let mut unused = Report::default();
    let posts = Posts { people: &people, channels: &names };
    each_entry(source, file, &mut unused, |entry, _| posts.send(entry, sender))?;
    sender.flush()
}

/// Reads the lines that can be read.
fn each_entry(
    source: &mut Source,
    file: &str,
    report: &mut Report,
    mut take: impl FnMut(Entry, &mut Report) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(reader) = source.read(file).with_context(|| format!("cannot read {file}"))? else {
        return Ok(());
    };
    let mut lines = Lines::new(reader);
    while let Some(line) = lines.next_line().with_context(|| format!("cannot read {file}"))? {
        match line {
            Line::TooLong => report.leave_out("a line that is longer than a megabyte"),
            Line::Text("") => {}
            Line::Text(line) => match serde_json::from_str(line) {
                Ok(entry) => take(entry, report)?,
                Err(_) => report.leave_out("a line that is damaged or of another form"),
            },
        }
    }
    Ok(())
}

/// Notes the people and the channels of a line.
fn survey(entry: Entry, people: &mut BTreeMap<String, Person>, channels: &mut BTreeMap<ChannelKey, Known>) {
    let mut author = |name: &str| {
        let person = || Person { key: name.to_owned(), name: name.to_owned(), ..Person::default() };
        if !name.is_empty() {
            people.entry(name.to_owned()).or_insert_with(person);
        }
    };
    if let Some(post) = entry.post.as_ref().or(entry.direct_post.as_ref()) {
        author(&post.message.user);
        post.replies.iter().flatten().for_each(|reply| author(&reply.user));
        post.channel_members.iter().flatten().for_each(|member| author(member));
    }
    entry
        .direct_channel
        .iter()
        .filter_map(|direct| direct.members.as_ref())
        .flatten()
        .for_each(|member| author(member));
    if let Some(Channel { team, name, kind, header, purpose, deleted_at }) = entry.channel {
        let known = channels.entry((team, name)).or_default();
        known.is_private = kind == "P";
        known.archived = deleted_at.filter(|at| *at > 0);
        known.topic = if header.trim().is_empty() { purpose } else { header };
    }
    if let Some(post) = entry.post {
        let known = channels.entry((post.team, post.channel)).or_default();
        let at = post.message.create_at;
        known.created = match known.created {
            _ if at == 0 => known.created,
            0 => at,
            created => created.min(at),
        };
    }
    let user = entry.user.filter(|user| !user.username.is_empty());
    if let Some(User { username, nickname, first_name, last_name, delete_at, teams }) = user {
        for team in teams.into_iter().flatten() {
            for membership in team.channels.into_iter().flatten() {
                let known = channels.entry((team.name.clone(), membership.name)).or_default();
                known.members.insert(username.clone(), membership.roles.contains("channel_admin"));
            }
        }
        let full_name = format!("{first_name} {last_name}").trim().to_owned();
        let display_name = [nickname, full_name].into_iter().find(|name| !name.trim().is_empty());
        let (key, name) = (username.clone(), username);
        people.insert(key.clone(), Person { key, name, display_name, disabled: delete_at > 0 });
    }
}

fn channel_of(name: &ChannelName, known: &Known, people: &People, now: Timestamp) -> ExportedChannel {
    let mut members: BTreeMap<Nick, bool> = BTreeMap::new();
    for (member, is_admin) in &known.members {
        if let Some(author) = people.author(member).filter(|author| author.prefix.is_none()) {
            *members.entry(author.account.clone()).or_default() |= is_admin;
        }
    }
    let created = if known.created == 0 { now } else { Timestamp(known.created) };
    let admin = members.iter().find(|(_, is_admin)| **is_admin).map(|(member, _)| member.clone());
    let topic = Some(known.topic.replace(['\r', '\n'], " ")).filter(|topic| !topic.trim().is_empty());
    ExportedChannel {
        name: name.clone(),
        created,
        topic: topic.zip(admin.clone()).map(|(text, by)| ExportedTopic { text, by, at: created }),
        creator: admin,
        modes: if known.is_private { "nsi" } else { "n" }.to_owned(),
        key: None,
        limit: None,
        members: members
            .into_iter()
            .map(|(account, is_admin)| ExportedMember {
                account,
                status: if is_admin { "@" } else { "" }.to_owned(),
                left: false,
            })
            .collect(),
        lists: Vec::new(),
        archived: known.archived.map(Timestamp),
        metadata: BTreeMap::new(),
    }
}

/// People and channels that posts refer to, and the sender that takes their messages.
struct Posts<'a> {
    people: &'a People,
    channels: &'a BTreeMap<ChannelKey, ChannelName>,
}

/// The conversation of a post: a channel, or the accounts of a direct conversation.
struct Target {
    channel: Option<ChannelName>,
    between: Vec<Nick>,
}

impl Posts<'_> {
    fn send(&self, entry: Entry, sender: &mut Sender<'_>) -> anyhow::Result<()> {
        let (target, post) = match (entry.post, entry.direct_post) {
            (Some(post), _) => {
                let Some(channel) = self.channels.get(&(post.team.clone(), post.channel.clone())) else {
                    sender.report.leave_out("a message of a channel that cannot be one here");
                    return Ok(());
                };
                (Target { channel: Some(channel.clone()), between: Vec::new() }, post)
            }
            (None, Some(post)) => {
                let members = post.channel_members.as_deref().unwrap_or_default();
                let own = members.iter().filter_map(|name| self.people.author(name));
                let own: Vec<Nick> = own
                    .filter(|author| author.prefix.is_none())
                    .map(|author| author.account.clone())
                    .collect();
                let between = match (members.len(), &*own) {
                    (1, [me]) => vec![me.clone(), me.clone()],
                    (2, [_, _]) => own,
                    _ => {
                        sender.report.leave_out(
                            "a message of a group, or between people without an account of their own",
                        );
                        return Ok(());
                    }
                };
                (Target { channel: None, between }, post)
            }
            (None, None) => {
                if !matches!(
                    &*entry.kind,
                    "version" | "info" | "team" | "channel" | "user" | "direct_channel"
                ) {
                    sender.report.leave_out(format!("entries of the kind {}", shortened(&entry.kind)));
                }
                return Ok(());
            }
        };
        let parent = self.send_message(&target, &post.message, None, sender)?;
        for reply in post.replies.iter().flatten() {
            self.send_message(&target, reply, parent, sender)?;
        }
        Ok(())
    }

    /// Sends a message with the reactions to it. Returns its id.
    fn send_message(
        &self,
        target: &Target,
        message: &Message,
        parent: Option<MessageId>,
        sender: &mut Sender<'_>,
    ) -> anyhow::Result<Option<MessageId>> {
        if message.kind.as_deref().is_some_and(|kind| kind.starts_with("system_")) {
            sender.report.leave_out("joins, leaves and other events of Mattermost");
            return Ok(None);
        }
        let Some(author) = self.people.author(&message.user) else {
            sender.report.leave_out("a message without a sender");
            return Ok(None);
        };
        if message.create_at == 0 {
            sender.report.leave_out("a message without a time");
            return Ok(None);
        }
        let mut text = message.text.clone();
        for attachment in message.attachments.iter().flatten() {
            sender.report.leave_out("the content of an attachment");
            let name = attachment.path.rsplit('/').next().unwrap_or_default();
            if !text.is_empty() {
                text.push('\n');
            }
            let _ = write!(text, "[{name}]");
        }
        if text.trim().is_empty() {
            sender.report.leave_out("a message without a text");
            return Ok(None);
        }
        let text = messages::cleaned(&author.text(&text), &mut sender.report);
        let tags = parent.map(messages::reply_tag).unwrap_or_default();
        let id = target.id(message.create_at, &[&message.user, &message.text]);
        sender.push(target.message((id, author), MessageKind::Privmsg, text, tags))?;
        for reaction in message.reactions.iter().flatten() {
            let Some(author) = self.people.author(&reaction.user).filter(|author| author.prefix.is_none())
            else {
                sender.report.leave_out("a reaction of somebody without an account of their own");
                continue;
            };
            if reaction.emoji_name.is_empty() {
                sender.report.leave_out("a reaction without an emoji");
                continue;
            }
            let at = reaction.create_at.max(message.create_at.saturating_add(1));
            let own = target.id(at, &[&reaction.user, &reaction.emoji_name, &message.text]);
            let tags = messages::reaction_tags(id, &messages::emoji(&reaction.emoji_name));
            sender.push(target.message((own, author), MessageKind::Tagmsg, String::new(), tags))?;
        }
        Ok(Some(id))
    }
}

impl Target {
    /// Returns the id of a message: its time, and what tells it from others of the same millisecond.
    fn id(&self, at: u64, texts: &[&str]) -> MessageId {
        let place = match (&self.channel, &*self.between) {
            (Some(channel), _) => channel.folded().to_owned(),
            (None, between) => between.iter().map(Nick::as_str).collect::<Vec<_>>().join(" "),
        };
        let texts: Vec<&str> = std::iter::once(&*place).chain(texts.iter().copied()).collect();
        messages::id(Timestamp(at), messages::hash(&texts))
    }

    fn message(
        &self,
        (msgid, author): (MessageId, &Author),
        kind: MessageKind,
        text: String,
        tags: String,
    ) -> ExportedItem {
        ExportedItem::Message(ExportedMessage {
            msgid,
            time: msgid.time(),
            channel: self.channel.clone(),
            between: self.between.clone(),
            from: author.account.clone(),
            kind,
            text,
            tags,
            redacted: false,
        })
    }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}
