//! Logs of IRC clients: a folder of irssi or of WeeChat, or one file of it.

mod irssi;
mod weechat;

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Setup;
use super::messages;
use super::people::{People, Person};
use super::sender::Sender;
use super::source::{Line, Lines, Source, has_extension};
use crate::core::record::MessageKind;
use crate::core::request::export::{ExportedChannel, ExportedItem, ExportedMessage};
use crate::wire::{ChannelName, Timestamp};

/// The choices of the user about logs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Time zone of the times in the logs.
    pub zone: TimeZone,
    /// The user's own nick, for logs of direct conversations.
    pub me: Option<String>,
    /// Channel of all logs, in place of those that their files are named after.
    pub channel: Option<ChannelName>,
}

/// One message, action, notice or topic of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Time of the line, in the time zone of the log.
    at: DateTime,
    /// Nick of the sender.
    from: &'a str,
    what: What,
    text: &'a str,
}

/// Kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Message,
    Action,
    Notice,
    Topic,
}

/// Result of parsing a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    /// It is of a conversation.
    Entry(Entry<'a>),
    /// It tells of something that is not imported, such as a JOIN.
    Event,
    /// It has no text, or one of the log itself.
    Nothing,
    /// It has another form.
    Unknown,
}

/// The conversation of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Channel(ChannelName),
    /// A direct conversation with this nick.
    Query(String),
}

/// Returns whether the files look like logs of these clients.
pub fn is_log_folder(source: &Source) -> bool {
    source.names().iter().any(|name| {
        let is_log = [".log", ".weechatlog", ".txt"].iter().any(|ending| name.ends_with(ending));
        is_log && (name.ends_with(".weechatlog") || target_of(name, None).is_some())
    })
}

/// Sends what the logs have.
pub fn send(
    source: &mut Source,
    options: &Options,
    setup: &Setup,
    sender: &mut Sender<'_>,
) -> anyhow::Result<()> {
    let names = source.names().to_vec();
    let (mut people, mut channels) = (BTreeMap::new(), BTreeMap::new());
    // People first: an account must be there before its messages, and the names of all decide about each.
    for name in &names {
        let Some(target) = target_of(name, options.channel.as_ref()) else {
            if name.ends_with("log") {
                sender.report.leave_out("the file's name tells no channel and no nick; use --channel");
            }
            continue;
        };
        if let Target::Query(nick) = &target {
            let Some(me) = &options.me else {
                sender.report.leave_out("a log of a direct conversation needs --me with your own nick");
                continue;
            };
            for nick in [nick, me] {
                people.entry(nick.to_ascii_lowercase()).or_insert_with(|| nick.clone());
            }
        }
        let zone = options.zone.clone();
        each_entry(source, name, &mut Counts::default(), |entry| {
            people.entry(entry.from.to_ascii_lowercase()).or_insert_with(|| entry.from.to_owned());
            if let Target::Channel(channel) = &target {
                let at = timestamp(entry.at, &zone);
                let first = channels.entry(channel.clone()).or_insert(at);
                *first = at.min(*first);
            }
            Ok(())
        })?;
    }
    let people = people.into_iter().map(|(key, name)| Person { key, name, ..Person::default() }).collect();
    let (people, new) =
        People::assign(people, &setup.choices, &setup.existing, setup.now, &mut sender.report)?;
    new.into_iter().try_for_each(|account| sender.push(ExportedItem::Account(account)))?;
    for (name, created) in channels {
        sender.push(ExportedItem::Channel(ExportedChannel {
            name,
            created,
            creator: None,
            topic: None,
            modes: "n".to_owned(),
            key: None,
            limit: None,
            members: Vec::new(),
            lists: Vec::new(),
            metadata: BTreeMap::new(),
        }))?;
    }
    sender.flush()?;
    for name in &names {
        send_file(source, name, options, &people, sender)?;
    }
    sender.flush()
}

fn send_file(
    source: &mut Source,
    name: &str,
    options: &Options,
    people: &People,
    sender: &mut Sender<'_>,
) -> anyhow::Result<()> {
    let Some(target) = target_of(name, options.channel.as_ref()) else { return Ok(()) };
    let (channel, between) = match &target {
        Target::Channel(channel) => (Some(channel.clone()), Vec::new()),
        Target::Query(nick) => {
            let author =
                |nick: &str| people.author(&nick.to_ascii_lowercase()).map(|author| author.account.clone());
            let accounts = options.me.as_deref().and_then(author).zip(author(nick));
            let Some((me, other)) = accounts else { return Ok(()) };
            (None, vec![me, other])
        }
    };
    let salt = messages::hash(&[match &target {
        Target::Channel(channel) => channel.folded(),
        Target::Query(nick) => nick.as_str(),
    }]);
    let mut counts = Counts::default();
    let mut last = Timestamp(0);
    each_entry(source, name, &mut counts, |entry| {
        let Some(author) = people.author(&entry.from.to_ascii_lowercase()) else { return Ok(()) };
        // Logs have minutes or seconds: what follows within one is put a millisecond later, which keeps the order.
        last = timestamp(entry.at, &options.zone).max(Timestamp(last.0 + 1));
        let (kind, text) = match entry.what {
            What::Message => (MessageKind::Privmsg, author.text(entry.text)),
            What::Action => (MessageKind::Privmsg, messages::action(author, entry.text)),
            What::Notice => (MessageKind::Notice, author.text(entry.text)),
            What::Topic => (MessageKind::Topic, entry.text.to_owned()),
        };
        let text = messages::cleaned(&text, &mut sender.report);
        sender.push(ExportedItem::Message(ExportedMessage {
            msgid: messages::id(last, salt),
            time: last,
            channel: channel.clone(),
            between: between.clone(),
            from: author.account.clone(),
            kind,
            text,
            tags: String::new(),
            redacted: false,
        }))
    })?;
    let report = &mut sender.report;
    report.leave_out_many("joins, leaves, modes and other events of IRC", counts.events);
    report.leave_out_many("a line of a log that is longer than a megabyte", counts.too_long);
    report.leave_out_many("a line of a log in another form", counts.unknown);
    Ok(())
}

/// Counts of lines that are not imported.
#[derive(Debug, Default)]
struct Counts {
    events: u64,
    too_long: u64,
    unknown: u64,
}

/// Reads the entries of a log.
fn each_entry(
    source: &mut Source,
    name: &str,
    counts: &mut Counts,
    mut take: impl FnMut(Entry<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(reader) = source.read(name).with_context(|| format!("cannot read {name}"))? else {
        return Ok(());
    };
    let mut lines = Lines::new(reader);
    let mut irssi = irssi::Parser::default();
    while let Some(line) = lines.next_line().with_context(|| format!("cannot read {name}"))? {
        let Line::Text(line) = line else {
            counts.too_long += 1;
            continue;
        };
        let parsed = weechat::parse(line).unwrap_or_else(|| irssi.parse(line));
        match parsed {
            Parsed::Entry(entry) => take(entry)?,
            Parsed::Event => counts.events += 1,
            Parsed::Unknown => counts.unknown += 1,
            Parsed::Nothing => {}
        }
    }
    Ok(())
}

/// Returns the point in time of a local time. One that does not exist, or exists twice, is taken for the earlier offset.
fn timestamp(at: DateTime, zone: &TimeZone) -> Timestamp {
    let time = zone.to_ambiguous_timestamp(at).compatible();
    Timestamp(time.ok().and_then(|time| u64::try_from(time.as_millisecond()).ok()).unwrap_or_default())
}

/// Returns the conversation of a log by the name of its file, as the clients name them by default:
/// `#chan.log`, `irc.server.#chan.weechatlog`, `#chan.2026-01-31.log`, `alice.log`.
fn target_of(path: &str, forced: Option<&ChannelName>) -> Option<Target> {
    if let Some(channel) = forced {
        return Some(Target::Channel(channel.clone()));
    }
    let file = path.rsplit('/').next().unwrap_or(path);
    // Rotated logs may have a folder for each channel.
    let part = path.rsplit('/').find(|part| part.starts_with('#') || part.contains(".#")).unwrap_or(file);
    let stem =
        [".weechatlog", ".log", ".txt"].iter().find_map(|ending| part.strip_suffix(ending)).unwrap_or(part);
    let stem = strip_date(stem);
    if let Some(at) = stem.find('#')
        && (at == 0 || stem.get(..at).is_some_and(|before| before.ends_with('.')))
    {
        return stem.get(at..).and_then(|name| ChannelName::parse(name).ok()).map(Target::Channel);
    }
    let is_log = has_extension(file, "log") || has_extension(file, "weechatlog");
    let nick = match stem.strip_prefix("irc.") {
        // `irc.server.nick`; the log of the server itself is `irc.server.NAME`.
        Some(rest) if rest.starts_with("server.") => return None,
        Some(rest) => rest.split_once('.')?.1,
        None => stem,
    };
    let is_nick =
        !nick.is_empty() && nick.bytes().all(|b| b.is_ascii_alphanumeric() || b"[]\\`_^{|}-".contains(&b));
    (is_log && is_nick).then(|| Target::Query(nick.to_owned()))
}

/// Removes a date from the end of a name.
fn strip_date(stem: &str) -> &str {
    let is_date = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let is_month_and_day =
            digits == 4 && text.trim_start_matches(['-', '_', '.']).contains(['-', '_', '.']);
        is_month_and_day || (6..=8).contains(&digits)
    };
    let start = stem
        .rfind(|c: char| !c.is_ascii_digit() && !"-_.".contains(c))
        .map_or(0, |at| at + stem.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    match stem.split_at_checked(start) {
        Some((name, date)) if date.starts_with(['-', '_', '.']) && is_date(date) => name,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_conversations() {
        let channel = |name: &str| Some(Target::Channel(ChannelName::parse(name).expect(name)));
        let query = |nick: &str| Some(Target::Query(nick.to_owned()));
        for (path, target) in [
            ("libera/#parlour.log", channel("#parlour")),
            ("irc.libera.#parlour.weechatlog", channel("#parlour")),
            ("irc.libera.#parlour.dev.weechatlog", channel("#parlour.dev")),
            ("2026/libera/#parlour.01-31.log", channel("#parlour")),
            ("#parlour_20260131.log", channel("#parlour")),
            ("#parlour/2026-01-31.log", channel("#parlour")),
            ("##c2.log", channel("##c2")),
            ("#class-2026.log", channel("#class-2026")),
            ("libera/alice.log", query("alice")),
            ("irc.libera.alice.weechatlog", query("alice")),
            ("irc.server.libera.weechatlog", None),
            ("core.weechat.weechatlog", None),
            ("notes.md", None),
            ("#.log", None),
        ] {
            assert_eq!(target_of(path, None), target, "{path}");
        }
    }
}
