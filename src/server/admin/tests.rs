//! Tests of the requests, each on a store of its own, through JSON as the control socket carries it.

use super::*;
use crate::chat::record::Account;
use crate::server::passwords::{Hasher, Password};

const NOW: Millis = Millis(1_700_000_000_000);

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect(name)
}

fn hash() -> PasswordHash {
    let costs = crate::server::config::Passwords { memory_kib: 8, iterations: 1, parallelism: 1 };
    Hasher::new(costs).hash(&Password::new("secret12").expect("keeps the rule")).expect("hashes")
}

fn user(name: &str, role: Role) -> NewUser {
    NewUser { name: nick(name), password: hash(), role }
}

struct Admin {
    store: Store,
    _folder: tempfile::TempDir,
}

impl Admin {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { store: Store::open(folder.path()).expect("opens"), _folder: folder }
    }

    async fn ask(&self, request: Request) -> Result<(Reply, Vec<AccountChange>), FailureKind> {
        let json = serde_json::to_string(&request).expect("writes");
        let request = serde_json::from_str(&json).expect(&json);
        let outcome = run(&self.store, request, Actor::Console, NOW).await.map_err(|failure| failure.kind)?;
        let json = serde_json::to_string(&outcome.reply).expect("writes");
        assert_eq!(serde_json::from_str::<Reply>(&json).expect(&json), outcome.reply);
        Ok((outcome.reply, outcome.changes))
    }

    async fn add(&self, name: &str) -> Result<Vec<AccountChange>, FailureKind> {
        let request = Request::UserAdd { user: user(name, Role::Member), again: false };
        self.ask(request).await.map(|(_, changes)| changes)
    }

    async fn change(&self, name: &str, change: UserChange) -> Result<AccountChange, FailureKind> {
        let (_, mut changes) = self.ask(Request::UserChange { name: nick(name), change }).await?;
        Ok(changes.remove(0))
    }

    async fn users(&self) -> Vec<(String, Role, bool)> {
        let (Reply::Users(users), _) = self.ask(Request::UserList { after: None }).await.expect("lists")
        else {
            panic!("users")
        };
        users.into_iter().map(|user| (user.name.to_string(), user.role, user.disabled)).collect()
    }

    async fn audit(&self) -> Vec<String> {
        let entries =
            self.store.read(|conn| Ok::<_, StoreError>(crate::store::audit::latest(conn, 100)?)).await;
        let entries = entries.expect("reads").into_iter().rev();
        entries.map(|e| format!("{} {} {}", e.action, e.target, e.detail).trim().to_owned()).collect()
    }
}

#[tokio::test]
async fn the_life_of_an_account() {
    let admin = Admin::new();
    let added = admin.add("Alice").await.expect("added");
    let [AccountChange::Added(alice, None)] = &added[..] else { panic!("{added:?}") };
    assert_eq!(admin.add("aLICE").await, Err(FailureKind::Taken));
    assert_eq!(admin.add("ChanServ").await, Err(FailureKind::Reserved));
    assert_eq!(admin.change("bob", UserChange::Enable).await, Err(FailureKind::UnknownUser));
    assert_eq!(admin.change("echo", UserChange::Remove).await, Err(FailureKind::UnknownUser));

    let is = |change: &AccountChange, role, disabled| {
        *change == AccountChange::Changed(Account { role, disabled, ..alice.clone() })
    };
    assert!(is(
        &admin.change("alice", UserChange::Role(Role::Admin)).await.expect("set"),
        Role::Admin,
        false
    ));
    assert!(is(&admin.change("alice", UserChange::Disable).await.expect("set"), Role::Admin, true));
    assert_eq!(admin.users().await, [("Alice".to_owned(), Role::Admin, true)]);
    assert!(is(&admin.change("alice", UserChange::Enable).await.expect("set"), Role::Admin, false));
    let password = UserChange::Password(hash());
    assert_eq!(admin.change("alice", password).await, Ok(AccountChange::PasswordChanged(alice.id)));
    assert_eq!(admin.change("alice", UserChange::Remove).await, Ok(AccountChange::Removed(alice.id)));

    assert_eq!(admin.users().await, []);
    assert_eq!(admin.add("alice").await, Err(FailureKind::Removed));
    let again = Request::UserAdd { user: user("alice", Role::Member), again: true };
    let (_, changes) = admin.ask(again.clone()).await.expect("restored");
    assert!(matches!(&changes[..], [AccountChange::Added(account, None)] if account.id == alice.id));
    assert_eq!(admin.ask(again).await, Err(FailureKind::NotRemoved));
    assert_eq!(
        admin.audit().await,
        [
            "user add Alice member",
            "user role Alice admin",
            "user disable Alice",
            "user enable Alice",
            "user passwd Alice",
            "user remove Alice",
            "user add alice member, again",
        ]
    );
}

#[tokio::test]
async fn an_import_keeps_what_can_be_kept() {
    let admin = Admin::new();
    admin.add("bob").await.expect("added");
    let users = ["alice", "BOB", "echo", "carol", "Alice"].map(|name| user(name, Role::Member));
    let (reply, changes) = admin.ask(Request::UserImport(users.into())).await.expect("imports");
    let Reply::Imported(failed) = reply else { panic!("{reply:?}") };
    let failed: Vec<_> = failed.iter().map(|(place, failure)| (*place, failure.kind)).collect();
    assert_eq!(failed, [(1, FailureKind::Taken), (2, FailureKind::Reserved), (4, FailureKind::Taken)]);
    assert_eq!(changes.len(), 2);
    assert_eq!(admin.users().await.len(), 3);
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let admin = Admin::new();
    let password = hash();
    let users = (0..PAGE + 7).map(|n| NewUser {
        name: nick(&format!("n{n}")),
        password: password.clone(),
        role: Role::Member,
    });
    admin.ask(Request::UserImport(users.collect())).await.expect("imports");
    let (mut after, mut seen, mut pages) = (None, std::collections::BTreeSet::new(), 0);
    loop {
        let Ok((Reply::Users(page), _)) = admin.ask(Request::UserList { after }).await else {
            panic!("a page")
        };
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        pages += 1;
        seen.extend(page.into_iter().map(|user| user.name));
    }
    assert_eq!((pages, seen.len()), (2, PAGE as usize + 7));
}

#[tokio::test]
async fn the_life_of_an_invite() {
    let admin = Admin::new();
    let order = |token: u8, uses| {
        let channel = ChannelName::parse("#lobby").expect("a channel");
        let lasts_ms = if uses == 1 { 1 } else { 1000 };
        let purpose = Purpose::Accounts { role: Role::Admin, channel, uses };
        InviteOrder { token: [token; 32], purpose, lasts_ms }
    };
    for (token, uses) in [(1, 1), (2, 2), (3, 3)] {
        let (reply, _) = admin.ask(Request::InviteCreate(order(token, uses))).await.expect("made");
        assert_eq!(reply, Reply::InviteCreated(token.into()));
    }
    assert_eq!(admin.ask(Request::InviteCreate(order(4, 0))).await, Err(FailureKind::Invalid));
    for name in ["alice", "bob"] {
        admin.store.redeem([2; 32], nick(name), hash(), NOW).await.expect("redeems");
    }
    assert_eq!(admin.ask(Request::InviteRevoke { id: 3 }).await, Ok((Reply::Done, vec![])));
    assert_eq!(admin.ask(Request::InviteRevoke { id: 9 }).await, Err(FailureKind::UnknownInvite));

    let later = Millis(NOW.0 + 1);
    let request = Request::InviteList { after: 0 };
    let outcome = run(&admin.store, request, Actor::Console, later).await.expect("lists");
    let Reply::Invites(invites) = outcome.reply else { panic!("{:?}", outcome.reply) };
    let states: Vec<_> = invites.iter().map(|invite| (invite.id, invite.spent, invite.state)).collect();
    assert_eq!(states, [(1, 0, State::Expired), (2, 2, State::Spent), (3, 0, State::Revoked)]);
    assert_eq!(admin.ask(Request::InviteList { after: 3 }).await, Ok((Reply::Invites(vec![]), vec![])));
}

#[tokio::test]
async fn a_new_password_ends_the_links_that_its_account_left_behind() {
    let admin = Admin::new();
    let root = Request::UserAdd { user: user("root", Role::Admin), again: false };
    let (_, changes) = admin.ask(root).await.expect("added");
    let [AccountChange::Added(root, None)] = &changes[..] else { panic!("{changes:?}") };
    let mallory = admin.add("mallory").await.expect("added");
    let [AccountChange::Added(mallory, None)] = &mallory[..] else { panic!("{mallory:?}") };
    let order = |token: u8, purpose| InviteOrder { token: [token; 32], purpose, lasts_ms: 1000 };
    let channel = ChannelName::parse("#lobby").expect("a channel");
    let makes = Purpose::Accounts { role: Role::Admin, channel, uses: 9 };
    let reset = Purpose::Reset(nick("root"));
    // By another session, which has root's admin rights by root's password.
    let by = (NOW, Actor::Account(mallory.id));
    create_invite(&admin.store, order(1, makes.clone()), by, Some(root.id)).await.expect("made");
    let own = create_invite(&admin.store, order(2, makes.clone()), by, None).await;
    assert_eq!(own.map_err(|failure| failure.kind), Err(FailureKind::NotAdmin));
    admin.ask(Request::InviteCreate(order(3, reset))).await.expect("made");
    admin.ask(Request::InviteCreate(order(4, makes))).await.expect("made");
    admin.change("root", UserChange::Password(hash())).await.expect("set");
    let (Reply::Invites(invites), _) = admin.ask(Request::InviteList { after: 0 }).await.expect("lists")
    else {
        panic!("invites")
    };
    let left: Vec<_> = invites.iter().map(|invite| (invite.created_by.clone(), invite.state)).collect();
    let whose = [(Some(nick("mallory")), State::Revoked), (None, State::Revoked), (None, State::Open)];
    assert_eq!(left, whose, "what the command line made stays, but for what resets the account");
    assert_eq!(admin.audit().await.last().expect("noted"), "user passwd root invites revoked: 2");
}

#[tokio::test]
async fn who_asks_for_nonsense_is_told() {
    let admin = Admin::new();
    assert_eq!(admin.ask(Request::Server).await, Err(FailureKind::NoServer));
    for bad in [
        r#"{"UserList":{"after":"not a nick"}}"#,
        r#"{"UserChange":{"name":"alice","change":{"Password":"plain text"}}}"#,
        r#"{"UserChange":{"name":"alice","change":{"Role":"king"}}}"#,
        r#""Nonsense""#,
    ] {
        assert!(serde_json::from_str::<Request>(bad).is_err(), "{bad}");
    }
}

mod written {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::chat::record::Preferences;

    fn nicks() -> impl Strategy<Value = Nick> {
        "[A-Za-z\\[\\]\\\\_^{|}`][A-Za-z0-9\\[\\]\\\\_^{|}`-]{0,23}".prop_map(|name| nick(&name))
    }

    fn channels() -> impl Strategy<Value = ChannelName> {
        "#\\PC{1,20}".prop_filter_map("a channel", |name| ChannelName::parse(&name).ok())
    }

    fn roles() -> impl Strategy<Value = Role> {
        prop_oneof![Just(Role::Member), Just(Role::Admin)]
    }

    fn states() -> impl Strategy<Value = State> {
        prop_oneof![Just(State::Open), Just(State::Spent), Just(State::Expired), Just(State::Revoked)]
    }

    fn replays() -> impl Strategy<Value = Option<u8>> {
        prop::option::of(0..=Preferences::MOST_REPLAYED)
    }

    fn times() -> impl Strategy<Value = Millis> {
        (0..250_000_000_000_000_u64).prop_map(Millis)
    }

    fn users() -> impl Strategy<Value = NewUser> {
        let password = hash();
        (nicks(), roles()).prop_map(move |(name, role)| NewUser { name, password: password.clone(), role })
    }

    fn changes() -> impl Strategy<Value = UserChange> {
        prop_oneof![
            Just(UserChange::Password(hash())),
            roles().prop_map(UserChange::Role),
            replays().prop_map(|replay| UserChange::Set(Preference::Replay(replay))),
            any::<bool>().prop_map(|bot| UserChange::Set(Preference::Bot(bot))),
            Just(UserChange::Disable),
            Just(UserChange::Enable),
            Just(UserChange::Remove),
        ]
    }

    fn purposes() -> impl Strategy<Value = Purpose> {
        prop_oneof![
            (roles(), channels(), any::<u32>()).prop_map(|(role, channel, uses)| Purpose::Accounts {
                role,
                channel,
                uses
            }),
            nicks().prop_map(Purpose::Reset),
        ]
    }

    fn requests() -> impl Strategy<Value = Request> {
        prop_oneof![
            (users(), any::<bool>()).prop_map(|(user, again)| Request::UserAdd { user, again }),
            prop::collection::vec(users(), 0..4).prop_map(Request::UserImport),
            prop::option::of(nicks()).prop_map(|after| Request::UserList { after }),
            (nicks(), changes()).prop_map(|(name, change)| Request::UserChange { name, change }),
            (any::<[u8; 32]>(), purposes(), any::<u64>()).prop_map(|(token, purpose, lasts_ms)| {
                Request::InviteCreate(InviteOrder { token, purpose, lasts_ms })
            }),
            any::<i64>().prop_map(|after| Request::InviteList { after }),
            any::<i64>().prop_map(|id| Request::InviteRevoke { id }),
            Just(Request::Server),
            Just(Request::Certificates),
            Just(Request::Metrics),
            Just(Request::ClockAccept),
            (any::<[u8; 32]>(), prop::option::of(any::<[u8; 32]>())).prop_map(|(pin, after)| {
                Request::Absent { pin: Pin::new(pin), after: after.map(DeviceKey) }
            }),
        ]
    }

    fn invites() -> impl Strategy<Value = Invite> {
        let ids = (any::<i64>(), any::<u32>(), any::<u32>());
        let names = (prop::option::of(channels()), prop::option::of(nicks()), prop::option::of(nicks()));
        (ids, names, roles(), times(), states()).prop_map(
            |((id, uses, spent), (channel, created_by, resets), role, expires, state)| Invite {
                id,
                role,
                channel,
                uses,
                spent,
                expires,
                state,
                created_by,
                resets,
            },
        )
    }

    fn addresses() -> impl Strategy<Value = Address> {
        prop_oneof![
            (any::<IpAddr>(), 1..=u16::MAX).prop_map(|(ip, port)| Address::new(&ip.to_string(), port)),
            ("[a-z0-9.-]{1,20}", 1..=u16::MAX).prop_map(|(host, port)| Address::new(&host, port)),
        ]
        .prop_filter_map("an address", Result::ok)
    }

    fn replies() -> impl Strategy<Value = Reply> {
        let user = (nicks(), roles(), any::<bool>(), times(), replays(), any::<bool>()).prop_map(
            |(name, role, disabled, created, replay, bot)| User {
                name,
                role,
                disabled,
                created,
                replay,
                bot,
            },
        );
        let absent = (nicks(), any::<[u8; 32]>(), times()).prop_map(|(account, key, last)| AbsentDevice {
            account,
            key: DeviceKey(key),
            last,
        });
        let failure = any::<String>().prop_map(|text| Failure { kind: FailureKind::Taken, text });
        prop_oneof![
            Just(Reply::Done),
            prop::collection::vec((any::<usize>(), failure), 0..4).prop_map(Reply::Imported),
            prop::collection::vec(user, 0..4).prop_map(Reply::Users),
            any::<i64>().prop_map(Reply::InviteCreated),
            prop::collection::vec(invites(), 0..4).prop_map(Reply::Invites),
            (prop::collection::vec(addresses(), 0..4), any::<[u8; 32]>())
                .prop_map(|(addresses, pin)| Reply::Server { addresses, pin: Pin::new(pin) }),
            any::<String>().prop_map(Reply::Certificates),
            any::<String>().prop_map(Reply::Metrics),
            times().prop_map(Reply::Clock),
            (prop::collection::vec(absent, 0..4), any::<u32>())
                .prop_map(|(devices, invites)| Reply::Absent { devices, invites }),
        ]
    }

    proptest! {
        #[test]
        fn requests_are_read_back(request in requests()) {
            let written = serde_json::to_string(&request).expect("writes");
            prop_assert!(!written.contains('\n'), "a request is one line");
            let read: Request = serde_json::from_str(&written).expect(&written);
            prop_assert_eq!(serde_json::to_string(&read).expect("writes"), written);
        }

        #[test]
        fn replies_are_read_back(reply in replies()) {
            let written = serde_json::to_string(&reply).expect("writes");
            prop_assert!(!written.contains('\n'), "a reply is one line");
            prop_assert_eq!(serde_json::from_str::<Reply>(&written).expect(&written), reply);
        }
    }
}
