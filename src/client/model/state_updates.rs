//! Away status, member status, metadata, read markers and other state that the server sends unasked.

use super::Model;
use super::event::{Conversation, Event};
use super::event_parser;
use crate::wire::{ChannelName, Message, Nick, Timestamp};

/// Limit of accounts known to be away; only a hostile server names more.
const MAX_AWAY_NICKS: usize = 10_000;

/// Limit of an away message, in bytes.
const MAX_AWAY_MESSAGE_BYTES: usize = 400;

impl Model {
    /// Returns the away message of an account, or `None` if it is not away.
    pub fn away_message(&self, nick: &Nick) -> Option<&str> {
        self.away_messages.get(nick).map(String::as_str)
    }

    pub(super) fn record_away(&mut self, nick: Nick, mut message: Option<String>) {
        if let Some(words) = &mut message {
            words.truncate(words.floor_char_boundary(MAX_AWAY_MESSAGE_BYTES));
        }
        let known = match &message {
            Some(message) if self.away_messages.len() < MAX_AWAY_NICKS => {
                self.away_messages.insert(nick.clone(), message.clone()).as_ref() == Some(message)
            }
            Some(_) => true,
            None => self.away_messages.remove(&nick).is_none(),
        };
        if !known {
            self.events.push_back(Event::Away { nick, message });
        }
    }

    pub(super) fn handle_away(&mut self, line: &Message<'_>) -> Option<()> {
        let nick = Nick::parse_foreign(line.nick()?).ok()?;
        let message = line.param(0).filter(|words| !words.is_empty()).map(str::to_owned);
        self.record_away(nick, message);
        Some(())
    }

    /// Handles `RPL_WHOREPLY`: `352 me channel user host server nick H|G…`.
    pub(super) fn handle_whoreply(&mut self, line: &Message<'_>) {
        let Some(nick) = line.param(5).and_then(|nick| Nick::parse_foreign(nick).ok()) else { return };
        let away = line.param(6).is_some_and(|flags| flags.starts_with('G'));
        // WHO doesn't include the away message.
        let message = away.then(|| self.away_messages.get(&nick).cloned().unwrap_or_default());
        self.record_away(nick, message);
    }

    pub(super) fn handle_mode(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let event = event_parser::parse_event(line, self.me.as_ref(), now)?;
        let channel = ChannelName::parse_foreign(line.param(0)?).ok()?;
        let members = &mut self.channels.joined.get_mut(&channel)?.members;
        let mut args = line.params().iter().skip(2);
        let mut on = true;
        // The server's own modes only restore the status of members who joined, so the user does not see them.
        let mut ranks_alone = line.nick()?.contains('.');
        for letter in line.param(1)?.chars() {
            match letter {
                '+' => on = true,
                '-' => (on, ranks_alone) = (false, false),
                _ => {
                    let Some(sign) = self.isupport.prefix_of_mode(letter) else {
                        ranks_alone = false;
                        if self.isupport.takes_parameter(letter, on) {
                            args.next();
                        }
                        continue;
                    };
                    let nick = args.next().and_then(|nick| Nick::parse_foreign(nick).ok());
                    if let Some(ranks) = nick.and_then(|nick| members.get_mut(&nick)) {
                        ranks.retain(|c| c != sign);
                        if on {
                            ranks.push(sign);
                            // The highest prefix comes first, as in the list of names.
                            let mut signs: Vec<char> = ranks.chars().collect();
                            signs.sort_by_key(|sign| self.isupport.prefix_order(*sign));
                            *ranks = signs.into_iter().collect();
                        }
                    }
                }
            }
        }
        if !ranks_alone {
            self.events.push_back(event);
        }
        Some(())
    }

    /// Handles `MARKREAD target timestamp=…` and `MARKREAD target *`.
    pub(super) fn handle_markread(&mut self, line: &Message<'_>) -> Option<()> {
        let conversation = Conversation::from_server(line.param(0)?).ok()?;
        let time = match line.param(1)? {
            "*" => None,
            text => Some(Timestamp::parse(text.strip_prefix("timestamp=")?)?),
        };
        self.events.push_back(Event::ReadMarker { conversation, time });
        Some(())
    }

    /// Handles `METADATA target key visibility :value`, or the numeric with the same parameters after this account's
    /// nick.
    pub(super) fn handle_metadata(&mut self, line: &Message<'_>, from: usize) -> Option<()> {
        let params = line.params().get(from..)?;
        let (target, key) = (params.first()?.to_string(), params.get(1)?.to_string());
        let set = !line.command.starts_with("766");
        let value = params.get(3).filter(|_| set).map(ToString::to_string);
        self.events.push_back(Event::Metadata { target, key, value });
        Some(())
    }

    pub(super) fn handle_rename(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let event = event_parser::parse_event(line, self.me.as_ref(), now)?;
        if let Event::ChannelRenamed { from, to, .. } = &event
            && let Some(channel) = self.channels.joined.remove(from)
        {
            self.channels.joined.insert(to.clone(), channel);
        }
        self.events.push_back(event);
        Some(())
    }

    pub(super) fn handle_invite(&mut self, line: &Message<'_>) -> Option<()> {
        let nick = Nick::parse_foreign(line.param(0)?).ok()?;
        let channel = ChannelName::parse_foreign(line.param(1)?).ok()?;
        let by = line.nick()?.to_owned();
        self.events.push_back(if self.me.as_ref() == Some(&nick) {
            Event::Invited { channel, by }
        } else {
            Event::Info(format!("{by} invited {nick} to {channel}"))
        });
        Some(())
    }
}
