//! Cost of many members in one channel: `cargo bench --bench crowd [-- MEMBERS…]`.
//!
//! Thousands of sessions log in, JOIN one channel, each PART and rejoin, then all QUIT, through the core's `handle`.
//! Prints the time of the core's own work for each of these, and its growth with the count of members. Prints the
//! inherent costs beside it: the deliveries to sessions (each event rendered once and pushed into a queue for each
//! session, as the server does it), and the list of names for a member that joins without no-implicit-names.
//!
//! The core's own work should hardly grow; names and deliveries grow with the count of members.

use std::time::{Duration, Instant};

use parlour::core::login::{Checked, LoginMachine, Proof, Verified};
use parlour::core::record::secret::PasswordHash;
use parlour::core::record::{Account, AccountId, Role, Snapshot};
use parlour::core::{Chat, Command, Effects, Input, InputKind, Login, Output, Renderer, SessionId, Settings};
use parlour::wire::{CapSet, Message, Millis, Nick};

/// Count of inputs that the hub applies before it passes their effects on.
const AT_ONCE: usize = 64;

/// Interval of batches whose outputs are delivered, which is the most work; that is enough to measure it.
const TOLD: usize = 16;

const STEPS: [&str; 5] = ["log in", "JOIN", "PART", "JOIN again", "QUIT"];

fn main() {
    let mut sizes: Vec<u32> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1000, 3000, 10_000];
    }
    // Warms up the memory.
    crowd(1000, "server-time");
    for (title, caps) in [
        ("without names", "server-time message-tags echo-message no-implicit-names"),
        ("with names", "server-time message-tags echo-message"),
    ] {
        println!("{title}: microseconds an operation, and as a ratio to the smallest crowd");
        println!(
            "{:>8} {:<10} {:>10} {:>7} {:>12} {:>14} {:>12}",
            "members", "step", "own work", "ratio", "told", "us telling", "ns a session"
        );
        let crowds: Vec<_> = sizes.iter().map(|&size| crowd(size, caps)).collect();
        for (step, name) in STEPS.iter().enumerate() {
            let first = &crowds[0][step];
            for (size, steps) in sizes.iter().zip(&crowds) {
                let Costs { own, count, told, telling, told_of } = &steps[step];
                let each = micros(*own, *count);
                let ratio = each / micros(first.own, first.count);
                print!("{size:>8} {name:<10} {each:>10.2} {ratio:>7.2}");
                if *told > 0 {
                    let (all, each) = (micros(*telling, *told_of), micros(*telling, *told) * 1000.0);
                    print!(" {:>12} {all:>14.1} {each:>12.1}", told / told_of);
                }
                println!();
            }
        }
        println!();
    }
}

/// Costs of one step for all members.
#[derive(Clone, Copy, Default)]
struct Costs {
    own: Duration,
    count: usize,
    /// Copies that were pushed, the time for that, and the count of operations that they belong to.
    told: usize,
    telling: Duration,
    told_of: usize,
}

struct Bench {
    chat: Chat,
    now: Millis,
    renderer: Renderer,
    /// Queue of each session by its slot. The server's outboxes are such queues behind a lock.
    queues: Vec<Vec<bytes::Bytes>>,
}

fn crowd(size: u32, caps: &str) -> [Costs; STEPS.len()] {
    let nick = |n: u32| Nick::parse(&format!("member{n}")).expect("a nick");
    let account = |n: u32| AccountId(16 + i64::from(n));
    let accounts = (0..size)
        .map(|n| Account { id: account(n), name: nick(n), role: Role::Member, disabled: false })
        .collect();
    let passwords = (0..size).map(|n| (account(n), PasswordHash::from_phc("$argon2id$test"))).collect();
    let mut bench = Bench {
        chat: Chat::new(Settings::default(), Snapshot { accounts, passwords, ..Snapshot::default() }),
        now: Millis(1_700_000_000_000),
        renderer: Renderer::default(),
        queues: vec![Vec::new(); size as usize],
    };
    // In another order than that of their numbers; 7919 is a prime.
    let sessions: Vec<u32> = (0..size).map(|n| (n * 7919 + 5) % size).collect();
    let said = |n: u32, line: &str| {
        let command = Command::parse(&Message::parse(line).expect("a line"));
        InputKind::Said { session: session(n), label: None, command }
    };
    let mut costs = [Costs::default(); STEPS.len()];
    let mut run = |step: usize, inputs: Vec<InputKind>| bench.run(&mut costs[step], inputs);
    run(
        0,
        sessions.iter().map(|&n| InputKind::Opened(session(n), login(account(n), nick(n), caps))).collect(),
    );
    run(1, sessions.iter().map(|&n| said(n, "JOIN #all")).collect());
    for some in sessions.chunks(AT_ONCE) {
        run(2, some.iter().map(|&n| said(n, "PART #all")).collect());
        run(3, some.iter().map(|&n| said(n, "JOIN #all")).collect());
    }
    run(4, sessions.iter().map(|&n| said(n, "QUIT")).collect());
    costs
}

impl Bench {
    fn run(&mut self, costs: &mut Costs, inputs: Vec<InputKind>) {
        let mut inputs = inputs.into_iter().peekable();
        while inputs.peek().is_some() {
            let mut fx = Effects::default();
            let mut count = 0;
            let began = Instant::now();
            for kind in inputs.by_ref().take(AT_ONCE) {
                self.now.0 += 1;
                self.chat.handle(Input { at: self.now, steady: self.now, kind }, &mut fx);
                count += 1;
            }
            costs.own += began.elapsed();
            if (costs.count / AT_ONCE).is_multiple_of(TOLD) {
                let began = Instant::now();
                costs.told += self.tell(&fx.outputs);
                costs.telling += began.elapsed();
                costs.told_of += count;
                self.queues.iter_mut().for_each(Vec::clear);
            }
            costs.count += count;
        }
    }

    /// Renders each event once for each set of capabilities, and queues it for every session of its audience.
    fn tell(&mut self, outputs: &[Output]) -> usize {
        let mut told = 0;
        for output in outputs {
            let Output::Fan { audience, event, .. } = output else { continue };
            let mut blocks: Vec<(CapSet, bytes::Bytes)> = Vec::new();
            for seat in audience.slices().flatten() {
                let known = blocks.iter().find(|(caps, _)| *caps == seat.caps);
                let block = if let Some((_, block)) = known {
                    block.clone()
                } else {
                    let mut block = Vec::new();
                    self.renderer.render(event, seat.caps, None, &mut block);
                    let block = bytes::Bytes::from(block);
                    blocks.push((seat.caps, block.clone()));
                    block
                };
                self.queues[seat.session.slot as usize].push(block);
                told += 1;
            }
        }
        told
    }
}

fn session(n: u32) -> SessionId {
    SessionId { slot: n, generation: 0 }
}

fn micros(time: Duration, count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let count = count.max(1) as f64;
    time.as_secs_f64() * 1e6 / count
}

fn login(account: AccountId, name: Nick, caps: &str) -> Login {
    let mut machine = LoginMachine::default();
    let mut out = String::new();
    let lines = [format!("CAP REQ :{caps}"), format!("NICK {name}"), "USER u 0 * :Real Name".into()];
    for line in
        lines.iter().map(String::as_str).chain(["AUTHENTICATE PLAIN", "AUTHENTICATE AGFsAHNlY3JldDEy"])
    {
        machine.line(&Message::parse(line).expect("a line"), &mut out);
    }
    let proof = Proof::Password(PasswordHash::from_phc("$argon2id$test"));
    machine.checked(Checked::Right(Verified { account, name, proof }), &mut out);
    match machine.line(&Message::parse("CAP END").expect("a line"), &mut out) {
        parlour::core::login::Step::Done(login) => login,
        other => panic!("{other:?}"),
    }
}
