//! Logs of IRC clients: a folder of irssi or of WeeChat, or one file of it.

mod clock;
mod files;
mod irssi;
mod weechat;

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use self::clock::{Clock, Misplaced};
use self::files::{LogName, Target, target_of};
use super::Setup;
use super::messages;
use super::people::{self, Author, People, Person};
use super::report::Report;
use super::sender::Sender;
use super::source::{Line, Lines, Source};
use crate::core::record::MessageKind;
use crate::core::request::export::{ExportedChannel, ExportedItem, ExportedMessage};
use crate::wire::{ChannelName, Nick, Timestamp};

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

/// A log that is imported.
struct Log {
    /// Name of the file.
    file: String,
    /// Name of the log that it is a part of.
    base: String,
    order: i64,
    target: Target,
}

/// Returns whether the files look like logs of these clients.
pub fn is_log_folder(source: &Source) -> bool {
    source
        .names()
        .iter()
        .map(|name| LogName::parse(name))
        .any(|log| log.is_log() && (log.base.ends_with(".weechatlog") || target_of(log.base, None).is_some()))
}

/// Returns the logs that can be imported, the parts of a rotated one from the earliest on.
fn logs(source: &Source, options: &Options, report: &mut Report) -> Vec<Log> {
    let mut logs = Vec::new();
    for file in source.names() {
        let name = LogName::parse(file);
        let target = target_of(name.base, options.channel.as_ref());
        match target {
            _ if name.is_compressed => {
                if name.is_log() {
                    report.leave_out("a compressed log; unpack it and import it again");
                }
            }
            None => {
                if name.base.ends_with("log") {
                    report.leave_out("the file's name tells no channel and no nick; use --channel");
                }
            }
            Some(Target::Query(_)) if options.me.is_none() => {
                report.leave_out("a log of a direct conversation needs --me with your own nick");
            }
            Some(target) => {
                logs.push(Log { file: file.clone(), base: name.base.to_owned(), order: name.order, target });
            }
        }
    }
    logs.sort_by(|a, b| (&a.base, a.order).cmp(&(&b.base, b.order)));
    logs
}

/// Sends what the logs have.
pub fn send(
    source: &mut Source,
    options: &Options,
    setup: &Setup,
    sender: &mut Sender<'_>,
) -> anyhow::Result<()> {
    let logs = logs(source, options, &mut sender.report);
    let (mut people, mut channels) = (BTreeMap::new(), BTreeMap::new());
    // People first: an account must be there before its messages, and the names of all decide about each.
    let mut counts = Counts::default();
    each_entry(source, &logs, (options, setup.now), &mut counts, |entry, at, target| {
        people.entry(entry.from.to_ascii_lowercase()).or_insert_with(|| entry.from.to_owned());
        people::check_count(people.len())?;
        match target {
            Target::Channel(channel) => {
                let first = channels.entry(channel.clone()).or_insert(at);
                *first = at.min(*first);
            }
            Target::Query(nick) => {
                for nick in options.me.iter().chain([nick]) {
                    people.entry(nick.to_ascii_lowercase()).or_insert_with(|| nick.clone());
                }
            }
        }
        Ok(())
    })?;
    counts.report(&mut sender.report);
    let people = people.into_iter().map(|(key, name)| Person { key, name, ..Person::default() }).collect();
    let (people, new) = People::assign(people, setup, &mut sender.report)?;
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
            archived: None,
            metadata: BTreeMap::new(),
        }))?;
    }
    sender.flush()?;
    // What is left out was counted by the first reading.
    each_entry(source, &logs, (options, setup.now), &mut Counts::default(), |entry, at, target| {
        let author = |nick: &str| people.author(&nick.to_ascii_lowercase());
        let (channel, between) = match target {
            Target::Channel(channel) => (Some(channel.clone()), Vec::new()),
            Target::Query(nick) => {
                let both = options.me.iter().chain([nick]).filter_map(|nick| author(nick));
                (None, both.map(|author| author.account.clone()).collect())
            }
        };
        let Some(author) = author(entry.from) else { return Ok(()) };
        send_entry(entry, at, (channel, between), author, sender)
    })?;
    sender.flush()
}

fn send_entry(
    entry: &Entry<'_>,
    at: Timestamp,
    (channel, between): (Option<ChannelName>, Vec<Nick>),
    author: &Author,
    sender: &mut Sender<'_>,
) -> anyhow::Result<()> {
    let (kind, text) = match entry.what {
        What::Message => (MessageKind::Privmsg, author.text(entry.text)),
        What::Action => (MessageKind::Privmsg, messages::action(author, entry.text)),
        What::Notice => (MessageKind::Notice, author.text(entry.text)),
        What::Topic => (MessageKind::Topic, entry.text.to_owned()),
    };
    let text = messages::cleaned(&text, &mut sender.report);
    // Lines of different places and files may have the same time.
    let place = match (&channel, &*between) {
        (Some(channel), _) => channel.folded().to_owned(),
        (None, between) => between.iter().map(Nick::as_str).collect::<Vec<_>>().join(" "),
    };
    let salt = messages::hash(&[&place, &entry.from.to_ascii_lowercase(), entry.text]);
    sender.push(ExportedItem::Message(ExportedMessage {
        msgid: messages::id(at, salt),
        time: at,
        channel,
        between,
        from: author.account.clone(),
        kind,
        text,
        tags: String::new(),
        redacted: false,
    }))
}

/// Counts of lines that are not imported.
#[derive(Debug, Default)]
struct Counts {
    events: u64,
    too_long: u64,
    unknown: u64,
    future: u64,
    out_of_range: u64,
}

impl Counts {
    fn report(&self, report: &mut Report) {
        report.leave_out_many("joins, leaves, modes and other events of IRC", self.events);
        report.leave_out_many("a line of a log that is longer than a megabyte", self.too_long);
        report.leave_out_many("a line of a log in another form", self.unknown);
        report.leave_out_many("a line of a log whose time is in the future", self.future);
        report.leave_out_many("a line of a log whose time is before 1970", self.out_of_range);
    }
}

/// Reads the entries of all logs, with their times.
fn each_entry(
    source: &mut Source,
    logs: &[Log],
    (options, now): (&Options, Timestamp),
    counts: &mut Counts,
    mut take: impl FnMut(&Entry<'_>, Timestamp, &Target) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut clock = Clock::new(&options.zone, now);
    let mut base = None;
    for log in logs {
        // The parts of a rotated log are read as one.
        if base != Some(&log.base) {
            clock = Clock::new(&options.zone, now);
            base = Some(&log.base);
        }
        let name = &log.file;
        let Some(reader) = source.read(name).with_context(|| format!("cannot read {name}"))? else {
            continue;
        };
        let mut lines = Lines::new(reader);
        let mut irssi = irssi::Parser::default();
        while let Some(line) = lines.next_line().with_context(|| format!("cannot read {name}"))? {
            let Line::Text(line) = line else {
                counts.too_long += 1;
                continue;
            };
            match weechat::parse(line).unwrap_or_else(|| irssi.parse(line)) {
                Parsed::Entry(entry) => match clock.place(entry.at) {
                    Ok(at) => take(&entry, at, &log.target)?,
                    Err(Misplaced::Future) => counts.future += 1,
                    Err(Misplaced::OutOfRange) => counts.out_of_range += 1,
                },
                Parsed::Event => counts.events += 1,
                Parsed::Unknown => counts.unknown += 1,
                Parsed::Nothing => {}
            }
        }
    }
    Ok(())
}
