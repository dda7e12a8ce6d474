//! Multiline messages, away state before the login, ISUPPORT as a batch, and account changes.

use super::driver::{Driver, password};
use crate::core::commands::message::batch::{Batches, Taken};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{AccountId, Actor, MessageKind, Record};
use crate::core::request::account::{DeviceKey, Outcome, Voice};
use crate::core::request::admin::UserChange;
use crate::core::{Answer, InputKind};
use crate::wire::Message;

/// Sends lines through the batch parser as a connection does, and returns the session's own output.
pub(super) fn say(d: &mut Driver, session: crate::core::SessionId, lines: &[&str]) -> String {
    let mut batches = Batches::default();
    for line in lines {
        let message = Message::parse(line).expect(line);
        let label = message.tags.get("label").map(|label| label.into_owned().into());
        let said = match batches.take(&message, label) {
            Taken::Said(said) => vec![said],
            Taken::Both(of_batch, of_line) => vec![of_batch, of_line],
            Taken::Not | Taken::Held => Vec::new(),
        };
        for (label, command) in said {
            d.input(InputKind::Said { session, label, command });
        }
    }
    d.got(session)
}

#[test]
fn multiline_batch_is_one_message() {
    let mut d = Driver::new();
    let caps = "batch echo-message labeled-response message-tags draft/multiline";
    let (al, bo, cy) = (
        d.open("al", caps),
        d.open("bo", "message-tags batch draft/multiline"),
        d.open("cy", "message-tags"),
    );
    for session in [al, bo, cy] {
        d.say(session, "JOIN #a");
    }
    for session in [al, bo, cy] {
        d.got(session);
    }
    let lines = [
        "@label=7;+reply=x BATCH +1 draft/multiline #a",
        "@batch=1 PRIVMSG #a :first",
        "@batch=1 PRIVMSG #a :",
        "@batch=1 PRIVMSG #a :long ",
        "@batch=1;draft/multiline-concat PRIVMSG #a :line",
        "BATCH -1",
    ];
    let echo = say(&mut d, al, &lines);
    let id = d.last_message();
    let source = ":al!al@parlour";
    assert_eq!(
        echo,
        format!(
            "@label=7;msgid={id};+reply=x {source} BATCH +{id} draft/multiline #a\r\n\
             @batch={id} {source} PRIVMSG #a :first\r\n@batch={id} {source} PRIVMSG #a :\r\n\
             @batch={id} {source} PRIVMSG #a :long \r\n\
             @batch={id};draft/multiline-concat {source} PRIVMSG #a :line\r\n{source} BATCH -{id}\r\n"
        )
    );
    assert_eq!(d.got(bo), echo.replacen("label=7;", "", 1));
    assert_eq!(
        d.got(cy),
        format!(
            "@msgid={id};+reply=x {source} PRIVMSG #a :first\r\n@+reply=x {source} PRIVMSG #a :long \r\n\
             @+reply=x {source} PRIVMSG #a :line\r\n"
        )
    );
    let kept = d.records.iter().filter_map(|record| match record {
        Record::Message(message) if message.kind == MessageKind::Privmsg => Some(&*message.text),
        _ => None,
    });
    assert_eq!(kept.collect::<Vec<_>>(), ["first\n\nlong \rline"]);
    let refused = say(
        &mut d,
        cy,
        &["BATCH +1 draft/multiline #a", "@batch=1 PRIVMSG #a x", "@batch=1 PRIVMSG #a y", "BATCH -1"],
    );
    assert!(refused.contains("FAIL BATCH MULTILINE_INVALID :Request"), "{refused}");
}

#[test]
fn account_is_away_when_all_counted_sessions_are() {
    let mut d = Driver::new();
    let bo = d.open("bo", "away-notify");
    let al = d.open("al", "");
    d.say(al, "JOIN #a");
    d.say(bo, "JOIN #a");
    let phone = d.open("al", "draft/pre-away");
    d.got(bo);
    d.say(phone, "AWAY *");
    assert_eq!(d.got(bo), "", "a session that is there for nobody takes nothing away");
    d.say(al, "AWAY :lunch");
    assert_eq!(d.got(bo), ":al!al@parlour AWAY :lunch\r\n");
    d.say(phone, "AWAY");
    assert_eq!(d.got(bo), ":al!al@parlour AWAY\r\n");
    d.say(phone, "AWAY *");
    assert_eq!(d.got(bo), ":al!al@parlour AWAY :lunch\r\n");
    d.input(InputKind::Closed(al, "gone".into()));
    assert_eq!(d.got(bo), ":al!al@parlour AWAY :Not here right now\r\n", "the text is for programs");
}

#[test]
fn isupport_command_replies_in_batch() {
    let mut d = Driver::new();
    let al = d.open_with_burst("al", "batch draft/extended-isupport");
    let burst = d.got(al);
    let inner = burst.lines().filter(|line| line.contains(" 005 al "));
    assert!(inner.clone().count() > 1 && inner.clone().all(|line| line.starts_with("@batch=i ")), "{burst}");
    let answer = d.say(al, "ISUPPORT");
    assert!(answer.starts_with(":chat.parlour BATCH +i draft/isupport\r\n@batch=i :chat.parlour 005 al "));
    assert!(answer.ends_with(":chat.parlour BATCH -i\r\n"));
    let bo = d.open("bo", "");
    assert!(d.say(bo, "ISUPPORT").starts_with(":chat.parlour 005 bo "));
}

#[test]
fn admin_redacts_in_channel_without_membership() {
    let mut d = Driver::new();
    let caps = "message-tags draft/message-redaction";
    let (al, bo, cy) = (d.open("al", caps), d.open("bo", caps), d.open("cy", caps));
    d.say(al, "JOIN #a");
    d.say(al, "PRIVMSG #a :oops");
    let id = d.last_message();
    assert!(d.say(bo, &format!("REDACT #a {id}")).contains("INVALID_TARGET #a"));
    assert!(d.say(cy, &format!("REDACT #a {id} :rude")).ends_with(&format!("REDACT #a {id} :rude\r\n")));
    assert!(d.got(al).contains(&format!(":cy!cy@parlour REDACT #a {id} :rude\r\n")));
}

#[test]
fn password_change_completes_after_its_session_ended() {
    let mut d = Driver::new();
    let (al, other, bo) = (d.open("al", ""), d.open("al", ""), d.open("bo", ""));
    d.input(InputKind::Closed(al, "gone".into()));
    let (proven, new) = (password(), PasswordHash::from_phc("another"));
    let outcome = Outcome::Password { proven: proven.clone(), new: new.clone() };
    let answer = Answer::Managed(AccountId(16), Voice::Command("PASSWD"), outcome);
    d.input(InputKind::Answered { session: al, label: None, answer });
    assert!(d.got(other).contains("ERROR :The password was changed"));
    assert_eq!(d.got(bo), "");
    // Only who has proven the present password changes it.
    let bo_al = d.open("al", "");
    let late = Outcome::Password { proven, new: PasswordHash::from_phc("late") };
    let answer = Answer::Managed(AccountId(16), Voice::Command("PASSWD"), late);
    d.input(InputKind::Answered { session: bo_al, label: None, answer });
    assert!(d.got(bo_al).contains("FAIL PASSWD TEMPORARILY_UNAVAILABLE"));
    assert!(d.chat.people.get(AccountId(16)).is_some_and(|al| al.has_password(&new)));
}

#[test]
fn removing_device_ends_its_sessions_only() {
    let mut d = Driver::new();
    let key = DeviceKey([7; 32]);
    let al = d.open("al", "");
    assert!(d.say(al, &format!("CERT ADD {key}")).contains("CERT_ADDED"));
    let (by_it, without) = (d.open_by(key, "al", ""), d.open("al", ""));
    assert!(d.say(al, &format!("CERT DEL {key}")).contains("CERT_REMOVED"));
    assert!(d.got(by_it).contains("ERROR :This device was revoked"));
    assert_eq!((d.got(al).as_str(), d.got(without).as_str()), ("", ""));
    let used = |record: &Record| matches!(record, Record::DeviceUsed { key: of, .. } if *of == key);
    assert_eq!(d.records.iter().filter(|record| used(record)).count(), 1);
}

#[test]
fn rehash_is_audited_after_its_session_ended() {
    for gone in [false, true] {
        let mut d = Driver::new();
        let cy = d.open("cy", "");
        if gone {
            d.input(InputKind::Closed(cy, "gone".into()));
        }
        let outcome = Outcome::Rehashed(Box::default());
        let answer = Answer::Managed(AccountId(18), Voice::Command("REHASH"), outcome);
        d.input(InputKind::Answered { session: cy, label: None, answer });
        let is_it = |record: &&Record| {
            let by = Actor::Account(AccountId(18));
            matches!(record, Record::Audit { actor, action, .. } if *actor == by && action == "server rehash")
        };
        assert_eq!(d.records.iter().filter(is_it).count(), 1, "{gone}");
    }
}

#[test]
fn rename_to_same_name_is_refused() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    d.say(al, "JOIN #h");
    let before = d.records.len();
    assert!(d.say(al, "RENAME #h #h").contains(" FAIL RENAME CANNOT_RENAME #h #h :"));
    assert_eq!(d.records.len(), before);
    assert!(!d.say(al, "RENAME #h #H").contains("FAIL"), "its case may change");
}

#[test]
fn login_succeeds_with_hash_renewed_meanwhile() {
    let mut d = Driver::new();
    let renewed = PasswordHash::from_phc("renewed");
    let renew = |old, new| InputKind::PasswordRenewed { account: AccountId(16), old, new };
    d.input(renew(password(), renewed.clone()));
    // Another login of the same time, which verified the earlier hash.
    d.input(renew(password(), PasswordHash::from_phc("renewed as well")));
    assert_eq!(d.records, [Record::PasswordSet(AccountId(16), renewed)]);
    d.known = Some(password());
    let al = d.open_with_burst("al", "");
    assert!(d.got(al).contains(" 001 al "));
}

#[test]
fn oper_fails_with_password_changed_meanwhile() {
    let mut d = Driver::new();
    let bo = d.open("bo", "");
    let answer = |proven| {
        let outcome = Outcome::Oper(AccountId(18), proven);
        let answer = Answer::Managed(AccountId(17), Voice::Command("OPER"), outcome);
        InputKind::Answered { session: bo, label: None, answer }
    };
    let another = PasswordHash::from_phc("another");
    d.change("cy", UserChange::Password(another.clone()));
    d.input(answer(password()));
    assert!(d.got(bo).contains(" 464 bo "));
    d.input(answer(another));
    assert!(d.got(bo).contains(" 381 bo "));
    d.change("cy", UserChange::Password(password()));
    assert!(d.say(bo, "REHASH").contains(" 481 bo "));
}
