//! The server's time, which the messages have, whatever the clock of this machine says.

use super::time_argument::TimeArgument;
use super::{AwaitedKind, MAX_LINES, Script, Step, endless_result_error};
use crate::client::model::Event;
use crate::client::model::event::ServerEvent;
use crate::wire::Timestamp;

impl Script {
    /// Converts arguments to time stamps. Those that name how long ago count from the server's time, and a time of day is
    /// one of its today.
    pub async fn time_stamps<const N: usize>(
        &mut self,
        arguments: [Option<TimeArgument>; N],
    ) -> anyhow::Result<[Option<Timestamp>; N]> {
        let now = if arguments.iter().flatten().any(|argument| argument.is_relative()) {
            self.server_time().await?
        } else {
            Timestamp::default()
        };
        Ok(arguments.map(|argument| argument.map(|argument| argument.to_time_stamp(now))))
    }

    /// Queries the server's time (TIME), or returns this machine's where the server does not tell. Other steps that
    /// arrive meanwhile stay for [`next`](Self::next).
    async fn server_time(&mut self) -> anyhow::Result<Timestamp> {
        let mut open_query = None;
        let mut others = Vec::new();
        let time = loop {
            if open_query.is_none() && self.session.model.is_online() {
                let query = self.session.model.query(|line| line, "TIME")?;
                open_query = Some((query, self.session.model.send_barrier()?));
                if self.ready {
                    self.await_reply(AwaitedKind::QueryResult(query, "TIME"));
                }
            }
            match self.next().await? {
                Step::Line(line) if open_query.is_some() => match line.event {
                    ServerEvent::Reply(ref reply) if let Some(time) = reply.server_time() => break time,
                    _ => others.push(Step::Line(line)),
                },
                Step::Event(Event::QueryFailed { ticket, .. })
                    if open_query.is_some_and(|(query, _)| query == ticket) => {}
                // The barrier was sent after the query, so the time would have arrived.
                Step::Event(Event::Barrier(ticket))
                    if open_query.is_some_and(|(_, barrier)| barrier == ticket) =>
                {
                    break local_time();
                }
                Step::Down => {
                    open_query = None;
                    others.push(Step::Down);
                }
                step => others.push(step),
            }
            if others.len() > MAX_LINES {
                return Err(endless_result_error());
            }
        };
        self.awaited_reply.take_if(|awaited| matches!(awaited.kind, AwaitedKind::QueryResult(..)));
        self.earlier_steps.extend(others);
        Ok(time)
    }
}

fn local_time() -> Timestamp {
    Timestamp(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0))
}
