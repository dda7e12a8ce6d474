//! The end of the plain chat: `/quit` and the end of the input, and what waits at that time.

use std::io::Write;

use super::{FinalBarrier, PlainChat};
use crate::client::text::count::counted;

/// Progress of the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The chat goes on.
    None,
    /// The chat ends once all messages are confirmed; its quit message.
    WhenConfirmed(String),
    /// The user quit again instead of waiting; their quit message.
    Now(String),
}

impl Ending {
    /// Returns the quit message; empty for none.
    pub fn quit_message(&self) -> &str {
        match self {
            Self::None => "",
            Self::WhenConfirmed(message) | Self::Now(message) => message,
        }
    }
}

/// Numbers of messages that would be left behind if the chat ended now.
#[derive(Clone, Copy)]
pub(super) struct LeftBehind {
    /// Messages that the next run sends.
    pub kept: usize,
    /// Messages that are not kept.
    pub lost: usize,
}

impl<T: Write, N: Write> PlainChat<T, N> {
    pub(super) fn left_behind(&self) -> LeftBehind {
        let model = &self.session.model;
        let kept = if self.remembered.is_kept() { model.messages_to_keep().len() } else { 0 };
        LeftBehind { kept, lost: model.unconfirmed_count().saturating_sub(kept) }
    }

    /// Ends the chat once all messages are confirmed, or now if the user has quit before.
    pub(super) fn quit(&mut self, message: String) {
        let is_first = self.ending == Ending::None;
        self.begin_end(message, "/quit again or Ctrl-C leaves now");
        if !is_first && self.interactive {
            self.ending = Ending::Now(self.ending.quit_message().to_owned());
        }
    }

    /// Ends the chat as [`quit`](Self::quit) does, at the end of the input.
    pub(super) fn end_input(&mut self) {
        if self.ending == Ending::None {
            self.begin_end(String::new(), "Ctrl-C leaves now");
        } else {
            self.quit(String::new());
        }
    }

    fn begin_end(&mut self, message: String, way_out: &str) {
        self.drop_questions();
        self.send_held_redactions();
        if self.ending != Ending::None {
            return;
        }
        self.ending = Ending::WhenConfirmed(message);
        let LeftBehind { kept, lost } = self.left_behind();
        if self.interactive && kept + lost > 0 {
            let is_one = kept + lost == 1;
            let they_are = if is_one { "it is" } else { "they are" };
            let fate = match (kept, lost) {
                (_, 0) if is_one => "and it goes out at the next start".to_owned(),
                (_, 0) => "and they go out at the next start".to_owned(),
                (0, _) => format!("and {they_are} lost"),
                (_, lost) => format!("and {lost} of them would be lost"),
            };
            let messages = counted(kept + lost, "message");
            self.output.write_note(&format!(
                "not delivered yet: {messages}. The chat ends once {they_are}; {way_out}, {fate}"
            ));
        } else if self.interactive && !self.early_lines.is_empty() {
            let lines = counted(self.early_lines.len(), "line");
            let they_are = if self.early_lines.len() == 1 { "it is" } else { "they are" };
            self.output
                .write_note(&format!("not sent yet: {lines}. The chat ends once {they_are}; {way_out}"));
        }
    }

    /// Returns whether the chat is to end: at once, or because all messages are confirmed and, for a program, all
    /// commands have their replies.
    pub(super) fn is_done(&mut self) -> bool {
        match self.ending {
            Ending::None => return false,
            Ending::Now(_) => return true,
            Ending::WhenConfirmed(_) if !self.early_lines.is_empty() => return false,
            Ending::WhenConfirmed(_) => {}
        }
        if !self.session.model.is_idle() || !self.transfers.is_empty() {
            return false;
        }
        if self.final_barrier == FinalBarrier::NotSent
            && let Ok(ticket) = self.session.model.send_barrier()
        {
            self.final_barrier = FinalBarrier::Sent(ticket);
        }
        self.interactive || self.final_barrier == FinalBarrier::Replied
    }
}
