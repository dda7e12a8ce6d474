//! Tests that the cost of a command grows with the count of sessions that it reaches.

use crate::core::tests::driver::Driver;
use crate::core::{Command, EffectCounts, Effects, Input, InputKind, SessionId, Settings};
use crate::server::hub::budget::Work;
use crate::wire::Message;

/// Count of deliveries that cost one unit.
const DELIVERIES_PER_UNIT: usize = 2_500;

const CAPS: &str = "message-tags away-notify setname extended-join draft/metadata-2 invite-notify";

/// Makes a channel `#a` with `al`, `bo` and so many other accounts of one session each.
fn crowded_channel(account_count: usize, caps: &str) -> (Driver, SessionId, SessionId) {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", CAPS), d.open("bo", CAPS));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    for n in 0..account_count {
        let name = format!("n{n}");
        d.add_user(&name);
        let session = d.open(&name, caps);
        d.send_line(session, "JOIN #a");
        d.send_line(session, "METADATA * SUB status");
    }
    let _ = d.core.take_scanned_rows();
    (d, al, bo)
}

/// Returns the cost of an input.
fn cost(d: &mut Driver, kind: InputKind) -> f32 {
    let mut effects = Effects::default();
    d.now.0 += 1;
    d.monotonic.0 += 1;
    d.core.handle(Input { at: d.now, monotonic: d.monotonic, kind }, &mut effects);
    Work::from_effects(EffectCounts::default(), &effects, d.core.take_scanned_rows()).uncapped_cost().charged
}

fn command_input(session: SessionId, line: &str) -> InputKind {
    let command = Command::parse(&Message::parse(line).expect(line));
    InputKind::Command { session, label: None, command }
}

#[test]
fn cost_grows_with_audience() {
    let few = 10;
    let many = 610;
    let lines = [
        "PRIVMSG #a :x",
        "@+a=b TAGMSG #a",
        "TOPIC #a :x",
        "MODE #a +n-n+s",
        "MODE #a +b x!*@*",
        "KICK #a bo :x",
        "INVITE cy #a",
        "RENAME #a #b :x",
        "SETNAME :x",
        "AWAY :x",
        "METADATA * SET status :x",
        "METADATA #a SET status :x",
        "PART #a :x",
        "QUIT :x",
    ];
    let ((mut small, s_al, _), (mut large, l_al, _)) =
        (crowded_channel(few, CAPS), crowded_channel(many, CAPS));
    for line in lines {
        let (a, b) =
            (cost(&mut small, command_input(s_al, line)), cost(&mut large, command_input(l_al, line)));
        let least = expected_cost(many - few);
        assert!(b - a >= least, "{line}: {a} for {few}, {b} for {many}");
        // Restore the channel as far as possible.
        for back in ["RENAME #b #a", "JOIN #a"] {
            let _ = cost(&mut small, command_input(s_al, back));
            let _ = cost(&mut large, command_input(l_al, back));
        }
    }
}

/// Returns the minimum cost of so many deliveries.
#[expect(clippy::cast_precision_loss, reason = "few")]
fn expected_cost(deliveries: usize) -> f32 {
    0.99 * deliveries as f32 / DELIVERIES_PER_UNIT as f32
}

#[test]
fn disconnect_cost_grows_with_audience() {
    let ((mut small, ..), (mut large, ..)) = (crowded_channel(10, CAPS), crowded_channel(610, CAPS));
    for d in [&mut small, &mut large] {
        let cy = d.open("cy", CAPS);
        d.send_line(cy, "JOIN #a");
        let _ = d.core.take_scanned_rows();
    }
    let closed = |d: &mut Driver| {
        let last = SessionId { slot: d.opened_sessions() - 1, generation: 0 };
        cost(d, InputKind::SessionClosed(last, "Quit: x".into()))
    };
    let (a, b) = (closed(&mut small), closed(&mut large));
    assert!(b - a >= expected_cost(600), "{a}, {b}");
}

/// Sessions without channel-rename get a PART, a JOIN and all names each. That is charged, and the names are rendered
/// once.
#[test]
fn rename_cost_counts_fallback_part_and_join() {
    let people = 300;
    let (mut plain, plain_al, _) = crowded_channel(people, "");
    let (mut modern, modern_al, _) = crowded_channel(people, "draft/channel-rename");
    let with_rename = cost(&mut modern, command_input(modern_al, "RENAME #a #b"));
    let fallen_back = cost(&mut plain, command_input(plain_al, "RENAME #a #b"));
    // 300 lists of 300 names of at least four letters are at least 450 KB, at 16 KiB a unit.
    assert!(fallen_back > with_rename + 27.0, "{with_rename}, {fallen_back}");
    let rows = {
        let mut effects = Effects::default();
        let kind = command_input(plain_al, "RENAME #b #c");
        plain.core.handle(Input { at: plain.now, monotonic: plain.monotonic, kind }, &mut effects);
        plain.core.take_scanned_rows()
    };
    assert!(rows < 10 * people, "the names are looked up once for all: {rows}");
}

/// MONITOR also reaches sessions that share no channel with the account.
#[test]
fn monitoring_sessions_count_toward_cost() {
    let mut costs = Vec::new();
    for watchers in [10, 300] {
        let (mut d, al, _) = crowded_channel(0, CAPS);
        let settings = Settings { sessions_per_account: 0, ..Settings::default() };
        d.input(InputKind::Settings(Box::new(settings)));
        for _ in 0..watchers {
            let cy = d.open("cy", "extended-monitor away-notify");
            d.send_line(cy, "MONITOR + al");
        }
        let _ = d.core.take_scanned_rows();
        costs.push(cost(&mut d, command_input(al, "AWAY :x")));
    }
    assert!(costs[1] - costs[0] >= expected_cost(290), "{costs:?}");
}
