//! What the chat does not know itself and asks for, and what comes back.
//!
//! Some answers go straight to the session that asked, made of what [`playback`](super::playback) renders; others
//! come back as an [`Answer`] for the rules to go on with.

use std::collections::HashMap;
use std::sync::Arc;

use super::account::{Outcome, Request, Voice};
use super::history::{Found, Kinds, Search, Window};
use super::playback::Reader;
use super::record::{AccountId, ChannelId, Place};
use super::seen::Missed;
use crate::wire::{ChannelName, MessageId};

/// Something to be found out.
#[derive(Debug)]
pub enum Ask {
    /// What was said at a place, in a batch `chathistory`.
    History {
        /// Who reads.
        reader: Reader,
        /// Where.
        place: Place,
        /// The place as the client wrote it, which is what the batch is of, and as it is written: clients keep what they
        /// asked for under the name that they asked with.
        target: (Arc<str>, Arc<str>),
        /// Which stretches, in order.
        windows: Vec<Window>,
        /// Which kinds.
        kinds: Kinds,
    },
    /// The places where something was said lately, in a batch `draft/chathistory-targets`.
    Targets {
        /// Who reads.
        reader: Reader,
        /// The channels that he may read, with their names.
        channels: Vec<(ChannelId, ChannelName)>,
        /// When, and how many.
        window: Window,
    },
    /// What a client that cannot ask for history missed, as if it was said now but with its time.
    Replay {
        /// Who reads.
        reader: Reader,
        /// The channels with their names, and what of each.
        channels: Vec<(ChannelId, ChannelName, Missed)>,
        /// What of the talks in which somebody said something since then.
        talks: Option<MissedTalks>,
    },
    /// Messages that match, in a batch `soju.im/search`.
    Search {
        /// Who reads.
        reader: Reader,
        /// What is looked for.
        search: Search,
        /// The latest message of now: that one should be found too.
        up_to: MessageId,
    },
    /// Something is to be done to an account or the server; comes back as [`Answer::Managed`].
    Manage {
        /// Who asks.
        account: AccountId,
        /// What.
        request: Request,
        /// How it is answered.
        voice: Voice,
        /// After how many changes of passwords ([`Chat::password_changes`](super::Chat::password_changes)): what happens
        /// meanwhile may have ended who asks.
        since: u64,
    },
    /// Nothing: lines that are too many to be queued at once, with their ends.
    Lines(Vec<u8>),
    /// The message that is to be redacted; comes back as [`Answer::Redact`].
    Redact(Redaction, Place),
}

/// What was missed of all talks.
#[derive(Debug)]
pub struct MissedTalks {
    /// Of each of them, and of all together.
    pub missed: Missed,
    /// The last message of a talk that was read, where one was.
    pub read: HashMap<Place, MessageId>,
}

/// Which message is to be redacted, and why.
#[derive(Debug)]
pub struct Redaction {
    /// Where it was said, as it was asked.
    pub target: Box<str>,
    /// Which.
    pub message: MessageId,
    /// Its msgid as the client wrote it, for errors.
    pub msgid: Box<str>,
    /// Why, if that was said.
    pub reason: Option<Arc<str>>,
}

/// What comes back of an [`Ask`].
#[derive(Debug)]
pub enum Answer {
    /// The message, if it is there.
    Redact(Redaction, Place, Option<Found>),
    /// What was to be done is done, or refused.
    Managed(AccountId, Voice, Outcome),
    /// It could not be found out, for this command.
    Failed(&'static str, Failure),
}

/// Reason for an [`Answer::Failed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The store cannot be read.
    Unreadable,
    /// It took longer than one answer may.
    TooLong,
    /// Too many requests of the account wait already.
    Crowded,
}

impl Ask {
    /// Is its outcome the answer to the command? Else it comes after that.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(self, Self::Replay { .. } | Self::Lines(_) | Self::Manage { voice: Voice::Service, .. })
    }

    /// Gives the answer that is made of it a label.
    pub(super) fn set_label(&mut self, label: &str) {
        match self {
            Self::History { reader, .. } | Self::Targets { reader, .. } | Self::Search { reader, .. } => {
                reader.label = Some(label.into());
            }
            // These carry theirs when the rules have gone on, or none.
            Self::Redact(..) | Self::Manage { .. } | Self::Replay { .. } | Self::Lines(_) => {}
        }
    }

    /// Has it look at nothing from this message on.
    pub fn end_before(&mut self, message: MessageId) {
        let end = |window: &mut Window| window.before = window.before.min(message);
        match self {
            Self::History { windows, .. } => windows.iter_mut().for_each(end),
            Self::Targets { window, .. } => end(window),
            Self::Replay { channels, talks, .. } => {
                for (.., missed) in channels {
                    missed.end_before(message);
                }
                if let Some(talks) = talks {
                    talks.missed.end_before(message);
                }
            }
            Self::Search { search, up_to, .. } => {
                end(&mut search.window);
                // What is not stored yet is not waited for.
                *up_to = (*up_to).min(message);
                if *up_to == message {
                    *up_to = MessageId::default();
                }
            }
            Self::Manage { .. } | Self::Lines(_) | Self::Redact(..) => {}
        }
    }

    /// The command that asks.
    pub fn command(&self) -> &'static str {
        match self {
            Self::History { .. } | Self::Targets { .. } => "CHATHISTORY",
            Self::Replay { .. } => "JOIN",
            Self::Search { .. } => "SEARCH",
            Self::Manage { voice: Voice::Command(name), .. } => name,
            Self::Manage { voice: Voice::Service, .. } => "NICKSERV",
            Self::Redact(..) => "REDACT",
            Self::Lines(_) => "*",
        }
    }
}
