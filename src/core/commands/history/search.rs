//! SEARCH ([draft/search](https://github.com/ircv3/ircv3-specifications/pull/496) and its first form,
//! [soju.im/search](https://codeberg.org/emersion/soju/src/branch/master/doc/ext/search.md)): searches the account's
//! channels and direct conversations by words, conversation, sender and time.

use crate::core::commands::{Command, Spec, need_more};
use crate::core::effects::ask::Ask;
use crate::core::effects::history::{Search, Window};
use crate::core::request::settings::Settings;
use crate::core::state::context::Context;
use crate::core::target::Target;
use crate::wire::ids::Times;
use crate::wire::{Cap, Message, MessageId, Millis, Nick, Reply, Tags};

/// The SEARCH command: queries the search index.
pub const SPEC: Spec = Spec { name: "SEARCH", least: 0, parse };

/// Default for the maximum number of messages.
const USUAL: usize = 100;

/// Maximum number of characters of a search text: a long link still fits. Each costs a scan of an index list.
const MOST_CHARACTERS: usize = 300;

/// Maximum number of words of a search text.
const MOST_WORDS: usize = 32;

/// A parsed SEARCH.
#[derive(Debug)]
pub struct Find {
    place: Option<Target>,
    from: Option<Box<str>>,
    text: Option<Box<str>>,
    /// Time span, `after` and `before`, both inclusive.
    span: (Option<Millis>, Option<Millis>),
    window: Window,
}

fn invalid(what: &str, text: &str) -> Reply {
    Reply::fail("SEARCH", "INVALID_PARAMS").arg(what).text(text)
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    // A SEARCH without attributes matches every message.
    let attributes = Tags(message.param(0).ok_or_else(|| need_more("SEARCH"))?);
    if let Some((key, _)) =
        attributes.iter().find(|(key, _)| !["in", "from", "after", "before", "text", "limit"].contains(key))
    {
        return Err(invalid(key, "Unknown search attribute"));
    }
    let time = |key: &str| match attributes.get(key) {
        None => Ok(None),
        Some(text) => Millis::parse(&text).map(Some).ok_or_else(|| invalid(key, "Invalid time stamp")),
    };
    let (after, before) = (time("after")?, time("before")?);
    let limit = match attributes.get("limit") {
        None => USUAL,
        Some(text) => text.parse().map_err(|_| invalid("limit", "Invalid number"))?,
    };
    let text = attributes.get("text");
    if let Some(text) = &text {
        if text.chars().count() > MOST_CHARACTERS || text.split_whitespace().count() > MOST_WORDS {
            let most =
                format!("At most {MOST_CHARACTERS} characters and {MOST_WORDS} words can be searched for");
            return Err(invalid("text", &most));
        }
        if text.trim().is_empty() {
            return Err(invalid("text", "The search text is empty"));
        }
    }
    let window = stretch((after, before), limit, &Times::default());
    Ok(Command::Find(Find {
        place: attributes.get("in").map(|name| Target::parse(&name)),
        from: attributes.get("from").map(|name| name.as_ref().into()),
        text: text.map(|text| text.as_ref().into()),
        span: (after, before),
        window,
    }))
}

/// Returns the window of a time span, both ends included.
fn stretch((after, before): (Option<Millis>, Option<Millis>), limit: usize, times: &Times) -> Window {
    Window {
        after: after.map(|time| times.first_at(time).previous()).unwrap_or_default(),
        before: before.map_or(MessageId::LAST, |time| times.first_at(Millis(time.0.saturating_add(1)))),
        newest: after.is_none(),
        limit: std::cmp::min(limit, Settings::HISTORY),
    }
}

impl Find {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if !cx.member.caps.has_any(&[Cap::Search, Cap::SearchDraft]) {
            let reply = Reply::fail("SEARCH", "NEED_CAPABILITY");
            return cx.reply(reply.text("Request the capability draft/search first"));
        }
        let place = match &self.place {
            None => None,
            Some(target) => match cx.place(target) {
                Some((place, _)) => Some(place),
                None => return cx.reply(invalid("in", "No such channel or account that you can search")),
            },
        };
        let from = match &self.from {
            None => None,
            Some(name) => match Nick::parse(name).ok().and_then(|nick| cx.chat.people.named(&nick)) {
                Some(person) => Some(person.account.id),
                None => return cx.reply(invalid("from", "No such account")),
            },
        };
        // Later messages are delivered live, to the sessions that may see them.
        let now = cx.chat.last_message.next(Millis(0));
        let window = stretch(self.span, self.window.limit, &cx.chat.times);
        let window = Window { before: window.before.min(now), ..window };
        let ids = cx.me().map(|me| me.channels.clone()).unwrap_or_default();
        let named = |id| Some((id, cx.chat.channels.get(id)?.name.clone()));
        let search = Search {
            me: cx.member.account,
            channels: ids.into_iter().filter_map(named).collect(),
            place,
            from,
            text: self.text.map(Into::into),
            window,
        };
        let (reader, up_to) = (cx.reader(), cx.chat.last_message);
        cx.ask(Ask::Search { reader, search, up_to });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(line: &str) -> Result<Find, String> {
        match parse(&Message::parse(line).expect(line)) {
            Ok(Command::Find(find)) => Ok(find),
            Ok(other) => panic!("{other:?}"),
            Err(reply) => Err(reply.render("s", "al")),
        }
    }

    #[test]
    fn search_attributes_parse_as_tags() {
        let found =
            find("SEARCH :in=#a;text=two\\swords;after=1970-01-01T00:00:01.000Z;limit=5").expect("good");
        assert_eq!((found.text.as_deref(), found.window.limit), (Some("two words"), 5));
        assert_eq!(found.window.after.next(Millis(0)), MessageId::first_at(Millis(1000)));
        assert!(!found.window.newest && matches!(found.place, Some(Target::Channel(_))));
        let found = find("SEARCH before=1970-01-01T00:00:01.000Z").expect("good");
        assert_eq!(found.window.before, MessageId::first_at(Millis(1001)));
        assert!(found.window.newest && found.window.limit == USUAL);
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
