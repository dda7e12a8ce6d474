//! The grace period: an account whose last connection broke quits only if it does not return in time.

use std::time::Duration;

use super::driver::Driver;
use crate::core::request::admin::UserChange;
use crate::core::{InputKind, SessionId, Settings};

/// Grace period of the tests, in milliseconds.
const GRACE: u64 = 10_000;

/// Starts a core with a grace period, and with `al`, `bo` and `cy` in `#a`.
fn room() -> (Driver, [SessionId; 3]) {
    let mut d = Driver::new();
    d.input(InputKind::Settings(Box::new(Settings {
        grace: Duration::from_millis(GRACE),
        ..Settings::default()
    })));
    let sessions = ["al", "bo", "cy"].map(|name| d.open(name, ""));
    for session in sessions {
        d.send_line(session, "JOIN #a");
    }
    for session in sessions {
        d.take_output(session);
    }
    (d, sessions)
}

fn lose(d: &mut Driver, session: SessionId) {
    d.input(InputKind::SessionClosed(session, "lost".into()));
}

/// Ends `span` milliseconds after the last input.
fn wait(d: &mut Driver, span: u64) {
    // An input takes one.
    d.monotonic.0 += span - 1;
    d.input(InputKind::Tick);
}

#[test]
fn account_quits_when_the_grace_period_ends() {
    let (mut d, [al, bo, _]) = room();
    lose(&mut d, bo);
    wait(&mut d, GRACE - 1);
    assert_eq!(d.take_output(al), "");
    wait(&mut d, 1);
    assert_eq!(d.take_output(al), ":bo!bo@parlour QUIT :lost\r\n");
    assert_eq!(d.core.next_deadline(), None);
    d.open("bo", "");
    assert_eq!(d.take_output(al), ":bo!bo@parlour JOIN #a\r\n", "it joins anew");
}

#[test]
fn reconnect_cancels_the_grace_period() {
    let (mut d, [al, bo, cy]) = room();
    lose(&mut d, bo);
    wait(&mut d, GRACE / 2);
    let bo = d.open("bo", "");
    lose(&mut d, cy);
    wait(&mut d, GRACE);
    assert_eq!(d.take_output(al), ":cy!cy@parlour QUIT :lost\r\n", "bo is here");
    // The next break has a grace period of its own.
    lose(&mut d, bo);
    wait(&mut d, GRACE - 1);
    assert_eq!(d.take_output(al), "");
    wait(&mut d, 1);
    assert_eq!(d.take_output(al), ":bo!bo@parlour QUIT :lost\r\n");
}

#[test]
fn grace_applies_to_the_last_connection_only() {
    let (mut d, [al, laptop, _]) = room();
    let phone = d.open("bo", "");
    lose(&mut d, laptop);
    assert_eq!(d.core.next_deadline(), None);
    // A QUIT ends the presence at once, even after broken connections.
    d.send_line(phone, "QUIT :now");
    assert_eq!(d.take_output(al), ":bo!bo@parlour QUIT :Quit: now\r\n");
}

#[test]
fn quit_has_no_grace_period() {
    let (mut d, [al, bo, _]) = room();
    d.send_line(bo, "QUIT :good night");
    lose(&mut d, bo);
    assert_eq!(d.take_output(al), ":bo!bo@parlour QUIT :Quit: good night\r\n", "once");
    assert_eq!(d.core.next_deadline(), None);
}

#[test]
fn disabled_account_has_no_grace_period() {
    let (mut d, [al, bo, _]) = room();
    lose(&mut d, bo);
    d.change_user("bo", UserChange::Disable);
    assert_eq!(d.take_output(al), ":bo!bo@parlour QUIT :This account was disabled\r\n");
    wait(&mut d, GRACE);
    assert_eq!(d.take_output(al), "", "once");
}
