//! Execution of what a user typed, for the full-screen client and the plain chat alike.

use super::commands::HelpTopic;
use super::confirm::Confirmation;
use super::settings::{SettingsClient, execute_settings_command};
use super::{Input, Navigation, ViewCommand};
use crate::client::answers::display_name_note;
use crate::client::answers::named::doubts;
use crate::client::answers::rights::obstacle;
use crate::client::model::requests::{ChannelRequest, ServerRequest};
use crate::client::model::{Conversation, MessageKind, Model, NotConnected};
use crate::wire::{Cap, ChannelName};

/// A client that executes what its user typed. Its methods are what the clients do differently; errors are texts for
/// the user.
pub trait Client: SettingsClient {
    /// Error of a command that needs a conversation while there is none.
    const NO_CONVERSATION: &'static str;
    /// Error of a command that needs a channel while none is given and the current conversation is none.
    const NO_CHANNEL: &'static str;

    /// Returns the model of the server that the user is at.
    fn model(&mut self) -> Result<&mut Model, String>;

    /// Returns the current conversation.
    fn current(&self) -> Option<Conversation>;

    /// Makes another conversation the current one.
    fn switch_to(&mut self, conversation: Conversation);

    /// Sends a message.
    fn send(&mut self, message: Outgoing) -> Result<(), String>;

    /// Acts on a message.
    fn act_on_message(&mut self, action: MessageAction) -> Result<(), String>;

    /// Shows something to the user, which may take a query.
    fn show(&mut self, view: Show) -> Result<(), String>;

    /// Finds channels, conversations or messages.
    fn navigate(&mut self, command: Navigation) -> Result<(), String>;

    /// Takes note of a change that the user's command makes.
    fn note_change(&mut self, change: OwnChange);

    /// Asks the user for their consent, and sends the request if they give it.
    fn confirm(&mut self, confirmation: Confirmation);

    /// Keeps the message that was taken back last, if its redaction is held back.
    fn undo_redaction(&mut self) -> Result<(), String>;

    /// Executes a command about what the client shows and notifies.
    fn execute_view_command(&mut self, command: ViewCommand) -> Result<(), String>;

    /// Ends the client with this quit message.
    fn quit(&mut self, message: String) -> Result<(), String>;
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// To the current conversation.
    Here(MessageKind, String),
    /// To another conversation.
    To(Conversation, String),
    /// A reply to the selected message, or to the last one of another account.
    Reply(String),
    /// The file at this path to the current conversation, with this text.
    File(String, String),
}

/// An action on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageAction {
    /// Reacts with the emoji of this name to the selected message, or to the last one of another account.
    React(String),
    /// Redacts this account's last message in the current conversation, for this reason.
    RedactLast(String),
    /// Cancels the last message of the current conversation that waits to be sent, or all of them.
    CancelWaiting {
        /// Set for all of them.
        all: bool,
    },
}

/// Window that a command opens, or a list in the plain chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Show {
    /// Results of a search in the history; without terms the user is prompted for them.
    Search(String),
    /// Members of a channel; no channel stands for the current one.
    Members(Option<ChannelName>),
    /// Topic of a channel.
    Topic(ChannelName),
    /// Help about a topic or a command.
    Help(HelpTopic),
}

/// A change that the user's command makes to their own state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnChange {
    /// The account leaves this channel.
    Parted(ChannelName),
    /// The account is away with this message, or back if it is empty.
    Away(String),
}

impl OwnChange {
    /// Returns the text that confirms AWAY to the user. The message is empty for the return.
    pub fn away_words(message: &str) -> &'static str {
        if message.is_empty() { "you are back" } else { "you are away; /away alone brings you back" }
    }
}

/// Executes a typed line. The error is a text for the user.
pub fn execute<C: Client>(input: Input, client: &mut C) -> Result<(), String> {
    let not_connected = |error: NotConnected| error.to_string();
    match input {
        Input::Empty => {}
        Input::Message(text) => client.send(Outgoing::Here(MessageKind::Text, text))?,
        Input::Action(text) => client.send(Outgoing::Here(MessageKind::Action, text))?,
        Input::MessageTo(conversation, text) => client.send(Outgoing::To(conversation, text))?,
        Input::Reply(text) => client.send(Outgoing::Reply(text))?,
        Input::Upload(path, text) => client.send(Outgoing::File(path, text))?,
        Input::React(emoji) => client.act_on_message(MessageAction::React(emoji))?,
        Input::Delete(reason) => client.act_on_message(MessageAction::RedactLast(reason))?,
        Input::Cancel { all } => client.act_on_message(MessageAction::CancelWaiting { all })?,
        Input::Search(terms) => client.show(Show::Search(terms))?,
        Input::Navigate(command) => client.navigate(command)?,
        Input::Switch(Conversation::Channel(channel)) if !client.model()?.is_in(&channel) => {
            return Err(format!("you are not in {channel}: /join {channel}"));
        }
        Input::Switch(conversation) => {
            if let Conversation::Direct(account) = &conversation {
                client.check_account(account, "check the name".to_owned());
            }
            client.switch_to(conversation);
        }
        Input::Join(channels) => {
            for channel in channels {
                let model = client.model()?;
                if model.is_in(&channel) {
                    // The answer says so, and of a ban that keeps from writing. Without a connection nothing is asked.
                    let asked = ServerRequest::Channel(channel.clone(), ChannelRequest::OwnBan);
                    let _ = model.send_request(asked);
                }
                model.join(&channel);
                client.switch_to(Conversation::Channel(channel));
            }
        }
        Input::JoinWithKey(channel, key) => {
            client.model()?.check_key(&key)?;
            client.model()?.join_with_key(&channel, &key).map_err(not_connected)?;
            client.switch_to(Conversation::Channel(channel));
        }
        Input::Part(channel, reason) => {
            let channel = channel_or_current(channel, client)?;
            client.model()?.part(&channel, &reason).map_err(not_connected)?;
            client.note_change(OwnChange::Parted(channel));
        }
        Input::Names(channel) => client.show(Show::Members(channel))?,
        Input::Topic(channel) => {
            let channel = channel_or_current(channel, client)?;
            client.show(Show::Topic(channel))?;
        }
        Input::Request(request) => confirm_or_send(request, client)?,
        Input::ChannelRequest(channel, request) => {
            let channel = channel_or_current(channel, client)?;
            confirm_or_send(ServerRequest::Channel(channel, request), client)?;
        }
        Input::Files(conversation) => {
            let conversation = conversation.or_else(|| client.current()).ok_or(C::NO_CONVERSATION)?;
            confirm_or_send(ServerRequest::SharedFiles(conversation), client)?;
        }
        Input::RevokeDevice(number) => {
            let fingerprint = client.model()?.listed_device(number).map(str::to_owned);
            let fingerprint =
                fingerprint.ok_or("no such device in the list that was shown; /devices lists them")?;
            confirm_or_send(ServerRequest::RevokeDevice(number, fingerprint), client)?;
        }
        Input::Undo => client.undo_redaction()?,
        Input::Away(message) => {
            client.model()?.check_away(&message)?;
            client.model()?.set_away(&message).map_err(not_connected)?;
            client.note_change(OwnChange::Away(message));
        }
        Input::DisplayName(name) => {
            let model = client.model()?;
            if model.is_online() && !model.has_any_cap(&[Cap::Metadata, Cap::MetadataDraft]) {
                return Err("this server has no display names".to_owned());
            }
            model.send_request(ServerRequest::DisplayName(name)).map_err(not_connected)?;
        }
        Input::ShowDisplayName => {
            let model = client.model()?;
            if model.is_online() && !model.has_any_cap(&[Cap::Metadata, Cap::MetadataDraft]) {
                return Err("this server has no display names".to_owned());
            }
            let note = match model.own_display_name() {
                Some(name) => format!("{}; /display-name - removes the name", display_name_note(name)),
                None => {
                    "you have no display name, others see your nick; /display-name NAME sets one".to_owned()
                }
            };
            client.say(&note);
        }
        Input::View(command) => client.execute_view_command(command)?,
        Input::Settings(command) => execute_settings_command(command, client)?,
        Input::Quit(message) => client.quit(message)?,
        Input::Help(topic) => client.show(Show::Help(topic))?,
    }
    Ok(())
}

/// Sends a request, or asks the user first if it cannot be undone.
fn confirm_or_send<C: Client>(request: ServerRequest, client: &mut C) -> Result<(), String> {
    if let Some(confirmation) = send_or_confirm(request, client.model()?)? {
        client.confirm(confirmation);
    }
    Ok(())
}

/// Sends a request, unless it harms somebody: then it returns the question to ask first. What this account may not do is
/// refused without a question. The error is a text for the user.
pub fn send_or_confirm(request: ServerRequest, model: &mut Model) -> Result<Option<Confirmation>, String> {
    model.check_request(&request)?;
    let question = Confirmation::with_doubts(&request, &doubts(&request, &[], model));
    let Some(confirmation) = question.filter(|_| model.is_online()) else {
        return model.send_request(request).map(|()| None).map_err(|offline| offline.to_string());
    };
    match obstacle(&request, model) {
        Some(obstacle) if !obstacle.admins_pass => Err(obstacle.text),
        // The account may have become an admin since it logged in.
        Some(_) => {
            let asked = model.send_request(ServerRequest::Role(Box::new(request)));
            asked.map(|()| None).map_err(|offline| offline.to_string())
        }
        None => {
            // What is found out of the accounts is added to the question.
            model.look_up_named(&request);
            Ok(Some(confirmation))
        }
    }
}

/// Returns the channel argument of a command, or else the current channel.
pub fn channel_or_current<C: Client>(
    channel: Option<ChannelName>,
    client: &C,
) -> Result<ChannelName, String> {
    match (channel, client.current()) {
        (Some(channel), _) | (None, Some(Conversation::Channel(channel))) => Ok(channel),
        (None, _) => Err(C::NO_CHANNEL.to_owned()),
    }
}

#[cfg(test)]
mod tests;
