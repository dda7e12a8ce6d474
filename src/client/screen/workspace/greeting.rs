//! Greeting: the text of a screen without messages, and of the first visit.

use super::buffer::{Buffer, PeerPresence};
use super::{ConnectionState, Models, ServerState, Workspace};
use crate::client::answers::rights::is_plain_member;
use crate::client::keys::Action;
use crate::client::keys::keymap::KeyMap;
use crate::client::model::event::ServerRequest;
use crate::client::model::{Conversation, Model};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::wire::ChannelName;

/// Limit of the members that are named.
const MAX_NAMES: usize = 4;

/// Count of entries up to which a conversation may be without messages. The others are joins and the like.
const MAX_NOTES: i64 = 100;

/// Text for somebody who does not know their way yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// Lines, from the top.
    pub lines: Vec<GreetingLine>,
    /// Position among the messages.
    pub position: GreetingPosition,
    /// Set if Enter in an empty composer makes an invite link for the channel.
    pub enter_invites: bool,
}

/// Line of a greeting. Its text is safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GreetingLine {
    /// Heading, in the accent colour.
    Heading(String),
    /// Sentence in the colour of text.
    Text(String),
    /// Reason of a failure.
    Error(String),
    /// Key or command, and its effect.
    Key(String, String),
}

/// State of the first visit of an account, which has read nothing in its channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstVisit {
    /// It is none, or it is over.
    #[default]
    Over,
    /// The greeting is still to be shown below the messages.
    Pending,
    /// The greeting was shown in an empty channel.
    Greeted,
}

/// Position of a greeting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GreetingPosition {
    /// In place of the messages, or above the first entry.
    #[default]
    Top,
    /// Below the latest message.
    Bottom,
}

use GreetingLine::{Error, Heading, Key, Text};

/// Makes the line of a key or command.
fn key(name: &str, effect: &str) -> GreetingLine {
    Key(name.to_owned(), effect.to_owned())
}

/// Makes the line of an action, with its key or command; `None` if it has neither.
fn action(keys: &KeyMap, action: Action, effect: &str) -> Option<GreetingLine> {
    keys.key_or_command(action).map(|name| Key(name, effect.to_owned()))
}

impl Workspace {
    /// Updates the greeting of the conversation on the screen.
    pub(super) fn update_greeting(&mut self, models: &[&mut Model]) {
        let keys = &self.settings.keys;
        self.greeting = match (&self.current, self.current_buffer()) {
            (Some((server, conversation)), Some(buffer)) => {
                self.servers.get(*server).zip(models.get(*server)).and_then(|(state, model)| {
                    match conversation {
                        _ if !is_empty(buffer) => first_visit(state, conversation, model, keys),
                        Conversation::Channel(channel) => Some(empty_channel(state, channel, model, keys)),
                        Conversation::Direct(_) => Some(empty_direct(buffer)),
                    }
                })
            }
            _ => Some(no_conversation(&self.servers, models, keys)),
        };
        let is_top = self.greeting.as_ref().is_some_and(|it| it.position == GreetingPosition::Top);
        if let Some((server, Conversation::Channel(_))) = &self.current
            && let Some(state) = self.servers.get_mut(*server)
            && state.first_visit == FirstVisit::Pending
            && is_top
        {
            state.first_visit = FirstVisit::Greeted;
        }
    }

    /// Ends the greeting of the first visit.
    pub(super) fn end_first_visit(&mut self) {
        let shown = self.greeting.as_ref().is_some_and(|it| it.position == GreetingPosition::Bottom);
        if let Some((server, _)) = self.current.as_ref().filter(|_| shown)
            && let Some(state) = self.servers.get_mut(*server)
        {
            state.first_visit = FirstVisit::Over;
            self.greeting = None;
        }
    }

    /// Makes an invite link for the channel on the screen, if its greeting offers that. The answer is a card with the link.
    pub fn perform_offer(&mut self, models: Models<'_, '_>) {
        let Some((server, Conversation::Channel(channel))) = self.current.clone() else { return };
        if !self.greeting.as_ref().is_some_and(|greeting| greeting.enter_invites) {
            return;
        }
        let request = ServerRequest::CreateInvite(vec!["CREATE".to_owned(), channel.to_string()]);
        match models.get_mut(server).map(|model| model.send_request(request)) {
            Some(Ok(())) => self.show_hint("making an invite link …"),
            _ => self.show_error("not connected: the link can be made once the connection is back"),
        }
    }
}

/// Returns whether the conversation has no messages at all.
fn is_empty(buffer: &Buffer) -> bool {
    let numbers = buffer.numbers();
    buffer.loading.at_beginning()
        && buffer.outgoing.is_empty()
        && numbers.end - numbers.start <= MAX_NOTES
        && buffer.newest_first().all(|(_, entry)| entry.message().is_none())
}

fn no_conversation(servers: &[ServerState], models: &[&mut Model], keys: &KeyMap) -> Greeting {
    let mut lines = Vec::new();
    for (state, model) in servers.iter().zip(models) {
        let name = &state.name;
        match &state.state {
            ConnectionState::Online if state.ready => {
                lines.push(Heading(welcome_text(state, model)));
                lines.push(Text("You are in no channel yet.".to_owned()));
            }
            ConnectionState::Connecting | ConnectionState::Online => {
                lines.push(Heading(format!("Connecting to {name} …")));
            }
            ConnectionState::Disconnected { reason, .. } => {
                lines.push(Heading(format!("Not connected to {name}")));
                lines.push(Error(reason.clone()));
                lines.push(Text(
                    "The client tries again by itself. If this lasts: does the server run, and is this machine on its \
                     network? `parlour servers` lists the addresses that are tried."
                        .to_owned(),
                ));
            }
            ConnectionState::Ended(reason) => {
                lines.push(Heading(format!("The connection to {name} was given up")));
                lines.push(Error(reason.clone()));
                let quit = keys.key_or_command(Action::Quit).unwrap_or_default();
                lines.push(Text(format!("{quit} quits; `parlour chat` then tries again.")));
            }
        }
    }
    if servers.is_empty() {
        lines.push(Heading("No server is known".to_owned()));
        lines.push(Text("`parlour join LINK` with an invite link joins one.".to_owned()));
    }
    if servers.iter().any(|state| state.ready) {
        lines.extend(action(keys, Action::Channels, "shows all channels, to join one"));
        lines.extend(action(keys, Action::QuickSwitcher, "goes to a channel, a person or a command"));
        lines.push(key("/join #lobby", "joins a channel, or makes it"));
        lines.push(key("?", "shows all keys and commands"));
    }
    Greeting { lines, ..Greeting::default() }
}

fn empty_channel(state: &ServerState, channel: &ChannelName, model: &Model, keys: &KeyMap) -> Greeting {
    let name = sanitize_line(channel.as_str(), 64);
    let others = others_text(channel, model);
    let mut lines = Vec::new();
    let alone = others.is_none();
    // An account that exists needs no link.
    let someone_exists = state.directory.accounts.items.iter().any(|one| model.me() != Some(&one.nick))
        || model.channels().any(|(_, other)| other.members.keys().any(|nick| model.me() != Some(nick)));
    let invites = model.is_admin() && alone && !someone_exists;
    if invites || state.first_visit != FirstVisit::Over {
        lines.push(Heading(welcome_text(state, model)));
    } else {
        lines.push(Heading(format!("{name} has no messages yet")));
    }
    match (others, invites) {
        (None, true) => lines.push(Text(format!("You run this server, and nobody else is in {name} yet."))),
        (None, false) => lines.push(Text(format!("Nobody else is in {name} right now."))),
        (Some(others), _) => lines.push(Text(format!("In {name} with you: {others}."))),
    }
    if invites {
        let enter = "makes an invite link for one account, good for 24 hours";
        lines.extend(action(keys, Action::Enter, enter));
        lines.push(key("/invite-link 5 7d", "makes one for five accounts and a week"));
    } else {
        lines.extend(action(keys, Action::Enter, "sends your text to everybody in the channel"));
        lines.push(key("/invite NAME", "asks somebody to come"));
        if model.is_admin() {
            lines.push(key("/invite-link", "makes a link for somebody without an account"));
        }
    }
    // By default the topic is set by half-operators and higher.
    if !is_plain_member(channel, model) {
        lines.push(key("/topic TEXT", "says what the channel is about"));
    }
    lines.push(key("?", "shows all keys and commands"));
    Greeting { lines, enter_invites: invites, ..Greeting::default() }
}

fn empty_direct(buffer: &Buffer) -> Greeting {
    let name = sanitize_line(buffer.conversation.as_str(), 64);
    let mut lines = vec![Heading(format!("No messages with {name} yet"))];
    lines.push(Text(match buffer.peer {
        Some(PeerPresence::Missing) => {
            format!("No account is called {name}. /close removes the conversation.")
        }
        Some(PeerPresence::Offline) => format!("{name} is offline. What you write waits for them."),
        Some(PeerPresence::Online) | None => format!("Only you and {name} see what is written here."),
    }));
    Greeting { lines, ..Greeting::default() }
}

/// Returns the greeting below the messages of the first channel that an account sees.
fn first_visit(
    state: &ServerState,
    conversation: &Conversation,
    model: &Model,
    keys: &KeyMap,
) -> Option<Greeting> {
    let Conversation::Channel(channel) = conversation else { return None };
    if state.first_visit != FirstVisit::Pending {
        return None;
    }
    let name = sanitize_line(channel.as_str(), 64);
    let here = match others_text(channel, model) {
        Some(others) => format!("You are in {name} with {others}."),
        None => format!("You are in {name}. Nobody else is here right now."),
    };
    let mut lines = vec![Heading(welcome_text(state, model)), Text(here)];
    lines.extend(action(keys, Action::QuickSwitcher, "goes to any channel, person or command"));
    lines.extend(action(keys, Action::CompleteNext, "completes names, #channels, /commands and :emoji:"));
    lines.push(key("?", "on an empty line shows all keys"));
    Some(Greeting { lines, position: GreetingPosition::Bottom, enter_invites: false })
}

fn welcome_text(state: &ServerState, model: &Model) -> String {
    let network = sanitize_line(model.network_name().unwrap_or(&state.name), 64);
    match model.me() {
        Some(me) => format!("Welcome to {network}, {me}"),
        None => format!("Welcome to {network}"),
    }
}

/// Names the other members of a channel that are online; `None` without any.
fn others_text(channel: &ChannelName, model: &Model) -> Option<String> {
    let state = model.channel(channel)?;
    let count = state.members.len().saturating_sub(usize::from(model.me().is_some()));
    let others = state.members.keys().filter(|nick| model.me() != Some(nick));
    let mut names: Vec<String> = others.take(MAX_NAMES).map(ToString::to_string).collect();
    match count - names.len().min(count) {
        0 => {}
        1 => names.push("1 other".to_owned()),
        more => names.push(format!("{more} others")),
    }
    let last = names.pop()?;
    Some(if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) })
}
