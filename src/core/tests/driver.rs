//! Test driver: a core with named accounts, which collects the output of each session.

use std::collections::{HashMap, HashSet};

use crate::core::effects::history::Found;
use crate::core::login::{Checked, LoginMachine, Proof, Step, Verified};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{Account, AccountId, Record, Role, Snapshot, StoredMessage};
use crate::core::request::account::DeviceKey;
use crate::core::request::admin::{Change, Done, NewUser, Request, RequestError, Ticket, UserChange};
use crate::core::{
    Answer, Ask, Chat, Command, Effects, Input, InputKind, Login, Output, Renderer, SessionId, Settings,
};
use crate::wire::{CapSet, Message, MessageId, Millis, Nick};

/// Drives a core with the accounts `al`, `bo` and `cy` (an admin).
pub struct Driver {
    pub chat: Chat,
    pub now: Millis,
    /// The monotonic clock.
    pub steady: Millis,
    pub records: Vec<Record>,
    /// Queries without a result so far, in order.
    pub asked: Vec<(SessionId, Ask)>,
    said: HashMap<MessageId, StoredMessage>,
    redacted: HashSet<MessageId>,
    got: HashMap<SessionId, String>,
    /// Result of the latest request.
    done: Option<Result<Done, RequestError>>,
    /// Password by which accounts log in; `None` for their present ones.
    pub known: Option<PasswordHash>,
    next: u32,
}

impl Driver {
    pub fn new() -> Self {
        let account = |(id, name, role)| Account {
            id: AccountId(id),
            name: Nick::parse(name).expect("a nick"),
            role,
            disabled: false,
        };
        let accounts = [(16, "al", Role::Member), (17, "bo", Role::Member), (18, "cy", Role::Admin)];
        let passwords = accounts.map(|(id, ..)| (AccountId(id), password())).into();
        let kept = Snapshot { accounts: accounts.map(account).into(), passwords, ..Snapshot::default() };
        Self::from_kept(kept)
    }

    pub fn from_kept(kept: Snapshot) -> Self {
        Self {
            chat: Chat::new(Settings::default(), kept),
            now: Millis(1_700_000_000_000),
            steady: Millis(0),
            records: Vec::new(),
            asked: Vec::new(),
            said: HashMap::new(),
            redacted: HashSet::new(),
            got: HashMap::new(),
            done: None,
            known: None,
            next: 0,
        }
    }

    /// Sends the core a request from outside of sessions, and returns the result.
    pub fn request(&mut self, request: Request) -> Result<Done, RequestError> {
        self.next += 1;
        self.input(InputKind::Request(Ticket(self.next.into()), request));
        self.done.take().expect("a result")
    }

    /// Makes a change as the command line does.
    pub fn admin(&mut self, change: Change) -> Result<Done, RequestError> {
        self.request(Request::Admin(change))
    }

    /// Changes an account that exists.
    pub fn change(&mut self, name: &str, change: UserChange) {
        let name = Nick::parse(name).expect("a nick");
        self.admin(Change::UserChange { name, change }).expect("changed");
    }

    /// Makes an account.
    pub fn add(&mut self, name: &str) {
        let name = Nick::parse(name).expect("a nick");
        let user = NewUser { name, password: password(), role: Role::Member };
        self.admin(Change::UserAdd { user, again: false }).expect("added");
    }

    /// Logs an account in and discards the burst. `caps` is the parameter of CAP REQ.
    pub fn open(&mut self, name: &str, caps: &str) -> SessionId {
        let session = self.open_with_burst(name, caps);
        self.got(session);
        session
    }

    /// Logs an account in with a connection that presented a certificate: by it, where it is a device of the account.
    /// Discards the burst.
    pub fn open_by(&mut self, key: DeviceKey, name: &str, caps: &str) -> SessionId {
        let session = self.begin(Some(key), name, caps);
        self.got(session);
        session
    }

    /// The same for an account that may not exist, or may not log in.
    pub fn try_open_by(&mut self, key: DeviceKey, name: &str, caps: &str) -> Option<SessionId> {
        self.chat.people.named(&Nick::parse(name).expect("a nick"))?;
        Some(self.open_by(key, name, caps))
    }

    /// Logs an account in. The burst is the start of its output.
    pub fn open_with_burst(&mut self, name: &str, caps: &str) -> SessionId {
        self.begin(None, name, caps)
    }

    fn begin(&mut self, key: Option<DeviceKey>, name: &str, caps: &str) -> SessionId {
        let nick = Nick::parse(name).expect("a nick");
        let account = self.chat.people.named(&nick).expect("an account").account.id;
        let session = SessionId { slot: self.next, generation: 0 };
        self.next += 1;
        let device = key.filter(|key| self.chat.owner(*key).is_some_and(|owner| owner.id == account));
        let proof = match device {
            Some(key) => Proof::Device(key),
            None => Proof::Password(self.known.clone().unwrap_or_else(|| {
                let password = self.chat.people.get(account).and_then(|person| person.password.clone());
                password.expect("an account with a password")
            })),
        };
        let mut login = login(account, nick, caps, proof);
        login.certificate = key;
        self.input(InputKind::Opened(session, login));
        session
    }

    /// Logs an account in, with what its client asked for before the login.
    pub fn open_after(&mut self, name: &str, asked: impl FnOnce(&mut Login)) -> SessionId {
        let nick = Nick::parse(name).expect("a nick");
        let account = self.chat.people.named(&nick).expect("an account").account.id;
        let session = SessionId { slot: self.next, generation: 0 };
        self.next += 1;
        let proof = self.chat.people.get(account).and_then(|person| person.password.clone());
        let mut login = login(account, nick, "", Proof::Password(proof.expect("an account with a password")));
        asked(&mut login);
        self.input(InputKind::Opened(session, login));
        session
    }

    /// Sends a line as the session, and returns the session's own output.
    pub fn say(&mut self, session: SessionId, line: &str) -> String {
        let message = Message::parse(line).expect(line);
        let label = message.tags.get("label").map(|label| label.into_owned().into());
        self.input(InputKind::Said { session, label, command: Command::parse(&message) });
        self.got(session)
    }

    pub fn input(&mut self, kind: InputKind) {
        let mut fx = Effects::default();
        self.now.0 += 1;
        self.steady.0 += 1;
        self.chat.handle(Input { at: self.now, steady: self.steady, kind }, &mut fx);
        for record in &fx.records {
            match record {
                Record::Message(message) => drop(self.said.insert(message.id, message.clone())),
                Record::Redacted { message, .. } => drop(self.redacted.insert(*message)),
                _ => {}
            }
        }
        self.records.append(&mut fx.records);
        let mut answers = Vec::new();
        let mut renderer = Renderer::default();
        let mut render = |event: &_, caps: CapSet, tag: Option<&str>| {
            let mut out = Vec::new();
            renderer.render(event, caps, tag, &mut out);
            String::from_utf8(out).expect("utf-8")
        };
        for output in fx.outputs {
            match output {
                Output::Line(to, line) => self.got.entry(to).or_default().push_str(&line),
                Output::Event { to, caps, event, tag } => {
                    let line = render(&event, caps, tag.as_deref());
                    self.got.entry(to).or_default().push_str(&line);
                }
                Output::Fan { audience, event, origin } => {
                    for seat in audience.seats() {
                        let origin = origin.as_ref().filter(|o| o.session == seat.session);
                        if origin.is_none_or(|o| o.echo) {
                            let line = render(&event, seat.caps, origin.and_then(|o| o.tag.as_deref()));
                            self.got.entry(seat.session).or_default().push_str(&line);
                        }
                    }
                }
                Output::Done(_, result) => self.done = Some(result),
                Output::Close(to, reason) => {
                    self.got.entry(to).or_default().push_str(&["ERROR :", &reason, "\r\n"].concat());
                }
                // Stands in for the store.
                Output::Ask { session, label, ask } => match *ask {
                    Ask::Redact(redact, place) => {
                        let id = redact.message;
                        let found = self.said.get(&id).filter(|said| said.place == place);
                        let redacted = self.redacted.contains(&id);
                        let found = found.map(|said| Found { from: said.from, kind: said.kind, redacted });
                        let answer = Answer::Redact(redact, place, found);
                        answers.push(InputKind::Answered { session, label, answer });
                    }
                    ask => self.asked.push((session, ask)),
                },
            }
        }
        for answer in answers {
            self.input(answer);
        }
    }

    /// Returns the number of sessions that were opened; the last one has the slot before it.
    pub fn opened(&self) -> u32 {
        self.next
    }

    /// Returns the msgid of the last stored message.
    pub fn last_message(&self) -> MessageId {
        self.said.keys().max().copied().unwrap_or_default()
    }

    /// Returns a session's output since the last call.
    pub fn got(&mut self, session: SessionId) -> String {
        self.got.remove(&session).unwrap_or_default()
    }
}

/// Password hash of the first accounts.
pub fn password() -> PasswordHash {
    PasswordHash::from_phc("$argon2id$test")
}

fn login(account: AccountId, name: Nick, caps: &str, proof: Proof) -> Login {
    let mut machine = LoginMachine::default();
    let mut out = String::new();
    let mut say =
        |machine: &mut LoginMachine, line: &str| machine.line(&Message::parse(line).expect(line), &mut out);
    say(&mut machine, &format!("CAP REQ :{caps}"));
    say(&mut machine, &format!("NICK {name}"));
    say(&mut machine, "USER u 0 * :Real Name");
    say(&mut machine, "AUTHENTICATE PLAIN");
    assert!(matches!(say(&mut machine, "AUTHENTICATE AGFsAHNlY3JldDEy"), Step::Check(_)));
    machine.checked(Checked::Right(Verified { account, name, proof }), &mut String::new());
    match say(&mut machine, "CAP END") {
        Step::Done(login) => login,
        other => panic!("{other:?}"),
    }
}
