//! Rendering of events for sessions with different capabilities.

use super::*;
use crate::wire::{Label, Tags};

fn event() -> Event {
    Event {
        source: "al!al@parlour".into(),
        account: Nick::parse("al").ok(),
        bot: false,
        time: Timestamp(1_700_000_000_007),
        id: Some(MessageId::first_at(Timestamp(1))),
        tags: "+draft/react=x".into(),
        kind: EventKind::Message {
            kind: MessageKind::Privmsg,
            target: "#c".into(),
            text: "hi there".into(),
            own_copy: false,
        },
    }
}

fn render(event: &Event, caps: &[Cap], tagging: &Tagging) -> String {
    let mut out = String::new();
    Renderer::default().render(event, CapSet::from_caps(caps), tagging, &mut out);
    out
}

fn label() -> Tagging {
    Tagging::label(Label::in_tags(Tags("label=7")).as_ref())
}

#[test]
fn each_capability_adds_its_tag() {
    let line = ":al!al@parlour PRIVMSG #c :hi there\r\n";
    assert_eq!(render(&event(), &[], &Tagging::None), line);
    assert_eq!(
        render(&event(), &[Cap::ServerTime], &Tagging::None),
        format!("@time=2023-11-14T22:13:20.007Z {line}")
    );
    assert_eq!(
        render(&event(), &[Cap::MessageTags, Cap::AccountTag], &label()),
        format!("@label=7;msgid=0000000000100000;+draft/react=x;account=al {line}")
    );
}

#[test]
fn events_need_their_capability() {
    let own = Event { kind: EventKind::Tagmsg { target: "bob".into(), own_copy: true }, ..event() };
    assert_eq!(render(&own, &[Cap::MessageTags], &Tagging::None), "");
    assert_eq!(render(&own, &[Cap::EchoMessage], &Tagging::None), "");
    assert!(render(&own, &[Cap::EchoMessage, Cap::MessageTags], &Tagging::None).ends_with("TAGMSG bob\r\n"));
}

#[test]
fn multiline_renders_as_batch_or_separate_lines() {
    let text: Arc<str> = "hello\n\nhow is \reveryone?".into();
    let kind = EventKind::Message { kind: MessageKind::Privmsg, target: "#c".into(), text, own_copy: false };
    let event = Event { kind, ..event() };
    let caps = [Cap::MessageTags, Cap::Batch, Cap::Multiline];
    assert_eq!(
        render(&event, &caps, &Tagging::Batch(BatchRef::RESPONSE)),
        "@batch=r;msgid=0000000000100000;+draft/react=x :al!al@parlour BATCH +0000000000100000 draft/multiline #c\r\n\
         @batch=0000000000100000 :al!al@parlour PRIVMSG #c :hello\r\n\
         @batch=0000000000100000 :al!al@parlour PRIVMSG #c :\r\n\
         @batch=0000000000100000 :al!al@parlour PRIVMSG #c :how is \r\n\
         @batch=0000000000100000;draft/multiline-concat :al!al@parlour PRIVMSG #c :everyone?\r\n\
         @batch=r :al!al@parlour BATCH -0000000000100000\r\n"
    );
    assert_eq!(
        render(&event, &[Cap::MessageTags, Cap::AccountTag], &label()),
        "@label=7;msgid=0000000000100000;+draft/react=x;account=al :al!al@parlour PRIVMSG #c :hello\r\n\
         @+draft/react=x;account=al :al!al@parlour PRIVMSG #c :how is \r\n\
         @+draft/react=x;account=al :al!al@parlour PRIVMSG #c :everyone?\r\n"
    );
}

#[test]
fn long_text_is_split_without_long_lines() {
    let text: Arc<str> = "tea and biscuits ".repeat(60).into();
    let kind = |text: &Arc<str>| EventKind::Message {
        kind: MessageKind::Privmsg,
        target: "#c".into(),
        text: text.clone(),
        own_copy: false,
    };
    let long = Event { kind: kind(&text), ..event() };
    for caps in [&[Cap::Multiline][..], &[Cap::SendId]] {
        assert_eq!(render(&long, caps, &Tagging::None), format!(":al!al@parlour PRIVMSG #c :{text}\r\n"));
    }
    let out = render(&long, &[Cap::MessageTags, Cap::Batch], &label());
    let lines: Vec<&str> = out.split_terminator("\r\n").collect();
    let [open, first, second, third, close] = lines[..] else { panic!("{out}") };
    assert_eq!(open, "@label=7 :chat.parlour BATCH +r labeled-response");
    assert_eq!(close, ":chat.parlour BATCH -r");
    let texts = [
        first.strip_prefix("@batch=r;msgid=0000000000100000;+draft/react=x :al!al@parlour PRIVMSG #c :"),
        second.strip_prefix("@batch=r;+draft/react=x :al!al@parlour PRIVMSG #c :"),
        third.strip_prefix("@batch=r;+draft/react=x :al!al@parlour PRIVMSG #c :"),
    ];
    assert_eq!(texts.map(|text| text.expect(&out)).concat(), *text);
    assert_eq!(render(&long, &[], &Tagging::None).matches("PRIVMSG #c :").count(), 3);

    let action = Event { kind: kind(&format!("\u{1}ACTION {text}\u{1}").into()), ..event() };
    let out = render(&action, &[], &Tagging::None);
    let parts = out.split_terminator("\r\n").map(|line| {
        let text = line.strip_prefix(":al!al@parlour PRIVMSG #c :\u{1}ACTION ").expect(&out);
        text.strip_suffix('\u{1}').expect(&out)
    });
    assert_eq!(parts.collect::<String>(), *text);
    let other = Event { kind: kind(&format!("\u{1}PING {text}\u{1}").into()), ..event() };
    let out = render(&other, &[], &Tagging::None);
    assert!(out.len() == MAX_LINE_BYTES && out.ends_with("\u{1}\r\n"), "{out:?}");

    let channel = ChannelName::parse("#c").expect("a channel");
    let topic = Event { kind: EventKind::Topic(channel, text), ..event() };
    let out = render(&topic, &[], &Tagging::None);
    assert!(out.len() <= MAX_LINE_BYTES && out.ends_with("\r\n"), "{out:?}");
}

#[test]
fn extended_join_adds_account_and_realname() {
    let channel = ChannelName::parse("#c").expect("a channel");
    let join = Event { id: None, kind: EventKind::Join(channel, "Al B".into()), ..event() };
    assert_eq!(render(&join, &[], &Tagging::None), ":al!al@parlour JOIN #c\r\n");
    assert_eq!(render(&join, &[Cap::ExtendedJoin], &Tagging::None), ":al!al@parlour JOIN #c al :Al B\r\n");
}
