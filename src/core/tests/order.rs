//! Moderation: admission to channels, permission to speak, and the remains of a channel.

use super::driver::Driver;
use crate::core::effects::ask::Ask;
use crate::core::record::AccountId;

#[test]
fn invite_below_half_op_grants_no_entry() {
    let mut d = Driver::new();
    let (al, bo, cy) = (d.open("al", ""), d.open("bo", ""), d.open("cy", ""));
    d.say(al, "JOIN #a");
    d.say(cy, "JOIN #a");
    d.say(al, "MODE #a +kl key 9");
    d.say(al, "MODE #a +v cy");
    d.change("cy", crate::core::request::admin::UserChange::Role(crate::core::record::Role::Member));
    assert!(d.say(cy, "INVITE bo #a").contains(" 341 cy bo #a"), "telling of it is for everybody");
    assert!(d.say(bo, "JOIN #a").contains(" 475 bo #a "), "and opens nothing");
    d.say(al, "INVITE bo #a");
    d.say(al, "MODE #a +b a:bo");
    assert!(d.say(bo, "JOIN #a").contains(" 474 bo #a "), "a ban is a ban");
    d.say(al, "MODE #a -b a:bo");
    assert!(d.say(bo, "JOIN #a").contains("JOIN #a\r\n"), "the invitation stands in for the key");
}

#[test]
fn silenced_member_cannot_speak_by_other_commands() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", "batch draft/multiline"));
    for session in [al, bo] {
        d.say(session, "JOIN #a");
    }
    d.got(al);
    d.say(al, "MODE #a +C");
    for text in ["\u{1}VERSION\u{1}", "\u{1}ACTIONS\u{1}"] {
        assert!(d.say(bo, &format!("PRIVMSG #a :{text}")).contains(" 404 "), "{text:?}");
    }
    let several = super::modern::say(
        &mut d,
        bo,
        &[
            "BATCH +1 draft/multiline #a",
            "@batch=1 PRIVMSG #a :hello",
            "@batch=1 PRIVMSG #a :\u{1}VERSION\u{1}",
            "BATCH -1",
        ],
    );
    assert!(several.contains(" 404 "), "{several}");
    d.got(al);
    d.say(bo, "PRIVMSG #a :\u{1}ACTION waves\u{1}");
    assert!(d.got(al).contains("ACTION waves"));
    d.say(al, "MODE #a +b m:a:bo");
    d.say(bo, "PART #a :the last word");
    assert!(d.got(al).ends_with(":bo!bo@parlour PART #a\r\n"));
}

#[test]
fn search_excludes_messages_after_its_command() {
    let mut d = Driver::new();
    let al = d.open("al", "batch soju.im/search");
    d.say(al, "JOIN #a");
    d.say(al, "PRIVMSG #a :before");
    let last = d.last_message();
    d.say(al, "SEARCH text=before");
    d.say(al, "PRIVMSG #a :after");
    let Some((_, Ask::Search { search, up_to, .. })) = d.asked.last() else { panic!("{:?}", d.asked) };
    assert_eq!((search.window.before.previous(), *up_to), (last, last));
}

#[test]
fn removed_channel_leaves_no_markers_or_metadata() {
    let mut d = Driver::new();
    let al = d.open("al", "draft/read-marker draft/metadata-3");
    for n in 0..3 {
        d.say(al, &format!("JOIN #gone{n}"));
        d.say(al, &format!("METADATA #gone{n} SET soju.im/pinned 1"));
        d.say(al, &format!("MARKREAD #gone{n} timestamp=2020-01-01T00:00:00.000Z"));
        d.say(al, &format!("PART #gone{n}"));
    }
    let me = d.chat.people.get(AccountId(16)).expect("al");
    assert!(me.markers.is_empty() && me.private.is_empty());
}

#[test]
fn channel_quota_counts_created_channels_after_part() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    for n in 0..250 {
        d.say(al, &format!("JOIN #made{n}"));
        d.say(al, &format!("PRIVMSG #made{n} :it stays"));
        d.say(al, &format!("PART #made{n}"));
    }
    assert!(d.say(al, "JOIN #one-more").contains(" 405 al #one-more "));
    assert!(d.say(al, "JOIN #made7").contains("JOIN #made7"), "those that are there are open");
}

#[test]
fn send_id_applies_to_unstored_messages() {
    let mut d = Driver::new();
    let al = d.open("al", "echo-message message-tags parlour/send-id");
    let bo = d.open("bo", "message-tags");
    for session in [al, bo] {
        d.say(session, "JOIN #s");
    }
    d.say(al, "MODE #s +o bo");
    for (n, line) in ["PRIVMSG @#s :ops", "TAGMSG #s", "TAGMSG bo"].into_iter().enumerate() {
        let line = format!("@+typing=active;parlour/send-id=u{n} {line}");
        d.got(bo);
        let first = d.say(al, &line);
        assert!(!d.got(bo).is_empty(), "{line}");
        assert_eq!((d.say(al, &line), d.got(bo)), (first, String::new()), "{line}");
    }
    assert!(d.say(al, "@parlour/send-id=u0 PRIVMSG %#s :ops").contains("INVALID_SEND_ID"));
}

#[test]
fn send_id_cannot_be_reused_for_another_message() {
    let mut d = Driver::new();
    let al = d.open("al", "echo-message message-tags parlour/send-id");
    let first = d.say(al, "@parlour/send-id=1 PRIVMSG bo :real");
    assert!(first.ends_with("PRIVMSG bo :real\r\n"));
    assert_eq!(d.say(al, "@parlour/send-id=1 PRIVMSG bo :real"), first, "sent again");
    for other in ["PRIVMSG cy :real", "PRIVMSG bo :other", "NOTICE bo :real"] {
        let answer = d.say(al, &format!("@parlour/send-id=1 {other}"));
        assert!(answer.contains(" INVALID_SEND_ID :This send id was used"), "{answer}");
    }
    assert_eq!(d.records.len(), 1);
}
