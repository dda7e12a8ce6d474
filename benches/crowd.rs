//! Cost of many members in one channel: `cargo bench --bench crowd [-- MEMBERS…]`.
//!
//! Thousands of sessions log in, JOIN one channel, each PART and rejoin, then all QUIT, through the core's `handle`.
//! Prints the time of the core's own work for each of these, and its growth with the count of members. Prints the
//! inherent costs beside it: the deliveries to sessions (each event rendered once and pushed into a queue for each
//! session, as the server does it), and the list of names for a member that joins without no-implicit-names.
//!
//! The core's own work should hardly grow; names and deliveries grow with the count of members.

use std::time::{Duration, Instant};

use parlour::core::login::{LoginMachine, Proof, Verification, Verified};
use parlour::core::record::secret::PasswordHash;
use parlour::core::record::{Account, AccountId, Role, Snapshot};
use parlour::core::{Command, Core, Effects, Input, InputKind, Login, Output, Renderer, SessionId, Settings};
use parlour::wire::{CapSet, Message, Nick, Tagging, Timestamp};

/// Count of inputs that the hub applies before it passes their effects on.
const BATCH_INPUTS: usize = 64;

/// Interval of batches whose outputs are delivered, which is the most work; that is enough to measure it.
const DELIVERY_INTERVAL: usize = 16;

const STEPS: [&str; 5] = ["log in", "JOIN", "PART", "JOIN again", "QUIT"];

fn main() {
    let mut sizes: Vec<u32> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1000, 3000, 10_000];
    }
    // Warms up the memory.
    measure_crowd(1000, "server-time");
    for (title, caps) in [
        ("without names", "server-time message-tags echo-message no-implicit-names"),
        ("with names", "server-time message-tags echo-message"),
    ] {
        println!("{title}: microseconds an operation, and as a ratio to the smallest crowd");
        println!(
            "{:>8} {:<10} {:>10} {:>7} {:>12} {:>14} {:>12}",
            "members", "step", "own work", "ratio", "told", "us telling", "ns a session"
        );
        let crowds: Vec<_> = sizes.iter().map(|&size| measure_crowd(size, caps)).collect();
        for (step, name) in STEPS.iter().enumerate() {
            let first = &crowds[0][step];
            for (size, steps) in sizes.iter().zip(&crowds) {
                let StepCosts {
                    core_time: own,
                    count,
                    deliveries: told,
                    delivery_time: telling,
                    delivered_operations: told_of,
                } = &steps[step];
                let each = micros_per_item(*own, *count);
                let ratio = each / micros_per_item(first.core_time, first.count);
                print!("{size:>8} {name:<10} {each:>10.2} {ratio:>7.2}");
                if *told > 0 {
                    let (all, each) =
                        (micros_per_item(*telling, *told_of), micros_per_item(*telling, *told) * 1000.0);
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
struct StepCosts {
    core_time: Duration,
    count: usize,
    /// Copies that were pushed, the time for that, and the count of operations that they belong to.
    deliveries: usize,
    delivery_time: Duration,
    delivered_operations: usize,
}

struct Bench {
    chat: Core,
    now: Timestamp,
    renderer: Renderer,
    /// Queue of each session by its slot. The server's outboxes are such queues behind a lock.
    queues: Vec<Vec<bytes::Bytes>>,
}

fn measure_crowd(size: u32, caps: &str) -> [StepCosts; STEPS.len()] {
    let nick = |n: u32| Nick::parse(&format!("member{n}")).expect("a nick");
    let account = |n: u32| AccountId(16 + i64::from(n));
    let accounts = (0..size)
        .map(|n| Account { id: account(n), name: nick(n), role: Role::Member, disabled: false })
        .collect();
    let passwords = (0..size).map(|n| (account(n), PasswordHash::from_phc("$argon2id$test"))).collect();
    let mut bench = Bench {
        chat: Core::new(Settings::default(), Snapshot { accounts, passwords, ..Snapshot::default() }),
        now: Timestamp(1_700_000_000_000),
        renderer: Renderer::default(),
        queues: vec![Vec::new(); size as usize],
    };
    // In another order than that of their numbers; 7919 is a prime.
    let sessions: Vec<u32> = (0..size).map(|n| (n * 7919 + 5) % size).collect();
    let command_input = |n: u32, line: &str| {
        let command = Command::parse(&Message::parse(line).expect("a line"));
        InputKind::Command { session: session(n), label: None, command }
    };
    let mut costs = [StepCosts::default(); STEPS.len()];
    let mut run = |step: usize, inputs: Vec<InputKind>| bench.run(&mut costs[step], inputs);
    run(
        0,
        sessions
            .iter()
            .map(|&n| InputKind::SessionOpened(session(n), login(account(n), nick(n), caps)))
            .collect(),
    );
    run(1, sessions.iter().map(|&n| command_input(n, "JOIN #all")).collect());
    for some in sessions.chunks(BATCH_INPUTS) {
        run(2, some.iter().map(|&n| command_input(n, "PART #all")).collect());
        run(3, some.iter().map(|&n| command_input(n, "JOIN #all")).collect());
    }
    run(4, sessions.iter().map(|&n| command_input(n, "QUIT")).collect());
    costs
}

impl Bench {
    fn run(&mut self, costs: &mut StepCosts, inputs: Vec<InputKind>) {
        let mut inputs = inputs.into_iter().peekable();
        while inputs.peek().is_some() {
            let mut fx = Effects::default();
            let mut count = 0;
            let began = Instant::now();
            for kind in inputs.by_ref().take(BATCH_INPUTS) {
                self.now.0 += 1;
                self.chat.handle(Input { at: self.now, monotonic: self.now, kind }, &mut fx);
                count += 1;
            }
            costs.core_time += began.elapsed();
            if (costs.count / BATCH_INPUTS).is_multiple_of(DELIVERY_INTERVAL) {
                let began = Instant::now();
                costs.deliveries += self.deliver(&fx.outputs);
                costs.delivery_time += began.elapsed();
                costs.delivered_operations += count;
                self.queues.iter_mut().for_each(Vec::clear);
            }
            costs.count += count;
        }
    }

    /// Renders each event once for each set of capabilities, and queues it for every session of its audience.
    fn deliver(&mut self, outputs: &[Output]) -> usize {
        let mut deliveries = 0;
        for output in outputs {
            let Output::Broadcast { audience, event, .. } = output else { continue };
            let mut blocks: Vec<(CapSet, bytes::Bytes)> = Vec::new();
            for member_session in audience.slices().flatten() {
                let cached = blocks.iter().find(|(caps, _)| *caps == member_session.caps);
                let block = if let Some((_, block)) = cached {
                    block.clone()
                } else {
                    let mut block = String::new();
                    self.renderer.render(event, member_session.caps, &Tagging::None, &mut block);
                    let block = bytes::Bytes::from(block);
                    blocks.push((member_session.caps, block.clone()));
                    block
                };
                self.queues[member_session.session.slot as usize].push(block);
                deliveries += 1;
            }
        }
        deliveries
    }
}

fn session(n: u32) -> SessionId {
    SessionId { slot: n, generation: 0 }
}

fn micros_per_item(time: Duration, count: usize) -> f64 {
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
        machine.handle_line(&Message::parse(line).expect("a line"), &mut out);
    }
    let proof = Proof::Password(PasswordHash::from_phc("$argon2id$test"));
    machine.resume_with_verification(Verification::Verified(Verified { account, name, proof }), &mut out);
    match machine.handle_line(&Message::parse("CAP END").expect("a line"), &mut out) {
        parlour::core::login::LoginStep::Done(login) => login,
        other => panic!("{other:?}"),
    }
}
