//! Multiline messages, away state before the login, ISUPPORT as a batch, and account changes.

use super::driver::{Driver, password};
use crate::core::commands::message::batch::{BatchOutcome, LabeledCommand, MultilineBatches};
use crate::core::effects::query::{
    NewPassword, PasswordResult, QueryRefusal, RehashResult, VerifiedPassword,
};
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{AccountId, Actor, MessageKind, Record};
use crate::core::request::admin::UserChange;
use crate::core::request::reply_form::ReplyForm;
use crate::core::{InputKind, QueryResult};
use crate::wire::{Label, Message};

/// Sends lines through the batch parser as a connection does, and returns the session's own output.
pub(super) fn send_lines(d: &mut Driver, session: crate::core::SessionId, lines: &[&str]) -> String {
    let mut batches = MultilineBatches::default();
    for line in lines {
        let message = Message::parse(line).expect(line);
        let commands = match batches.push_line(&message, Label::of(&message)) {
            BatchOutcome::Command(said) => vec![said],
            BatchOutcome::TwoCommands { of_batch, of_line } => vec![of_batch, of_line],
            BatchOutcome::NotBatched | BatchOutcome::Buffered => Vec::new(),
        };
        for LabeledCommand { label, command } in commands {
            d.input(InputKind::Command { session, label, command });
        }
    }
    d.take_output(session)
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
        d.send_line(session, "JOIN #a");
    }
    for session in [al, bo, cy] {
        d.take_output(session);
    }
    let lines = [
        "@label=7;+reply=x BATCH +1 draft/multiline #a",
        "@batch=1 PRIVMSG #a :first",
        "@batch=1 PRIVMSG #a :",
        "@batch=1 PRIVMSG #a :long ",
        "@batch=1;draft/multiline-concat PRIVMSG #a :line",
        "BATCH -1",
    ];
    let echo = send_lines(&mut d, al, &lines);
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
    assert_eq!(d.take_output(bo), echo.replacen("label=7;", "", 1));
    assert_eq!(
        d.take_output(cy),
        format!(
            "@msgid={id};+reply=x {source} PRIVMSG #a :first\r\n@+reply=x {source} PRIVMSG #a :long \r\n\
             @+reply=x {source} PRIVMSG #a :line\r\n"
        )
    );
    let stored = d.records.iter().filter_map(|record| match record {
        Record::Message(message) if message.kind == MessageKind::Privmsg => Some(&*message.text),
        _ => None,
    });
    assert_eq!(stored.collect::<Vec<_>>(), ["first\n\nlong \rline"]);
    let refused = send_lines(
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
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    let phone = d.open("al", "draft/pre-away");
    d.take_output(bo);
    d.send_line(phone, "AWAY *");
    assert_eq!(d.take_output(bo), "", "a session that is there for nobody takes nothing away");
    d.send_line(al, "AWAY :lunch");
    assert_eq!(d.take_output(bo), ":al!al@parlour AWAY :lunch\r\n");
    d.send_line(phone, "AWAY");
    assert_eq!(d.take_output(bo), ":al!al@parlour AWAY\r\n");
    d.send_line(phone, "AWAY *");
    assert_eq!(d.take_output(bo), ":al!al@parlour AWAY :lunch\r\n");
    d.input(InputKind::SessionClosed(al, "gone".into()));
    assert_eq!(d.take_output(bo), ":al!al@parlour AWAY :Not here right now\r\n", "the text is for programs");
}

#[test]
fn isupport_command_replies_in_batch() {
    let mut d = Driver::new();
    let al = d.open_with_burst("al", "batch draft/extended-isupport");
    let burst = d.take_output(al);
    let inner = burst.lines().filter(|line| line.contains(" 005 al "));
    assert!(inner.clone().count() > 1 && inner.clone().all(|line| line.starts_with("@batch=i ")), "{burst}");
    let answer = d.send_line(al, "ISUPPORT");
    assert!(answer.starts_with(":chat.parlour BATCH +i draft/isupport\r\n@batch=i :chat.parlour 005 al "));
    assert!(answer.ends_with(":chat.parlour BATCH -i\r\n"));
    let bo = d.open("bo", "");
    assert!(d.send_line(bo, "ISUPPORT").starts_with(":chat.parlour 005 bo "));
}

#[test]
fn admin_redacts_in_channel_without_membership() {
    let mut d = Driver::new();
    let caps = "message-tags draft/message-redaction";
    let (al, bo, cy) = (d.open("al", caps), d.open("bo", caps), d.open("cy", caps));
    d.send_line(al, "JOIN #a");
    d.send_line(al, "PRIVMSG #a :oops");
    let id = d.last_message();
    assert!(d.send_line(bo, &format!("REDACT #a {id}")).contains("INVALID_TARGET #a"));
    assert!(
        d.send_line(cy, &format!("REDACT #a {id} :rude")).ends_with(&format!("REDACT #a {id} :rude\r\n"))
    );
    assert!(d.take_output(al).contains(&format!(":cy!cy@parlour REDACT #a {id} :rude\r\n")));
}

#[test]
fn password_change_completes_after_its_session_ended() {
    let mut d = Driver::new();
    let (al, other, bo) = (d.open("al", ""), d.open("al", ""), d.open("bo", ""));
    d.input(InputKind::SessionClosed(al, "gone".into()));
    let (proven, new) = (password(), PasswordHash::from_phc("another"));
    let password_result = |proven, new| {
        QueryResult::Password(PasswordResult {
            account: AccountId(16),
            reply_form: ReplyForm::Command("PASSWD"),
            outcome: Ok(NewPassword { proven, new }),
        })
    };
    let result = password_result(proven.clone(), new.clone());
    d.input(InputKind::QueryDone { session: al, label: None, result });
    assert!(d.take_output(other).contains("ERROR :The password was changed"));
    assert_eq!(d.take_output(bo), "");
    // Only who has proven the present password changes it.
    let bo_al = d.open("al", "");
    let result = password_result(proven, PasswordHash::from_phc("late"));
    d.input(InputKind::QueryDone { session: bo_al, label: None, result });
    assert!(d.take_output(bo_al).contains("FAIL PASSWD TEMPORARILY_UNAVAILABLE"));
    assert!(d.core.accounts.get(AccountId(16)).is_some_and(|al| al.has_password(&new)));
}

#[test]
fn removing_device_ends_its_sessions_only() {
    let mut d = Driver::new();
    let key = CertificateFingerprint([7; 32]);
    let al = d.open("al", "");
    assert!(d.send_line(al, &format!("CERT ADD {key}")).contains("CERT_ADDED"));
    let (by_it, without) = (d.open_with_device(key, "al", ""), d.open("al", ""));
    assert!(d.send_line(al, &format!("CERT DEL {key}")).contains("CERT_REMOVED"));
    assert!(d.take_output(by_it).contains("ERROR :This device was revoked"));
    assert_eq!((d.take_output(al).as_str(), d.take_output(without).as_str()), ("", ""));
    let used = |record: &Record| matches!(record, Record::DeviceUsed { fingerprint: of, .. } if *of == key);
    assert_eq!(d.records.iter().filter(|record| used(record)).count(), 1);
}

#[test]
fn rehash_is_audited_after_its_session_ended() {
    for gone in [false, true] {
        let mut d = Driver::new();
        let cy = d.open("cy", "");
        if gone {
            d.input(InputKind::SessionClosed(cy, "gone".into()));
        }
        let result =
            QueryResult::Rehash(RehashResult { account: AccountId(18), outcome: Ok(Box::default()) });
        d.input(InputKind::QueryDone { session: cy, label: None, result });
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
    d.send_line(al, "JOIN #h");
    let before = d.records.len();
    assert!(d.send_line(al, "RENAME #h #h").contains(" FAIL RENAME CANNOT_RENAME #h #h :"));
    assert_eq!(d.records.len(), before);
    assert!(!d.send_line(al, "RENAME #h #H").contains("FAIL"), "its case may change");
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
    d.login_password = Some(password());
    let al = d.open_with_burst("al", "");
    assert!(d.take_output(al).contains(" 001 al "));
}

#[test]
fn oper_of_an_admin_needs_the_password_too() {
    let mut d = Driver::new();
    let cy = d.open("cy", "");
    assert!(!d.send_line(cy, "OPER cy wrong").contains(" 381 "), "the password is not checked yet");
    let answer = |result| {
        let result = QueryResult::Oper(result);
        InputKind::QueryDone { session: cy, label: None, result }
    };
    d.input(answer(Err(QueryRefusal::new(QueryRefusal::WRONG_PASSWORD, "The password is wrong"))));
    assert!(d.take_output(cy).contains(" 464 cy "));
    d.input(answer(Ok(VerifiedPassword { account: AccountId(18), proven: password() })));
    let accepted = d.take_output(cy);
    assert!(accepted.contains(" 381 cy ") && !accepted.contains("MODE"), "{accepted}");
}

#[test]
fn oper_fails_with_password_changed_meanwhile() {
    let mut d = Driver::new();
    let bo = d.open("bo", "");
    let answer = |proven| {
        let result = QueryResult::Oper(Ok(VerifiedPassword { account: AccountId(18), proven }));
        InputKind::QueryDone { session: bo, label: None, result }
    };
    let another = PasswordHash::from_phc("another");
    d.change_user("cy", UserChange::Password(another.clone()));
    d.input(answer(password()));
    assert!(d.take_output(bo).contains(" 464 bo "));
    d.input(answer(another));
    assert!(d.take_output(bo).contains(" 381 bo "));
    d.change_user("cy", UserChange::Password(password()));
    assert!(d.send_line(bo, "REHASH").contains(" 481 bo "));
}
