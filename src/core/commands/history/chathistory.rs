//! CHATHISTORY ([chathistory](https://ircv3.net/specs/extensions/chathistory)). Members may read the whole history of
//! their channels, and an account that of its direct conversations.

use crate::core::commands::{Command, Spec};
use crate::core::effects::history::{MessageFilter, Window};
use crate::core::effects::query::{self, Query, TargetsQuery};
use crate::core::request::target::Target;
use crate::core::settings::Settings;
use crate::core::state::context::Context;
use crate::wire::ids::MessageTimes;
use crate::wire::{Cap, Message, MessageId, Reply, Timestamp};

/// The CHATHISTORY command: queries the history.
pub const SPEC: Spec = Spec { name: "CHATHISTORY", min_params: 0, parse };

/// A parsed CHATHISTORY.
#[derive(Debug)]
pub struct ChatHistory {
    subcommand: Box<str>,
    query: HistoryQuery,
    /// The parameters, if they hold time stamps: the messages that these select depend on corrections of the clock.
    timed_params: Option<Box<[Box<str>]>>,
}

#[derive(Debug)]
enum HistoryQuery {
    Messages { target: Target, name: Box<str>, windows: Vec<Window> },
    Targets(Window),
}

/// A position in the order of messages: ranges before it end here, and ranges after it begin here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct IdBounds {
    /// The first message that is not before it.
    from: MessageId,
    /// The last message that is not after it.
    to: MessageId,
}

impl IdBounds {
    fn parse(text: &str, times: &MessageTimes) -> Option<Self> {
        if let Some(id) = text.strip_prefix("msgid=") {
            let id = id.parse().ok()?;
            return Some(Self { from: id, to: id });
        }
        Self::at_time(Timestamp::parse(text.strip_prefix("timestamp=")?)?, times)
    }

    fn at_time(time: Timestamp, times: &MessageTimes) -> Option<Self> {
        let next = times.first_at(Timestamp(time.0.checked_add(1)?));
        Some(Self { from: times.first_at(time), to: next.predecessor() })
    }
}

fn chathistory_fail(code: &str, subcommand: &str) -> Reply {
    Reply::fail("CHATHISTORY", code).arg(subcommand)
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let params = message.params();
    let is_timed = params.iter().any(|text| text.starts_with("timestamp="));
    let timed = is_timed.then(|| params.iter().map(|&text| text.into()).collect());
    let (subcommand, query) = parse_params(params, &MessageTimes::default())?;
    Ok(Command::ChatHistory(ChatHistory { subcommand: subcommand.into(), query, timed_params: timed }))
}

/// Parses the parameters into the subcommand and its query.
fn parse_params(params: &[&str], times: &MessageTimes) -> Result<(String, HistoryQuery), Reply> {
    let Some((subcommand, rest)) = params.split_first() else {
        return Err(chathistory_fail("INVALID_PARAMS", "*").text("Insufficient parameters"));
    };
    let subcommand = subcommand.to_ascii_uppercase();
    let invalid = |text: &str| chathistory_fail("INVALID_PARAMS", &subcommand).text(text);
    let (name, first, second) = (param(rest, 0), param(rest, 1), param(rest, 2));
    let point = |text: &str| match IdBounds::parse(text, times) {
        Some(point) => Ok(point),
        None if text.starts_with("msgid=") || text.starts_with("timestamp=") => {
            Err(chathistory_fail("INVALID_PARAMS", &subcommand).arg(text).text("Invalid message reference"))
        }
        None => Err(chathistory_fail("INVALID_MSGREFTYPE", &subcommand)
            .arg(name)
            .arg(text)
            .text("Messages are referred to by msgid= or timestamp=")),
    };
    // TARGETS takes time stamps only.
    let timestamp = |text: &str| match IdBounds::parse(text, times) {
        Some(point) if text.starts_with("timestamp=") => Ok(point),
        _ => Err(chathistory_fail("INVALID_PARAMS", &subcommand).arg(text).text("Invalid timestamp")),
    };
    let points = match subcommand.as_str() {
        "LATEST" | "BEFORE" | "AFTER" | "AROUND" | "TARGETS" => 1,
        "BETWEEN" => 2,
        _ => return Err(invalid("Unknown command")),
    };
    match rest.len().cmp(&(points + 2)) {
        std::cmp::Ordering::Less => return Err(invalid("Insufficient parameters")),
        std::cmp::Ordering::Greater => return Err(invalid("Too many parameters")),
        std::cmp::Ordering::Equal => {}
    }
    let limit: usize = match rest.last().and_then(|text| text.parse().ok()) {
        Some(limit) => std::cmp::min(limit, Settings::MAX_HISTORY_MESSAGES),
        None => return Err(invalid("Invalid limit")),
    };
    let all = Window::latest(limit);
    let windows = match subcommand.as_str() {
        "LATEST" if first == "*" => vec![all],
        "LATEST" => vec![Window { after: point(first)?.to, ..all }],
        "BEFORE" => vec![Window { before: point(first)?.from, ..all }],
        "AFTER" => vec![Window { after: point(first)?.to, newest: false, ..all }],
        "AROUND" => {
            let from = point(first)?.from;
            let older = limit / 2;
            vec![
                Window { before: from, limit: older, ..all },
                Window { after: from.predecessor(), newest: false, limit: limit - older, ..all },
            ]
        }
        "BETWEEN" => vec![window_between(point(first)?, point(second)?, limit)],
        _ => {
            let window = window_between(timestamp(name)?, timestamp(first)?, limit);
            let query = HistoryQuery::Targets(window);
            return Ok((subcommand, query));
        }
    };
    let query = HistoryQuery::Messages { target: Target::parse(name), name: name.into(), windows };
    Ok((subcommand, query))
}

fn param<'a>(params: &[&'a str], index: usize) -> &'a str {
    params.get(index).copied().unwrap_or_default()
}

/// Returns the window between two points, of which the second may be the earlier one. The limit counts from the first.
fn window_between(first: IdBounds, second: IdBounds, limit: usize) -> Window {
    if first.from <= second.from {
        Window { after: first.to, before: second.from, newest: false, limit }
    } else {
        Window { after: second.to, before: first.from, newest: true, limit }
    }
}

impl ChatHistory {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if !cx.sender.caps.has(Cap::Chathistory) {
            let reply = chathistory_fail("NEED_CAPABILITY", &self.subcommand);
            return cx.reply(reply.text("Request the capability draft/chathistory first"));
        }
        let reader = cx.reader();
        let query = match &self.timed_params {
            Some(params) if cx.core.times.has_offsets() => {
                let params: Vec<&str> = params.iter().map(|text| &**text).collect();
                parse_params(&params, &cx.core.times).map_or(self.query, |(_, what)| what)
            }
            _ => self.query,
        };
        match query {
            HistoryQuery::Targets(window) => {
                let ids = cx.sender_account().map(|me| me.channels.clone()).unwrap_or_default();
                let named = |id| Some((id, cx.core.channels.get(id)?.name.clone()));
                let channels = ids.into_iter().filter_map(named).collect();
                cx.query(Query::Targets(TargetsQuery { reader, channels, window }));
            }
            HistoryQuery::Messages { target, name, mut windows } => {
                let Some((conversation, own_name)) = cx.resolve_conversation(&target) else {
                    let reply = chathistory_fail("INVALID_TARGET", &self.subcommand).arg(&*name);
                    return cx.reply(reply.text("Messages could not be retrieved"));
                };
                let kinds = MessageFilter {
                    events: cx.sender.caps.has(Cap::EventPlayback),
                    redactions: cx.sender.caps.has(Cap::MessageRedaction),
                };
                // Later messages are delivered live, after the reply.
                let now = cx.core.last_message.next(Timestamp(0));
                for window in &mut windows {
                    window.before = window.before.min(now);
                }
                let requested = name.into();
                let query =
                    query::HistoryQuery { reader, conversation, requested, target: own_name, windows, kinds };
                cx.query(Query::History(query));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(line: &str) -> Result<Vec<Window>, String> {
        match parse(&Message::parse(line).expect(line)) {
            Ok(Command::ChatHistory(ChatHistory {
                query: HistoryQuery::Messages { windows, .. }, ..
            })) => Ok(windows),
            Ok(Command::ChatHistory(ChatHistory { query: HistoryQuery::Targets(window), .. })) => {
                Ok(vec![window])
            }
            Ok(other) => panic!("{other:?}"),
            Err(reply) => Err(reply.render("s", "al")),
        }
    }

    #[test]
    fn chathistory_bounds_are_exclusive() {
        let time = "timestamp=1970-01-01T00:00:01.000Z";
        let first = MessageId::first_at(Timestamp(1000));
        let after = windows(&format!("CHATHISTORY AFTER #a {time} 10")).expect("good");
        assert_eq!(after[0].after.next(Timestamp(0)), MessageId::first_at(Timestamp(1001)));
        let before = windows(&format!("CHATHISTORY before #a {time} 10")).expect("good");
        assert_eq!((before[0].before, before[0].newest), (first, true));
        let id = windows("CHATHISTORY AROUND #a msgid=000000000000000a 10").expect("good");
        assert_eq!((id[0].limit, id[0].before, id[1].limit), (5, "a".parse().expect("an id"), 5));
        assert_eq!(id[1].after, "9".parse().expect("an id"));
        let back = windows("CHATHISTORY BETWEEN #a msgid=b msgid=a 5000").expect("good");
        assert!(
            back[0].newest
                && back[0].after < back[0].before
                && back[0].limit == Settings::MAX_HISTORY_MESSAGES
        );
    }

    #[test]
    fn invalid_chathistory_parameter_is_named() {
        let error = |line: &str| windows(line).expect_err(line);
        assert!(error("CHATHISTORY").contains("INVALID_PARAMS *"));
        assert!(error("CHATHISTORY SOON #a * 5").contains("INVALID_PARAMS SOON :Unknown command"));
        assert!(error("CHATHISTORY LATEST #a *").contains("Insufficient"));
        assert!(error("CHATHISTORY LATEST #a * 5 6").contains("Too many"));
        assert!(error("CHATHISTORY LATEST #a * x").contains("Invalid limit"));
        assert!(error("CHATHISTORY BEFORE #a timestamp=noon 5").contains("timestamp=noon"));
        assert!(error("CHATHISTORY BEFORE #a id=1 5").contains("INVALID_MSGREFTYPE"));
        assert!(error("CHATHISTORY BEFORE #a msgid=zz 5").contains("INVALID_PARAMS"));
    }
}
