//! Lines that the user types before the login is complete, as while the server is away.

use std::io::Write;

use super::{MAX_WAITING, PlainChat};
use crate::client::input::{Input, parse_line};
use crate::client::message_secrets::{mask_from, secret_start_in_line};
use crate::client::model::Conversation;
use crate::client::plain::output::current_time;
use crate::client::settings::state::Draft;
use crate::client::text::clean::clean;
use crate::client::text::count::counted;

impl<T: Write, N: Write> PlainChat<T, N> {
    /// Executes a line that needs no server, and holds any other until the login is complete.
    pub(super) fn handle_early_line(&mut self, line: String) {
        match parse_line(&line) {
            Ok(Input::Empty) => {}
            Ok(Input::Quit(_) | Input::Help(_)) => self.handle_line(&line),
            Ok(Input::Cancel { all }) => self.cancel_early_lines(all),
            Err(error) => self.output.write_note(&clean(&error)),
            Ok(_) if self.early_lines.len() >= MAX_WAITING => {
                let text = format!("not kept: {MAX_WAITING} lines wait already; /cancel all cancels them");
                self.output.write_note(&text);
            }
            Ok(_) => {
                self.early_lines.push_back(line);
                if !self.session.model.is_online() {
                    let text = "not connected yet: your line waits for the server; /cancel keeps it back";
                    self.output.write_note(text);
                }
            }
        }
    }

    fn cancel_early_lines(&mut self, all: bool) {
        let kept = if all { 0 } else { self.early_lines.len().saturating_sub(1) };
        let cancelled = self.early_lines.len() - kept;
        self.early_lines.truncate(kept);
        self.output.write_note(&match cancelled {
            0 => "no line waits to be sent".to_owned(),
            1 => "cancelled: the line is not sent".to_owned(),
            count => format!("cancelled: {count} lines are not sent"),
        });
    }

    /// Executes the lines that were held, because the login is complete.
    pub(super) fn handle_early_lines(&mut self) {
        for line in std::mem::take(&mut self.early_lines) {
            if self.conversation.is_none() && matches!(parse_line(&line), Ok(Input::Message(_))) {
                self.output.write_note(&format!("not sent: {}", mask(&line, "")));
            }
            self.handle_line(&line);
        }
    }

    /// Keeps the lines that were held, because the chat ends before the login: texts as the draft of the conversation that
    /// they were typed for. What cannot be kept is shown.
    pub(super) fn keep_early_lines(&mut self) {
        let is_text = |line: &String| matches!(parse_line(line), Ok(Input::Message(_)));
        let (texts, commands): (Vec<String>, Vec<String>) =
            std::mem::take(&mut self.early_lines).into_iter().partition(is_text);
        let target = self.conversation.clone().or_else(|| self.remembered.last().cloned());
        let mut lost = commands;
        match target {
            Some(target)
                if !texts.is_empty()
                    && self.remembered.is_kept()
                    && self.add_to_draft(&target, texts.join("\n")) =>
            {
                let lines = counted(texts.len(), "line");
                let note =
                    format!("not sent: {lines}, the draft of {target} now; /send-draft sends it there");
                self.output.write_note(&clean(&note));
            }
            _ => lost.extend(texts),
        }
        for line in lost {
            self.output.write_note(&format!("not sent: {}", mask(&line, "")));
        }
    }

    /// Adds a text to the draft of a conversation. Returns whether it is kept: a text that may hold a password is not.
    pub(super) fn add_to_draft(&mut self, target: &Conversation, text: String) -> bool {
        let draft = match self.remembered.draft(target) {
            Some(before) => Draft { text: format!("{}\n{text}", before.text), ..before.clone() },
            None => Draft { text, reply_to: None },
        };
        self.remembered.keep_draft(target, draft, current_time()).is_ok()
    }
}

/// Returns a line without the password that it may hold, clean for a terminal.
fn mask(line: &str, conversation: &str) -> String {
    clean(&match secret_start_in_line(line, conversation) {
        Some(from) => mask_from(line, from),
        None => line.to_owned(),
    })
}
