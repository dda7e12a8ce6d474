//! Commands of the plain chat that find channels and messages: their queries, and the results as lines.

mod mentions;
mod thread;

use jiff::tz::TimeZone;

use self::mentions::{MentionRound, MentionRounds};
use self::thread::{ThreadPart, ThreadRounds};
use super::recent::RecentMessages;
use super::render;
use crate::client::input::Navigation;
use crate::client::model::event::ListedChannel;
use crate::client::model::marks::{Mark, MarkError, change_marks, parse_marks};
use crate::client::model::{Conversation, Event, Model, Ticket};
use crate::client::text::clean::clean;
use crate::client::text::count::counted;

/// Limit of the channels that are shown; filter words find the others.
const MAX_CHANNELS: usize = 100;

/// Commands that wait for a result.
#[derive(Debug, Default)]
pub struct Finder {
    /// List of channels, with the filter of the user.
    channels: Option<(Ticket, String)>,
    /// Search for mentions and answers. It stays for further rounds.
    mentions: Option<MentionRounds>,
    /// Thread that is shown. It stays for further answers.
    thread: Option<ThreadRounds>,
    /// Command about the marks of a conversation.
    marks: Option<MarkCommand>,
    /// Texts of the marked messages.
    texts: Option<Texts>,
}

/// Result of a command, clean for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// One line for each result.
    pub lines: Vec<String>,
    /// Note that follows the lines.
    pub note: String,
    /// Set if the command failed.
    pub failed: bool,
}

/// Command about the marks of a conversation: they are queried, then shown, or changed and set.
#[derive(Debug)]
struct MarkCommand {
    mark: Mark,
    conversation: Conversation,
    purpose: Purpose,
    ticket: Ticket,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    Show,
    Add(String),
    Remove(Removal),
    /// The new marks are sent; the text is for their confirmation.
    Confirm(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Removal {
    Message(String),
    Number(usize),
}

/// Texts under way, in the order of the list.
#[derive(Debug)]
struct Texts {
    mark: Mark,
    rows: Vec<(Ticket, String, Option<String>)>,
}

impl Finder {
    /// Executes a command as far as it needs no result. Returns what is known at once. The error is a text for the user.
    pub fn start(
        &mut self,
        command: Navigation,
        current: Option<&Conversation>,
        model: &mut Model,
        recent: &RecentMessages,
    ) -> Result<Option<Found>, String> {
        let here = || current.cloned().ok_or("no current conversation: /join #CHANNEL or /query NAME first");
        match command {
            Navigation::Channels(filter) => {
                let ticket = model.query_channels().map_err(|offline| offline.to_string())?;
                self.channels = Some((ticket, filter));
            }
            Navigation::Mentions { more: false } => {
                self.mentions = Some(MentionRounds::start(current, model)?);
            }
            Navigation::Mentions { more: true } => {
                let search = self.mentions.as_mut().ok_or("/mentions lists the latest ones first")?;
                search.load_more(model)?;
            }
            Navigation::Thread { more: false } => {
                let conversation = here()?;
                let last =
                    recent.find_last(&conversation, false).ok_or("no recent message of others here")?;
                self.thread = ThreadRounds::start(conversation.clone(), &last.id, model);
                if self.thread.is_none() {
                    let mut found = found_thread(&recent.thread(&conversation, &last.id));
                    if !model.is_online() {
                        found.failed = true;
                        found.note = format!(
                            "not connected, so the history was not searched; of what came in here: {}",
                            found.note
                        );
                    }
                    return Ok(Some(found));
                }
            }
            Navigation::Thread { more: true } => {
                self.thread.as_mut().ok_or("/thread shows a thread first")?.load_more(model)?;
            }
            Navigation::Marked(mark) => self.query(mark, here()?, Purpose::Show, model)?,
            Navigation::Mark(mark) => {
                let conversation = here()?;
                let latest = recent.find_latest(&conversation).ok_or("no recent message here")?;
                let purpose = Purpose::Add(latest.id.clone());
                self.query(mark, conversation, purpose, model)?;
            }
            Navigation::Unmark(mark, number) => {
                let conversation = here()?;
                let removal = if let Some(number) = number {
                    Removal::Number(number)
                } else {
                    let latest = recent.find_latest(&conversation).ok_or("no recent message here")?;
                    Removal::Message(latest.id.clone())
                };
                self.query(mark, conversation, Purpose::Remove(removal), model)?;
            }
        }
        Ok(None)
    }

    fn query(
        &mut self,
        mark: Mark,
        conversation: Conversation,
        purpose: Purpose,
        model: &mut Model,
    ) -> Result<(), String> {
        if mark == Mark::Pin && matches!(conversation, Conversation::Direct(_)) {
            return Err("only messages of channels can be pinned; /bookmark is for yourself".to_owned());
        }
        if model.is_online() && !model.supports_marks(mark) {
            return Err("this server does not keep marked messages".to_owned());
        }
        let ticket = model.query_marks(&conversation, mark).map_err(|offline| offline.to_string())?;
        self.marks = Some(MarkCommand { mark, conversation, purpose, ticket });
        Ok(())
    }

    /// Collects an event that is a result of a command. Returns whether it was one, and the whole result once it is
    /// complete.
    pub fn take(&mut self, event: &Event, model: &mut Model, zone: &TimeZone) -> (bool, Option<Found>) {
        if let Some(search) = &mut self.mentions
            && let (true, round) = search.take(event, model)
        {
            return (true, round.map(|round| found_mentions(&round, zone)));
        }
        if let Some(thread) = &mut self.thread
            && let (true, part) = thread.take(event, model)
        {
            return (true, part.map(|part| found_thread_part(&part, zone)));
        }
        match event {
            Event::ChannelList { ticket, channels, is_complete } => {
                let list = self.channels.take_if(|(asked, _)| asked == ticket);
                let found = list.map(|(_, filter)| found_channels(channels, &filter, *is_complete));
                (found.is_some(), found)
            }
            Event::Metadata { target, key, value } => self.take_marks(target, key, value.as_deref(), model),
            Event::History(page) => {
                let message = page.events.iter().find_map(|event| match event {
                    Event::Message(message) => Some(message),
                    _ => None,
                });
                self.take_text(page.ticket, |msgid| {
                    let message = message.filter(|message| message.msgid.as_deref() == Some(msgid));
                    message.map(|message| render::render_result(message, zone))
                })
            }
            Event::QueryFailed { ticket, reason, .. } => self.take_failure(*ticket, reason),
            _ => (false, None),
        }
    }

    fn take_marks(
        &mut self,
        target: &str,
        key: &str,
        value: Option<&str>,
        model: &mut Model,
    ) -> (bool, Option<Found>) {
        let Ok(conversation) = Conversation::from_server(target) else { return (false, None) };
        let waits =
            |command: &mut MarkCommand| command.mark.key() == key && command.conversation == conversation;
        let Some(command) = self.marks.take_if(waits) else { return (false, None) };
        let ids = parse_marks(value);
        let found = match &command.purpose {
            Purpose::Show => self.query_texts(command.mark, &conversation, &ids, model),
            Purpose::Confirm(text) => Some(Found { note: (*text).to_owned(), ..Found::default() }),
            Purpose::Add(id) => self.set(change_marks(&ids, id, true), command, model),
            Purpose::Remove(Removal::Message(id)) => self.set(change_marks(&ids, id, false), command, model),
            Purpose::Remove(Removal::Number(number)) => {
                let id = number.checked_sub(1).and_then(|index| ids.get(index));
                match id {
                    Some(id) => self.set(change_marks(&ids, id, false), command, model),
                    None => Some(failure(&format!("there is no number {number} in the list"))),
                }
            }
        };
        (true, found)
    }

    /// Sends the new marks.
    fn set(
        &mut self,
        changed: Result<Vec<String>, MarkError>,
        command: MarkCommand,
        model: &mut Model,
    ) -> Option<Found> {
        let MarkCommand { mark, conversation, purpose, .. } = command;
        let text = match (mark, purpose) {
            (Mark::Pin, Purpose::Add(_)) => "pinned for everybody in the channel",
            (Mark::Pin, _) => "no longer pinned",
            (Mark::Bookmark, Purpose::Add(_)) => "bookmarked, on all your devices",
            (Mark::Bookmark, _) => "no longer bookmarked",
        };
        let ids = match changed {
            Ok(ids) => ids,
            Err(error @ (MarkError::Present | MarkError::Absent)) => {
                return Some(Found { note: error.explain(mark), ..Found::default() });
            }
            Err(error @ MarkError::Full(_)) => return Some(failure(&error.to_string())),
        };
        match model.set_marks(&conversation, mark, &ids) {
            Ok(ticket) => {
                self.marks =
                    Some(MarkCommand { mark, conversation, purpose: Purpose::Confirm(text), ticket });
                None
            }
            Err(offline) => Some(failure(&offline.to_string())),
        }
    }

    fn query_texts(
        &mut self,
        mark: Mark,
        conversation: &Conversation,
        ids: &[String],
        model: &mut Model,
    ) -> Option<Found> {
        if ids.is_empty() {
            let note = match mark {
                Mark::Pin => "nothing is pinned here; /pin pins the latest message",
                Mark::Bookmark => "no bookmarks here; /bookmark adds the latest message",
            };
            return Some(Found { note: note.to_owned(), ..Found::default() });
        }
        let query = |id: &String| Some((model.query_message(conversation, id).ok()?, id.clone(), None));
        let rows: Vec<_> = ids.iter().filter_map(query).collect();
        if rows.is_empty() {
            return Some(failure("not connected"));
        }
        self.texts = Some(Texts { mark, rows });
        None
    }

    /// Takes the text of a marked message. Returns the list once it is complete.
    fn take_text(
        &mut self,
        ticket: Ticket,
        line: impl FnOnce(&str) -> Option<String>,
    ) -> (bool, Option<Found>) {
        let Some(texts) = &mut self.texts else { return (false, None) };
        let Some(row) = texts.rows.iter_mut().find(|(asked, ..)| *asked == ticket) else {
            return (false, None);
        };
        row.2 = Some(line(&row.1).unwrap_or_else(|| "no longer in the history".to_owned()));
        if texts.rows.iter().any(|(_, _, line)| line.is_none()) {
            return (true, None);
        }
        let Some(Texts { mark, rows }) = self.texts.take() else { return (true, None) };
        let lines = rows.into_iter().enumerate();
        let lines: Vec<String> =
            lines.map(|(index, (.., line))| format!("{}. {}", index + 1, line.unwrap_or_default())).collect();
        let note = match mark {
            Mark::Pin => "/unpin NUMBER unpins one",
            Mark::Bookmark => "/unbookmark NUMBER removes one",
        };
        (true, Some(Found { lines, note: note.to_owned(), failed: false }))
    }

    fn take_failure(&mut self, ticket: Ticket, reason: &str) -> (bool, Option<Found>) {
        if self.channels.take_if(|(asked, _)| *asked == ticket).is_some() {
            return (true, Some(failure(&format!("cannot list the channels: {reason}"))));
        }
        if let Some(command) = self.marks.take_if(|command| command.ticket == ticket) {
            let remedy = match command.mark {
                Mark::Pin => "; operators of the channel pin messages, and /bookmark is for yourself",
                Mark::Bookmark => "",
            };
            return (true, Some(failure(&format!("not changed: {reason}{remedy}"))));
        }
        self.take_text(ticket, |_| None)
    }

    /// Forgets the commands of a connection that ended. Returns the failure of the one that still waits for its result.
    pub fn reset_connection(&mut self) -> Option<Found> {
        let Self { channels, mentions, thread, marks, texts } = std::mem::take(self);
        let mark = marks.map(|command| command.mark).or(texts.map(|texts| texts.mark));
        let command = if channels.is_some() {
            "/list"
        } else if mentions.is_some_and(|rounds| rounds.is_loading()) {
            "/mentions"
        } else if thread.is_some_and(|rounds| rounds.is_loading()) {
            "/thread"
        } else {
            match mark? {
                Mark::Pin => "the command about pinned messages",
                Mark::Bookmark => "the command about bookmarks",
            }
        };
        Some(failure(&format!("the connection broke before the server answered {command}; try again")))
    }
}

fn failure(text: &str) -> Found {
    Found { note: clean(text), failed: true, ..Found::default() }
}

fn found_thread(messages: &[String]) -> Found {
    let note = match messages.len() {
        1 => "nobody has answered this message; /reply TEXT does".to_owned(),
        count => format!("{}; /reply TEXT answers the last message", counted(count - 1, "answer")),
    };
    Found { lines: messages.iter().map(|line| clean(line)).collect(), note, failed: false }
}

fn found_mentions(round: &MentionRound, zone: &TimeZone) -> Found {
    let lines: Vec<String> =
        round.messages.iter().map(|message| render::render_result(message, zone)).collect();
    let count = match lines.len() {
        0 => "no message mentions or answers you".to_owned(),
        1 => "1 message mentions or answers you".to_owned(),
        count => format!("{count} messages mention or answer you, the latest at the end"),
    };
    let more = if round.may_have_more { "; /mentions more looks further back" } else { "" };
    let error = round.error.as_ref().map(|reason| format!("; {reason}"));
    let note = clean(&format!("{count}{more}{}", error.unwrap_or_default()));
    Found { lines, note, failed: round.error.is_some() }
}

fn found_thread_part(part: &ThreadPart, zone: &TimeZone) -> Found {
    let lines: Vec<String> =
        part.messages.iter().map(|message| render::render_result(message, zone)).collect();
    let count = match part.answers {
        _ if part.error.is_some() => String::new(),
        0 => "nobody has answered this message; /reply TEXT does".to_owned(),
        count => format!("{}; /reply TEXT answers the last message", counted(count, "answer")),
    };
    let more = if part.may_have_more { ", /thread more looks for further ones" } else { "" };
    let error = part.error.as_ref().map(|reason| format!("the thread cannot be loaded: {reason}"));
    let note = clean(&format!("{count}{more}{}", error.unwrap_or_default()));
    Found { lines, note, failed: part.error.is_some() }
}

fn found_channels(channels: &[ListedChannel], filter: &str, is_complete: bool) -> Found {
    let filter = filter.to_lowercase();
    let words: Vec<&str> = filter.split_whitespace().collect();
    let matches = |channel: &&ListedChannel| {
        let text = format!("{} {}", channel.name, channel.topic).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let mut shown: Vec<&ListedChannel> = channels.iter().filter(matches).collect();
    shown.sort_by(|a, b| b.members.cmp(&a.members).then_with(|| a.name.cmp(&b.name)));
    let count = shown.len();
    let line = |channel: &&ListedChannel| {
        let topic = if channel.topic.is_empty() { String::new() } else { format!(": {}", channel.topic) };
        clean(&format!("{} ({} here){topic}", channel.name, channel.members))
    };
    let lines = shown.iter().take(MAX_CHANNELS).map(line).collect();
    let note = match count {
        0 if words.is_empty() => "there are no channels; /join #NAME makes one".to_owned(),
        0 => "no channel matches; /join #NAME makes one".to_owned(),
        1 => "1 channel; /join #NAME joins it".to_owned(),
        count if count > MAX_CHANNELS => {
            format!(
                "the {MAX_CHANNELS} largest of {count} channels; /list WORDS shows those with these words"
            )
        }
        count => format!("{count} channels; /join #NAME joins one"),
    };
    let note = if is_complete { note } else { format!("{note}; the server has more than the client keeps") };
    Found { lines, note, failed: false }
}

#[cfg(test)]
mod tests;
