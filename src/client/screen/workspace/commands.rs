//! Execution of commands.

use super::{ConnectionState, Display, Models, Request, Workspace};
use crate::client::input::commands::HelpTopic;
use crate::client::input::confirm::Confirmation;
use crate::client::input::execute::{
    Client, MessageAction, Outgoing, OwnChange, Show, channel_or_current, execute,
};
use crate::client::input::ignore::IgnoreScope;
use crate::client::input::settings::SettingsClient;
use crate::client::input::{self, DraftCommand, Input, Navigation, ViewCommand};
use crate::client::keys::Action;
use crate::client::message_secrets::may_hold_secret;
use crate::client::model::marks::Mark;
use crate::client::model::requests::ServerRequest;
use crate::client::model::{Conversation, MessageKind, Model};
use crate::client::screen::text::markup::plain_line;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::settings::Settings;
use crate::client::settings::state::ConversationKey;
use crate::client::text::emoji::find_reaction;
use crate::wire::Nick;

impl Workspace {
    /// Quits on a key; see [`Workspace::request_quit`].
    pub fn request_quit_by_key(&mut self) {
        if let Err(error) = self.request_quit("") {
            self.show_error(&error);
        }
    }

    /// Executes a typed line. Returns a request to another part of the screen, if it makes one. The error is a text for
    /// the user.
    pub fn execute(&mut self, input: Input, models: Models<'_, '_>) -> Result<Option<Request>, String> {
        let server = self.current.as_ref().map_or(0, |(server, _)| *server);
        self.check_before_execution(&input, server, models)?;
        let mut commands = Commands { workspace: self, models, server, request: None };
        execute(input, &mut commands)?;
        Ok(commands.request)
    }

    /// Checks a typed line for errors that are known beforehand. The error is a text for the user.
    fn check_before_execution(
        &self,
        input: &Input,
        server: usize,
        models: &[&mut Model],
    ) -> Result<(), String> {
        if let Input::Message(_) | Input::Action(_) | Input::Reply(_) = input {
            let buffer = self.current_buffer().ok_or_else(|| self.no_conversation())?;
            if buffer.left {
                return Err(format!(
                    "you have left {}: /join {} rejoins",
                    buffer.conversation, buffer.conversation
                ));
            }
        }
        if let Input::Message(_) | Input::Action(_) | Input::Reply(_) | Input::MessageTo(..) = input
            && matches!(self.servers.get(server).map(|server| &server.state), Some(ConnectionState::Ended(_)))
        {
            return Err("this server was given up; restart parlour to reconnect".to_owned());
        }
        self.check_command(input)?;
        let target = match input {
            Input::Message(text) | Input::Action(text) | Input::Reply(text) => {
                self.current.as_ref().map(|(_, conversation)| (conversation, text))
            }
            Input::MessageTo(conversation, text) => Some((conversation, text)),
            _ => None,
        };
        match target {
            Some((conversation, text)) => self.check_length(server, conversation, text, models),
            None => Ok(()),
        }
    }

    /// Returns why no conversation is on the screen, and what to do.
    fn no_conversation(&self) -> &'static str {
        if self.servers.iter().any(|server| server.ready) {
            Commands::NO_CONVERSATION
        } else {
            "not connected yet: your conversations open once there is a connection, and what you type stays until then"
        }
    }

    /// Checks a command for errors that are known beforehand.
    fn check_command(&self, input: &Input) -> Result<(), String> {
        let current = self.current.as_ref().map(|(_, conversation)| conversation);
        match input {
            Input::View(ViewCommand::Close)
                if !matches!(current, Some(Conversation::Direct(_)))
                    && !self.current_buffer().is_some_and(|b| b.left) =>
            {
                Err("you are in this channel; /part leaves it".to_owned())
            }
            Input::Reply(_) => self.answerable_message("reply to").map(drop),
            _ => Ok(()),
        }
    }

    /// Shows the text of messages as written, or formatted again.
    pub fn toggle_raw_text(&mut self) {
        self.display.raw_text = !self.display.raw_text;
        let key = self.settings.keys.key_or_command(Action::ToggleRawText).unwrap_or_default();
        let hint = format!("messages as written; {key} formats them again");
        self.show_hint(if self.display.raw_text { &hint } else { "messages formatted" });
    }
}

impl Display {
    /// Returns a topic in one line that is safe to draw: without marks, or as it was written if messages are shown so.
    pub fn topic_line(&self, topic: &str) -> String {
        /// Limit of a topic on the screen, in bytes.
        const MAX_BYTES: usize = 1000;
        if self.raw_text { sanitize_line(topic, MAX_BYTES) } else { plain_line(topic, MAX_BYTES) }
    }
}

/// The full-screen client during the execution of a command.
struct Commands<'a, 'b, 'c> {
    workspace: &'a mut Workspace,
    models: Models<'b, 'c>,
    /// Server of the conversation on the screen.
    server: usize,
    /// Request to another part of the screen.
    request: Option<Request>,
}

impl Commands<'_, '_, '_> {
    /// Executes a command about the draft: the text in the composer, or the one that was set aside for the command.
    fn execute_draft(&mut self, command: DraftCommand) -> Result<(), String> {
        const NONE: &str =
            "there is no draft here; /draft TEXT keeps one, and so does what you type and do not send";
        let conversation = self.current().ok_or(Self::NO_CONVERSATION)?;
        match command {
            DraftCommand::Keep(text) => {
                if may_hold_secret(&text, conversation.as_str()) {
                    return Err("not kept: this text may hold a password".to_owned());
                }
                self.workspace.set_draft_aside();
                self.workspace.draft_mut().set(text);
                let keys = self.workspace.keys().clauses(&[(Action::Enter, "sends it")]);
                let has_before =
                    self.workspace.current_buffer().is_some_and(|buffer| buffer.set_aside.is_some());
                let before = if has_before { "; your draft of before comes back after it" } else { "" };
                self.workspace.show_hint(&format!("kept as the draft of {conversation}: {keys}{before}"));
            }
            DraftCommand::Remove => {
                let before = self.workspace.current_buffer_mut().and_then(|buffer| buffer.set_aside.take());
                let text = self.workspace.draft_mut().take();
                if before.is_none() && text.trim().is_empty() {
                    return Err(NONE.to_owned());
                }
                self.workspace.show_hint("the draft is removed");
            }
            DraftCommand::Show | DraftCommand::Send => {
                self.workspace.return_drafts();
                if self.workspace.draft().text().trim().is_empty() {
                    return Err(NONE.to_owned());
                }
                if command == DraftCommand::Show {
                    let keys = self.workspace.keys().clauses(&[(Action::Enter, "sends it")]);
                    self.workspace.show_hint(&format!("this is the draft of {conversation}: {keys}"));
                } else {
                    self.send_draft()?;
                }
            }
        }
        Ok(())
    }

    /// Sends the draft, which stays if it is refused.
    fn send_draft(&mut self) -> Result<(), String> {
        let draft = self.workspace.draft().clone();
        let text = self.workspace.draft_mut().take();
        let input = input::parse_composed(&text);
        if let Ok(Input::View(ViewCommand::Draft(DraftCommand::Send))) = input {
            return Err("the draft is the command /send-draft itself".to_owned());
        }
        let sent = input.and_then(|input| {
            self.workspace.check_before_execution(&input, self.server, self.models)?;
            execute(input, self)
        });
        if sent.is_err() {
            *self.workspace.draft_mut() = draft;
        }
        sent
    }
}

impl SettingsClient for Commands<'_, '_, '_> {
    fn settings(&self) -> &Settings {
        self.workspace.settings()
    }

    fn change_setting(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.workspace.change_setting(name, value)
    }

    fn list_settings(&mut self) {
        self.request = Some(Request::OpenSettings);
    }

    fn say(&mut self, text: &str) {
        self.workspace.show_hint(text);
    }

    fn set_ignored(&mut self, account: &Nick, ignored: bool) -> Result<IgnoreScope, String> {
        let model = self.models.get_mut(self.server).ok_or(Self::NO_CONVERSATION)?;
        Ok(self.workspace.set_ignored(self.server, account, ignored, model))
    }

    fn ignored(&self) -> Vec<Nick> {
        self.workspace.ignored_accounts(self.server)
    }

    fn refused_watches(&self) -> Vec<Nick> {
        self.workspace.servers.get(self.server).map(|state| state.watched.refused()).unwrap_or_default()
    }

    fn own_nick(&self) -> Option<Nick> {
        self.models.get(self.server)?.me().cloned()
    }

    fn check_account(&mut self, account: &Nick, then: String) {
        if let Ok(model) = self.model() {
            model.check_account(account, then);
        }
    }

    fn current_key(&self) -> Result<ConversationKey, String> {
        let key = self.workspace.current.as_ref().and_then(|key| self.workspace.conversation_key(key));
        key.ok_or_else(|| Self::NO_CONVERSATION.to_owned())
    }
}

impl Client for Commands<'_, '_, '_> {
    const NO_CONVERSATION: &'static str = "no conversation open: /join #CHANNEL or /query NAME first";
    const NO_CHANNEL: &'static str = "no channel given, and none is open";

    fn model(&mut self) -> Result<&mut Model, String> {
        let model = self.models.get_mut(self.server);
        model.map(|model| &mut **model).ok_or_else(|| Self::NO_CONVERSATION.to_owned())
    }

    fn current(&self) -> Option<Conversation> {
        self.workspace.current.as_ref().map(|(_, conversation)| conversation.clone())
    }

    fn switch_to(&mut self, conversation: Conversation) {
        self.workspace.switch_to((self.server, conversation));
    }

    fn send(&mut self, message: Outgoing) -> Result<(), String> {
        match message {
            Outgoing::Here(kind, text) => {
                let (server, conversation) = self.workspace.current.clone().ok_or(Self::NO_CONVERSATION)?;
                if kind == MessageKind::Action {
                    self.workspace.send_action(server, &conversation, &text, self.models);
                } else {
                    let reply = self.workspace.current_buffer_mut().and_then(|buffer| buffer.reply_to.take());
                    self.workspace.send_message(server, &conversation, &text, reply.as_deref(), self.models);
                }
                self.workspace.scroll_to_latest();
            }
            Outgoing::To(conversation, text) => {
                self.workspace.switch_to((self.server, conversation.clone()));
                self.workspace.send_message(self.server, &conversation, &text, None, self.models);
            }
            Outgoing::Reply(text) => self.workspace.send_reply(&text, self.models),
            Outgoing::File(path, text) => self.workspace.upload(path, text, self.models)?,
        }
        Ok(())
    }

    fn act_on_message(&mut self, action: MessageAction) -> Result<(), String> {
        match action {
            MessageAction::React(name) => {
                let keys = self.workspace.keys();
                let opens = |select, key| format!("{select}, then {key}, lists all");
                let list = keys
                    .key_name(Action::SelectAbove)
                    .zip(keys.key_name(Action::React))
                    .map(|(a, b)| opens(a, b));
                let emoji = find_reaction(&name, list.as_deref())?;
                self.workspace.react_to_selected(&emoji, self.models)
            }
            MessageAction::RedactLast(reason) => self.workspace.redact_last(&reason, self.models),
            MessageAction::CancelWaiting { all } if self.workspace.cancel_transfers(all) => Ok(()),
            MessageAction::CancelWaiting { all } => self.workspace.cancel_waiting(all, self.models),
        }
    }

    fn show(&mut self, view: Show) -> Result<(), String> {
        match view {
            Show::Search(terms) => self.request = Some(Request::OpenSearch(terms)),
            Show::Members(channel) => {
                let channel = channel_or_current(channel, self)?;
                if self.current() == Some(Conversation::Channel(channel.clone())) {
                    self.request = Some(Request::ShowMembers);
                } else {
                    // The list beside the messages is that of the channel on the screen.
                    let request = ServerRequest::People(channel.to_string());
                    self.model()?.send_request(request).map_err(|offline| offline.to_string())?;
                }
            }
            Show::Topic(channel) => {
                let model = self.model()?;
                let Some(known) = model.channel(&channel) else {
                    // The result is an event, or the server's refusal.
                    return model.query_topic(&channel).map_err(|offline| offline.to_string());
                };
                let topic = known.topic.clone();
                let topic = self.workspace.display.topic_line(&topic);
                self.workspace.show_hint(if topic.is_empty() { "no topic is set" } else { &topic });
            }
            Show::Help(HelpTopic::Command(name)) => self.request = Some(Request::OpenHelp(Some(name))),
            Show::Help(_) => self.request = Some(Request::OpenHelp(None)),
        }
        Ok(())
    }

    fn navigate(&mut self, command: Navigation) -> Result<(), String> {
        match command {
            Navigation::Channels(filter) => self.request = Some(Request::OpenChannels(filter)),
            // Its list fetches further ones by a key.
            Navigation::Mentions { .. } => self.request = Some(Request::OpenMentions),
            Navigation::Marked(Mark::Bookmark) => self.request = Some(Request::OpenBookmarks),
            Navigation::Marked(Mark::Pin) => match self.workspace.current.clone() {
                Some(key @ (_, Conversation::Channel(_))) => self.request = Some(Request::OpenPins(key)),
                _ => return Err(Self::NO_CHANNEL.to_owned()),
            },
            Navigation::Mark(mark) => self.workspace.change_mark(mark, true, None, self.models)?,
            Navigation::Unmark(Mark::Bookmark, Some(_)) => {
                return Err("/bookmarks lists them; d removes the selected one".to_owned());
            }
            Navigation::Unmark(mark, number) => {
                self.workspace.change_mark(mark, false, number, self.models)?;
            }
            Navigation::Thread { .. } => {
                self.request = Some(self.workspace.open_thread()?);
            }
        }
        Ok(())
    }

    fn note_change(&mut self, change: OwnChange) {
        match change {
            OwnChange::Parted(channel) => {
                self.workspace.close_buffer(&(self.server, Conversation::Channel(channel)));
            }
            OwnChange::Away(message) => {
                self.workspace.show_hint(OwnChange::away_words(&message));
                if let Some(server) = self.workspace.servers.get_mut(self.server) {
                    server.away_message = (!message.is_empty()).then_some(message);
                }
            }
        }
    }

    fn confirm(&mut self, confirmation: Confirmation) {
        self.workspace.ask(self.server, confirmation);
    }

    fn undo_redaction(&mut self) -> Result<(), String> {
        self.workspace.undo_redaction(self.models)
    }

    fn execute_view_command(&mut self, command: ViewCommand) -> Result<(), String> {
        match command {
            ViewCommand::Members => self.request = Some(Request::ToggleMembers),
            ViewCommand::RawText => self.workspace.toggle_raw_text(),
            ViewCommand::Clear => {
                self.workspace.scroll_to_latest();
                let keys = self.workspace.keys().clauses(&[(Action::PageUp, "shows the messages again")]);
                let buffer = self.workspace.current_buffer_mut().ok_or(Self::NO_CONVERSATION)?;
                buffer.clear_screen();
                self.workspace.show_hint(&keys);
            }
            ViewCommand::Mute(on) => {
                // It is muted once the server says so.
                let request = ServerRequest::Mute(self.current().ok_or(Self::NO_CONVERSATION)?, on);
                self.model()?.send_request(request).map_err(|offline| offline.to_string())?;
            }
            ViewCommand::DoNotDisturb(change) => {
                let text = self.workspace.change_do_not_disturb(change);
                self.workspace.show_hint(&text);
            }
            ViewCommand::Close => {
                let key = self.workspace.current.clone().ok_or(Self::NO_CONVERSATION)?;
                self.workspace.close_buffer(&key);
            }
            ViewCommand::Draft(command) => self.execute_draft(command)?,
            ViewCommand::SaveFiles(address) => self.workspace.save(address, self.models)?,
        }
        Ok(())
    }

    fn quit(&mut self, message: String) -> Result<(), String> {
        self.workspace.request_quit(&message)
    }
}

#[cfg(test)]
mod tests {
    use crate::client::input::parse_line;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn the_topic_of_another_channel_is_asked_of_the_server() {
        let mut fixture = Fixture::new();
        let ask = |fixture: &mut Fixture, line: &str| {
            let input = parse_line(line).expect(line);
            fixture.with(|context| context.workspace.execute(input, context.models)).expect(line);
            fixture.output()
        };
        let hint = |fixture: &Fixture| fixture.workspace.hint.clone().expect("a hint");
        assert_eq!(ask(&mut fixture, "/topic #lobby"), "");
        assert_eq!(hint(&fixture).text, "no topic is set");
        assert_eq!(ask(&mut fixture, "/topic #nosuch"), "TOPIC #nosuch\r\n");
        fixture.lines(&[":srv 403 alice #nosuch :No such channel"]);
        let refused = hint(&fixture);
        assert!(refused.is_error && refused.text.contains("there is no channel #nosuch"), "{}", refused.text);
        for (reply, expected) in [
            ("331 alice #books :No topic is set", "#books: no topic is set"),
            ("332 alice #books :novels", "#books: novels"),
        ] {
            assert_eq!(ask(&mut fixture, "/topic #books"), "TOPIC #books\r\n");
            fixture.lines(&[&format!(":srv {reply}")]);
            assert_eq!(hint(&fixture).text, expected);
        }
    }
}
