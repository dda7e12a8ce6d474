//! Cost of each part of a message's path: `cargo bench --bench parts [FILTER]`.
//!
//! Framing and parsing lines, dispatching a message to the members of a channel, rendering it, queueing the shared block for
//! each member, and appending messages to the store. `benches/load` measures the whole path, with TLS and the network.

use std::hint::black_box;
use std::sync::mpsc;

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use parking_lot::Mutex;
use parlour::core::login::{LoginMachine, LoginStep, Proof, Verification, Verified};
use parlour::core::record::secret::PasswordHash;
use parlour::core::record::{
    Account, AccountId, ChannelId, Conversation, MessageKind, Record, Role, Snapshot, StoredMessage,
};
use parlour::core::{Command, Core, Effects, Input, InputKind, Login, Output, Renderer, SessionId, Settings};
use parlour::store::Store;
use parlour::wire::framing::LineFramer;
use parlour::wire::{Message, MessageId, Nick, Tagging, Timestamp};

const TEXT: &str =
    "a message as people write them, and a little longer than most of theirs, to be 100 bytes long...";

const CAPS: &str = "server-time message-tags echo-message no-implicit-names";

/// First moment of each benchmark.
const START: Timestamp = Timestamp(1_700_000_000_000);

fn main() {
    divan::main();
}

/// A read of eight lines is cut into lines.
#[divan::bench]
fn frame(bencher: Bencher) {
    let input = format!("@label=a1 PRIVMSG #room :{TEXT}\r\n").repeat(8);
    let mut framer = LineFramer::new(2048);
    bencher.counter(ItemsCount::new(8_usize)).bench_local(|| {
        framer.feed(input.as_bytes(), |line| {
            black_box(line.is_ok());
        });
    });
}

/// A line becomes a typed command.
#[divan::bench(args = ["PRIVMSG", "JOIN", "PING"])]
fn parse(bencher: Bencher, command: &str) {
    let line = match command {
        "PRIVMSG" => format!("@label=a1;+draft/reply=00000000000000a1 PRIVMSG #room :{TEXT}"),
        other => format!("{other} #room"),
    };
    bencher.bench(|| Message::parse(black_box(&line)).map(|message| Command::parse(&message)));
}

/// The rules apply a message to a channel with so many members.
#[divan::bench(args = [10, 100, 1000, 10_000])]
fn dispatch(bencher: Bencher, members: u32) {
    let mut room = Room::with_members(members);
    let line = privmsg();
    bencher.with_inputs(|| command(0, &line)).bench_local_values(|input| room.apply(input));
}

/// A message becomes the bytes of a line.
#[divan::bench]
fn render(bencher: Bencher) {
    let mut room = Room::with_members(2);
    let effects = room.apply(command(0, &privmsg()));
    let (mut renderer, mut out) = (Renderer::default(), String::new());
    bencher.bench_local(|| {
        out.clear();
        for output in &effects.outputs {
            render_to(&mut renderer, output, &mut out);
        }
        out.len()
    });
}

/// A rendered block is queued for each member, in queues behind locks like those of the server's sessions.
#[divan::bench(args = [10, 100, 1000, 10_000])]
fn outbox(bencher: Bencher, members: u32) {
    let queues: Vec<Mutex<Vec<Bytes>>> = (0..members).map(|_| Mutex::default()).collect();
    let mut room = Room::with_members(members);
    let effects = room.apply(command(0, &privmsg()));
    let mut block = String::new();
    effects.outputs.iter().for_each(|output| render_to(&mut Renderer::default(), output, &mut block));
    let block = Bytes::from(block);
    bencher.counter(ItemsCount::new(members)).bench_local(|| {
        for output in &effects.outputs {
            let Output::Broadcast { audience, .. } = output else { continue };
            for recipient in audience.slices().flatten() {
                queues[recipient.session.slot as usize].lock().push(block.clone());
            }
        }
        for queue in &queues {
            queue.lock().clear();
        }
    });
}

/// A batch of messages becomes durable, on the disk of the temporary folder.
#[divan::bench(args = [1, 75, 500], sample_size = 1)]
fn append(bencher: Bencher, batch: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let mut id = MessageId::first_at(START);
    let (done, durable) = mpsc::channel();
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        let records: Vec<Record> = std::iter::repeat_with(|| {
            id = id.next(START);
            Record::Message(StoredMessage {
                id,
                conversation: Conversation::Channel(ChannelId(1)),
                from: AccountId(1),
                kind: MessageKind::Privmsg,
                text: TEXT.into(),
                tags: "".into(),
                send_id: None,
            })
        })
        .take(batch)
        .collect();
        let done = done.clone();
        store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
        durable.recv().expect("answered").expect("kept");
    });
}

/// A channel whose members are all logged in.
struct Room {
    core: Core,
    now: Timestamp,
}

impl Room {
    fn with_members(count: u32) -> Self {
        let nick = |number: u32| Nick::parse(&format!("member{number}")).expect("a nick");
        let account = |number: u32| AccountId(16 + i64::from(number));
        let accounts = (0..count)
            .map(|number| Account {
                id: account(number),
                name: nick(number),
                role: Role::Member,
                disabled: false,
            })
            .collect();
        let hash = || PasswordHash::from_phc("$argon2id$test");
        let passwords = (0..count).map(|number| (account(number), hash())).collect();
        let snapshot = Snapshot { accounts, passwords, ..Snapshot::default() };
        let mut room = Self { core: Core::new(Settings::default(), snapshot), now: START };
        for number in 0..count {
            room.apply(InputKind::SessionOpened(session(number), login(account(number), nick(number))));
            room.apply(command(number, "JOIN #room"));
        }
        room
    }

    fn apply(&mut self, kind: InputKind) -> Effects {
        let mut effects = Effects::default();
        self.now.0 += 1;
        self.core.handle(Input { at: self.now, monotonic: self.now, kind }, &mut effects);
        effects
    }
}

/// Renders an event as for the first recipient of its audience.
fn render_to(renderer: &mut Renderer, output: &Output, out: &mut String) {
    if let Output::Broadcast { audience, event, .. } = output
        && let Some(recipient) = audience.slices().flatten().next()
    {
        renderer.render(event, recipient.caps, &Tagging::None, out);
    }
}

fn session(number: u32) -> SessionId {
    SessionId { slot: number, generation: 0 }
}

fn privmsg() -> String {
    format!("PRIVMSG #room :{TEXT}")
}

fn command(number: u32, line: &str) -> InputKind {
    let command = Command::parse(&Message::parse(line).expect("a line"));
    InputKind::Command { session: session(number), label: None, command }
}

fn login(account: AccountId, name: Nick) -> Login {
    let mut machine = LoginMachine::default();
    let mut out = String::new();
    for line in [
        &format!("CAP REQ :{CAPS}"),
        &format!("NICK {name}"),
        "USER u 0 * :Real Name",
        "AUTHENTICATE PLAIN",
        "AUTHENTICATE AGFsAHNlY3JldDEy",
    ] {
        machine.handle_line(&Message::parse(line).expect("a line"), &mut out);
    }
    let proof = Proof::Password(PasswordHash::from_phc("$argon2id$test"));
    machine.resume_with_verification(Verification::Verified(Verified { account, name, proof }), &mut out);
    match machine.handle_line(&Message::parse("CAP END").expect("a line"), &mut out) {
        LoginStep::Done(login) => login,
        other => panic!("{other:?}"),
    }
}
