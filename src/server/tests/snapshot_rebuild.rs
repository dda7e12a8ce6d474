//! Randomized test from a seed: after any actions of accounts and admins, the core rebuilt from the database equals the
//! one in memory.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use tokio::sync::oneshot;

use crate::core::record::access_token::AccessScope;
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::hook::HookKey;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ListKind;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{ForgottenAudit, RetentionLimits, Role, SendId};
use crate::core::request::access_tokens::NewAccessToken;
use crate::core::request::admin::{Change, ChangeRequest, NewInvite, Purpose, Redemption, UserChange};
use crate::core::request::channels::ChannelChange;
use crate::core::request::hooks::{HookChange, HookPost, NewHook, NewHookKind};
use crate::core::request::maintenance::Maintenance;
use crate::core::request::people::NewUser;
use crate::core::tests::driver::Driver;
use crate::core::tests::simulation::durable_state::durable_state_text;
use crate::core::tests::simulation::random_group_change;
use crate::core::tests::simulation::seed::Seed;
use crate::core::{Core, InputKind, SessionId, Settings};
use crate::server::config::History;
use crate::server::maintenance::retention;
use crate::store::Store;
use crate::wire::{ChannelName, Nick, Timestamp};

const NAMES: [&str; 6] = ["al", "bo", "cy", "Di", "AL", "dI"];
const CHANNELS: [&str; 7] = ["#a", "#A", "#b", "#é", "#É", "#d", "#e"];
const HOUR: u64 = 60 * 60 * 1000;

struct Simulation {
    _folder: tempfile::TempDir,
    store: Store,
    d: Driver,
    sessions: Vec<SessionId>,
    rng: SmallRng,
    _seed: Seed,
    step: u32,
}

impl Simulation {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let d = Driver::from_snapshot(store.snapshot().await.expect("reads"));
        let seed = Seed(seed);
        let rng = seed.rng();
        let mut world = Self { _folder: folder, store, d, sessions: Vec::new(), rng, _seed: seed, step: 1 };
        for name in ["al", "bo", "cy"] {
            world.apply_change(world.add_user_change(name, false));
        }
        world
    }

    fn open(&mut self, name: &str) -> SessionId {
        self.d.open(name, "")
    }

    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of.choose(&mut self.rng).expect("one")
    }

    fn pick_name(&mut self) -> Nick {
        Nick::parse(self.pick(&NAMES)).expect("a nick")
    }

    fn next_password(&self) -> PasswordHash {
        PasswordHash::from_phc(format!("password {}", self.step))
    }

    fn add_user_change(&self, name: &str, again: bool) -> Change {
        let role = if self.step.is_multiple_of(3) { Role::Admin } else { Role::Member };
        let user = NewUser { name: Nick::parse(name).expect("a nick"), password: self.next_password(), role };
        Change::UserAdd { user, again }
    }

    /// Commits the records to the store.
    async fn commit(&mut self) {
        let records = std::mem::take(&mut self.d.records);
        if records.is_empty() {
            return;
        }
        let (done, result) = oneshot::channel();
        self.store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
        result.await.expect("answered").expect("kept");
    }

    /// Makes a change as the control socket does. Names that are taken, unknown or not removed are refused, which does not
    /// matter here.
    fn apply_change(&mut self, change: Change) {
        let _ = self.d.apply_change(change);
    }

    fn maintenance(&mut self, maintenance: Maintenance) {
        self.d.request(ChangeRequest::Maintenance(maintenance)).expect("carried out");
    }

    fn redeem_random_invite(&mut self) {
        let name = self.pick_name();
        let mut token = [0; 32];
        token[..4].copy_from_slice(&self.step.to_be_bytes());
        let purpose = if self.rng.random() {
            Purpose::Reset(name.clone())
        } else {
            let channel = ChannelName::parse(self.pick(&CHANNELS)).expect("a name");
            Purpose::Accounts { role: Role::Member, channel, uses: 1 }
        };
        self.apply_change(Change::InviteCreate(NewInvite { token, purpose, lasts_ms: HOUR }));
        let _ =
            self.d.request(ChangeRequest::Redeem(Redemption { token, name, password: self.next_password() }));
    }

    /// Adds or removes a device, which may be another account's.
    fn change_random_device(&mut self) {
        let Some(&session) = self.sessions.choose(&mut self.rng) else { return };
        let key = CertificateFingerprint([self.rng.random_range(0..8); 32]);
        let line = format!("CERT {} {key}", self.pick(&["ADD", "ADD", "DEL"]));
        self.d.send_line(session, &line);
    }

    /// Makes or revokes a hook, or lets one post or have sent. Most are refused, which does not matter here.
    fn change_random_hook(&mut self) {
        let name = Nick::parse(self.pick(&["h1", "h2", "al"])).expect("a nick");
        let channel = ChannelName::parse(self.pick(&CHANNELS)).expect("a name");
        let token = [self.rng.random_range(0..4); 32];
        let change = match self.rng.random_range(0..6) {
            0 => Change::HookRevoke { name },
            1..3 => {
                let kind = NewHookKind::Incoming(token);
                Change::HookCreate(NewHook { name, channel, kind })
            }
            3 => {
                let (url, pattern) =
                    ("http://localhost/".into(), self.rng.random::<bool>().then(|| "x".into()));
                let kind = NewHookKind::Outgoing { url, pattern, key: HookKey([1; 32]) };
                Change::HookCreate(NewHook { name, channel, kind })
            }
            4 => {
                let up_to = self.d.last_message();
                for hook in self.d.core.list_hooks(None, 10) {
                    let note = HookChange::NoteDelivered { hook: hook.hook.account, up_to };
                    let _ = self.d.request(ChangeRequest::Hooks(note));
                }
                return;
            }
            _ => {
                let send_id = Some(SendId(format!("{}", self.step / 3).into()));
                let post = HookPost { token, text: "posted".into(), send_id };
                let _ = self.d.request(ChangeRequest::Hooks(HookChange::Post(post)));
                return;
            }
        };
        self.apply_change(change);
    }

    /// Makes or revokes an access token. Most are refused, which does not matter here.
    fn change_random_token(&mut self) {
        let name = Nick::parse(self.pick(&["t1", "t2", "t3"])).expect("a nick");
        if self.rng.random_range(0..3) == 0 {
            return self.apply_change(Change::TokenRevoke { name });
        }
        let account = Nick::parse(self.pick(&NAMES)).expect("a nick");
        let lasts_ms = self.rng.random::<bool>().then_some(HOUR);
        let hash = [self.rng.random_range(0..8); 32];
        self.apply_change(Change::TokenCreate(NewAccessToken {
            hash,
            name,
            account,
            scope: AccessScope::Read,
            lasts_ms,
        }));
    }

    /// Changes a channel as the command line does. Many are refused, which does not matter here.
    fn change_random_channel(&mut self) {
        let name = ChannelName::parse(self.pick(&CHANNELS)).expect("a name");
        let account = self.pick_name();
        let list = *ListKind::ALL.choose(&mut self.rng).expect("one");
        let mask = self.pick(&["x!*@*", "a:al", "m:a:bo"]).into();
        let change = match self.rng.random_range(0..11) {
            0 => ChannelChange::Create { founder: self.rng.random::<bool>().then_some(account) },
            1 => ChannelChange::Topic(self.pick(&["", "z"]).into()),
            2 => {
                let status = PrefixMode::ALL.choose(&mut self.rng).copied();
                ChannelChange::Status { account, status: status.filter(|_| self.rng.random()) }
            }
            3 => ChannelChange::Add(account),
            4 => ChannelChange::Remove(account),
            5 => ChannelChange::ListAdd(list, mask),
            6 => ChannelChange::Retention(RetentionLimits {
                keep_days: self.rng.random::<bool>().then_some(1),
                keep_messages: self.rng.random::<bool>().then_some(0),
            }),
            7 => ChannelChange::Purge { before: self.d.now, is_first: self.rng.random() },
            8 => ChannelChange::Archive(self.rng.random()),
            9 => ChannelChange::Delete,
            _ => ChannelChange::ListRemove(list, mask),
        };
        self.apply_change(Change::Channel { name, change });
    }

    async fn random_step(&mut self) {
        self.step += 1;
        match self.rng.random_range(0..100) {
            0..12 => {
                let caps =
                    self.pick(&["", "echo-message message-tags", "draft/chathistory batch server-time"]);
                let name = self.pick(&NAMES);
                let key = CertificateFingerprint([self.rng.random_range(0..8); 32]);
                self.sessions.extend(self.d.try_open_with_device(key, name, caps));
            }
            12..16 if !self.sessions.is_empty() => {
                let session = self.sessions.swap_remove(self.rng.random_range(0..self.sessions.len()));
                self.d.input(InputKind::SessionClosed(session, "lost".into()));
            }
            16..21 => {
                let again = self.rng.random();
                let name = self.pick(&NAMES);
                self.apply_change(self.add_user_change(name, again));
            }
            21..28 => {
                let change = match self.rng.random_range(0..8) {
                    0..3 => UserChange::Remove,
                    3 => UserChange::Disable,
                    4 | 5 => UserChange::Enable,
                    6 => UserChange::Password(self.next_password()),
                    _ => UserChange::Role(if self.rng.random() { Role::Admin } else { Role::Member }),
                };
                let name = self.pick_name();
                self.apply_change(Change::account(name, change));
            }
            28..31 => self.redeem_random_invite(),
            31 => self.change_random_device(),
            32 => self.change_random_hook(),
            40 => self.change_random_token(),
            41..44 => self.change_random_channel(),
            44 | 45 => {
                let account = self.pick_name();
                let change = random_group_change(&mut self.rng, account);
                self.apply_change(Change::Group(change));
            }
            33 => {
                let policy: History = toml::from_str("keep_days = 1\nkeep_messages = 5").expect("a policy");
                for forgotten in retention::due(&self.store, &policy, self.d.now).await.expect("reads") {
                    self.maintenance(Maintenance::ForgetHistory(forgotten));
                }
                let before = Timestamp(self.d.now.0.saturating_sub(24 * HOUR));
                self.maintenance(Maintenance::ForgetAudit(ForgottenAudit { before, most: 10 }));
            }
            37 => self.maintenance(Maintenance::NoteTime(self.d.now)),
            38 => {
                let pin = self.pick(&["old", "new"]).into();
                self.maintenance(Maintenance::ShowRoot(pin));
            }
            39 => self.apply_change(Change::ClockAccept),
            46 => {
                let name = self.pick_name();
                self.apply_change(Change::UserErase { name });
            }
            34 => {
                let passes = self.rng.random_range(0..60 * HOUR);
                self.d.now.0 += passes;
                self.d.monotonic.0 += passes;
                self.d.input(InputKind::Tick);
            }
            // The clock is set, forward or back.
            35 => {
                let by = self.rng.random_range(0..500 * HOUR);
                let now = self.d.now.0;
                self.d.now.0 = if self.rng.random() { now + by } else { now - by };
            }
            // A power cut: only committed records survive.
            36 => {
                let now = self.d.now;
                self.d = Driver::from_snapshot(self.store.snapshot().await.expect("reads"));
                self.d.now = now;
                self.sessions.clear();
            }
            _ => self.random_command(),
        }
        self.d.pending_queries.clear();
        if self.rng.random_ratio(1, 3) {
            self.commit().await;
        }
    }

    fn random_command(&mut self) {
        let Some(&session) = self.sessions.choose(&mut self.rng) else { return };
        let (channel, nick, step) = (self.pick(&CHANNELS), self.pick(&NAMES), self.step);
        let to = if self.rng.random() { channel } else { nick };
        let line = match self.rng.random_range(0..20) {
            0..4 => format!("JOIN {channel}"),
            4 => format!("PART {channel} :bye"),
            5 => format!("TOPIC {channel} :{}", self.pick(&["", "x", "y"])),
            6 | 7 => format!("@label=x;parlour/send-id={} PRIVMSG {to} :step {step}", step / 3),
            8 => format!("PRIVMSG {to} :step {step}"),
            9 | 10 => {
                let modes = [
                    "+o", "-o", "+v", "-v", "+h", "+q", "-q", "+b", "-b", "+e", "+I", "-I", "+l 5", "-l",
                    "+k", "-k", "+imst", "-imnt",
                ];
                let mask = self.pick(&["é*", "É*", "x!*@*"]);
                // A removed account leaves the exceptions that name it.
                let value = match self.rng.random_range(0..4) {
                    0 | 1 => nick.to_owned(),
                    2 => mask.to_owned(),
                    _ => format!("a:{nick}"),
                };
                format!("MODE {channel} {} {value}", self.pick(&modes))
            }
            11 => format!("KICK {channel} {nick} :out"),
            12 | 13 => format!("INVITE {nick} {channel}"),
            14 => format!("RENAME {channel} {}", self.pick(&["#a", "#e", "#f", "#g", "#h", "#Ä", "#ä"])),
            15 => format!("REDACT {channel} {}", self.d.last_message()),
            16 => format!("MARKREAD {to} timestamp={}", self.d.now),
            17 => {
                format!(
                    "METADATA {} SET {} :{step}",
                    self.pick(&["*", channel]),
                    self.pick(&["status", "url"])
                )
            }
            18 => format!(
                "METADATA {to} SET soju.im/{} {}",
                self.pick(&["pinned", "muted"]),
                self.pick(&["1", "0", ""])
            ),
            _ => self
                .pick(&["AWAY :gone", "SETNAME :Else", "MONITOR + al,bo", "JOIN 0", "KNOCK #a"])
                .to_owned(),
        };
        self.d.send_line(session, &line);
    }

    async fn compare_with_database(&mut self) {
        self.commit().await;
        let rebuilt = Core::new(Settings::default(), self.store.snapshot().await.expect("reads"));
        let (live, rebuilt) = (durable_state_text(&self.d.core), durable_state_text(&rebuilt));
        for (live, rebuilt) in live.lines().zip(rebuilt.lines()) {
            assert_eq!(live, rebuilt, "after step {}", self.step);
        }
        assert_eq!(live, rebuilt, "after step {}", self.step);
    }
}

#[tokio::test]
async fn rebuilt_state_equals_memory() {
    for seed in 0..12 {
        let mut world = Simulation::new(seed).await;
        for _ in 0..60 {
            for _ in 0..10 {
                world.random_step().await;
            }
            world.compare_with_database().await;
        }
    }
}

/// Checks that a message sent again after a restart gets the echo of the stored message, and another one under its send
/// id none.
#[tokio::test]
async fn send_id_is_for_one_message_also_after_a_restart() {
    const CAPS: &str = "echo-message message-tags parlour/send-id";
    let mut world = Simulation::new(0).await;
    let al = world.d.open("al", CAPS);
    world.d.send_line(al, "JOIN #team");
    let real = "@+draft/reply=x;parlour/send-id=1 PRIVMSG #team :real";
    let reaction = "@+draft/react=y;parlour/send-id=2 TAGMSG bo";
    let redacted = "@parlour/send-id=3 PRIVMSG #team :regretted";
    let echoes = [real, reaction].map(|line| world.d.send_line(al, line));
    world.d.send_line(al, redacted);
    world.d.send_line(al, &format!("REDACT #team {}", world.d.last_message()));
    world.commit().await;
    world.d = Driver::from_snapshot(world.store.snapshot().await.expect("reads"));
    let al = world.d.open("al", CAPS);
    assert_eq!([real, reaction].map(|line| world.d.send_line(al, line)), echoes);
    for other in [
        "@+draft/reply=x;parlour/send-id=1 PRIVMSG #team :other",
        "@+draft/reply=x;parlour/send-id=1 PRIVMSG bo :real",
        "@+draft/react=z;parlour/send-id=2 TAGMSG bo",
        redacted,
    ] {
        let answer = world.d.send_line(al, other);
        assert!(answer.contains(" INVALID_SEND_ID ") && !answer.contains("msgid"), "{answer}");
    }
}

/// Checks that a removed and restored account has no member status, no invitation and no membership from before.
#[tokio::test]
async fn re_added_account_keeps_no_old_state() {
    let mut world = Simulation::new(0).await;
    let [al, bo] = ["al", "bo"].map(|name| world.open(name));
    world.d.send_line(al, "JOIN #team");
    world.d.send_line(al, "MODE #team +i");
    world.d.send_line(bo, "JOIN #team,#own");
    world.d.send_line(al, "INVITE cy #team");
    for name in ["al", "cy"] {
        let name = Nick::parse(name).expect("a nick");
        world.apply_change(Change::account(name, UserChange::Remove));
    }
    world.compare_with_database().await;
    for name in ["al", "cy"] {
        world.apply_change(world.add_user_change(name, true));
    }
    world.compare_with_database().await;
    let [al, cy] = ["al", "cy"].map(|name| world.open(name));
    for session in [al, cy] {
        assert!(world.d.send_line(session, "JOIN #team").contains(" 473 "), "invite-only");
    }
}
