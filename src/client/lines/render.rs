//! Rendering of events as lines of text, safe for any terminal.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::recent::Recent;
use crate::client::clean::clean;
use crate::client::model::{Event, Kind, Said};
use crate::client::secret::shown;
use crate::wire::Millis;

/// Rendered line, with its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// Line of a conversation, for standard output.
    Talk(String),
    /// Note of the program, for standard error.
    Note(String),
}

/// Renders an event as a line without its end; `None` for one that is not shown. A reply or reaction quotes the message
/// that it refers to, as far as `recent` has it.
pub fn text(event: &Event, recent: &Recent, zone: &TimeZone) -> Option<Rendered> {
    let talk = |time: Millis, place: &str, text: String| {
        Some(Rendered::Talk(clean(&format!("[{}] {place} {text}", clock(time, zone)))))
    };
    // These events have no time stamp.
    let plainly =
        |place: &str, text: &str| Some(Rendered::Talk(clean(&format!("        {place} -- {text}"))));
    let note = |text: String| Some(Rendered::Note(clean(&text)));
    match event {
        Event::Said(said) => {
            let reply = said.reply.as_deref().map(|id| recent.words(&said.place, id));
            talk(said.time, said.place.as_str(), words(said, reply))
        }
        Event::Reaction { place, msgid, from, emoji, off, .. } => {
            let words = recent.words(place, msgid);
            let text = if *off {
                format!("{from} removes the reaction {emoji} from {words}")
            } else {
                format!("{from} reacts with {emoji} to {words}")
            };
            plainly(place.as_str(), &text)
        }
        Event::Redacted { place, msgid, by, reason } => {
            let words = recent.words(place, msgid);
            plainly(place.as_str(), &format!("{by} took back {words}{}", in_brackets(reason)))
        }
        Event::Joined { channel, who, me, time } => {
            let who = if *me { "you" } else { who.as_str() };
            talk(*time, channel.as_str(), format!("-- {who} joined"))
        }
        Event::Left { channel, who, me, by, reason, time } => {
            let did = match (me, by) {
                (true, None) => "you left".to_owned(),
                (true, Some(by)) => format!("you were kicked by {by}"),
                (false, None) => format!("{who} left"),
                (false, Some(by)) => format!("{who} was kicked by {by}"),
            };
            talk(*time, channel.as_str(), format!("-- {did}{}", in_brackets(reason)))
        }
        Event::Quit { who, reason, time, .. } => {
            talk(*time, "--", format!("{who} quit{}", in_brackets(reason)))
        }
        Event::Topic { channel, by, text, time } => talk(
            *time,
            channel.as_str(),
            match (by, text.as_str()) {
                (Some(by), "") => format!("-- {by} cleared the topic"),
                (Some(by), text) => format!("-- {by} set the topic: {text}"),
                (None, "") => "-- no topic is set".to_owned(),
                (None, text) => format!("-- topic: {text}"),
            },
        ),
        Event::Names { channel, names } => {
            plainly(channel.as_str(), &format!("{} here: {}", names.len(), names.join(" ")))
        }
        Event::Dropped { channel } => note(format!("you left {channel} from another session")),
        Event::Failed { target, reason, .. } => note(format!("not delivered to {target}: {reason}")),
        Event::JoinFailed { channel, reason } => note(format!("cannot join {channel}: {reason}")),
        Event::Info(text) | Event::Error(text) => note(text.clone()),
        Event::Renamed { from, to, by, time } => {
            talk(*time, from.as_str(), format!("-- {by} renamed the channel to {to}"))
        }
        Event::Mode { channel, by, text, time } => {
            talk(*time, channel.as_str(), format!("-- {by} set mode {text}"))
        }
        Event::Invited { channel, by } => note(format!("{by} invites you to {channel}: /join {channel}")),
        // The other events are for the full-screen client.
        _ => None,
    }
}

/// Returns the date of an event that is rendered with its time; `None` for other events.
pub fn day(event: &Event, zone: &TimeZone) -> Option<Date> {
    let (Event::Joined { time, .. }
    | Event::Left { time, .. }
    | Event::Quit { time, .. }
    | Event::Topic { time, by: Some(_), .. }
    | Event::Renamed { time, .. }
    | Event::Mode { time, .. }
    | Event::Said(Said { time, .. })) = event
    else {
        return None;
    };
    Some(local(*time, zone).date())
}

/// Renders a search result, with its date.
pub fn found(said: &Said, zone: &TimeZone) -> String {
    let time = local(said.time, zone).strftime("%Y-%m-%d %H:%M");
    clean(&format!("[{time}] {} {}", said.place, words(said, None)))
}

/// Renders sender and text, with a quote for a reply.
fn words(said: &Said, reply: Option<&str>) -> String {
    let (from, text) = (&said.from, shown(said));
    let reply = reply.map(|to| format!("(to {to}) ")).unwrap_or_default();
    match said.kind {
        Kind::Text => format!("<{from}> {reply}{text}"),
        Kind::Notice => format!("-{from}- {reply}{text}"),
        Kind::Action => format!("* {from} {reply}{text}"),
    }
}

fn in_brackets(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

/// Formats hours and minutes in the user's time zone.
fn clock(time: Millis, zone: &TimeZone) -> String {
    local(time, zone).strftime("%H:%M").to_string()
}

fn local(time: Millis, zone: &TimeZone) -> Zoned {
    let time = i64::try_from(time.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::clean::acts;
    use crate::client::model::{Said, Target, Ticket};
    use crate::wire::{ChannelName, Nick};
    use proptest::prelude::*;

    const TIME: Millis = Millis(1_700_000_000_007);

    fn nick(name: &str) -> Nick {
        Nick::parse(name).expect(name)
    }

    fn lobby() -> ChannelName {
        ChannelName::parse("#lobby").expect("a channel")
    }

    fn said(kind: Kind, text: &str) -> Event {
        let (place, from) = (Target::Channel(lobby()), nick("bob"));
        let msgid = Some("0a".to_owned());
        Event::Said(Said {
            place,
            from,
            mine: false,
            kind,
            text: text.into(),
            time: TIME,
            msgid,
            reply: None,
            ticket: None,
        })
    }

    fn answer(to: &str) -> Event {
        let Event::Said(mut said) = said(Kind::Text, "yes") else { panic!("it is one") };
        said.reply = Some(to.to_owned());
        Event::Said(said)
    }

    fn reaction(off: bool) -> Event {
        let (msgid, emoji) = ("0a".to_owned(), "👍".to_owned());
        Event::Reaction { place: Target::Channel(lobby()), msgid, from: nick("bob"), mine: false, emoji, off }
    }

    fn redacted(reason: &str) -> Event {
        let (msgid, by, reason) = ("0a".to_owned(), "bob".to_owned(), reason.to_owned());
        Event::Redacted { place: Target::Channel(lobby()), msgid, by, reason }
    }

    fn quit(reason: &str) -> Event {
        Event::Quit { who: nick("bob"), channels: vec![lobby()], reason: reason.into(), time: TIME }
    }

    fn left(by: Option<&str>, reason: &str) -> Event {
        let by = by.map(str::to_owned);
        Event::Left { channel: lobby(), who: nick("bob"), me: false, by, reason: reason.into(), time: TIME }
    }

    fn topic(by: Option<&str>, text: &str) -> Event {
        Event::Topic { channel: lobby(), by: by.map(str::to_owned), text: text.into(), time: TIME }
    }

    #[test]
    fn masks_passwords_to_services() {
        let to = |place: &str| {
            let place = Target::parse(place).expect("a place");
            let (text_, time) = ("PASSWD old new".to_owned(), TIME);
            let said = Said {
                place,
                from: nick("bob"),
                mine: true,
                kind: Kind::Text,
                text: text_,
                time,
                msgid: None,
                reply: None,
                ticket: None,
            };
            text(&Event::Said(said), &Recent::default(), &TimeZone::UTC)
        };
        let line = |text: &str| Some(Rendered::Talk(format!("[22:13] {text}")));
        assert_eq!(to("NickServ"), line("NickServ <bob> PASSWD •••• ••••"));
        assert_eq!(to("#lobby"), line("#lobby <bob> PASSWD old new"));
    }

    #[test]
    fn renders_each_event() {
        let mut recent = Recent::default();
        let Event::Said(first) = said(Kind::Text, "shall we?") else { panic!("it is one") };
        recent.add(&first);
        let talk = |event: Event| match text(&event, &recent, &TimeZone::UTC) {
            Some(Rendered::Talk(line)) => line,
            other => panic!("{other:?}"),
        };
        let joined = |me| Event::Joined { channel: lobby(), who: nick("bob"), me, time: TIME };
        for (event, expected) in [
            (said(Kind::Text, "hi\u{1b}[2J you"), "[22:13] #lobby <bob> hi you"),
            (said(Kind::Notice, "hi"), "[22:13] #lobby -bob- hi"),
            (said(Kind::Action, "waves"), "[22:13] #lobby * bob waves"),
            (answer("0a"), "[22:13] #lobby <bob> (to bob: “shall we?”) yes"),
            (answer("0b"), "[22:13] #lobby <bob> (to an earlier message) yes"),
            (reaction(false), "        #lobby -- bob reacts with 👍 to bob: “shall we?”"),
            (reaction(true), "        #lobby -- bob removes the reaction 👍 from bob: “shall we?”"),
            (redacted("oops"), "        #lobby -- bob took back bob: “shall we?” (oops)"),
            (joined(false), "[22:13] #lobby -- bob joined"),
            (joined(true), "[22:13] #lobby -- you joined"),
            (left(None, "lunch"), "[22:13] #lobby -- bob left (lunch)"),
            (left(Some("carol"), ""), "[22:13] #lobby -- bob was kicked by carol"),
            (quit("gone"), "[22:13] -- bob quit (gone)"),
            (topic(Some("bob"), "x"), "[22:13] #lobby -- bob set the topic: x"),
            (topic(Some("bob"), ""), "[22:13] #lobby -- bob cleared the topic"),
            (topic(None, "x"), "[22:13] #lobby -- topic: x"),
            (topic(None, ""), "[22:13] #lobby -- no topic is set"),
            (
                Event::Names { channel: lobby(), names: vec!["@al".into(), "bob".into()] },
                "        #lobby -- 2 here: @al bob",
            ),
        ] {
            assert_eq!(talk(event), expected);
        }
        let tokyo = TimeZone::fixed(jiff::tz::offset(9));
        assert!(
            matches!(text(&said(Kind::Text, "x"), &recent, &tokyo), Some(Rendered::Talk(line)) if line.starts_with("[07:13]"))
        );
        let date = jiff::civil::date;
        assert_eq!(day(&said(Kind::Text, "x"), &tokyo), Some(date(2023, 11, 15)));
        assert_eq!(day(&quit("x"), &TimeZone::UTC), Some(date(2023, 11, 14)));
        assert_eq!(day(&topic(None, "of long ago"), &TimeZone::UTC), None);
        assert_eq!(found(&first, &tokyo), "[2023-11-15 07:13] #lobby <bob> shall we?");
    }

    proptest! {
        #[test]
        fn rendered_text_has_no_terminal_control(foreign in "(\u{1b}[\\[\\]P]?|\u{9b}|[\0-\u{ff}]|\u{202e}|\\PC){0,40}") {
            let mut recent = Recent::default();
            if let Event::Said(said) = said(Kind::Text, &foreign) {
                recent.add(&said);
                prop_assert!(!found(&said, &TimeZone::UTC).chars().any(acts));
            }
            for event in [
                said(Kind::Text, &foreign), said(Kind::Notice, &foreign), said(Kind::Action, &foreign),
                left(Some(&foreign), &foreign), quit(&foreign),
                topic(Some(&foreign), &foreign), topic(None, &foreign),
                Event::Names { channel: lobby(), names: vec![foreign.clone()] },
                Event::Failed { ticket: Ticket(1), target: Target::Channel(lobby()), reason: foreign.clone() },
                Event::JoinFailed { channel: lobby(), reason: foreign.clone() },
                Event::Info(foreign.clone()), Event::Error(foreign.clone()),
                answer("0a"), redacted(&foreign),
            ] {
                let Some(Rendered::Talk(line) | Rendered::Note(line)) = text(&event, &recent, &TimeZone::UTC) else {
                    panic!("nothing shown");
                };
                prop_assert!(!line.chars().any(acts), "{line:?}");
            }
        }
    }
}
