//! Away status, member status, metadata, read markers and other state that the server sends unasked.

use super::Model;
use super::event::{Event, Target};
use super::past;
use crate::wire::{ChannelName, Message, Millis, Nick};

/// Limit of accounts known to be away; only a hostile server names more.
const MOST_AWAY: usize = 10_000;

/// Limit of an away message, in bytes.
const WORDS: usize = 400;

impl Model {
    /// Returns the away message of an account, or `None` if it is not away.
    pub fn away_words(&self, who: &Nick) -> Option<&str> {
        self.away.get(who).map(String::as_str)
    }

    pub(super) fn is_away(&mut self, who: Nick, mut words: Option<String>) {
        if let Some(words) = &mut words {
            words.truncate(words.floor_char_boundary(WORDS));
        }
        let known = match &words {
            Some(words) if self.away.len() < MOST_AWAY => {
                self.away.insert(who.clone(), words.clone()).as_ref() == Some(words)
            }
            Some(_) => true,
            None => self.away.remove(&who).is_none(),
        };
        if !known {
            self.events.push_back(Event::Away { who, words });
        }
    }

    pub(super) fn away(&mut self, line: &Message<'_>) -> Option<()> {
        let who = Nick::heard(line.nick()?).ok()?;
        let words = line.param(0).filter(|words| !words.is_empty()).map(str::to_owned);
        self.is_away(who, words);
        Some(())
    }

    /// Handles `RPL_WHOREPLY`: `352 me channel user host server nick H|G…`.
    pub(super) fn who_line(&mut self, line: &Message<'_>) {
        let Some(who) = line.param(5).and_then(|nick| Nick::heard(nick).ok()) else { return };
        let away = line.param(6).is_some_and(|flags| flags.starts_with('G'));
        // WHO doesn't include the away message.
        let words = away.then(|| self.away.get(&who).cloned().unwrap_or_default());
        self.is_away(who, words);
    }

    pub(super) fn mode(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let event = past::event(line, self.me.as_ref(), now)?;
        let channel = ChannelName::heard(line.param(0)?).ok()?;
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
                    let Some(sign) = self.server.sign(letter) else {
                        ranks_alone = false;
                        if self.server.has_parameter(letter, on) {
                            args.next();
                        }
                        continue;
                    };
                    let nick = args.next().and_then(|nick| Nick::heard(nick).ok());
                    if let Some(ranks) = nick.and_then(|nick| members.get_mut(&nick)) {
                        ranks.retain(|c| c != sign);
                        if on {
                            ranks.push(sign);
                            // The highest prefix comes first, as in the list of names.
                            let mut signs: Vec<char> = ranks.chars().collect();
                            signs.sort_by_key(|sign| self.server.order(*sign));
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
    pub(super) fn marker_line(&mut self, line: &Message<'_>) -> Option<()> {
        let place = Target::heard(line.param(0)?).ok()?;
        let time = match line.param(1)? {
            "*" => None,
            text => Some(Millis::parse(text.strip_prefix("timestamp=")?)?),
        };
        self.events.push_back(Event::Marker { place, time });
        Some(())
    }

    /// Handles `METADATA target key visibility :value`, or the numeric with the same parameters after this account's
    /// nick.
    pub(super) fn noted_line(&mut self, line: &Message<'_>, from: usize) -> Option<()> {
        let params = line.params().get(from..)?;
        let (target, key) = (params.first()?.to_string(), params.get(1)?.to_string());
        let set = !line.command.starts_with("766");
        let value = params.get(3).filter(|_| set).map(ToString::to_string);
        self.events.push_back(Event::Noted { target, key, value });
        Some(())
    }

    pub(super) fn channel_renamed(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let event = past::event(line, self.me.as_ref(), now)?;
        if let Event::Renamed { from, to, .. } = &event
            && let Some(channel) = self.channels.joined.remove(from)
        {
            self.channels.joined.insert(to.clone(), channel);
        }
        self.events.push_back(event);
        Some(())
    }

    pub(super) fn invited(&mut self, line: &Message<'_>) -> Option<()> {
        let who = Nick::heard(line.param(0)?).ok()?;
        let channel = ChannelName::heard(line.param(1)?).ok()?;
        let by = line.nick()?.to_owned();
        self.events.push_back(if self.me.as_ref() == Some(&who) {
            Event::Invited { channel, by }
        } else {
            Event::Info(format!("{by} invited {who} to {channel}"))
        });
        Some(())
    }
}
