//! Plain chat: lines in, lines out, for simple terminals, screen readers and pipes.

mod commands;
mod early;
mod ending;
mod events;
mod transfers;
mod view;

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::mpsc::Receiver;

use self::ending::{Ending, LeftBehind};
use super::TypedLine;
use super::attention::Attention;
use super::navigation::Finder;
use super::recent::RecentMessages;
use super::remembered::Remembered;
use super::settings::PlainSettings;
use super::unread::UnreadMessages;
use crate::client::connect::session::{Session, SessionError};
use crate::client::files::state_file::StateFile;
use crate::client::input;
use crate::client::input::confirm::Confirmation;
use crate::client::input::execute::{Client, execute};
use crate::client::input::held_redactions::HeldRedactions;
use crate::client::input::query::SearchQuery;
use crate::client::input::transfers::Transfers;
use crate::client::model::{Conversation, MUTED_KEY, Ticket};
use crate::client::plain::output::{PlainOutput, current_time};
use crate::client::text::clean::clean;
use crate::client::text::count::counted;
use crate::client::transfer::jobs::TransferJobs;
use crate::wire::{Cap, Nick};

/// Error that ends the plain chat.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// The session has ended.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Standard input cannot be read.
    #[error("cannot read the input: {0}")]
    Input(io::Error),
    /// Standard output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// Some lines from a pipe failed; each failure was noted.
    #[error("{} of input failed, see above", counted(.0, "line"))]
    Failed(usize),
    /// The plain chat was stopped while messages were unconfirmed.
    #[error("stopped with {} unconfirmed, which may or may not have been delivered", counted(.0, "message"))]
    Unconfirmed(usize),
    /// The plain chat was stopped while messages were unconfirmed, which the next run sends.
    #[error("stopped with {} unconfirmed, to go out when you start `parlour chat` again", counted(.0, "message"))]
    Kept(usize),
}

/// Limit of unconfirmed messages of a program, above which no input is read. Enough to keep the connection busy, and
/// bounds the memory while it is down. What a user types is read always, because it may be `/cancel`.
const MAX_UNCONFIRMED: usize = 64;

/// Limit of messages of a user that wait to be sent, above which they can only be cancelled. Bounds the memory.
const MAX_WAITING: usize = 1_000;

/// Limit of the results of a search.
const MAX_RESULTS: usize = 50;

/// Plain chat on one session.
pub struct PlainChat<T, N> {
    pub(super) session: Session,
    pub(super) output: PlainOutput<T, N>,
    /// The user types. Otherwise a program does, which cannot react and is done at the end of its input.
    pub(super) interactive: bool,
    conversation: Option<Conversation>,
    recent: RecentMessages,
    /// Messages that the server replays before the login is complete.
    unread: UnreadMessages,
    /// Date of the last line that was shown.
    last_date: Date,
    ready: bool,
    ending: Ending,
    /// Lines that the user typed before the login was complete.
    early_lines: VecDeque<String>,
    final_barrier: FinalBarrier,
    pub(super) failures: usize,
    /// Questions to the user. The next line answers the first of them, which alone was shown.
    pub(super) questions: VecDeque<Confirmation>,
    /// Away message that the user has set; empty for none. It is set again after a reconnection.
    away: String,
    /// Redactions of own messages that can still be undone.
    pub(super) held: HeldRedactions,
    settings: PlainSettings,
    attention: Attention,
    remembered: Remembered,
    finder: Finder,
    transfers: Transfers<Conversation>,
    jobs: TransferJobs,
}

/// The way in which the plain chat ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The user quit, or the input has ended.
    Done,
    Stopped,
}

/// State of the barrier after the last line of a program, whose reply comes behind all others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FinalBarrier {
    NotSent,
    /// Barrier in flight.
    Sent(Ticket),
    Replied,
}

impl<T: Write, N: Write> PlainChat<T, N> {
    /// Creates a plain chat. `interactive` is set if the user types.
    pub fn new(session: Session, output: PlainOutput<T, N>, interactive: bool) -> Self {
        let last_date = Timestamp::now().to_zoned(output.zone.clone()).date();
        Self {
            session,
            output,
            interactive,
            conversation: None,
            recent: RecentMessages::default(),
            unread: UnreadMessages::default(),
            last_date,
            ready: false,
            ending: Ending::None,
            early_lines: VecDeque::new(),
            final_barrier: FinalBarrier::NotSent,
            failures: 0,
            questions: VecDeque::new(),
            away: String::new(),
            held: HeldRedactions::default(),
            settings: PlainSettings::default(),
            attention: Attention::default(),
            remembered: Remembered::default(),
            finder: Finder::default(),
            transfers: Transfers::default(),
            jobs: TransferJobs::default(),
        }
    }

    /// Takes over settings. Changes are saved to their file.
    #[must_use]
    pub fn with_settings(mut self, settings: PlainSettings) -> Self {
        self.settings = settings;
        self.apply_settings();
        self
    }

    /// Takes over the state of the last run, and keeps that of this one in the same file.
    #[must_use]
    pub fn remember_in(mut self, file: StateFile) -> Self {
        let server = self.settings.server.clone();
        let (remembered, problem) = Remembered::load(server, file, current_time());
        if let Some(problem) = problem {
            self.output.write_note(&clean(&problem));
        }
        self.attention.do_not_disturb = remembered.do_not_disturb();
        self.remembered = remembered;
        let unsent = self.remembered.take_unsent();
        if !unsent.is_empty() {
            let messages = counted(unsent.len(), "message");
            self.output.write_note(&format!("sending {messages} of the last run; /cancel stops one"));
        }
        for message in unsent {
            self.session.model.resume_message(message);
        }
        self
    }

    /// Keeps the messages that are not confirmed for the next run.
    fn keep_unsent(&mut self) {
        let messages = self.session.model.messages_to_keep();
        if let Err(error) = self.remembered.keep_unsent(messages, current_time()) {
            self.output.write_note(&clean(&error));
        }
    }

    fn apply_settings(&mut self) {
        self.output.time_format = self.settings.values.time_format.clone();
        self.attention.apply_settings(&self.settings.values);
    }

    /// Runs until `/quit`, the end of the input or `stop`. Waits for the confirmation of all messages, except after
    /// `stop`.
    pub async fn run(
        mut self,
        mut input: Receiver<io::Result<TypedLine>>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), PlainError> {
        let ended = self.run_until_end(&mut input, stop).await;
        self.send_held_redactions();
        self.keep_early_lines();
        if let Err(error) = self.remembered.keep_last(self.conversation.as_ref(), current_time()) {
            self.output.write_note(&clean(&error));
        }
        self.keep_unsent();
        let end = ended?;
        let LeftBehind { kept, lost } = self.left_behind();
        self.session.close(self.ending.quit_message()).await;
        match (end, self.failures) {
            (_, _) if lost > 0 => Err(PlainError::Unconfirmed(lost)),
            (End::Stopped, _) if kept > 0 => Err(PlainError::Kept(kept)),
            (End::Done, failures) if failures > 0 && !self.interactive => Err(PlainError::Failed(failures)),
            (End::Done, _) if kept > 0 => {
                let messages = counted(kept, "message");
                let text =
                    format!("{messages} not confirmed yet, to go out when you start `parlour chat` again");
                self.output.write_note(&text);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn run_until_end(
        &mut self,
        input: &mut Receiver<io::Result<TypedLine>>,
        stop: impl Future<Output = ()>,
    ) -> Result<End, PlainError> {
        let mut stop = pin!(stop);
        let mut input_ended = false;
        loop {
            if self.is_done() {
                return Ok(End::Done);
            }
            // A user can change their mind at any time.
            let takes_input = self.interactive
                || self.ready
                    && self.ending == Ending::None
                    && self.session.model.unconfirmed_count() < MAX_UNCONFIRMED;
            // While there is no connection, its return is the next event.
            let due = self.held.next_due().filter(|_| self.session.model.is_online());
            let wait = due.map(|due| Duration::from_millis(due.0.saturating_sub(current_time().0)));
            tokio::select! {
                () = &mut stop => return Ok(End::Stopped),
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => self.send_due_redactions(),
                update = self.session.next_update() => self.handle_update(update?)?,
                (id, event) = self.jobs.next() => self.handle_transfer(id, event),
                line = input.recv(), if takes_input && !input_ended => if let Some(line) = line {
                    self.handle_typed(line.map_err(PlainError::Input)?);
                } else {
                    input_ended = true;
                    self.end_input();
                },
            }
        }
    }

    fn switch_to(&mut self, target: Conversation) {
        let is_new = self.conversation.as_ref() != Some(&target);
        if self.interactive && is_new {
            let preposition = if matches!(target, Conversation::Direct(_)) { "to" } else { "in" };
            self.output.write_note(&format!("now talking {preposition} {target}"));
        }
        if is_new && self.ready && self.interactive {
            self.note_draft(&target);
            self.session.model.query_metadata(&target, MUTED_KEY);
        }
        self.conversation = Some(target);
    }

    fn handle_typed(&mut self, line: TypedLine) {
        // A user who ends the input within a line has not pressed Enter. The last line of a program needs no end.
        if self.interactive && !line.is_finished {
            self.keep_unfinished_line(line.text);
        } else if self.interactive && !self.ready {
            self.handle_early_line(line.text);
        } else {
            self.handle_line(&line.text);
        }
    }

    fn handle_line(&mut self, line: &str) {
        if self.answer_question(line) {
            return;
        }
        let open = self.questions.len();
        let parsed = input::parse_line(line);
        let done = parsed.and_then(|input| {
            execute(input.clone(), self)?;
            self.note_screen_setting(&input);
            Ok(())
        });
        // What asks too waits behind the open question. Anything else is an answer to it: no.
        if self.questions.len() == open {
            self.cancel_question();
        }
        if let Err(error) = done {
            self.failures += 1;
            self.output.write_note(&clean(&error));
        }
    }

    fn note_if_offline(&mut self) {
        if !self.session.model.is_online() {
            let text = "not connected: the message will be sent after the reconnect; /cancel keeps it back";
            self.output.write_note(text);
            self.keep_unsent();
        }
    }

    /// Refuses a further message while too many wait.
    pub(super) fn check_waiting(&self) -> Result<(), String> {
        match self.session.model.waiting_count() {
            ..MAX_WAITING => Ok(()),
            count => Err(format!(
                "not sent: {count} messages wait already; /cancel all cancels those of this conversation"
            )),
        }
    }

    /// Leaves the conversation with an account that does not exist, unless something was said there before. There is no
    /// current conversation then, because the next line may be meant for that account.
    pub(super) fn leave_missing(&mut self, account: &Nick) {
        let is_left = self.conversation.take_if(|current| {
            matches!(current, Conversation::Direct(with) if with == account)
                && self.recent.find_latest(current).is_none()
        });
        if is_left.is_some() && self.interactive {
            let back = self.session.model.channels().next();
            let back =
                back.map_or_else(|| "/join #CHANNEL".to_owned(), |(name, _)| format!("/channel {name}"));
            self.output.write_note(&clean(&format!("no current conversation: {back} or /query NAME")));
        }
    }

    /// Returns the current conversation.
    fn current_conversation(&self) -> Result<Conversation, &'static str> {
        self.conversation.clone().ok_or(Self::NO_CONVERSATION)
    }

    /// Returns the current conversation, and the id of the last message of another account there.
    fn last_foreign_message(&self) -> Result<(Conversation, String), &'static str> {
        let target = self.current_conversation()?;
        let last = self.recent.find_last(&target, false);
        let id = last.map(|brief| brief.id.clone()).ok_or("no recent message of others here")?;
        Ok((target, id))
    }

    fn search(&mut self, terms: &str) -> Result<(), String> {
        let model = &mut self.session.model;
        let SearchQuery { terms, conversation, from } = SearchQuery::parse(terms);
        if terms.is_empty() {
            return Err("/search needs search terms".to_owned());
        }
        if model.is_online() && !model.has_cap(Cap::Search) {
            return Err("this server does not support search".to_owned());
        }
        let ticket = model.query_search(&terms, conversation.as_ref(), from.as_deref(), MAX_RESULTS);
        ticket.map(drop).map_err(|offline| offline.to_string())
    }
}

#[cfg(test)]
mod tests;
