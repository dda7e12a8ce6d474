//! Messages that outlast a run of the client because no server has confirmed them, and what is said of them at its end.

use crate::client::model::{Conversation, KeptMessage};
use crate::client::screen::text::sanitize::sanitize;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::workspace::entry::OutgoingMessage;
use crate::client::screen::workspace::{BufferKey, Models, Workspace};
use crate::client::settings::state::{State, UnsentMessage};
use crate::client::text::count::counted;
use crate::wire::Timestamp;

/// Time for which a second attempt to quit counts as the answer to the warning, in milliseconds.
const QUIT_WINDOW: u64 = 30_000;

/// Messages that are not confirmed when the client ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Count of those that the next run sends.
    pub kept: usize,
    /// Count of those that are lost.
    pub lost: usize,
}

impl Workspace {
    /// Takes over the messages of the last run, which the next [`Workspace::update`] sends.
    pub(super) fn restore_unsent(&mut self, unsent: Vec<UnsentMessage>) {
        for unsent in unsent {
            if let Some((server, _)) = self.find_key(unsent.key()) {
                self.remembered.unsent.push((server, unsent));
            }
        }
    }

    /// Sends the messages of the last run that were not confirmed, and shows them and those that had failed.
    pub(in crate::client::screen::workspace) fn resume_unsent(&mut self, models: Models<'_, '_>) {
        let (mut sent, mut failed_count) = (0, 0);
        for (server, UnsentMessage { message, failed, .. }) in std::mem::take(&mut self.remembered.unsent) {
            let Some(model) = models.get_mut(server) else { continue };
            let KeptMessage { target, kind, text, reply_to, send_id, .. } = message.clone();
            let ticket = match failed {
                Some(_) => model.take_ticket_of_failed(),
                None => model.resume_message(message),
            };
            *(if failed.is_some() { &mut failed_count } else { &mut sent }) += 1;
            let failed = failed.map(|reason| sanitize(&reason, 400));
            let out = OutgoingMessage {
                failed,
                ..OutgoingMessage::new(&target, kind, (ticket, text), reply_to.as_deref(), send_id)
            };
            let buffer = match target {
                Conversation::Direct(_) => self.open_buffer(server, &target),
                // A channel is listed once it is joined.
                Conversation::Channel(_) => self.find_buffer(server, &target),
            };
            match buffer {
                Some(buffer) => buffer.outgoing.push(out),
                None => self.remembered.outgoing.entry((server, target)).or_default().push(out),
            }
        }
        match (sent, failed_count) {
            (0, 0) => {}
            (0, failed) => {
                self.show_hint(&format!(
                    "{} of the last run failed and can be sent again",
                    counted(failed, "message")
                ));
            }
            (sent, _) => {
                let text = format!("sending {} of the last run; /cancel stops one", counted(sent, "message"));
                self.show_hint(&text);
            }
        }
    }

    /// Adds the messages that are not confirmed to the state for the next run.
    pub(super) fn keep_unsent(&self, state: &mut State) {
        for (server, unsent) in &self.remembered.unsent {
            if let Some(server) = self.servers.get(*server) {
                state.add_unsent(UnsentMessage { server: server.key.clone(), ..unsent.clone() });
            }
        }
        for (key, out) in self.outgoing().filter(|(_, out)| !out.secret) {
            let Some(key) = self.conversation_key(&key) else { continue };
            let message = KeptMessage {
                target: key.conversation,
                kind: out.kind,
                text: out.text.clone(),
                reply_to: out.reply_to.clone(),
                send_id: out.send_id.clone(),
                was_sent: !out.waits,
            };
            state.add_unsent(UnsentMessage { server: key.server, message, failed: out.failed.clone() });
        }
    }

    /// Iterates over the messages that are not confirmed, without those that the user has cancelled.
    pub(in crate::client::screen::workspace) fn outgoing(
        &self,
    ) -> impl Iterator<Item = (BufferKey, &OutgoingMessage)> {
        let of_buffers = self
            .buffers()
            .flat_map(|(key, buffer)| buffer.outgoing.iter().map(move |out| (key.clone(), out)));
        let others = self.remembered.outgoing.iter();
        let others = others.flat_map(|(key, all)| all.iter().map(move |out| (key.clone(), out)));
        of_buffers.chain(others).filter(|(_, out)| out.dropped.is_none())
    }

    /// Counts the messages that would be left behind if the client ended now. Those that failed count if they are lost.
    pub fn left_behind(&self) -> LeftBehind {
        let mut left = LeftBehind::default();
        for (_, out) in self.outgoing() {
            if self.keeps_state && !out.secret {
                left.kept += usize::from(out.failed.is_none());
            } else {
                left.lost += 1;
            }
        }
        left
    }

    /// Quits, with a quit message. With messages that are not confirmed, or files on their way, the first attempt fails
    /// with a warning that says what becomes of them.
    pub fn request_quit(&mut self, message: &str) -> Result<(), String> {
        let LeftBehind { kept, lost } = self.left_behind();
        let is_warned = self.quit.warned_until.is_some_and(|until| self.now < until);
        if (kept + lost > 0 || !self.transfers.is_empty()) && !is_warned {
            self.quit.warned_until = Some(Timestamp(self.now.0 + QUIT_WINDOW));
            return Err(match lost {
                0 if kept == 0 => {
                    "a file is still on its way, which would end it. Quit again to leave anyway".to_owned()
                }
                0 => format!(
                    "not delivered yet: {}, sent at the next start. Quit again to leave",
                    counted(kept, "message")
                ),
                lost => format!(
                    "not delivered: {}, which cannot be kept and would be lost. Quit again to leave anyway",
                    counted(lost, "message")
                ),
            });
        }
        self.quit.message = Some(message.to_owned());
        Ok(())
    }

    /// Returns what was typed and is not kept, because there was no conversation yet. Safe to write to a terminal.
    pub fn unkept_text(&self) -> Option<String> {
        let is_kept = self.current.is_some() || self.keeps_state && self.remembered.current.is_some();
        let text = self.scratch.text();
        let is_command = text.trim_start().starts_with('/');
        (!is_kept && !is_command && !text.trim().is_empty()).then(|| sanitize(text, TextField::MAX_BYTES))
    }
}
