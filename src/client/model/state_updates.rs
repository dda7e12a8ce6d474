//! Away status, member status and invitations.

use super::Model;
use super::event::{Event, Invite, ModeChange, NumericReply, Origin, WhoReply};
use crate::wire::Nick;
use crate::wire::numeric;

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

    /// Records that this account is away, with the message of its last AWAY, or back.
    pub(super) fn handle_own_away(&mut self, away: bool) {
        if let Some(me) = self.me.clone() {
            self.record_away(me, away.then(|| self.own_away_message.clone()));
        }
    }

    pub(super) fn handle_who_reply(&mut self, WhoReply { nick, is_away, .. }: &WhoReply) {
        // WHO doesn't include the away message.
        let message = is_away.then(|| self.away_messages.get(nick).cloned().unwrap_or_default());
        self.record_away(nick.clone(), message);
    }

    /// Applies the changes of member status. Returns whether the user should see the change of modes.
    pub(super) fn handle_mode(&mut self, change: &ModeChange, origin: &Origin) -> bool {
        let Some(channel) = self.channels.joined.get_mut(&change.channel) else { return false };
        let mut args = change.args.iter();
        let mut on = true;
        // The server's own modes only restore the status of members who joined, so the user does not see them.
        let mut ranks_alone = origin.nick().is_some_and(|nick| nick.contains('.'));
        for letter in change.letters.chars() {
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
                    if let Some(ranks) = nick.and_then(|nick| channel.members.get_mut(&nick)) {
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
        !ranks_alone
    }

    pub(super) fn handle_invite(&mut self, invite: &Invite) {
        let Invite { nick, is_me, channel, by } = invite;
        self.events.push_back(if *is_me {
            Event::Invited { channel: channel.clone(), by: by.clone() }
        } else {
            Event::Info(format!("{by} invited {nick} to {channel}"))
        });
    }
}

/// Limit of the lines of a message of the day.
const MAX_MOTD_LINES: usize = 200;

/// The line that a server sends in place of a message that it does not have, because some clients wait for one.
const NO_MOTD: &str = "There is no message of the day";

/// Returns whether the reply is a part of the message of the day.
pub(super) fn is_motd(reply: &NumericReply) -> bool {
    [numeric::RPL_MOTDSTART, numeric::RPL_MOTD, numeric::RPL_ENDOFMOTD].contains(&reply.code)
}

impl Model {
    /// Collects the message of the day that follows a login, and emits it unless it is the same as before.
    pub(super) fn collect_motd(&mut self, reply: &NumericReply) {
        match reply.code {
            numeric::RPL_MOTD if self.motd.len() < MAX_MOTD_LINES => {
                let text = reply.param(0);
                self.motd.push(text.strip_prefix("- ").unwrap_or(text.trim_start_matches('-')).to_owned());
            }
            numeric::RPL_ENDOFMOTD => {
                let motd = std::mem::take(&mut self.motd);
                if motd != self.emitted_motd && motd != [NO_MOTD] && !motd.is_empty() {
                    self.emitted_motd.clone_from(&motd);
                    self.events.push_back(Event::Motd(motd));
                }
            }
            numeric::RPL_MOTDSTART => self.motd.clear(),
            _ => {}
        }
    }
}
