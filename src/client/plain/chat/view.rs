//! Commands of the plain chat about what it shows and notifies: mute, do-not-disturb, drafts and others.

use std::io::Write;

use super::PlainChat;
use crate::client::input::execute::{Client as _, Show, execute};
use crate::client::input::settings::SettingsCommand;
use crate::client::input::{self, DraftCommand, Input, ViewCommand};
use crate::client::model::Conversation;
use crate::client::model::requests::ServerRequest;
use crate::client::plain::output::current_time;
use crate::client::settings::do_not_disturb::{DoNotDisturb, describe_change};
use crate::client::settings::state::Draft;
use crate::client::text::clean::clean;

impl<T: Write, N: Write> PlainChat<T, N> {
    pub(super) fn execute_view(&mut self, command: ViewCommand) -> Result<(), String> {
        match command {
            ViewCommand::Mute(on) => self.mute(on)?,
            ViewCommand::Close => self.close_conversation()?,
            ViewCommand::Members => self.show(Show::Members(None))?,
            ViewCommand::RawText => {
                let text = "messages always show as they were written here, without the codes of colours";
                self.output.write_note(text);
            }
            ViewCommand::Clear => {
                let text =
                    "the plain chat only adds lines, and the terminal has a command to clear its screen";
                self.output.write_note(text);
            }
            ViewCommand::DoNotDisturb(change) => {
                let now = current_time();
                let span = DoNotDisturb::begin(change, now);
                self.attention.do_not_disturb = span;
                self.remembered.keep_do_not_disturb(span, now)?;
                let text = describe_change(span, |end| self.output.format_time(end));
                self.output.write_note(&text);
            }
            ViewCommand::Draft(command) => self.execute_draft(command)?,
            ViewCommand::SaveFiles(address) => self.save(address)?,
        }
        Ok(())
    }

    fn mute(&mut self, on: bool) -> Result<(), String> {
        let conversation = self.current_conversation()?;
        // It is muted once the server says so.
        let sent = self.session.model.send_request(ServerRequest::Mute(conversation, on));
        sent.map_err(|offline| offline.to_string())
    }

    /// Leaves a direct conversation, so that what the user types next does not go there.
    fn close_conversation(&mut self) -> Result<(), String> {
        if let Conversation::Channel(_) = self.current_conversation()? {
            return Err("you are in this channel; /part leaves it".to_owned());
        }
        let closed = self.current_conversation()?;
        self.output.write_note(&clean(&format!("closed; its messages stay, and /query {closed} opens it")));
        self.conversation = None;
        let next = self.session.model.channels().map(|(name, _)| name.clone()).next();
        if let Some(channel) = next {
            self.switch_to(Conversation::Channel(channel));
        }
        Ok(())
    }

    fn execute_draft(&mut self, command: DraftCommand) -> Result<(), String> {
        let conversation = self.current_conversation()?;
        let now = current_time();
        let none = || format!("there is no draft in {conversation}; /draft TEXT keeps one");
        match command {
            DraftCommand::Show if self.remembered.draft(&conversation).is_none() => {
                self.output.write_note(&clean(&none()));
            }
            DraftCommand::Show => self.note_draft(&conversation),
            DraftCommand::Keep(text) => {
                self.remembered.keep_draft(&conversation, Draft { text, reply_to: None }, now)?;
                self.output.write_note(&clean(&format!("kept in {conversation}; /send-draft sends it")));
            }
            DraftCommand::Remove => {
                self.remembered.take_draft(&conversation, now)?.ok_or_else(none)?;
                self.output.write_note("the draft is removed");
            }
            DraftCommand::Send => {
                let draft = self.remembered.take_draft(&conversation, now)?.ok_or_else(none)?;
                self.send_draft(&conversation, &draft)
                    .inspect_err(|_| drop(self.remembered.keep_draft(&conversation, draft.clone(), now)))?;
            }
        }
        Ok(())
    }

    fn send_draft(&mut self, conversation: &Conversation, draft: &Draft) -> Result<(), String> {
        if draft.text.starts_with('/') {
            return execute(input::parse_line(draft.text.trim_end_matches('\n'))?, self);
        }
        self.check_waiting()?;
        self.session.model.send_text(conversation, &draft.text, draft.reply_to.as_deref());
        self.note_if_offline();
        Ok(())
    }

    /// Tells the user of the draft that a conversation has.
    pub(super) fn note_draft(&mut self, conversation: &Conversation) {
        let Some(draft) = self.remembered.draft(conversation) else { return };
        let lines: Vec<String> = draft.text.lines().map(|line| format!("  {}", clean(line))).collect();
        self.output.write_note(&clean(&format!(
            "you have a draft in {conversation}; /send-draft sends it, /draft - removes it:"
        )));
        for line in &lines {
            self.output.write_note(line);
        }
    }

    /// Keeps the line that the user was typing at the end of the input.
    pub(super) fn keep_unfinished_line(&mut self, text: String) {
        if text.trim().is_empty() {
            return;
        }
        let kept = self.current_conversation().map_err(str::to_owned).and_then(|conversation| {
            self.remembered.keep_draft(&conversation, Draft { text, reply_to: None }, current_time())?;
            Ok(format!("your line was not sent; it is the draft of {conversation} now"))
        });
        let text = kept.unwrap_or_else(|reason| format!("your line was not sent: {reason}"));
        self.output.write_note(&clean(&text));
    }

    /// Adds to the answer about a setting that only the full-screen chat uses.
    pub(super) fn note_screen_setting(&mut self, input: &Input) {
        let Input::Settings(SettingsCommand::Show(name) | SettingsCommand::Set { name, .. }) = input else {
            return;
        };
        let section = name.split('.').next().unwrap_or_default();
        let text = match section {
            "theme" | "colors" => "the plain chat has no colours; the full-screen chat uses this",
            "layout" => "the plain chat has no lists beside the messages; the full-screen chat uses this",
            "keys" | "mouse" => "the plain chat takes whole lines; the full-screen chat uses this",
            _ => return,
        };
        self.output.write_note(text);
    }
}
