//! What each fuzz target does with its bytes, and what must hold whatever they are.
//!
//! The targets under `fuzz_targets/` are one line each. `tests/it/parsers/fuzz.rs` includes this file and replays the committed
//! corpora with a stable compiler, so that an input that once failed stays a test.

use std::fmt::Write as _;
use std::path::Path;

use parlour::client::files::servers::Servers;
use parlour::core::effects::LongReply;
use parlour::core::login::{LoginMachine, LoginStep, Proof, RegistrationError, Verification, Verified};
use parlour::core::record::secret::PasswordHash;
use parlour::core::record::{Account, AccountId, Role, Snapshot};
use parlour::core::request::sasl::{ChunkResult, Credentials, ResponseBuffer};
use parlour::core::{Command, Core, Effects, Input, InputKind, Login, Output, Renderer, SessionId, Settings};
use parlour::server::config::Config;
use parlour::trust::InviteLink;
use parlour::wire::framing::LineFramer;
use parlour::wire::message::{escape, unescape};
use parlour::wire::{Label, Message, Nick, Timestamp};

/// Most bytes of a line's part after its tags, as the server has it.
const MAX_LINE_BYTES: usize = 2048;

/// The framer gives the same lines however the bytes arrive, and none that is longer than its bound.
pub fn framer(data: &[u8]) {
    let Some((&step, data)) = data.split_first() else { return };
    let collect = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut lines, mut out) = (LineFramer::new(64), Vec::new());
        for piece in pieces {
            lines.feed(piece, |line| out.push(line.map(str::to_owned)));
        }
        out
    };
    let whole = collect(&mut std::iter::once(data));
    let pieces = collect(&mut data.chunks(usize::from(step) + 1));
    assert_eq!(whole, pieces, "the same lines in pieces of {}", usize::from(step) + 1);
    for line in whole.into_iter().flatten() {
        assert!(
            !line.is_empty()
                && line.len() <= LineFramer::MAX_TAG_BYTES + 64
                && !line.contains(['\r', '\n', '\0'])
        );
    }
}

/// A message parses or does not, tags survive being escaped again, and every command parses or is answered.
pub fn message(data: &[u8]) {
    for line in split_lines(data) {
        let Some(message) = Message::parse(&line) else { continue };
        assert!(!message.command.is_empty());
        for (_, value) in message.tags.iter() {
            let plain = unescape(value);
            assert_eq!(unescape(&escape(&plain)), plain, "a tag's value survives");
        }
        drop(Command::parse(&message));
    }
}

/// SASL responses are bounded, and credentials never have a name that is no nick.
pub fn sasl(data: &[u8]) {
    drop(Credentials::from_plain(data));
    let mut response = ResponseBuffer::default();
    for chunk in data.split(|&byte| byte == b'\n') {
        let Ok(chunk) = std::str::from_utf8(chunk) else { continue };
        if let ChunkResult::Complete(bytes) = response.push_chunk(chunk) {
            assert!(bytes.len() <= data.len(), "base64 only shrinks");
            drop(Credentials::from_plain(&bytes));
        }
    }
}

/// A link that parses is written as one that parses to the same, and no error quotes a token.
pub fn links(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.parse::<InviteLink>() {
        Ok(link) => {
            let written = link.to_string();
            assert_eq!(written.parse::<InviteLink>().as_ref(), Ok(&link), "{written}");
        }
        Err(error) => assert_not_quoted(text, &error.to_string()),
    }
}

/// A configuration parses, or its error names a line that exists.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = Config::from_text(text, Path::new("parlour.toml")) {
        assert!(!error.to_string().is_empty());
    }
}

/// The file of known servers is read, or refused with a reason.
pub fn servers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = Servers::from_text(text, Path::new("servers.toml")) {
        assert!(!error.to_string().is_empty());
    }
}

/// METADATA of a member, before and after the login.
pub fn metadata(data: &[u8]) {
    run_command_arguments("METADATA ", data);
}

/// CHATHISTORY of a member.
pub fn chathistory(data: &[u8]) {
    run_command_arguments("CHATHISTORY ", data);
}

/// Lines of a connection before its login: none logs in whose password was not verified.
pub fn login(data: &[u8]) {
    let Some((&verdicts, data)) = data.split_first() else { return };
    let (mut machine, mut out) = (LoginMachine::default(), String::new());
    let (mut proven, mut tries) = (false, 0);
    for line in split_lines(data) {
        let Some(message) = Message::parse(&line) else { continue };
        let mut step = machine.handle_line(&message, &mut out);
        // A verdict can be followed by another check, or by the end.
        for _ in 0..4 {
            let right = verdicts >> (tries % 8) & 1 == 1;
            step = match step {
                LoginStep::CheckPassword(_) | LoginStep::LookUpDevice(_) => {
                    tries += 1;
                    proven |= right;
                    let outcome = if right {
                        Verification::Verified(verified_account())
                    } else {
                        Verification::WrongCredentials
                    };
                    machine.resume_with_verification(outcome, &mut out)
                }
                LoginStep::RedeemInvite(_) => {
                    tries += 1;
                    proven |= right;
                    let refused = RegistrationError { code: "INVALID_TOKEN", text: "refused".to_owned() };
                    machine.resume_with_registration(
                        if right { Ok(verified_account()) } else { Err(refused) },
                        &mut out,
                    )
                }
                LoginStep::Done(login) => {
                    assert!(proven && login.account == AccountId(16), "nobody gets in without a proof");
                    return;
                }
                LoginStep::Close(reason) => {
                    assert!(!reason.is_empty());
                    return;
                }
                LoginStep::Continue => break,
            };
        }
        assert_lines(&out);
        out.clear();
    }
}

/// Members' lines to the core: it never panics, its effects are the same each time, and its output is whole lines.
pub fn core(data: &[u8]) {
    assert_eq!(run_core(data), run_core(data), "the same inputs give the same effects");
}

fn run_core(data: &[u8]) -> String {
    let members = accounts();
    let passwords = members.iter().map(|account| (account.id, password_hash())).collect();
    let mut chat =
        Core::new(Settings::default(), Snapshot { accounts: members, passwords, ..Snapshot::default() });
    let mut now = Timestamp(1_700_000_000_000);
    let mut trace = String::new();
    let sessions: Vec<SessionId> = (0..3).map(|slot| SessionId { slot, generation: 0 }).collect();
    let mut waiting = [false; 3];
    let mut apply = |chat: &mut Core, kind: InputKind, waiting: &mut [bool; 3]| {
        now.0 += 1;
        let mut effects = Effects::default();
        chat.handle(Input { at: now, monotonic: now, kind }, &mut effects);
        for output in &effects.outputs {
            match output {
                Output::Reply(reply) => {
                    let mut line = String::new();
                    reply.render(&Renderer::default(), &mut line);
                    assert_lines(&line);
                }
                Output::Query { session, .. } | Output::Long(LongReply { to: session, .. }) => {
                    if let Some(waits) =
                        usize::try_from(session.slot).ok().and_then(|slot| waiting.get_mut(slot))
                    {
                        *waits = true;
                    }
                }
                _ => {}
            }
        }
        writeln!(trace, "{:?}\n{:?}", effects.records, effects.outputs).expect("a string");
    };
    for (session, account) in sessions.iter().zip(accounts()) {
        if let Some(login) = log_in(&account) {
            apply(&mut chat, InputKind::SessionOpened(*session, login), &mut waiting);
        }
    }
    for line in split_lines(data).take(200) {
        let Some((&first, _)) = line.as_bytes().split_first() else { continue };
        let (at, text) = match first {
            b'0'..=b'2' => (usize::from(first - b'0'), line.get(1..).unwrap_or_default()),
            _ => (0, line.as_str()),
        };
        // The hub handles no line of a session with an open query, and no query gets a result here.
        if waiting.get(at) == Some(&true) {
            continue;
        }
        let (Some(session), Some(message)) = (sessions.get(at), Message::parse(text)) else { continue };
        let label = Label::of(&message);
        let input = InputKind::Command { session: *session, label, command: Command::parse(&message) };
        apply(&mut chat, input, &mut waiting);
    }
    apply(&mut chat, InputKind::Tick, &mut waiting);
    for session in sessions {
        apply(&mut chat, InputKind::SessionClosed(session, "gone".into()), &mut waiting);
    }
    trace
}

/// Parses the arguments of a command, and lets a member send it.
fn run_command_arguments(command: &str, data: &[u8]) {
    let text: Vec<u8> = [format!("0{command}").as_bytes(), data].concat();
    core(&text);
}

fn accounts() -> Vec<Account> {
    let account = |(id, name, role)| {
        Nick::parse(name).ok().map(|name| Account { id: AccountId(id), name, role, disabled: false })
    };
    [(16, "al", Role::Member), (17, "bo", Role::Member), (18, "cy", Role::Admin)]
        .into_iter()
        .filter_map(account)
        .collect()
}

fn password_hash() -> PasswordHash {
    PasswordHash::from_phc("$argon2id$test")
}

fn verified_account() -> Verified {
    let name = Nick::parse("al").expect("a nick");
    Verified { account: AccountId(16), name, proof: Proof::Password(password_hash()) }
}

/// A login as the login machine makes it.
fn log_in(account: &Account) -> Option<Login> {
    let caps = "batch echo-message labeled-response message-tags draft/chathistory draft/metadata-2 draft/event-playback";
    let (mut machine, mut out) = (LoginMachine::default(), String::new());
    let hello = [
        format!("CAP REQ :{caps}"),
        format!("NICK {}", account.name),
        "USER u 0 * :Real Name".to_owned(),
        "AUTHENTICATE PLAIN".to_owned(),
        // \0al\0secret12
        "AUTHENTICATE AGFsAHNlY3JldDEy".to_owned(),
    ];
    for line in &hello {
        machine.handle_line(&Message::parse(line)?, &mut out);
    }
    let verified =
        Verified { account: account.id, name: account.name.clone(), proof: Proof::Password(password_hash()) };
    machine.resume_with_verification(Verification::Verified(verified), &mut out);
    match machine.handle_line(&Message::parse("CAP END")?, &mut out) {
        LoginStep::Done(login) => Some(login),
        _ => None,
    }
}

/// The lines that a connection would hand to the parser.
fn split_lines(data: &[u8]) -> impl Iterator<Item = String> {
    let mut lines = Vec::new();
    LineFramer::new(MAX_LINE_BYTES).feed(data, |line| lines.extend(line.ok().map(str::to_owned)));
    lines.into_iter()
}

/// Output consists of whole lines, each with its end and nothing that would break it.
fn assert_lines(out: &str) {
    assert!(out.is_empty() || out.ends_with("\r\n"), "{out:?}");
    for line in out.split_terminator("\r\n") {
        assert!(!line.is_empty() && !line.contains(['\r', '\n', '\0']), "{line:?}");
    }
}

/// No run of characters that could be a token is quoted.
fn assert_not_quoted(given: &str, error: &str) {
    let secret = |run: &&str| run.len() >= 16 && run.bytes().any(|byte| byte.is_ascii_digit());
    for run in given.split(|c: char| !c.is_ascii_alphanumeric()).filter(secret) {
        assert!(!error.contains(run), "the error quotes {run:?}");
    }
}
