//! SEARCH ([draft/search](https://github.com/ircv3/ircv3-specifications/pull/496) and its first form,
//! [soju.im/search](https://codeberg.org/emersion/soju/src/branch/master/doc/ext/search.md)): searches the account's
//! channels and direct conversations by words, conversation, sender and time.

use crate::core::commands::{Command, Spec, need_more_params};
use crate::core::effects::history::{Search, Window};
use crate::core::effects::query::{Query, SearchQuery};
use crate::core::request::target::Target;
use crate::core::settings::Settings;
use crate::core::state::context::Context;
use crate::wire::ids::MessageTimes;
use crate::wire::{Cap, Message, MessageId, Nick, Reply, Tags, Timestamp};

/// The SEARCH command: queries the search index.
pub const SPEC: Spec = Spec { name: "SEARCH", min_params: 0, parse };

/// Default for the maximum number of messages.
const DEFAULT_LIMIT: usize = 100;

/// Maximum number of characters of a search text: a long link still fits. Each costs a scan of an index list.
pub const MAX_CHARACTERS: usize = 300;

/// Maximum number of words of a search text.
pub const MAX_WORDS: usize = 32;

/// A parsed SEARCH.
#[derive(Debug)]
pub struct SearchMessages {
    conversation: Option<Target>,
    from: Option<Box<str>>,
    text: Option<Box<str>>,
    span: TimeSpan,
    window: Window,
}

/// A span of time that may be open at either end.
#[derive(Clone, Copy, Debug)]
struct TimeSpan {
    /// First point in time of the span.
    after: Option<Timestamp>,
    /// Last point in time of the span.
    before: Option<Timestamp>,
}

fn invalid_params(attribute: &str, text: &str) -> Reply {
    Reply::fail("SEARCH", "INVALID_PARAMS").arg(attribute).text(text)
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    // A SEARCH without attributes matches every message.
    let attributes = Tags(message.param(0).ok_or_else(|| need_more_params("SEARCH"))?);
    if let Some((key, _)) =
        attributes.iter().find(|(key, _)| !["in", "from", "after", "before", "text", "limit"].contains(key))
    {
        return Err(invalid_params(key, "Unknown search attribute"));
    }
    let time = |key: &str| match attributes.get(key) {
        None => Ok(None),
        Some(text) => {
            Timestamp::parse(&text).map(Some).ok_or_else(|| invalid_params(key, "Invalid time stamp"))
        }
    };
    let span = TimeSpan { after: time("after")?, before: time("before")? };
    let limit = match attributes.get("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text.parse().map_err(|_| invalid_params("limit", "Invalid number"))?,
    };
    let text = attributes.get("text");
    if let Some(text) = &text {
        if text.chars().count() > MAX_CHARACTERS || text.split_whitespace().count() > MAX_WORDS {
            let error_text =
                format!("At most {MAX_CHARACTERS} characters and {MAX_WORDS} words can be searched for");
            return Err(invalid_params("text", &error_text));
        }
        if text.trim().is_empty() {
            return Err(invalid_params("text", "The search text is empty"));
        }
    }
    let window = window_of_span(span, limit, &MessageTimes::default());
    Ok(Command::SearchMessages(SearchMessages {
        conversation: attributes.get("in").map(|name| Target::parse(&name)),
        from: attributes.get("from").map(|name| name.as_ref().into()),
        text: text.map(|text| text.as_ref().into()),
        span,
        window,
    }))
}

/// Returns the window of a time span, both ends included.
fn window_of_span(TimeSpan { after, before }: TimeSpan, limit: usize, times: &MessageTimes) -> Window {
    Window {
        after: after.map(|time| times.first_at(time).predecessor()).unwrap_or_default(),
        before: before.map_or(MessageId::LAST, |time| times.first_at(Timestamp(time.0.saturating_add(1)))),
        newest: after.is_none(),
        limit: std::cmp::min(limit, Settings::MAX_HISTORY_MESSAGES),
    }
}

impl SearchMessages {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if !cx.sender.caps.has_any(&[Cap::Search, Cap::SearchDraft]) {
            let reply = Reply::fail("SEARCH", "NEED_CAPABILITY");
            return cx.reply(reply.text("Request the capability draft/search first"));
        }
        let conversation = match &self.conversation {
            None => None,
            Some(target) => match cx.resolve_conversation(target) {
                Some((conversation, _)) => Some(conversation),
                None => {
                    return cx.reply(invalid_params("in", "No such channel or account that you can search"));
                }
            },
        };
        let from = match &self.from {
            None => None,
            Some(name) => {
                match Nick::parse(name).ok().and_then(|nick| cx.core.accounts.get_enabled_by_name(&nick)) {
                    Some(account_state) => Some(account_state.account.id),
                    None => return cx.reply(invalid_params("from", "No such account")),
                }
            }
        };
        // Later messages are delivered live, to the sessions that may see them.
        let now = cx.core.last_message.next(Timestamp(0));
        let window = window_of_span(self.span, self.window.limit, &cx.core.times);
        let window = Window { before: window.before.min(now), ..window };
        let ids = cx.sender_account().map(|me| me.channels.clone()).unwrap_or_default();
        let named = |id| Some((id, cx.core.channels.get(id)?.name.clone()));
        let search = Search {
            account: cx.sender.account,
            includes_direct: true,
            channels: ids.into_iter().filter_map(named).collect(),
            conversation,
            from,
            text: self.text.map(Into::into),
            window,
        };
        let reader = cx.reader();
        cx.query(Query::Search(SearchQuery { reader, search }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(line: &str) -> Result<SearchMessages, String> {
        match parse(&Message::parse(line).expect(line)) {
            Ok(Command::SearchMessages(find)) => Ok(find),
            Ok(other) => panic!("{other:?}"),
            Err(reply) => Err(reply.render("s", "al")),
        }
    }

    #[test]
    fn search_attributes_parse_as_tags() {
        let found =
            find("SEARCH :in=#a;text=two\\swords;after=1970-01-01T00:00:01.000Z;limit=5").expect("good");
        assert_eq!((found.text.as_deref(), found.window.limit), (Some("two words"), 5));
        assert_eq!(found.window.after.next(Timestamp(0)), MessageId::first_at(Timestamp(1000)));
        assert!(!found.window.newest && matches!(found.conversation, Some(Target::Channel(_))));
        let found = find("SEARCH before=1970-01-01T00:00:01.000Z").expect("good");
        assert_eq!(found.window.before, MessageId::first_at(Timestamp(1001)));
        assert!(found.window.newest && found.window.limit == DEFAULT_LIMIT);
        assert!(find("SEARCH after=noon").expect_err("no time").contains("INVALID_PARAMS after"));
        assert!(find("SEARCH limit=many").expect_err("no number").contains("INVALID_PARAMS limit"));
        for text in ["", "\\s\\s", &"a\\s".repeat(33), &"x".repeat(301)] {
            let refused = find(&format!("SEARCH text={text}")).expect_err("nothing, or too much");
            assert!(refused.contains("INVALID_PARAMS text"), "{refused}");
        }
        assert!(find(&format!("SEARCH text={}", "会".repeat(300))).is_ok());
        assert!(find("SEARCH colour=red").expect_err("unknown").contains("INVALID_PARAMS colour"));
    }
}
