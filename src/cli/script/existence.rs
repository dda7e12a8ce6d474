//! Existence of a channel, as far as this account may know.

use super::{LineQuery, Script, Step};
use crate::cli::exit_code::Exit;
use crate::client::model::Event;
use crate::client::model::event::ServerEvent;
use crate::client::text::clean::clean;
use crate::wire::ChannelName;

impl Script {
    /// Returns whether a channel exists. One that this account may not know of does not. Waits for the login.
    pub async fn has_channel(&mut self, channel: &ChannelName) -> anyhow::Result<bool> {
        let mut open_query: Option<LineQuery> = None;
        loop {
            if self.ready && open_query.is_none() {
                if self.session.model.is_in(channel) {
                    return Ok(true);
                }
                // The query for the modes of a channel, because it has no effect and every server replies to it.
                let query = self.query("MODE", |line| line.arg(channel.as_str()))?;
                open_query = Some(LineQuery { query, barrier: self.session.model.send_barrier()? });
            }
            match self.next().await? {
                Step::Down => open_query = None,
                Step::Event(Event::QueryFailed { ticket, reason, temporary })
                    if open_query.is_some_and(|open| open.query == ticket) =>
                {
                    self.awaited_reply = None;
                    if temporary {
                        let why = clean(&reason);
                        return Err(Exit::Refused
                            .error(format!("the server refused MODE: {why}; try again in a moment")));
                    }
                    return Ok(false);
                }
                // Servers without labels.
                Step::Line(line)
                    if open_query.is_some()
                        && matches!(&line.event, ServerEvent::Error(error) if error.subject() == channel.as_str()) =>
                {
                    self.awaited_reply = None;
                    return Ok(false);
                }
                Step::Event(Event::Barrier(ticket))
                    if open_query.is_some_and(|open| open.barrier == ticket) =>
                {
                    self.awaited_reply = None;
                    return Ok(true);
                }
                _ => {}
            }
        }
    }
}
