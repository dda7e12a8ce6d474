//! Imports: what they add, what they leave as it is, and what they refuse.

use crate::core::record::{Record, Role};
use crate::core::request::admin::{AccountError, Change, RequestError, RequestOutcome};
use crate::core::request::export::{ExportedItem, Import, ImportError};
use crate::core::tests::driver::{Driver, password};
use crate::wire::{MessageId, Timestamp};

/// Imports items in the JSON of an export. Returns what was refused.
fn import(d: &mut Driver, items: &[&str]) -> Vec<(usize, RequestError)> {
    let items = items.iter().map(|item| serde_json::from_str::<ExportedItem>(item).expect(item)).collect();
    let import = Import { items, password: password(), note: Some("test".to_owned()) };
    match d.apply_change(Change::Import(import)) {
        Ok(RequestOutcome::Imported(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

const ZOE: &str = r#"{"account": {"name": "zoe", "created": "2020-01-01T00:00:00.000Z", "metadata": {"display-name": "Zoë", "BAD KEY": "x"}}}"#;
const GONE: &str = r#"{"account": {"name": "gone", "role": "admin", "created": "2020-01-01T00:00:00.000Z", "removed": true}}"#;
const CHANNEL: &str = r##"{"channel": {"name": "#old", "created": "2020-01-02T00:00:00.000Z", "creator": "zoe", "modes": "nti", "key": "k",
    "topic": {"text": "A topic", "by": "gone", "at": "2020-01-03T00:00:00.000Z"},
    "members": [{"account": "zoe", "status": "~"}, {"account": "al"}, {"account": "bo", "status": "+", "left": true}],
    "lists": [{"list": "b", "mask": "mallory", "by": "zoe", "at": "2020-01-03T00:00:00.000Z"}]}}"##;

fn message(ms: u64, more: &str) -> String {
    let id = MessageId::first_at(Timestamp(ms));
    format!(
        r##"{{"message": {{"msgid": "{id}", "time": "2020-01-01T00:00:00.000Z", "channel": "#old", "from": "zoe", "kind": "PRIVMSG", "text": "hi"{more}}}}}"##
    )
}

#[test]
fn accounts_channels_and_messages_are_added_once() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    let items = [ZOE, GONE, CHANNEL, &message(1_600_000_000_000, "")];
    assert_eq!(import(&mut d, &items), []);
    let lines = d.take_output(al);
    assert!(lines.contains("JOIN") && lines.contains("#old"), "{lines}");
    assert!(!lines.contains("PRIVMSG"), "{lines}");
    assert!(d.send_line(al, "TOPIC #old").contains("A topic"));
    let imported =
        |d: &Driver| d.records.iter().filter(|r| matches!(r, Record::MessageImported { .. })).count();
    assert_eq!(imported(&d), 1);
    // Accounts and channels stay as they are; the store knows the messages.
    let before = d.records.len();
    assert_eq!(import(&mut d, &items[..3]), []);
    assert_eq!(d.records.len(), before + 1, "the audit alone");
}

#[test]
fn items_that_cannot_be_are_refused_one_by_one() {
    let mut d = Driver::new();
    let now = d.now.0;
    let long = format!(r#", "tags": "+a={}""#, "x".repeat(5000));
    let items = [
        r#"{"account": {"name": "server", "created": "2020-01-01T00:00:00.000Z"}}"#.to_owned(),
        message(5000, ""),
        ZOE.to_owned(),
        message(5000, ""),
        CHANNEL.to_owned(),
        message(now + 10_000, ""),
        message(5000, r#", "tags": "time=x""#),
        message(5000, r#", "tags": "+a=b c""#),
        message(5000, &long),
        message(5000, r#", "redacted": false"#).replace("\"hi\"", "\"\""),
        message(5000, "").replace("\"hi\"", "\"a\\u0000b\""),
        message(5000, "").replace("PRIVMSG", "TOPIC").replace("\"hi\"", "\"a\\nb\""),
        message(5000, "").replace("\"#old\"", "null"),
        message(5000, r#", "tags": "+draft/reply=x;+a""#),
    ];
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let refused = import(&mut d, &items);
    let indices: Vec<usize> = refused.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, [0, 1, 3, 5, 6, 7, 8, 9, 10, 11, 12], "{refused:?}");
    assert!(matches!(refused[0].1, RequestError::Account(AccountError::Reserved(..))));
    assert!(matches!(refused[1].1, RequestError::Import(ImportError::NoAccount(_))));
    assert!(matches!(refused[2].1, RequestError::Import(ImportError::NoChannel(_))));
    assert_eq!(refused[3].1, RequestError::Import(ImportError::Future));
    assert_eq!(refused[10].1, RequestError::Import(ImportError::NoConversation));
}

#[test]
fn the_next_message_comes_after_all_imported_ones() {
    let mut d = Driver::new();
    let latest = d.now.0 - 1;
    assert_eq!(import(&mut d, &[ZOE, CHANNEL, &message(latest, "")]), []);
    let al = d.open("al", "");
    d.send_line(al, "PRIVMSG bo :now");
    let ids: Vec<MessageId> = d
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Message(message) | Record::MessageImported { message, .. } => Some(message.id),
            _ => None,
        })
        .collect();
    assert!(ids.len() >= 2 && ids.is_sorted(), "{ids:?}");
}

#[test]
fn a_removed_account_keeps_its_name_and_no_role() {
    let mut d = Driver::new();
    assert_eq!(import(&mut d, &[GONE]), []);
    let user = crate::core::request::people::NewUser {
        name: crate::wire::Nick::parse("gone").expect("a nick"),
        password: password(),
        role: Role::Member,
    };
    let added = d.apply_change(Change::UserAdd { user, again: false });
    assert!(matches!(added, Err(RequestError::Account(AccountError::Removed(_)))), "{added:?}");
}
