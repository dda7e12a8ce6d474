//! The core as a whole: events and replies that sessions see.

mod administration;
mod channels;
mod clock;
pub(crate) mod driver;
mod files;
mod grace;
mod irc;
mod ircv3;
mod metadata;
mod mode_replies;
mod quotas;
mod send_ids;
mod short_lines;
mod silencing;
pub(crate) mod simulation;

use super::InputKind;
use super::effects::query::{Query, SearchQuery};
use super::record::secret::PasswordHash;
use super::record::{Record, Role};
use super::request::admin::{
    Change, ChangeRequest, NewInvite, Purpose, RedeemError, Redemption, RequestError, RequestOutcome,
    UserChange,
};
use crate::wire::{Label, Tags};
use driver::{Driver, password};

const ALL_CAPS: &str = "echo-message message-tags server-time labeled-response batch parlour/send-id";

#[test]
fn channel_messages_reach_members_only() {
    let mut d = Driver::new();
    let (al, bo, cy) = (d.open("al", "echo-message"), d.open("bo", ""), d.open("cy", ""));
    let joined = d.send_line(al, "JOIN #Tea");
    assert_eq!(
        joined,
        ":al!al@parlour JOIN #Tea\r\n:chat.parlour 353 al = #Tea :~al\r\n:chat.parlour 366 al #Tea :End of /NAMES list\r\n"
    );
    d.send_line(bo, "JOIN #tea");
    assert_eq!(d.take_output(al), ":bo!bo@parlour JOIN #Tea\r\n");
    assert_eq!(d.send_line(al, "PRIVMSG #tea :hi all"), ":al!al@parlour PRIVMSG #Tea :hi all\r\n");
    assert_eq!(d.take_output(bo), ":al!al@parlour PRIVMSG #Tea :hi all\r\n");
    assert_eq!(d.send_line(bo, "PRIVMSG #tea :hi al"), "", "no echo-message, no echo");
    assert_eq!(d.take_output(cy), "");
    assert!(d.send_line(cy, "PRIVMSG #tea :hi").contains(" 404 cy #tea :"));
}

#[test]
fn messages_reach_all_sessions_of_account() {
    let mut d = Driver::new();
    let (one, two, bo) = (d.open("al", ALL_CAPS), d.open("al", "echo-message"), d.open("bo", ""));
    d.send_line(one, "JOIN #a");
    assert!(d.take_output(two).contains("JOIN #a"), "the other session is in the channel too");
    d.send_line(one, "PRIVMSG #a :from one");
    assert!(d.take_output(two).contains(":from one"));
    d.send_line(one, "PRIVMSG bo :psst");
    assert_eq!(d.take_output(two), ":al!al@parlour PRIVMSG bo :psst\r\n");
    assert_eq!(d.take_output(bo), ":al!al@parlour PRIVMSG bo :psst\r\n");
    d.send_line(bo, "JOIN #a");
    d.input(InputKind::SessionClosed(two, "gone".into()));
    assert_eq!(d.take_output(bo).matches("QUIT").count(), 0, "the account is still here");
    d.input(InputKind::SessionClosed(one, "gone".into()));
    assert_eq!(d.take_output(bo), ":al!al@parlour QUIT :gone\r\n");
}

#[test]
fn membership_outlasts_session() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    d.send_line(al, "TOPIC #a :tea at five");
    assert!(d.send_line(al, "QUIT :bye").contains("ERROR :Quit: bye"));
    assert!(d.take_output(bo).ends_with(":al!al@parlour QUIT :Quit: bye\r\n"));
    let again = d.open_with_burst("al", "");
    assert_eq!(d.take_output(bo), ":al!al@parlour JOIN #a\r\n:chat.parlour MODE #a +qo al al\r\n");
    let burst = d.take_output(again);
    let from_join = burst.split_once(":al!al@parlour JOIN #a\r\n").expect("joined").1;
    assert!(from_join.starts_with(":chat.parlour 332 al #a :tea at five\r\n:chat.parlour 333 al #a al 17"));
    assert!(from_join.contains(" 353 al = #a :~al bo\r\n"));
    d.send_line(again, "PART #a :enough");
    assert_eq!(d.take_output(bo), ":al!al@parlour PART #a :enough\r\n");
    d.input(InputKind::SessionClosed(again, "x".into()));
    let burst = d.open_with_burst("al", "");
    assert!(!d.take_output(burst).contains(":al!al@parlour JOIN"));
}

#[test]
fn echo_account_replies() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    assert_eq!(
        d.send_line(al, "PRIVMSG Echo :hello there"),
        ":echo!echo@parlour PRIVMSG al :Server received your message: hello there\r\n"
    );
    assert_eq!(d.records.len(), 2, "both sides are kept");
    assert_eq!(d.send_line(al, "NOTICE echo :hello"), "", "a notice is not answered");
}

#[test]
fn repeated_send_id_sends_once() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ALL_CAPS), d.open("bo", "message-tags"));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    d.take_output(al);
    let first = d.send_line(al, "@label=1;parlour/send-id=x1 PRIVMSG #a :once");
    assert!(first.starts_with("@label=1;time="), "{first}");
    assert!(!first.contains("send-id"));
    assert_eq!(d.take_output(bo).matches("once").count(), 1);
    let count = d.records.len();
    let again = d.send_line(al, "@label=2;parlour/send-id=x1 PRIVMSG #a :once");
    assert_eq!(again, first.replace("label=1", "label=2"));
    assert_eq!((d.take_output(bo).as_str(), d.records.len()), ("", count));
    // A message that could not be stored may be sent again.
    let Some(Record::Message(stored)) = d.records.last().cloned() else { panic!("no message") };
    let label = Label::in_tags(Tags("label=1"));
    d.input(InputKind::MessagesNotStored { session: al, label, messages: vec![stored] });
    assert!(d.take_output(al).starts_with("@label=1 :chat.parlour FAIL PRIVMSG TEMPORARILY_UNAVAILABLE :"));
    d.send_line(al, "@label=3;parlour/send-id=x1 PRIVMSG #a :once");
    assert_eq!(d.take_output(bo).matches("once").count(), 1);
}

#[test]
fn labelled_commands_get_labelled_replies() {
    let mut d = Driver::new();
    let al = d.open("al", ALL_CAPS);
    assert_eq!(d.send_line(al, "@label=p PONG x"), "@label=p :chat.parlour ACK\r\n");
    assert_eq!(d.send_line(al, "@label=p PING x"), "@label=p :chat.parlour PONG chat.parlour :x\r\n");
    assert!(d.send_line(al, "@label=e NONSENSE").starts_with("@label=e :chat.parlour 421 al NONSENSE :"));
    let batch = d.send_line(al, "@label=j JOIN #a");
    let lines: Vec<&str> = batch.lines().collect();
    assert_eq!(lines[0], "@label=j :chat.parlour BATCH +r labeled-response");
    assert!(lines[1].starts_with("@batch=r;time=") && lines[1].ends_with(" JOIN #a"));
    assert!(lines[2].starts_with("@batch=r :chat.parlour 353 "));
    assert_eq!(lines[lines.len() - 1], ":chat.parlour BATCH -r");
}

#[test]
fn tagmsg_needs_message_tags() {
    let mut d = Driver::new();
    let (al, bo, cy) = (d.open("al", "message-tags"), d.open("bo", "message-tags"), d.open("cy", ""));
    for session in [al, bo, cy] {
        d.send_line(session, "JOIN #a");
    }
    d.take_output(bo);
    d.take_output(cy);
    let record_count = d.records.len();
    d.send_line(al, "@+typing=active;other=x TAGMSG #a");
    let got = d.take_output(bo);
    assert!(got.contains(";+typing=active :al!al@parlour TAGMSG #a\r\n") && !got.contains("other"), "{got}");
    assert_eq!((d.take_output(cy).as_str(), d.records.len()), ("", record_count));
}

#[test]
fn unknown_targets_are_named_in_errors() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    for (line, answer) in [
        ("PRIVMSG nobody :x", " 401 al nobody :"),
        ("PRIVMSG #none :x", " 403 al #none :"),
        ("PRIVMSG", " 411 al :No recipient given (PRIVMSG)"),
        ("PRIVMSG bo", " 412 al :"),
        ("JOIN", " 461 al JOIN :"),
        ("JOIN tea", " 403 al tea :"),
        ("PART #none", " 403 al #none :"),
        ("NICK other", " 432 al other :"),
        ("USER a b c d", " 462 al :"),
        ("AUTHENTICATE PLAIN", " 907 al :"),
        ("REGISTER a * b", "FAIL REGISTER ALREADY_AUTHENTICATED al :"),
        ("WHOIS nobody", " 401 al nobody :"),
        ("MODE #none", " 403 al #none :"),
        ("MODE bo", " 502 al :"),
        ("TOPIC #none", " 403 al #none :"),
        ("FROB", " 421 al FROB :"),
        ("PRIVMSG bo,bo2,b3,b4,b5,b6,b7,b8,b9,c0,c1,c2,c3,c4,c5,c6,c7 :x", " 407 al c7 :"),
    ] {
        let got = d.send_line(al, line);
        assert!(got.contains(answer), "{line}: {got}");
    }
    assert_eq!(d.send_line(al, "NOTICE nobody :x"), "", "a notice is never answered with an error");
}

#[test]
fn account_changes_take_effect_at_once() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    d.change_user("al", UserChange::Disable);
    assert!(d.take_output(al).ends_with("ERROR :This account was disabled\r\n"));
    assert_eq!(d.take_output(bo), ":al!al@parlour QUIT :This account was disabled\r\n");
    assert_eq!(d.send_line(al, "PRIVMSG #a :still here?"), "", "its sessions are no more");
    assert!(d.send_line(bo, "PRIVMSG al :x").contains(" 401 "));
    d.change_user("bo", UserChange::Remove);
    assert!(d.take_output(bo).ends_with("ERROR :This account was removed\r\n"));
}

#[test]
fn removing_account_drops_its_exceptions_but_not_bans() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    d.send_line(al, "JOIN #a");
    d.send_line(al, "MODE #a +eIIIbb A:Bo a:bO bo a:cy a:bo m:a:bo");
    let before = d.records.len();
    d.change_user("bo", UserChange::Remove);
    let removed = d.records.iter().skip(before).filter(|record| matches!(record, Record::ListRemoved(..)));
    assert_eq!(removed.count(), 2);
    let lists = d.send_line(al, "MODE #a eIb");
    let masks: Vec<&str> = lists
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|mask| !mask.starts_with(':'))
        .collect();
    assert_eq!(masks, ["bo!*@*", "a:cy", "a:bo", "m:a:bo"], "{lists}");
}

#[test]
fn password_changed_during_login_refuses_login() {
    let mut d = Driver::new();
    d.login_password = Some(password());
    d.change_user("al", UserChange::Password(PasswordHash::from_phc("another")));
    let al = d.open_with_burst("al", "");
    assert_eq!(d.take_output(al), "ERROR :The password was changed; log in with the new one\r\n");
    let bo = d.open_with_burst("bo", "");
    assert!(d.take_output(bo).contains(" 001 bo :"));
}

#[test]
fn redeemed_invite_joins_its_channel() {
    let mut d = Driver::new();
    let channel = crate::wire::ChannelName::parse("#lobby").expect("a name");
    let purpose = Purpose::Accounts { role: Role::Member, channel, uses: 1 };
    let invite = NewInvite { token: [1; 32], purpose, lasts_ms: 60_000 };
    let Ok(RequestOutcome::InviteCreated(_)) = d.apply_change(Change::InviteCreate(invite)) else {
        panic!("an invite")
    };
    let redeem = |d: &mut Driver, name: &str| {
        let name = crate::wire::Nick::parse(name).expect("a nick");
        d.request(ChangeRequest::Redeem(Redemption { token: [1; 32], name, password: password() }))
    };
    let seen = d.records.len();
    assert!(matches!(redeem(&mut d, "new"), Ok(RequestOutcome::Redeemed { is_new: true, .. })));
    assert!(matches!(
        d.records[seen..],
        [
            Record::AccountAdded { .. },
            Record::InviteSpent { spent: 1, .. },
            Record::ChannelCreated { .. },
            Record::MemberStatusSet { .. },
            Record::Joined { .. },
            Record::Audit { .. }
        ]
    ));
    assert_eq!(redeem(&mut d, "other"), Err(RequestError::Redeem(RedeemError::UsedUp)));
    let new = d.open_with_burst("new", "");
    assert!(d.take_output(new).contains(":new!new@parlour JOIN #lobby\r\n"));
}

#[test]
fn writes_are_refused_while_store_fails_but_reads_work() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    d.send_line(al, "JOIN #a");
    d.input(InputKind::Writable(false));
    assert!(d.send_line(al, "PRIVMSG #a :x").contains("FAIL PRIVMSG TEMPORARILY_UNAVAILABLE"));
    assert!(d.send_line(al, "TOPIC #a :x").contains("FAIL TOPIC TEMPORARILY_UNAVAILABLE"));
    assert!(d.send_line(al, "TOPIC #a").contains(" 331 "));
    assert!(d.send_line(al, "PING x").contains("PONG"));
    d.input(InputKind::Writable(true));
    assert!(d.send_line(al, "TOPIC #a :x").contains("TOPIC #a :x"));
}

#[test]
fn empty_channel_without_messages_is_removed() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    d.send_line(al, "JOIN #quiet,#talk");
    d.send_line(al, "PRIVMSG #talk :x");
    d.send_line(al, "PART #quiet,#talk");
    let list = d.send_line(al, "LIST");
    assert!(list.contains(" 322 al #talk 0 :") && !list.contains("#quiet"), "{list}");
}

#[test]
fn user_mode_i_is_ignored_without_error() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    assert_eq!(d.send_line(al, "MODE al +i"), "");
    assert!(d.send_line(al, "MODE al +x").contains(" 501 al :"));
}

#[test]
fn admins_are_marked_in_who_and_whois() {
    let mut d = Driver::new();
    let cy = d.open("cy", "");
    let joined = d.send_line(cy, "JOIN #a");
    assert!(joined.contains(" 353 cy = #a :~cy\r\n"));
    assert!(d.send_line(cy, "WHO #a").contains(" 352 cy #a cy parlour chat.parlour cy H*~ :0 Real Name\r\n"));
    assert!(d.send_line(cy, "WHOIS cy").contains(" 313 cy cy :"));
    d.send_line(cy, "AWAY :lunch");
    assert!(d.send_line(cy, "WHO cy").contains(" #a cy parlour chat.parlour cy G*~ :0 Real Name"));
}

#[test]
fn same_inputs_give_same_effects() {
    let play = || {
        let mut d = Driver::new();
        let sessions = ["al", "bo", "cy"].map(|name| d.open(name, "message-tags echo-message"));
        let mut all = String::new();
        for round in 0..50 {
            for &session in &sessions {
                all += &d.send_line(session, &format!("JOIN #{}", round % 7));
                all += &d.send_line(session, &format!("PRIVMSG #{} :round {round}", round % 7));
                all += &d.send_line(session, "NAMES #1,#2");
                all += &d.send_line(session, "LIST");
            }
        }
        (all, d.records)
    };
    assert_eq!(play(), play());
}

#[test]
fn invite_below_half_op_grants_no_entry() {
    let mut d = Driver::new();
    let (al, bo, cy) = (d.open("al", ""), d.open("bo", ""), d.open("cy", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(cy, "JOIN #a");
    d.send_line(al, "MODE #a +kl key 9");
    d.send_line(al, "MODE #a +v cy");
    d.remove_admin_role("cy");
    assert!(d.send_line(cy, "INVITE bo #a").contains(" 341 cy bo #a"), "telling of it is for everybody");
    assert!(d.send_line(bo, "JOIN #a").contains(" 475 bo #a "), "and opens nothing");
    d.send_line(al, "INVITE bo #a");
    d.send_line(al, "MODE #a +b a:bo");
    assert!(d.send_line(bo, "JOIN #a").contains(" 474 bo #a "), "a ban is a ban");
    d.send_line(al, "MODE #a -b a:bo");
    assert!(d.send_line(bo, "JOIN #a").contains("JOIN #a\r\n"), "the invitation stands in for the key");
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
    let Some((_, Query::Search(SearchQuery { search, .. }))) = d.pending_queries.last() else {
        panic!("{:?}", d.pending_queries)
    };
    assert_eq!(search.window.before.predecessor(), last);
}
