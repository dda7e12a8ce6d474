//! The export of a Slack workspace: a zip archive or the folder in it, with a file of messages for each channel and day.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::bail;

use super::Setup;
use super::messages;
use super::people::{self, Author, People, Person};
use super::sender::Sender;
use super::slack_entries::{Conversation, Message, User};
use super::source::{Source, has_extension};
use crate::core::record::MessageKind;
use crate::core::request::export::{
    ExportedChannel, ExportedItem, ExportedMember, ExportedMessage, ExportedTopic,
};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// The file that every export has.
const USERS: &str = "users.json";

/// Remedy for a damaged list: without the names in it, people and channels would be made that are none.
const DAMAGED: &str = "nothing was changed; download the export again, or mend the file";

/// Files that list conversations, each with what they have.
const LISTS: [(&str, Listed); 4] = [
    ("channels.json", Listed::Open),
    ("groups.json", Listed::Private),
    ("mpims.json", Listed::Private),
    ("dms.json", Listed::Direct),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    Open,
    Private,
    Direct,
}

/// A conversation with where its messages are.
struct Place {
    listed: Listed,
    conversation: Conversation,
    /// The folder of its days.
    folder: String,
}

/// Returns whether it is an export of Slack.
pub fn is_export(source: &Source) -> bool {
    source.folder_of(USERS).is_some_and(|root| {
        LISTS.iter().any(|(list, _)| source.names().binary_search(&format!("{root}{list}")).is_ok())
    })
}

/// Sends what the export has.
pub fn send(source: &mut Source, setup: &Setup, sender: &mut Sender<'_>) -> anyhow::Result<()> {
    let Some(root) = source.folder_of(USERS).filter(|_| is_export(source)) else {
        bail!(
            "this is no export of Slack: it has no {USERS} with a list of conversations such as {}; name the zip \
             archive, or the folder with these files",
            LISTS.map(|(list, _)| list).join(", ")
        );
    };
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    let ended = source.each_element(&format!("{root}{USERS}"), |user: Result<User, String>| {
        match user {
            Ok(user) => {
                let person = person_of(user);
                people.insert(person.key.clone(), person);
                people::check_count(people.len())?;
            }
            Err(why) => sender.report.leave_out(format!("{USERS}: {why}")),
        }
        Ok(())
    })?;
    if let Some(why) = ended {
        bail!("{why}; {DAMAGED}");
    }
    let places = read_places(source, &root, sender)?;
    leave_out_unlisted(source, &root, &places, sender);
    // Bots and people of other workspaces are in the messages only.
    for place in &places {
        for day in days(source, &place.folder) {
            source.each_element(&day, |message: Result<Message, String>| {
                if let Some(author) = message.ok().as_ref().and_then(author_key) {
                    people.entry(author.key.clone()).or_insert(author);
                    people::check_count(people.len())?;
                }
                Ok(())
            })?;
        }
    }
    let (people, new) = People::assign(people.into_values().collect(), setup, &mut sender.report)?;
    new.into_iter().try_for_each(|account| sender.push(ExportedItem::Account(account)))?;
    let mut names: HashMap<String, ChannelName> = HashMap::new();
    for place in &places {
        if let Some(name) = channel_name(place) {
            names.insert(place.conversation.id.clone(), name);
        }
    }
    for place in &places {
        if let Some(name) = names.get(&place.conversation.id) {
            sender.push(ExportedItem::Channel(channel_of(place, name, &people, setup.now)))?;
        }
    }
    for place in &places {
        send_messages(source, place, &people, &names, sender)?;
    }
    sender.flush()
}

fn person_of(user: User) -> Person {
    let User { id, name, real_name, deleted, profile } = user;
    let shown = [profile.display_name, real_name, profile.real_name].into_iter().flatten();
    let display_name = shown.into_iter().find(|name| !name.trim().is_empty());
    let name = if name.is_empty() { display_name.clone().unwrap_or_else(|| id.clone()) } else { name };
    Person { key: id, name, display_name, disabled: deleted }
}

/// Returns the author of a message, as the message names them.
fn author_key(message: &Message) -> Option<Person> {
    let name = message.username.clone().filter(|name| !name.is_empty());
    let key = message.user.clone().or_else(|| message.bot_id.clone()).or_else(|| name.clone())?;
    Some(Person { name: name.unwrap_or_else(|| key.clone()), key, ..Person::default() })
}

fn read_places(source: &mut Source, root: &str, sender: &mut Sender<'_>) -> anyhow::Result<Vec<Place>> {
    let mut places = Vec::new();
    for (list, listed) in LISTS {
        let name = format!("{root}{list}");
        if source.names().binary_search(&name).is_err() {
            continue;
        }
        let ended = source.each_element(&name, |conversation: Result<Conversation, String>| {
            match conversation {
                Ok(conversation) => {
                    let own_name = conversation.name.clone().filter(|_| listed != Listed::Direct);
                    let folder = format!("{root}{}/", own_name.as_deref().unwrap_or(&conversation.id));
                    places.push(Place { listed, conversation, folder });
                }
                Err(why) => sender.report.leave_out(format!("{list}: {why}")),
            }
            Ok(())
        })?;
        if let Some(why) = ended {
            bail!("{why}; {DAMAGED}");
        }
    }
    Ok(places)
}

/// Counts the files in folders of no conversation that is listed.
fn leave_out_unlisted(source: &Source, root: &str, places: &[Place], sender: &mut Sender<'_>) {
    let listed: HashSet<&str> = places.iter().map(|place| place.folder.as_str()).collect();
    for name in source.names() {
        let Some(folder) = name.strip_prefix(root).and_then(|name| name.split('/').next()) else { continue };
        let is_in_folder = name.len() > root.len() + folder.len();
        if is_in_folder
            && has_extension(name, "json")
            && !listed.contains(format!("{root}{folder}/").as_str())
        {
            sender
                .report
                .leave_out(format!("a file of the folder {folder}, which is in no list of conversations"));
        }
    }
}

/// The files of a conversation, a day each, in order.
fn days(source: &Source, folder: &str) -> Vec<String> {
    let is_day = |name: &&String| {
        name.strip_prefix(folder).is_some_and(|day| has_extension(day, "json") && !day.contains('/'))
    };
    source.names().iter().filter(is_day).cloned().collect()
}

fn channel_name(place: &Place) -> Option<ChannelName> {
    if place.listed == Listed::Direct {
        return None;
    }
    let name = place.conversation.name.as_deref().unwrap_or(&place.conversation.id);
    messages::channel_name(name)
}

fn channel_of(place: &Place, name: &ChannelName, people: &People, now: Timestamp) -> ExportedChannel {
    let Conversation { created, creator, is_archived, members, topic, purpose, .. } = &place.conversation;
    // What has no time is of now and not of 1970.
    let time = |seconds: u64| if seconds == 0 { now } else { Timestamp(seconds.saturating_mul(1000)) };
    let account = |id: &String| own_account(people, id);
    let topic = [topic, purpose].into_iter().flatten().find(|topic| !topic.value.trim().is_empty());
    let creator = creator.as_ref().and_then(account);
    let founder = creator.clone();
    let members: BTreeSet<Nick> = members.iter().filter_map(account).collect();
    let status = |member: &Nick| if Some(member) == founder.as_ref() { "~" } else { "" };
    ExportedChannel {
        name: name.clone(),
        created: time(*created),
        creator,
        topic: topic.and_then(|topic| {
            Some(ExportedTopic {
                text: messages::without_markup(&topic.value, |_| None),
                by: account(&topic.creator).or_else(|| founder.clone())?,
                at: time(topic.last_set),
            })
        }),
        modes: if place.listed == Listed::Private { "nsi" } else { "n" }.to_owned(),
        key: None,
        limit: None,
        members: members
            .iter()
            .map(|member| ExportedMember {
                account: member.clone(),
                status: status(member).to_owned(),
                left: false,
            })
            .collect(),
        lists: Vec::new(),
        // When it was archived is not in an export.
        archived: is_archived.then_some(now),
        metadata: BTreeMap::new(),
    }
}

/// The account of a person, unless it is the one of everybody else.
fn own_account(people: &People, id: &str) -> Option<Nick> {
    people.author(id).filter(|author| author.prefix.is_none()).map(|author| author.account.clone())
}

fn send_messages(
    source: &mut Source,
    place: &Place,
    people: &People,
    channels: &HashMap<String, ChannelName>,
    sender: &mut Sender<'_>,
) -> anyhow::Result<()> {
    let channel = channels.get(&place.conversation.id).cloned();
    let between: Vec<Nick> = match (&channel, &*place.conversation.members) {
        (None, [a, b]) => [a, b].into_iter().filter_map(|id| own_account(people, id)).collect(),
        (None, [own]) => own_account(people, own).map(|own| vec![own.clone(), own]).unwrap_or_default(),
        _ => Vec::new(),
    };
    if channel.is_none() && between.len() != 2 {
        sender
            .report
            .leave_out("a conversation without a name, or whose people have no account of their own");
        return Ok(());
    }
    let salt = messages::hash(&[&place.conversation.id]) & 0x3ff;
    let mut target = Target { channel, between, salt, seen: HashMap::new() };
    for day in days(source, &place.folder) {
        let ended = source.each_element(&day, |message: Result<Message, String>| match message {
            Ok(message) => target.send(&message, people, channels, sender),
            Err(why) => {
                sender.report.leave_out(why);
                Ok(())
            }
        })?;
        if let Some(why) = ended {
            sender.report.leave_out(why);
        }
    }
    Ok(())
}

/// The conversation on this server: a channel, or the accounts of a direct conversation.
struct Target {
    channel: Option<ChannelName>,
    between: Vec<Nick>,
    /// Ten bits that tell conversations apart.
    salt: u32,
    /// Hashes of the messages with each time stamp. A few have the one of another.
    seen: HashMap<MessageId, Vec<u32>>,
}

impl Target {
    fn send(
        &mut self,
        message: &Message,
        people: &People,
        channels: &HashMap<String, ChannelName>,
        sender: &mut Sender<'_>,
    ) -> anyhow::Result<()> {
        let Some(first) = self.id(&message.ts) else {
            sender.report.leave_out("a message without a time");
            return Ok(());
        };
        let author = author_key(message).and_then(|author| people.author(&author.key));
        let Some(author) = author else {
            sender.report.leave_out("a message without a sender");
            return Ok(());
        };
        let mention = |id: &str| match channels.get(id) {
            Some(channel) => Some(channel.to_string()),
            None => people.author(id).map(|author| format!("@{}", author.account)),
        };
        let text = messages::without_markup(&message.text, mention);
        let (kind, text) = match message.subtype.as_deref() {
            _ if message.kind != "message" => {
                sender.report.leave_out("an entry that is no message");
                return Ok(());
            }
            Some(
                "channel_join"
                | "channel_leave"
                | "group_join"
                | "group_leave"
                | "channel_archive"
                | "channel_unarchive"
                | "channel_purpose"
                | "channel_name"
                | "channel_posting_permissions"
                | "pinned_item"
                | "tombstone"
                | "huddle_thread"
                | "channel_convert_to_private",
            ) => {
                sender.report.leave_out("joins, leaves and other events of Slack");
                return Ok(());
            }
            Some("channel_topic" | "group_topic") => {
                let topic = message.topic.clone().unwrap_or_default().replace(['\n', '\r'], " ");
                (MessageKind::Topic, messages::without_markup(&topic, mention))
            }
            Some("me_message") => (MessageKind::Privmsg, messages::action(author, &text)),
            _ => (MessageKind::Privmsg, text),
        };
        let text = with_files(text, message, sender);
        if text.is_empty() && kind != MessageKind::Topic {
            sender.report.leave_out("a message without a text");
            return Ok(());
        }
        let text = match kind {
            MessageKind::Privmsg if message.subtype.as_deref() != Some("me_message") => author.text(&text),
            _ => text,
        };
        let parent = message.thread_ts.as_deref().filter(|ts| *ts != message.ts).and_then(|ts| self.id(ts));
        let text = messages::cleaned(&text, &mut sender.report);
        let Some(msgid) = self.own_id(first, author, &text) else {
            sender.report.leave_out("a message that the export has twice");
            return Ok(());
        };
        sender.push(self.message(
            (msgid, author),
            kind,
            text,
            parent.map(messages::reply_tag).unwrap_or_default(),
        ))?;
        for reaction in &message.reactions {
            let emoji = messages::emoji(&reaction.name);
            for user in &reaction.users {
                let Some(author) = people.author(user).filter(|author| author.prefix.is_none()) else {
                    sender.report.leave_out("a reaction of somebody without an account of their own");
                    continue;
                };
                // When it was made is not known; that it is later than the message is.
                let salt = messages::hash(&[&message.ts, &reaction.name, user]);
                let id = messages::id(Timestamp(msgid.time().0 + 1), salt);
                let tags = messages::reaction_tags(msgid, &emoji);
                sender.push(self.message((id, author), MessageKind::Tagmsg, String::new(), tags))?;
            }
        }
        Ok(())
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

    /// Returns the id of a message by its time stamp, such as `1512085950.000216`, which is unique in its conversation.
    fn id(&self, ts: &str) -> Option<MessageId> {
        let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
        let seconds: u64 = seconds.parse().ok()?;
        let micros: u64 = format!("{micros:0<6}").get(..6)?.parse().ok()?;
        let time = Timestamp(seconds.checked_mul(1000)?.checked_add(micros / 1000)?);
        let within = u32::try_from(micros % 1000).ok()?;
        // A time stamp of 0 is none.
        (time > Timestamp(0)).then(|| messages::id(time, self.salt << 10 | within))
    }

    /// Returns the id of a message whose time stamp has this one: another one, the same in each import, if a message
    /// before has the stamp, too; `None` if that is the same message.
    fn own_id(&mut self, first: MessageId, author: &Author, text: &str) -> Option<MessageId> {
        let own = messages::hash(&[author.account.as_str(), text]);
        let seen = self.seen.entry(first).or_default();
        if seen.contains(&own) {
            return None;
        }
        let is_first = seen.is_empty();
        seen.push(own);
        let salt = || messages::hash(&[&first.to_string(), author.account.as_str(), text]);
        Some(if is_first { first } else { messages::id(first.time(), salt()) })
    }
}

/// Adds the addresses of files, whose contents are not in the export.
fn with_files(mut text: String, message: &Message, sender: &mut Sender<'_>) -> String {
    for file in &message.files {
        sender.report.leave_out("the content of a file, of which the export has the address only");
        let name = file.name.as_deref().unwrap_or("file");
        let address = file.url_private.as_deref().unwrap_or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text += format!("[{name}] {address}").trim_end();
    }
    text
}
