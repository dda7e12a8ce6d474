//! Who is away, who has which rank, what is noted, and other things that the server tells by the way.

use super::Model;
use super::event::{Event, Target};
use super::past;
use crate::wire::{ChannelName, Message, Millis, Nick};

/// So many people are known to be away; a server of more is not one of friends.
const MOST_AWAY: usize = 10_000;

/// Longest words of somebody who is away.
const WORDS: usize = 400;

impl Model {
    /// Is somebody away? Then with these words.
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

    /// `352 me channel user host server nick H|G…`
    pub(super) fn who_line(&mut self, line: &Message<'_>) {
        let Some(who) = line.param(5).and_then(|nick| Nick::heard(nick).ok()) else { return };
        let away = line.param(6).is_some_and(|flags| flags.starts_with('G'));
        // WHO does not say with which words.
        let words = away.then(|| self.away.get(&who).cloned().unwrap_or_default());
        self.is_away(who, words);
    }

    pub(super) fn mode(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let event = past::event(line, self.me.as_ref(), now)?;
        let channel = ChannelName::heard(line.param(0)?).ok()?;
        let members = &mut self.channels.joined.get_mut(&channel)?.members;
        let mut args = line.params().iter().skip(2);
        let mut on = true;
        // A server's own: it gives back the ranks of who comes.
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
                            // The highest first, as the list of names has it.
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

    /// `MARKREAD target timestamp=…` or `MARKREAD target *`
    pub(super) fn marker_line(&mut self, line: &Message<'_>) -> Option<()> {
        let place = Target::heard(line.param(0)?).ok()?;
        let time = match line.param(1)? {
            "*" => None,
            text => Some(Millis::parse(text.strip_prefix("timestamp=")?)?),
        };
        self.events.push_back(Event::Marker { place, time });
        Some(())
    }

    /// `METADATA target key visibility :value`; as a numeric there is one's own name before it.
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
