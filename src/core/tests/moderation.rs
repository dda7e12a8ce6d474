//! Moderation: admission to channels, permission to speak, and the remains of a channel.

use super::driver::Driver;
use crate::core::effects::query::{Query, SearchQuery};
use crate::core::record::AccountId;

#[test]
fn invite_below_half_op_grants_no_entry() {
    let mut d = Driver::new();
    let (al, bo, cy) = (d.open("al", ""), d.open("bo", ""), d.open("cy", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(cy, "JOIN #a");
    d.send_line(al, "MODE #a +kl key 9");
    d.send_line(al, "MODE #a +v cy");
    d.change_user("cy", crate::core::request::admin::UserChange::Role(crate::core::record::Role::Member));
    assert!(d.send_line(cy, "INVITE bo #a").contains(" 341 cy bo #a"), "telling of it is for everybody");
    assert!(d.send_line(bo, "JOIN #a").contains(" 475 bo #a "), "and opens nothing");
    d.send_line(al, "INVITE bo #a");
    d.send_line(al, "MODE #a +b a:bo");
    assert!(d.send_line(bo, "JOIN #a").contains(" 474 bo #a "), "a ban is a ban");
    d.send_line(al, "MODE #a -b a:bo");
    assert!(d.send_line(bo, "JOIN #a").contains("JOIN #a\r\n"), "the invitation stands in for the key");
}

#[test]
fn silenced_member_cannot_speak_by_other_commands() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", "batch draft/multiline"));
    for session in [al, bo] {
        d.send_line(session, "JOIN #a");
    }
    d.take_output(al);
    d.send_line(al, "MODE #a +C");
    for text in ["\u{1}VERSION\u{1}", "\u{1}ACTIONS\u{1}"] {
        assert!(d.send_line(bo, &format!("PRIVMSG #a :{text}")).contains(" 404 "), "{text:?}");
    }
    let several = super::ircv3::send_lines(
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
    d.take_output(al);
    d.send_line(bo, "PRIVMSG #a :\u{1}ACTION waves\u{1}");
    assert!(d.take_output(al).contains("ACTION waves"));
    d.send_line(al, "MODE #a +b m:a:bo");
    d.send_line(bo, "PART #a :the last word");
    assert!(d.take_output(al).ends_with(":bo!bo@parlour PART #a\r\n"));
}

#[test]
fn search_excludes_messages_after_its_command() {
    let mut d = Driver::new();
    let al = d.open("al", "batch soju.im/search");
    d.send_line(al, "JOIN #a");
    d.send_line(al, "PRIVMSG #a :before");
    let last = d.last_message();
    d.send_line(al, "SEARCH text=before");
    d.send_line(al, "PRIVMSG #a :after");
    let Some((_, Query::Search(SearchQuery { search, up_to, .. }))) = d.pending_queries.last() else {
        panic!("{:?}", d.pending_queries)
    };
    assert_eq!((search.window.before.predecessor(), *up_to), (last, last));
}

#[test]
fn removed_channel_leaves_no_markers_or_metadata() {
    let mut d = Driver::new();
    let al = d.open("al", "draft/read-marker draft/metadata-3");
    for n in 0..3 {
        d.send_line(al, &format!("JOIN #gone{n}"));
        d.send_line(al, &format!("METADATA #gone{n} SET soju.im/pinned 1"));
        d.send_line(al, &format!("MARKREAD #gone{n} timestamp=2020-01-01T00:00:00.000Z"));
        d.send_line(al, &format!("PART #gone{n}"));
    }
    let me = d.core.accounts.get(AccountId(16)).expect("al");
    assert!(me.markers.is_empty() && me.private_metadata.is_empty());
}

#[test]
fn channel_quota_counts_created_channels_after_part() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    for n in 0..250 {
        d.send_line(al, &format!("JOIN #made{n}"));
        d.send_line(al, &format!("PRIVMSG #made{n} :it stays"));
        d.send_line(al, &format!("PART #made{n}"));
    }
    assert!(d.send_line(al, "JOIN #one-more").contains(" 405 al #one-more "));
    assert!(d.send_line(al, "JOIN #made7").contains("JOIN #made7"), "those that are there are open");
}

#[test]
fn send_id_applies_to_unstored_messages() {
    let mut d = Driver::new();
    let al = d.open("al", "echo-message message-tags parlour/send-id");
    let bo = d.open("bo", "message-tags");
    for session in [al, bo] {
        d.send_line(session, "JOIN #s");
    }
    d.send_line(al, "MODE #s +o bo");
    for (n, line) in ["PRIVMSG @#s :ops", "TAGMSG #s", "TAGMSG bo"].into_iter().enumerate() {
        let line = format!("@+typing=active;parlour/send-id=u{n} {line}");
        d.take_output(bo);
        let first = d.send_line(al, &line);
        assert!(!d.take_output(bo).is_empty(), "{line}");
        assert_eq!((d.send_line(al, &line), d.take_output(bo)), (first, String::new()), "{line}");
    }
    assert!(d.send_line(al, "@parlour/send-id=u0 PRIVMSG %#s :ops").contains("INVALID_SEND_ID"));
}

#[test]
fn send_id_cannot_be_reused_for_another_message() {
    let mut d = Driver::new();
    let al = d.open("al", "echo-message message-tags parlour/send-id");
    let first = d.send_line(al, "@parlour/send-id=1 PRIVMSG bo :real");
    assert!(first.ends_with("PRIVMSG bo :real\r\n"));
    assert_eq!(d.send_line(al, "@parlour/send-id=1 PRIVMSG bo :real"), first, "sent again");
    for other in [" PRIVMSG cy :real", " PRIVMSG bo :other", " NOTICE bo :real", ";+a=b PRIVMSG bo :real"] {
        let answer = d.send_line(al, &format!("@parlour/send-id=1{other}"));
        assert!(answer.contains(" INVALID_SEND_ID :This send id was used"), "{answer}");
    }
    assert_eq!(d.records.len(), 1);
    let tags = d.send_line(al, "@+a=b;parlour/send-id=2;+c TAGMSG bo");
    assert_eq!(d.send_line(al, "@+c;parlour/send-id=2;+a=b TAGMSG bo").len(), tags.len(), "in another order");
    assert!(d.send_line(al, "@+a=c;parlour/send-id=2;+c TAGMSG bo").contains(" INVALID_SEND_ID "));
}
