//! Test driver: a core with named accounts, which collects the output of each session.

use std::collections::{HashMap, HashSet};

use crate::core::effects::history::RedactionTarget;
use crate::core::effects::query::AuditEntry;
use crate::core::login::{LoginMachine, LoginStep, Proof, Verification, Verified};
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::file::FileHash;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{Account, AccountId, Record, Role, Snapshot, StoredMessage};
use crate::core::request::admin::{
    Change, ChangeRequest, RequestError, RequestId, RequestOutcome, UserChange,
};
use crate::core::request::people::NewUser;
use crate::core::{
    Command, Core, Effects, Input, InputKind, Login, Output, Query, QueryResult, Renderer, SessionId,
    Settings,
};
use crate::wire::{Label, Message, MessageId, Nick, Tagging, Timestamp};

/// Drives a core with the accounts `al`, `bo` and `cy` (an admin).
pub struct Driver {
    pub core: Core,
    pub now: Timestamp,
    /// The monotonic clock.
    pub monotonic: Timestamp,
    pub records: Vec<Record>,
    /// Queries without a result so far, in order.
    pub pending_queries: Vec<(SessionId, Query)>,
    stored_messages: HashMap<MessageId, StoredMessage>,
    redacted: HashSet<MessageId>,
    output: HashMap<SessionId, String>,
    /// Result of the latest request.
    last_result: Option<Result<RequestOutcome, RequestError>>,
    /// Hashes of the contents that no file has any more, in order.
    pub removed_contents: Vec<FileHash>,
    /// Password by which accounts log in; `None` for their present ones.
    pub login_password: Option<PasswordHash>,
    next_slot: u32,
}

impl Driver {
    pub fn new() -> Self {
        Self::with_accounts(&[("al", Role::Member), ("bo", Role::Member), ("cy", Role::Admin)])
    }

    /// Makes a core with these accounts, whose ids begin with 16.
    pub fn with_accounts(accounts: &[(&str, Role)]) -> Self {
        let accounts: Vec<Account> = (16..)
            .zip(accounts)
            .map(|(id, (name, role))| Account {
                id: AccountId(id),
                name: Nick::parse(name).expect("a nick"),
                role: *role,
                disabled: false,
            })
            .collect();
        let passwords = accounts.iter().map(|account| (account.id, password())).collect();
        Self::from_snapshot(Snapshot { accounts, passwords, ..Snapshot::default() })
    }

    pub fn from_snapshot(snapshot: Snapshot) -> Self {
        Self {
            core: Core::new(Settings::default(), snapshot),
            now: Timestamp(1_700_000_000_000),
            monotonic: Timestamp(0),
            records: Vec::new(),
            pending_queries: Vec::new(),
            stored_messages: HashMap::new(),
            redacted: HashSet::new(),
            output: HashMap::new(),
            last_result: None,
            removed_contents: Vec::new(),
            login_password: None,
            next_slot: 0,
        }
    }

    /// Sends the core a request from outside of sessions, and returns the result.
    pub fn request(&mut self, request: ChangeRequest) -> Result<RequestOutcome, RequestError> {
        self.next_slot += 1;
        self.input(InputKind::Request(RequestId(self.next_slot.into()), request));
        self.last_result.take().expect("a result")
    }

    /// Makes a change as the command line does.
    pub fn apply_change(&mut self, change: Change) -> Result<RequestOutcome, RequestError> {
        self.request(ChangeRequest::Admin(change))
    }

    /// Changes an account that exists.
    pub fn change_user(&mut self, name: &str, change: UserChange) {
        let name = Nick::parse(name).expect("a nick");
        self.apply_change(Change::account(name, change)).expect("changed");
    }

    /// Takes the admin role from an account. Another account gets it first, because the last admin keeps it.
    pub fn remove_admin_role(&mut self, name: &str) {
        self.add_user("deputy");
        self.change_user("deputy", UserChange::Role(Role::Admin));
        self.change_user(name, UserChange::Role(Role::Member));
    }

    /// Makes an account.
    pub fn add_user(&mut self, name: &str) {
        let name = Nick::parse(name).expect("a nick");
        let user = NewUser { name, password: password(), role: Role::Member };
        self.apply_change(Change::UserAdd { user, again: false }).expect("added");
    }

    /// Logs an account in and discards the burst. `caps` is the parameter of CAP REQ.
    pub fn open(&mut self, name: &str, caps: &str) -> SessionId {
        let session = self.open_with_burst(name, caps);
        self.take_output(session);
        session
    }

    /// Logs an account in with a connection that presented a certificate: by it, where it is a device of the account.
    /// Discards the burst.
    pub fn open_with_device(&mut self, key: CertificateFingerprint, name: &str, caps: &str) -> SessionId {
        let session = self.begin(Some(key), name, caps);
        self.take_output(session);
        session
    }

    /// The same for an account that may not exist, or may not log in, such as a hook's.
    pub fn try_open_with_device(
        &mut self,
        key: CertificateFingerprint,
        name: &str,
        caps: &str,
    ) -> Option<SessionId> {
        let known = self.core.accounts.get_enabled_by_name(&Nick::parse(name).expect("a nick"));
        known.filter(|account_state| !account_state.is_hook)?;
        Some(self.open_with_device(key, name, caps))
    }

    /// Logs an account in. The burst is the start of its output.
    pub fn open_with_burst(&mut self, name: &str, caps: &str) -> SessionId {
        self.begin(None, name, caps)
    }

    fn begin(&mut self, key: Option<CertificateFingerprint>, name: &str, caps: &str) -> SessionId {
        let nick = Nick::parse(name).expect("a nick");
        let account = self.core.accounts.get_enabled_by_name(&nick).expect("an account").account.id;
        let session = SessionId { slot: self.next_slot, generation: 0 };
        self.next_slot += 1;
        let device = key.filter(|key| self.core.device_owner(*key).is_some_and(|owner| owner.id == account));
        let proof = match device {
            Some(key) => Proof::Device(key),
            None => Proof::Password(self.login_password.clone().unwrap_or_else(|| {
                let password =
                    self.core.accounts.get(account).and_then(|account_state| account_state.password.clone());
                password.expect("an account with a password")
            })),
        };
        let mut login = login(account, nick, caps, proof);
        login.certificate = key;
        self.input(InputKind::SessionOpened(session, login));
        session
    }

    /// Logs an account in, with the requests of its client before the login.
    pub fn open_with_login(&mut self, name: &str, prepare: impl FnOnce(&mut Login)) -> SessionId {
        let nick = Nick::parse(name).expect("a nick");
        let account = self.core.accounts.get_enabled_by_name(&nick).expect("an account").account.id;
        let session = SessionId { slot: self.next_slot, generation: 0 };
        self.next_slot += 1;
        let proof = self.core.accounts.get(account).and_then(|account_state| account_state.password.clone());
        let mut login = login(account, nick, "", Proof::Password(proof.expect("an account with a password")));
        prepare(&mut login);
        self.input(InputKind::SessionOpened(session, login));
        session
    }

    /// Sends a line as the session, and returns the session's own output.
    pub fn send_line(&mut self, session: SessionId, line: &str) -> String {
        let message = Message::parse(line).expect(line);
        let label = Label::of(&message);
        self.input(InputKind::Command { session, label, command: Command::parse(&message) });
        self.take_output(session)
    }

    pub fn input(&mut self, kind: InputKind) {
        let mut fx = Effects::default();
        self.now.0 += 1;
        self.monotonic.0 += 1;
        self.core.handle(Input { at: self.now, monotonic: self.monotonic, kind }, &mut fx);
        for record in &fx.records {
            match record {
                Record::Message(message) => drop(self.stored_messages.insert(message.id, message.clone())),
                Record::Redacted { message, .. } => drop(self.redacted.insert(*message)),
                _ => {}
            }
        }
        self.records.append(&mut fx.records);
        let mut answers = Vec::new();
        let mut renderer = Renderer::default();
        for output in fx.outputs {
            match output {
                Output::Reply(reply) => reply.render(&renderer, self.output.entry(reply.to).or_default()),
                Output::Event(event) => {
                    event.render(&mut renderer, self.output.entry(event.to).or_default());
                }
                Output::Long(long) => long.render(&mut renderer, self.output.entry(long.to).or_default()),
                Output::Broadcast { audience, event, origin } => {
                    for recipient in audience.recipients() {
                        let origin = origin.as_ref().filter(|o| o.session == recipient.session);
                        if origin.is_none_or(|o| o.gets_copy) {
                            let tagging = origin.map_or(&Tagging::None, |origin| &origin.tagging);
                            let out = self.output.entry(recipient.session).or_default();
                            renderer.render(&event, recipient.caps, tagging, out);
                        }
                    }
                }
                Output::RequestDone(_, result) => self.last_result = Some(result),
                Output::RemoveFileContent(hash) => self.removed_contents.push(hash),
                Output::Close(to, reason) => {
                    self.output.entry(to).or_default().push_str(&["ERROR :", &reason, "\r\n"].concat());
                }
                // Stands in for the store.
                Output::Query { session, label, query } => match *query {
                    Query::Redaction(query) => {
                        let id = query.message;
                        let found = self
                            .stored_messages
                            .get(&id)
                            .filter(|stored| stored.conversation == query.conversation);
                        let redacted = self.redacted.contains(&id);
                        let found = found.map(|stored| RedactionTarget {
                            from: stored.from,
                            kind: stored.kind,
                            redacted,
                        });
                        let result = QueryResult::Redaction(query, found);
                        answers.push(InputKind::QueryDone { session, label, result });
                    }
                    Query::Audit(query) => {
                        let latest = self.audit_entries().rev().take(query.limit as usize).collect();
                        answers.push(InputKind::QueryDone {
                            session,
                            label,
                            result: QueryResult::Audit(latest),
                        });
                    }
                    query => self.pending_queries.push((session, query)),
                },
            }
        }
        for answer in answers {
            self.input(answer);
        }
    }

    /// Iterates over the entries of the audit, the oldest first.
    fn audit_entries(&self) -> impl DoubleEndedIterator<Item = AuditEntry> {
        self.records.iter().filter_map(|record| match record {
            Record::Audit { at, actor, action, target, detail } => Some(AuditEntry {
                at: *at,
                actor: *actor,
                action: action.to_string(),
                target: target.to_string(),
                detail: detail.to_string(),
            }),
            _ => None,
        })
    }

    /// Returns the number of sessions that were opened; the last one has the slot before it.
    pub fn opened_sessions(&self) -> u32 {
        self.next_slot
    }

    /// Returns the msgid of the last stored message.
    pub fn last_message(&self) -> MessageId {
        self.stored_messages.keys().max().copied().unwrap_or_default()
    }

    /// Returns a session's output since the last call.
    pub fn take_output(&mut self, session: SessionId) -> String {
        self.output.remove(&session).unwrap_or_default()
    }
}

/// Capabilities that open a session that others do not see.
pub const INVISIBLE: &str = "draft/pre-away parlour/invisible";

/// Password hash of the first accounts.
pub fn password() -> PasswordHash {
    PasswordHash::from_phc("$argon2id$test")
}

/// Asserts that the counts of sessions, and of those that others see, are those of the sessions.
pub fn assert_sessions_are_counted(core: &Core) {
    let (mut all, mut visible, mut online) = (0, 0, 0);
    for account_state in core.accounts.iter() {
        let sessions = account_state.sessions.recipients().map(|recipient| recipient.session);
        let seen = sessions.filter(|session| core.sessions[session].is_visible).count();
        assert_eq!(account_state.visible_sessions, seen, "{}", account_state.nick());
        all += account_state.sessions.len();
        visible += seen;
        online += usize::from(seen > 0);
    }
    let counts = core.counts();
    assert_eq!((all, visible, online), (counts.sessions, core.visible_sessions, counts.online_accounts));
}

fn login(account: AccountId, name: Nick, caps: &str, proof: Proof) -> Login {
    let mut machine = LoginMachine::default();
    let mut out = String::new();
    let mut say = |machine: &mut LoginMachine, line: &str| {
        machine.handle_line(&Message::parse(line).expect(line), &mut out)
    };
    say(&mut machine, &format!("CAP REQ :{caps}"));
    if caps == INVISIBLE {
        say(&mut machine, "AWAY *");
    }
    say(&mut machine, &format!("NICK {name}"));
    say(&mut machine, "USER u 0 * :Real Name");
    say(&mut machine, "AUTHENTICATE PLAIN");
    assert!(matches!(say(&mut machine, "AUTHENTICATE AGFsAHNlY3JldDEy"), LoginStep::CheckPassword(_)));
    machine.resume_with_verification(
        Verification::Verified(Verified { account, name, proof }),
        &mut String::new(),
    );
    match say(&mut machine, "CAP END") {
        LoginStep::Done(login) => login,
        other => panic!("{other:?}"),
    }
}
