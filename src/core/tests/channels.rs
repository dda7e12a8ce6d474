//! Channels that the command line makes and changes, as members see it.

use super::driver::Driver;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ListKind;
use crate::core::record::{Record, RetentionLimits};
use crate::core::request::admin::{AccountError, Change, RequestError, RequestOutcome, UserChange};
use crate::core::request::channels::{ChannelChange, ChannelError};
use crate::wire::{ChannelName, Nick};

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect("a nick")
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).expect("a channel")
}

fn change(d: &mut Driver, name: &str, change: ChannelChange) -> Result<RequestOutcome, RequestError> {
    d.apply_change(Change::Channel { name: channel(name), change })
}

/// Returns the entries of the audit log.
fn audit(d: &Driver) -> Vec<String> {
    let entry = |record: &Record| match record {
        Record::Audit { action, target, detail, .. } => Some(format!("{action} {target} {detail}")),
        _ => None,
    };
    d.records.iter().filter_map(entry).collect()
}

#[test]
fn a_channel_that_the_command_line_made_is_kept_while_it_is_empty() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    change(&mut d, "#Tea", ChannelChange::Create { founder: Some(nick("al")) }).expect("made");
    assert_eq!(
        d.take_output(al),
        ":al!al@parlour JOIN #Tea\r\n:chat.parlour 353 al = #Tea :~al\r\n:chat.parlour 366 al #Tea :End of /NAMES list\r\n"
    );
    d.send_line(bo, "JOIN #tea");
    assert!(d.take_output(al).contains(":bo!bo@parlour JOIN #Tea"));
    d.send_line(al, "PART #tea");
    d.send_line(bo, "PART #tea");
    let again = change(&mut d, "#TEA", ChannelChange::Create { founder: None });
    assert_eq!(again, Err(ChannelError::Exists(channel("#Tea")).into()));
    assert!(d.send_line(al, "JOIN #tea").contains(":~al"), "still its founder");
    assert_eq!(
        d.core.channels.count_created_by(d.core.accounts.get_by_name(&nick("al")).expect("al").account.id),
        0
    );
    assert_eq!(audit(&d), ["channel create #Tea founder al"]);
}

#[test]
fn a_channel_is_not_made_under_a_name_that_leads_elsewhere_or_for_an_unknown_founder() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    d.send_line(al, "JOIN #old");
    d.send_line(al, "RENAME #old #new");
    let former = change(&mut d, "#old", ChannelChange::Create { founder: None });
    assert_eq!(former, Err(ChannelError::FormerName(channel("#old"), channel("#new")).into()));
    let records = d.records.len();
    let unknown = change(&mut d, "#b", ChannelChange::Create { founder: Some(nick("nobody")) });
    assert_eq!(unknown, Err(AccountError::Unknown(nick("nobody")).into()));
    d.change_user("bo", UserChange::Disable);
    let records = d.records.len() - records;
    let disabled = change(&mut d, "#b", ChannelChange::Create { founder: Some(nick("bo")) });
    assert_eq!(disabled, Err(AccountError::Disabled(nick("bo")).into()));
    assert_eq!(records, 2, "of the account alone");
    assert_eq!(d.core.channels.iter().count(), 1);
}

#[test]
fn members_see_topic_and_roles_as_set_by_the_server() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    d.take_output(al);
    change(&mut d, "#A", ChannelChange::Topic("tea at five".into())).expect("set");
    assert_eq!(d.take_output(al), ":chat.parlour TOPIC #a :tea at five\r\n");
    assert!(d.send_line(bo, "TOPIC #a").contains(" 333 bo #a server "));
    let role = |name: &str, status| ChannelChange::Status { account: nick(name), status };
    d.take_output(al);
    change(&mut d, "#a", role("bo", Some(PrefixMode::HalfOp))).expect("set");
    assert_eq!(d.take_output(al), ":chat.parlour MODE #a +h bo\r\n");
    change(&mut d, "#a", role("bo", Some(PrefixMode::Founder))).expect("set");
    assert_eq!(d.take_output(al), ":chat.parlour MODE #a -h+qo bo bo bo\r\n");
    change(&mut d, "#a", role("al", None)).expect("set");
    assert_eq!(d.take_output(al), ":chat.parlour MODE #a -qo al al\r\n");
    change(&mut d, "#a", role("al", None)).expect("nothing to do");
    assert_eq!(d.take_output(al), "");
    // Whoever is not a member has the role when it joins.
    change(&mut d, "#a", role("cy", Some(PrefixMode::Voice))).expect("set");
    assert_eq!(d.take_output(al), "");
    let cy = d.open("cy", "");
    assert!(d.send_line(cy, "JOIN #a").contains("+cy"));
    change(&mut d, "#a", ChannelChange::Topic("".into())).expect("cleared");
    assert!(d.send_line(bo, "TOPIC #a").contains(" 331 bo #a "));
    assert_eq!(
        audit(&d),
        [
            "channel topic #a tea at five",
            "channel role bo #a: half-op",
            "channel role bo #a: founder",
            "channel role al #a: none",
            "channel role cy #a: voice",
            "channel topic #a ",
        ]
    );
}

#[test]
fn the_command_line_adds_members_past_modes_and_bans_and_removes_them() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(al, "MODE #a +ib a:bo");
    d.take_output(al);
    change(&mut d, "#a", ChannelChange::Add(nick("bo"))).expect("added");
    assert_eq!(d.take_output(al), ":bo!bo@parlour JOIN #a\r\n");
    assert!(d.take_output(bo).starts_with(":bo!bo@parlour JOIN #a\r\n:chat.parlour 353 bo = #a :~al bo\r\n"));
    let twice = change(&mut d, "#a", ChannelChange::Add(nick("bo")));
    assert_eq!(twice, Err(ChannelError::Member(nick("bo"), channel("#a")).into()));
    // An account without a session is a member, too.
    d.add_user("di");
    change(&mut d, "#a", ChannelChange::Add(nick("di"))).expect("added");
    assert_eq!(d.take_output(al), "", "nobody sees who is offline");
    change(&mut d, "#a", ChannelChange::Remove(nick("bo"))).expect("removed");
    let kick = ":chat.parlour KICK #a bo :Removed by an administrator\r\n";
    assert_eq!((d.take_output(al).as_str(), d.take_output(bo).as_str()), (kick, kick));
    let twice = change(&mut d, "#a", ChannelChange::Remove(nick("bo")));
    assert_eq!(twice, Err(ChannelError::NotMember(nick("bo"), channel("#a")).into()));
    let members: Vec<String> = d
        .core
        .list_members(&channel("#a"), None, 9)
        .expect("a channel")
        .into_iter()
        .map(|member| format!("{} {} {}", member.name, member.status, member.is_online))
        .collect();
    assert_eq!(members, ["al q true", "di  false"]);
}

#[test]
fn bans_of_the_command_line_are_those_of_the_channel() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #a");
    let add = |mask: &str| ChannelChange::ListAdd(ListKind::Ban, mask.into());
    change(&mut d, "#a", add("BO")).expect("added");
    assert!(d.take_output(al).ends_with(":chat.parlour MODE #a +b BO!*@*\r\n"));
    assert!(d.send_line(bo, "JOIN #a").contains(" 474 bo #a "));
    let (known, invalid) = (change(&mut d, "#a", add("bo")), change(&mut d, "#a", add("x:y")));
    assert_eq!(known, Err(ChannelError::KnownMask(channel("#a"), "bo!*@*".into()).into()));
    assert_eq!(invalid, Err(ChannelError::InvalidMask("x:y".into()).into()));
    assert_eq!(
        d.core.list_masks(&channel("#a")).expect("a channel")[0].entry.by,
        nick("server"),
        "a name that no account has"
    );
    let remove = |mask: &str| ChannelChange::ListRemove(ListKind::Ban, mask.into());
    change(&mut d, "#a", remove("bo")).expect("removed");
    assert_eq!(d.take_output(al), ":chat.parlour MODE #a -b BO!*@*\r\n");
    let unknown = change(&mut d, "#a", remove("bo"));
    assert_eq!(unknown, Err(ChannelError::UnknownMask(channel("#a"), "bo!*@*".into()).into()));
    assert!(d.send_line(bo, "JOIN #a").contains("JOIN #a"));
    let gone = change(&mut d, "#none", remove("bo"));
    assert_eq!(gone, Err(ChannelError::Unknown(channel("#none")).into()));
}

#[test]
fn nobody_writes_in_an_archived_channel() {
    let mut d = Driver::new();
    let (al, cy) = (d.open("al", ""), d.open("cy", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(cy, "JOIN #a");
    d.send_line(al, "PRIVMSG #a :kept");
    d.take_output(al);
    change(&mut d, "#a", ChannelChange::Archive(true)).expect("archived");
    assert!(d.take_output(al).starts_with(":chat.parlour NOTICE #a :This channel was archived"));
    // Neither its founder nor an admin.
    for (session, name) in [(al, "al"), (cy, "cy")] {
        let refused = d.send_line(session, "PRIVMSG #a :more");
        assert!(refused.contains(&format!(" 404 {name} #a :")) && refused.contains("archived"), "{refused}");
        assert!(d.send_line(session, "TOPIC #a :more").contains(" 482 "));
    }
    assert_eq!(d.take_output(cy), "");
    d.send_line(al, "PART #a :a last word");
    assert!(d.take_output(cy).ends_with(":al!al@parlour PART #a\r\n"), "without the text");
    let twice = change(&mut d, "#a", ChannelChange::Archive(true));
    assert_eq!(twice, Err(ChannelError::ArchivedOrNot(channel("#a"), "archived already").into()));
    change(&mut d, "#a", ChannelChange::Archive(false)).expect("opened");
    assert!(d.take_output(cy).ends_with(":chat.parlour NOTICE #a :This channel is open again\r\n"));
    d.send_line(cy, "PRIVMSG #a :more");
    assert!(matches!(d.records.last(), Some(Record::Message(_))));
}

#[test]
fn a_deleted_channel_is_gone_with_all_that_it_has() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    d.send_line(al, "PRIVMSG #a :gone soon");
    d.send_line(al, "MODE #a +ib a:bo");
    d.take_output(bo);
    change(&mut d, "#A", ChannelChange::Delete).expect("deleted");
    assert_eq!(
        d.take_output(bo),
        ":chat.parlour KICK #a al :This channel was deleted by an administrator\r\n\
         :chat.parlour KICK #a bo :This channel was deleted by an administrator\r\n"
    );
    assert_eq!(d.core.channels.iter().count(), 0);
    assert!(d.send_line(bo, "JOIN #a").contains(":~bo"), "another channel, with another founder");
    let removed = d.records.iter().position(|record| matches!(record, Record::ChannelRemoved(_)));
    let forgotten = d.records.iter().position(|record| matches!(record, Record::HistoryForgotten(_)));
    assert!(forgotten < removed && forgotten.is_some(), "its texts are erased before its row");
}

#[test]
fn a_purge_is_noted_once_however_many_steps_it_has() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    d.send_line(al, "JOIN #a");
    let before = d.now;
    for is_first in [true, false, false] {
        change(&mut d, "#a", ChannelChange::Purge { before, is_first }).expect("removed");
    }
    let steps = d.records.iter().filter(|record| matches!(record, Record::HistoryForgotten(_))).count();
    assert_eq!((steps, audit(&d).len()), (3, 1));
    let limits =
        |days| ChannelChange::Retention(RetentionLimits { keep_days: Some(days), keep_messages: None });
    change(&mut d, "#a", limits(7)).expect("set");
    change(&mut d, "#a", limits(7)).expect("the same");
    assert_eq!(audit(&d)[1..], ["channel retention #a days 7, messages default"]);
    assert_eq!(change(&mut d, "#a", limits(99_999)), Err(ChannelError::LimitTooLarge.into()));
}
