//! Limits on the sessions, channels and entries of an account.

use super::driver::Driver;
use crate::core::model::channel::Channel;
use crate::core::request::files::FileError;
use crate::core::{InputKind, Settings};
use crate::wire::Nick;

fn driver_with_settings(settings: Settings) -> Driver {
    let mut d = Driver::new();
    d.input(InputKind::Settings(Box::new(settings)));
    d
}

#[test]
fn channel_quota_counts_creator_not_founder() {
    let mut d = driver_with_settings(Settings { channels_per_account: 3, ..Settings::default() });
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    for name in ["#1", "#2", "#3"] {
        // The channel has a message and no founder when the account leaves it.
        d.send_line(al, &format!("JOIN {name}"));
        d.send_line(al, &format!("PRIVMSG {name} :x"));
        d.send_line(al, &format!("MODE {name} -q al"));
        d.send_line(al, &format!("PART {name}"));
    }
    assert!(d.send_line(al, "JOIN #4").contains(" 405 al #4 :You have created 3 channels"));
    // The quota can't be filled for another account either.
    d.send_line(bo, "JOIN #5");
    d.send_line(al, "JOIN #5");
    d.send_line(bo, "MODE #5 +q al");
    d.send_line(bo, "PART #5");
    assert!(d.send_line(bo, "JOIN #6").contains("JOIN #6"));
    assert!(d.send_line(bo, "JOIN #7").contains("JOIN #7"));
    assert!(d.send_line(bo, "JOIN #8").contains(" 405 bo #8 "));
    // A channel that is removed because it is empty no longer counts.
    d.send_line(bo, "PART #7");
    assert!(d.send_line(bo, "JOIN #8").contains("JOIN #8"));
}

#[test]
fn session_limit_refuses_new_session_only() {
    let mut d = driver_with_settings(Settings { sessions_per_account: 2, ..Settings::default() });
    let (one, two, bo) = (d.open("al", ""), d.open("al", ""), d.open("bo", ""));
    d.send_line(bo, "JOIN #a");
    d.send_line(one, "JOIN #a");
    d.take_output(bo);
    let three = d.open_with_burst("al", "standard-replies");
    let text = "Your account has 2 sessions, the maximum; end one of them first";
    let expected = format!(":chat.parlour FAIL * TOO_MANY_SESSIONS :{text}\r\nERROR :{text}\r\n");
    assert_eq!(d.take_output(three), expected);
    assert_eq!(d.send_line(three, "PRIVMSG #a :x"), "");
    d.input(InputKind::SessionClosed(three, "gone".into()));
    assert_eq!(
        (d.take_output(bo), d.core.counts().sessions, d.core.sessions_refused()),
        (String::new(), 3, 1)
    );
    d.send_line(two, "PRIVMSG #a :still here");
    assert!(d.take_output(bo).contains("still here"));
    d.send_line(two, "QUIT");
    let four = d.open_with_burst("al", "");
    assert!(d.take_output(four).contains(" 001 al "), "there is room again");
}

#[test]
fn monitor_limit_applies_per_account() {
    let mut d = Driver::new();
    let list = |of: usize| (0..200).map(|n| format!("n{of}x{n}")).collect::<Vec<_>>().join(",");
    for session in 0..6 {
        let al = d.open("al", "");
        let answer = d.send_line(al, &format!("MONITOR + {}", list(session)));
        assert_eq!(answer.contains(" 734 al 0 "), session == 5, "{answer}");
    }
}

#[test]
fn pending_invitations_are_limited() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    d.send_line(al, "JOIN #a");
    for n in 0..=Channel::MAX_INVITED {
        d.add_user(&format!("guest{n}"));
        let answer = d.send_line(al, &format!("INVITE guest{n} #a"));
        assert_eq!(
            answer.contains(" 482 al #a :500 invitations are pending"),
            n == Channel::MAX_INVITED,
            "{answer}"
        );
    }
    assert!(d.send_line(al, "INVITE guest7 #a").contains(" 341 "), "who has one can be told again");
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
fn an_account_sends_no_more_on_a_day_than_its_quota() {
    let mut d = Driver::new();
    let settings = Settings { messages_per_day: 2, bytes_per_day: 12, ..Settings::default() };
    d.input(InputKind::Settings(Box::new(settings)));
    let (al, bo, cy) = (d.open("al", "parlour/send-id echo-message"), d.open("bo", ""), d.open("cy", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(cy, "JOIN #a");
    d.send_line(al, "@parlour/send-id=1 PRIVMSG #a :12345");
    d.send_line(al, "PRIVMSG bo :12345");
    let refused = d.send_line(al, "PRIVMSG #a :1");
    assert!(refused.contains(" 404 al #a :Cannot send: this account has sent 2 messages today"), "{refused}");
    assert!(d.send_line(al, "PRIVMSG bo :1").contains(" 531 al bo :Cannot send"));
    assert!(d.send_line(al, "@parlour/send-id=1 PRIVMSG #a :12345").contains(":12345"), "sent before");
    let refused = d.send_line(bo, "PRIVMSG al :1234567890123");
    assert!(refused.contains(" 531 bo al :Cannot send: this account has sent 0 bytes today, of at most 12"));
    d.take_output(cy);
    for _ in 0..4 {
        assert_eq!(d.send_line(cy, "PRIVMSG #a :an admin has no quota"), "");
    }
    d.now.0 += 24 * 60 * 60 * 1000;
    d.take_output(al);
    assert!(d.send_line(al, "PRIVMSG #a :1").contains("PRIVMSG #a :1"), "another day");
}

#[test]
fn only_admins_write_while_the_disk_is_almost_full() {
    let mut d = Driver::new();
    let (al, cy) = (d.open("al", ""), d.open("cy", ""));
    d.send_line(al, "JOIN #a");
    d.send_line(cy, "JOIN #a");
    d.input(InputKind::DiskIsLow(true));
    assert!(
        d.send_line(al, "PRIVMSG #a :x")
            .contains(" 404 al #a :Cannot send: the server's disk is almost full")
    );
    assert_eq!(d.send_line(cy, "PRIVMSG #a :who can delete something?"), "");
    let id = |d: &Driver, name: &str| {
        d.core.accounts.get_by_name(&Nick::parse(name).expect("a nick")).expect("an account").account.id
    };
    let (member, admin) = (id(&d, "al"), id(&d, "cy"));
    assert_eq!(d.core.file_quota_left(member), Err(FileError::DiskIsLow));
    assert!(d.core.file_quota_left(admin).is_ok());
    d.input(InputKind::DiskIsLow(false));
    d.take_output(al);
    assert_eq!(d.send_line(al, "PRIVMSG #a :x"), "");
}
