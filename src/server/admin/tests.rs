//! Tests of the requests, each on a store of its own, through JSON as the control socket carries it.

use super::*;
use crate::core::record::AccountId;
use crate::core::record::group::GroupName;
use crate::core::record::secret::PasswordHash;
use crate::core::request::admin::{AccountChange, NewInvite, Purpose, Redemption, UserChange};
use crate::core::request::maintenance::Maintenance;
use crate::core::request::people::{ImportedAccount, ImportedUser, NewUser};
use crate::server::auth::passwords::{Password, PasswordHasher};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect(name)
}

fn hash() -> PasswordHash {
    let costs = crate::server::config::Passwords { memory_kib: 8, iterations: 1, parallelism: 1 };
    PasswordHasher::new(costs).hash(&Password::new("secret12").expect("keeps the rule")).expect("hashes")
}

fn user(name: &str, role: Role) -> NewUser {
    NewUser { name: nick(name), password: hash(), role }
}

/// Carries out a request of the server itself on a store that no server holds.
pub async fn carried_out(
    store: &Store,
    maintenance: Maintenance,
    now: Timestamp,
) -> Result<RequestOutcome, RequestError> {
    Ok(carry_out(store, ChangeRequest::Maintenance(maintenance), now).await.expect("carried out"))
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

    async fn request(&self, request: impl Into<AdminRequest>) -> Result<AdminReply, FailureKind> {
        self.request_at(request, NOW).await
    }

    async fn request_at(
        &self,
        request: impl Into<AdminRequest>,
        now: Timestamp,
    ) -> Result<AdminReply, FailureKind> {
        let json = serde_json::to_string(&request.into()).expect("writes");
        let request = serde_json::from_str(&json).expect(&json);
        let reply = run(&self.store, request, now).await.map_err(|failure| failure.kind)?;
        let json = serde_json::to_string(&reply).expect("writes");
        assert_eq!(serde_json::from_str::<AdminReply>(&json).expect(&json), reply);
        Ok(reply)
    }

    async fn add(&self, name: &str) -> Result<AdminReply, FailureKind> {
        self.request(Change::UserAdd { user: user(name, Role::Member), again: false }).await
    }

    async fn change(&self, name: &str, change: UserChange) -> Result<AdminReply, FailureKind> {
        self.request(Change::account(nick(name), change)).await
    }

    async fn id(&self, name: &str) -> Option<AccountId> {
        let accounts = self.store.snapshot().await.expect("reads").accounts;
        accounts.into_iter().find(|account| account.name == nick(name)).map(|account| account.id)
    }

    async fn redeem(&self, token: u8, name: &str) -> Result<RequestOutcome, Failure> {
        let redemption = Redemption { token: [token; 32], name: nick(name), password: hash() };
        carry_out(&self.store, ChangeRequest::Redeem(redemption), NOW).await
    }

    async fn users(&self) -> Vec<(String, Role, bool)> {
        let Ok(AdminReply::Users(users)) = self.request(AdminQuery::UserList { after: None }).await else {
            panic!("users")
        };
        users.into_iter().map(|user| (user.name.to_string(), user.role, user.disabled)).collect()
    }

    async fn audit(&self) -> Vec<String> {
        let entries = self
            .store
            .read(|conn| Ok::<_, StoreError>(crate::store::tables::audit::latest(conn, 100)?))
            .await;
        let entries = entries.expect("reads").into_iter().rev();
        entries.map(|e| format!("{} {} {}", e.action, e.target, e.detail).trim().to_owned()).collect()
    }
}

#[tokio::test]
async fn account_is_added_changed_and_removed() {
    let admin = Admin::new();
    admin.add("Alice").await.expect("added");
    let alice = admin.id("alice").await;
    assert_eq!(admin.add("aLICE").await, Err(FailureKind::Taken));
    assert_eq!(admin.add("ChanServ").await, Err(FailureKind::Reserved));
    assert_eq!(admin.change("bob", UserChange::Enable).await, Err(FailureKind::UnknownUser));
    assert_eq!(admin.change("echo", UserChange::Remove).await, Err(FailureKind::UnknownUser));

    let password = UserChange::Password(hash());
    for (change, role, disabled) in [
        (UserChange::Disable, Role::Member, true),
        (UserChange::Enable, Role::Member, false),
        (password, Role::Member, false),
        (UserChange::Role(Role::Admin), Role::Admin, false),
    ] {
        assert_eq!(admin.change("alice", change).await, Ok(AdminReply::Done));
        assert_eq!(admin.users().await, [("Alice".to_owned(), role, disabled)]);
    }
    for change in [UserChange::Remove, UserChange::Disable, UserChange::Role(Role::Member)] {
        assert_eq!(admin.change("alice", change).await, Err(FailureKind::LastAdmin));
    }
    admin.add("bob").await.expect("added");
    admin.change("bob", UserChange::Role(Role::Admin)).await.expect("an admin");
    assert_eq!(admin.change("alice", UserChange::Remove).await, Ok(AdminReply::Done));

    assert_eq!(admin.users().await, [("bob".to_owned(), Role::Admin, false)]);
    assert_eq!(admin.add("alice").await, Err(FailureKind::Removed));
    let again = Change::UserAdd { user: user("alice", Role::Member), again: true };
    assert_eq!(admin.request(again.clone()).await, Ok(AdminReply::Done));
    assert!(alice.is_some() && admin.id("alice").await == alice);
    assert_eq!(admin.request(again).await, Err(FailureKind::NotRemoved));
    assert_eq!(
        admin.audit().await,
        [
            "user add Alice member",
            "user disable Alice",
            "user enable Alice",
            "user passwd Alice",
            "user role Alice admin",
            "user add bob member",
            "user role bob admin",
            "user remove Alice",
            "user add alice member, again",
        ]
    );
}

fn imported(user: NewUser) -> ImportedUser {
    let (listed_name, display_name) = (user.name.to_string(), Some("Zoë".to_owned()));
    let account = ImportedAccount::New { user, listed_name, display_name, card: None };
    let channels = vec![ChannelName::parse("#class").expect("a name")];
    ImportedUser { account, groups: vec![GroupName::parse("3b").expect("a name")], channels }
}

#[tokio::test]
async fn imported_people_are_in_groups_and_channels() {
    let admin = Admin::new();
    let people = ["alice", "bob"].map(|name| imported(user(name, Role::Member)));
    admin.request(Change::UserImport(people.to_vec())).await.expect("imports");
    let reply = admin.request(AdminQuery::UserList { after: None }).await;
    let Ok(AdminReply::Users(users)) = reply else { panic!("{reply:?}") };
    let alice = &users[0];
    assert_eq!((alice.display_name.as_deref(), alice.listed_name.as_deref()), (Some("Zoë"), Some("alice")));
    assert_eq!(alice.groups, [GroupName::parse("3b").expect("a name")]);
    // Again, with a group more.
    let ImportedUser { mut groups, channels, .. } = people[0].clone();
    groups.push(GroupName::parse("choir").expect("a name"));
    let again = ImportedUser { account: ImportedAccount::Known(nick("alice")), groups, channels };
    let reply = admin.request(Change::UserImport(vec![again])).await;
    assert_eq!(reply, Ok(AdminReply::Imported(vec![])));
    let reply = admin.request(AdminQuery::GroupList { after: None }).await;
    let Ok(AdminReply::Groups(groups)) = reply else { panic!("{reply:?}") };
    let described: Vec<String> =
        groups.iter().map(|group| format!("{}: {:?}", group.name, group.members)).collect();
    assert_eq!(described.len(), 2);
    assert!(described[0].starts_with("3b: ") && groups[0].members.len() == 2, "{described:?}");
    assert!(described[1].starts_with("choir: ") && groups[1].members == [nick("alice")], "{described:?}");
}

#[tokio::test]
async fn erased_person_leaves_a_pseudonym_only() {
    let admin = Admin::new();
    admin.add("alice").await.expect("added");
    admin.change("alice", UserChange::Remove).await.expect("removed");
    let reply = admin.request(Change::UserErase { name: nick("ALICE") }).await.expect("erased");
    let AdminReply::Erased(ErasedAccount { id, pseudonym }) = reply else { panic!("{reply:?}") };
    assert_eq!(pseudonym, nick(&format!("erased-{}", id.0)));
    assert_eq!(
        admin.audit().await,
        [
            format!("user add {pseudonym} member"),
            format!("user remove {pseudonym}"),
            format!("user erase {pseudonym}")
        ]
    );
    // The name is free, and nobody gets it with the old account.
    admin.add("alice").await.expect("added");
    assert_eq!(admin.users().await.len(), 1);
    assert_eq!(admin.request(Change::UserErase { name: nick("bob") }).await, Err(FailureKind::UnknownUser));
}

#[tokio::test]
async fn import_adds_valid_users_and_reports_the_rest() {
    let admin = Admin::new();
    admin.add("bob").await.expect("added");
    let users = ["alice", "BOB", "echo", "carol", "Alice"].map(|name| imported(user(name, Role::Member)));
    let reply = admin.request(Change::UserImport(users.into())).await.expect("imports");
    let AdminReply::Imported(failed) = reply else { panic!("{reply:?}") };
    let failed: Vec<_> = failed.iter().map(|(index, failure)| (*index, failure.kind)).collect();
    assert_eq!(failed, [(1, FailureKind::Taken), (2, FailureKind::Reserved), (4, FailureKind::Taken)]);
    assert_eq!(admin.users().await.len(), 3);
}

#[tokio::test]
async fn long_lists_are_paged() {
    let admin = Admin::new();
    let password = hash();
    let users = (0..PAGE_SIZE + 7).map(|n| {
        let name = nick(&format!("n{n}"));
        imported(NewUser { name, password: password.clone(), role: Role::Member })
    });
    admin.request(Change::UserImport(users.collect())).await.expect("imports");
    let (mut after, mut seen, mut pages) = (None, std::collections::BTreeSet::new(), 0);
    loop {
        let Ok(AdminReply::Users(page)) = admin.request(AdminQuery::UserList { after }).await else {
            panic!("a page")
        };
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        pages += 1;
        seen.extend(page.into_iter().map(|user| user.name));
    }
    assert_eq!((pages, seen.len()), (2, PAGE_SIZE + 7));
}

#[tokio::test]
async fn invite_is_created_redeemed_and_revoked() {
    let admin = Admin::new();
    let new_invite = |token: u8, uses| {
        let channel = ChannelName::parse("#lobby").expect("a channel");
        let lasts_ms = if uses == 1 { 1 } else { 1000 };
        let purpose = Purpose::Accounts { role: Role::Admin, channel, uses };
        NewInvite { token: [token; 32], purpose, lasts_ms }
    };
    for (token, uses) in [(1, 1), (2, 2), (3, 3)] {
        let reply = admin.request(Change::InviteCreate(new_invite(token, uses))).await.expect("made");
        assert_eq!(reply, AdminReply::InviteCreated(token.into()));
    }
    assert_eq!(admin.request(Change::InviteCreate(new_invite(4, 0))).await, Err(FailureKind::Invalid));
    for name in ["alice", "bob"] {
        admin.redeem(2, name).await.expect("redeems");
    }
    assert_eq!(admin.request(Change::InviteRevoke { id: 3 }).await, Ok(AdminReply::Done));
    assert_eq!(admin.request(Change::InviteRevoke { id: 9 }).await, Err(FailureKind::UnknownInvite));

    let later = Timestamp(NOW.0 + 1);
    let Ok(AdminReply::Invites(invites)) = admin.request_at(AdminQuery::InviteList { after: 0 }, later).await
    else {
        panic!("invites")
    };
    let states: Vec<_> = invites.iter().map(|invite| (invite.id, invite.spent, invite.state)).collect();
    assert_eq!(
        states,
        [(1, 0, InviteState::Expired), (2, 2, InviteState::UsedUp), (3, 0, InviteState::Revoked)]
    );
    assert_eq!(admin.request(AdminQuery::InviteList { after: 3 }).await, Ok(AdminReply::Invites(vec![])));
}

#[tokio::test]
async fn password_change_revokes_pending_invites() {
    let admin = Admin::new();
    admin.request(Change::UserAdd { user: user("root", Role::Admin), again: false }).await.expect("added");
    admin.add("mallory").await.expect("added");
    let new_invite = |token: u8, purpose| NewInvite { token: [token; 32], purpose, lasts_ms: 1000 };
    let channel = ChannelName::parse("#lobby").expect("a channel");
    let makes = Purpose::Accounts { role: Role::Admin, channel, uses: 9 };
    let reset = Purpose::Reset(nick("root"));
    // Of another account, which had root's admin rights by root's password.
    let snapshot = admin.store.snapshot().await.expect("reads");
    let of = |name: &str| {
        snapshot.accounts.iter().find(|account| account.name == nick(name)).map(|account| account.id)
    };
    let lent = crate::core::record::Invite {
        id: crate::core::record::InviteId(1),
        token: [1; 32],
        role: Role::Admin,
        channel: None,
        uses: 9,
        spent: 0,
        expires: Timestamp(NOW.0 + 1000),
        revoked: None,
        created: NOW,
        created_by: of("mallory"),
        resets: None,
        admin_account: of("root"),
    };
    commit(&admin.store, vec![crate::core::record::Record::InviteCreated(lent)]).await.expect("made");
    admin.request(Change::InviteCreate(new_invite(3, reset))).await.expect("made");
    admin.request(Change::InviteCreate(new_invite(4, makes))).await.expect("made");
    admin.change("root", UserChange::Password(hash())).await.expect("set");
    let Ok(AdminReply::Invites(invites)) = admin.request(AdminQuery::InviteList { after: 0 }).await else {
        panic!("invites")
    };
    let states: Vec<_> = invites.iter().map(|invite| (invite.created_by.clone(), invite.state)).collect();
    let whose = [
        (Some(nick("mallory")), InviteState::Revoked),
        (None, InviteState::Revoked),
        (None, InviteState::Open),
    ];
    assert_eq!(states, whose, "what the command line made stays, but for what resets the account");
    assert_eq!(admin.audit().await.last().expect("noted"), "user passwd root invites revoked: 2");
}

#[tokio::test]
async fn invalid_requests_are_rejected() {
    let admin = Admin::new();
    assert_eq!(admin.request(AdminQuery::Server).await, Err(FailureKind::NoServer));
    for bad in [
        r#"{"UserList":{"after":"not a nick"}}"#,
        r#"{"UserChange":{"name":"alice","change":{"Password":"plain text"}}}"#,
        r#"{"UserChange":{"name":"alice","change":{"Role":"king"}}}"#,
        r#""Nonsense""#,
    ] {
        assert!(serde_json::from_str::<AdminRequest>(bad).is_err(), "{bad}");
    }
}

mod encoding {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::core::record::{Preference, Preferences};

    fn nicks() -> impl Strategy<Value = Nick> {
        "[A-Za-z\\[\\]\\\\_^{|}`][A-Za-z0-9\\[\\]\\\\_^{|}`-]{0,23}".prop_map(|name| nick(&name))
    }

    fn channels() -> impl Strategy<Value = ChannelName> {
        "#\\PC{1,20}".prop_filter_map("a channel", |name| ChannelName::parse(&name).ok())
    }

    fn roles() -> impl Strategy<Value = Role> {
        prop_oneof![Just(Role::Member), Just(Role::Admin)]
    }

    fn states() -> impl Strategy<Value = InviteState> {
        prop_oneof![
            Just(InviteState::Open),
            Just(InviteState::UsedUp),
            Just(InviteState::Expired),
            Just(InviteState::Revoked)
        ]
    }

    fn replays() -> impl Strategy<Value = Option<u8>> {
        prop::option::of(0..=Preferences::MAX_REPLAYED)
    }

    fn times() -> impl Strategy<Value = Timestamp> {
        (0..250_000_000_000_000_u64).prop_map(Timestamp)
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

    fn requests() -> impl Strategy<Value = AdminRequest> {
        let changes = prop_oneof![
            (users(), any::<bool>()).prop_map(|(user, again)| Change::UserAdd { user, again }),
            prop::collection::vec(users().prop_map(imported), 0..4).prop_map(Change::UserImport),
            prop::collection::vec((nicks(), changes()), 0..4).prop_map(|changes| {
                let change = |(name, change)| AccountChange { name, change };
                Change::UserChanges(changes.into_iter().map(change).collect())
            }),
            (any::<[u8; 32]>(), purposes(), any::<u64>()).prop_map(|(token, purpose, lasts_ms)| {
                Change::InviteCreate(NewInvite { token, purpose, lasts_ms })
            }),
            any::<i64>().prop_map(|id| Change::InviteRevoke { id }),
        ];
        let queries = prop_oneof![
            prop::option::of(nicks()).prop_map(|after| AdminQuery::UserList { after }),
            any::<i64>().prop_map(|after| AdminQuery::InviteList { after }),
            Just(AdminQuery::Server),
            Just(AdminQuery::Certificates),
            Just(AdminQuery::Metrics),
            (any::<[u8; 32]>(), prop::option::of(any::<[u8; 32]>())).prop_map(|(pin, after)| {
                AdminQuery::LeftBehindByRotation {
                    pin: Pin::new(pin),
                    after: after.map(CertificateFingerprint),
                }
            }),
        ];
        prop_oneof![changes.prop_map(AdminRequest::Change), queries.prop_map(AdminRequest::Query)]
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

    fn replies() -> impl Strategy<Value = AdminReply> {
        let user = (nicks(), roles(), any::<bool>(), times(), replays(), any::<bool>()).prop_map(
            |(name, role, disabled, created, replay, bot)| User {
                name,
                role,
                disabled,
                created,
                replay,
                bot,
                display_name: Some("Al, \"né\"\n".to_owned()),
                listed_name: None,
                groups: vec![GroupName::parse("3b").expect("a name")],
                files: 3,
                file_bytes: u64::MAX,
            },
        );
        let left_behind = (nicks(), any::<[u8; 32]>(), times()).prop_map(|(account, key, last)| {
            LeftBehindDevice { account, key: CertificateFingerprint(key), last }
        });
        let failure = any::<String>().prop_map(|text| Failure { kind: FailureKind::Taken, text });
        prop_oneof![
            Just(AdminReply::Done),
            prop::collection::vec((any::<usize>(), failure), 0..4).prop_map(AdminReply::Imported),
            prop::collection::vec(user, 0..4).prop_map(AdminReply::Users),
            any::<i64>().prop_map(AdminReply::InviteCreated),
            prop::collection::vec(invites(), 0..4).prop_map(AdminReply::Invites),
            (prop::collection::vec(addresses(), 0..4), any::<[u8; 32]>())
                .prop_map(|(addresses, pin)| AdminReply::Server { addresses, pin: Pin::new(pin) }),
            any::<String>().prop_map(AdminReply::Certificates),
            any::<String>().prop_map(AdminReply::Metrics),
            times().prop_map(AdminReply::Clock),
            (prop::collection::vec(left_behind, 0..4), any::<u32>())
                .prop_map(|(devices, invites)| AdminReply::LeftBehindByRotation { devices, invites }),
        ]
    }

    proptest! {
        #[test]
        fn encoded_request_parses_back(request in requests()) {
            let written = serde_json::to_string(&request).expect("writes");
            prop_assert!(!written.contains('\n'), "a request is one line");
            let read: AdminRequest = serde_json::from_str(&written).expect(&written);
            prop_assert_eq!(serde_json::to_string(&read).expect("writes"), written);
        }

        #[test]
        fn encoded_reply_parses_back(reply in replies()) {
            let written = serde_json::to_string(&reply).expect("writes");
            prop_assert!(!written.contains('\n'), "a reply is one line");
            prop_assert_eq!(serde_json::from_str::<AdminReply>(&written).expect(&written), reply);
        }
    }
}
