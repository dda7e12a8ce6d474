//! The check of order and of exactly once.

use proptest::prelude::*;

use super::generator::ledger::{Faults, Ledger};
use super::generator::line::{Line, Message};

/// Returns the faults of a member that received these messages of these senders, which have sent that many each.
fn faults(received: &[(usize, u64)], sent: &[u64]) -> Faults {
    let mut ledger = Ledger::new(sent.len());
    for &(sender, number) in received {
        ledger.receive(sender, number);
    }
    let faults = ledger.faults(sent);
    assert_eq!(ledger.count(), received.len() as u64);
    let is_all_there = faults.lost == 0;
    assert_eq!(ledger.is_complete(sent), is_all_there, "{received:?}");
    faults
}

#[test]
fn messages_once_and_in_order_are_clean() {
    assert!(faults(&[(0, 0), (1, 0), (0, 1), (1, 1), (1, 2)], &[2, 3]).is_clean());
    assert!(faults(&[], &[0, 0]).is_clean());
}

#[test]
fn lost_messages_are_noticed() {
    let lost = |count| Faults { lost: count, ..Faults::default() };
    assert_eq!(faults(&[(0, 0), (0, 2)], &[3]), lost(1), "in the middle");
    assert_eq!(faults(&[(0, 1), (0, 2)], &[3]), lost(1), "the first");
    assert_eq!(faults(&[(0, 0), (0, 1)], &[3]), lost(1), "the last");
    assert_eq!(faults(&[(0, 0), (0, 1), (0, 2)], &[3, 2]), lost(2), "all of another sender");
}

#[test]
fn repeated_messages_are_noticed() {
    let repeated = |count| Faults { repeated: count, ..Faults::default() };
    assert_eq!(faults(&[(0, 0), (0, 0), (0, 1)], &[2]), repeated(1), "at once");
    assert_eq!(faults(&[(0, 0), (0, 1), (0, 2), (0, 1), (0, 1)], &[3]), repeated(2), "later");
    assert_eq!(faults(&[(0, 0), (0, 1), (0, 1)], &[2]), repeated(1), "at the end");
}

#[test]
fn reordered_messages_are_noticed() {
    let reordered = |count| Faults { reordered: count, ..Faults::default() };
    assert_eq!(faults(&[(0, 0), (0, 2), (0, 1), (0, 3)], &[4]), reordered(1));
    assert_eq!(faults(&[(0, 1), (0, 0)], &[2]), reordered(1), "the first two");
    assert!(faults(&[(1, 0), (0, 0), (1, 1)], &[1, 2]).is_clean(), "senders do not wait for each other");
}

#[test]
fn messages_that_nobody_sent_are_noticed() {
    let unknown = |count| Faults { unknown: count, ..Faults::default() };
    assert_eq!(faults(&[(0, 0), (0, 1)], &[1]), unknown(1));
    assert_eq!(faults(&[(0, 0), (3, 0)], &[1]), unknown(1), "a sender that does not exist");
    assert_eq!(faults(&[(0, 0), (0, u64::MAX)], &[1]), unknown(1), "a number far beyond");
}

proptest! {
    /// Whatever single message is left out, repeated or exchanged with its neighbour is noticed as that.
    #[test]
    fn each_single_fault_is_noticed(count in 2_u64..40, at in 0_usize..38, later in 0_usize..40) {
        let all: Vec<(usize, u64)> = (0..count).map(|number| (0, number)).collect();
        let (last, at) = (all.len() - 1, at % (all.len() - 1));
        let mut lost = all.clone();
        lost.remove(at);
        prop_assert_eq!(faults(&lost, &[count]), Faults { lost: 1, ..Faults::default() });
        let mut repeated = all.clone();
        repeated.insert((at + 1 + later).min(last + 1), all[at]);
        prop_assert_eq!(faults(&repeated, &[count]), Faults { repeated: 1, ..Faults::default() });
        let mut reordered = all;
        reordered.swap(at, at + 1);
        prop_assert_eq!(faults(&reordered, &[count]), Faults { reordered: 1, ..Faults::default() });
    }
}

#[test]
fn a_message_survives_its_line() {
    let message = Message { sender: 12, number: 345, sent_at: 67890 };
    let mut sent = Vec::new();
    message.write("#load", 40, &mut sent);
    let text = String::from_utf8(sent).expect("ASCII");
    let sent = text.strip_suffix("\r\n").expect("a whole line");
    assert!(sent.starts_with("PRIVMSG #load :load 12 345 67890 xx"), "{sent}");
    assert_eq!(sent.split_once(" :").expect("a text").1.len(), 40);
    for received in [format!(":a!b@c {sent}"), format!("@time=x;msgid=y :a!b@c {sent}"), sent.to_owned()] {
        let line = Line::parse(received.as_bytes());
        assert_eq!((line.command, line.param(0)), (&b"PRIVMSG"[..], "#load"));
        assert_eq!(Message::parse(line.text()), Some(message), "{received}");
    }
    for other in ["load 1 2", "load 1 2 x", "hello", "load 1 2 -3 x", "load 1 99999999999999999999 3 x"] {
        assert_eq!(Message::parse(other.as_bytes()), None, "{other}");
    }
}
