//! Guarantees of the store, each tested with a store in a folder of its own.

use std::sync::mpsc;

mod damage;
mod faults;
mod files;
mod imports;

use super::tables::audit;
use super::*;
use crate::core::model::accounts::{ECHO_ACCOUNT_ID, ECHO_ACCOUNT_NAME};
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{
    Account, AccountId, Actor, ChannelId, ContentHash, Conversation, InviteId, MessageKind, Record, Role,
    SendId, StoredMessage, StoredSend, Topic,
};
use crate::core::request::admin::{
    AccountError, Change, ChangeRequest, NewInvite, Purpose, RedeemError, Redemption, RequestError,
    RequestId, RequestOutcome, UserChange,
};
use crate::core::request::people::NewUser;
use crate::core::{Core, Effects, Input, InputKind, Output, Settings};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("data")).expect("opens");
    (folder, store)
}

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect(name)
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).expect(name)
}

fn hash() -> PasswordHash {
    PasswordHash::from_phc("$argon2id$test")
}

/// Commits and waits until it is durable.
fn commit(store: &Store, records: Vec<Record>) -> Result<(), StoreError> {
    let (done, result) = mpsc::channel();
    store.commit(records.into(), Box::new(move |r| done.send(r).expect("waited for")));
    result.recv().expect("answered")
}

fn message(id: MessageId, conversation: Conversation, text: &str) -> StoredMessage {
    StoredMessage {
        id,
        conversation,
        from: AccountId(1),
        kind: MessageKind::Privmsg,
        text: text.into(),
        tags: "".into(),
        send_id: None,
    }
}

/// Makes a member's account.
pub(super) async fn create(store: &Store, name: &str) -> Result<AccountId, StoreError> {
    let id = AccountId(store.snapshot().await?.last_account + 1);
    let account = Account { id, name: nick(name), role: Role::Member, disabled: false };
    commit(store, vec![Record::AccountAdded { account, password: hash(), invite: None, at: NOW }])?;
    Ok(id)
}

/// Sends a request to a new core over the store, and commits its records.
async fn request(
    store: &Store,
    request: ChangeRequest,
    at: Timestamp,
) -> Result<RequestOutcome, RequestError> {
    let mut chat = Core::new(Settings::default(), store.snapshot().await.expect("reads"));
    let mut effects = Effects::default();
    let kind = InputKind::Request(RequestId(1), request);
    chat.handle(Input { at, monotonic: Timestamp(0), kind }, &mut effects);
    commit(store, effects.records).expect("kept");
    let [Output::RequestDone(_, result)] = &effects.outputs[..] else { panic!("{:?}", effects.outputs) };
    result.clone()
}

async fn change(store: &Store, change: Change) -> Result<RequestOutcome, RequestError> {
    request(store, ChangeRequest::Admin(change), NOW).await
}

async fn add(store: &Store, name: &str, replace: bool) -> Result<RequestOutcome, RequestError> {
    let user = NewUser { name: nick(name), password: hash(), role: Role::Admin };
    change(store, Change::UserAdd { user, again: replace }).await
}

async fn redeem(store: &Store, token: u8, name: &str, at: Timestamp) -> Result<Account, RedeemError> {
    let redemption =
        Redemption { token: [token; 32], name: nick(name), password: PasswordHash::from_phc("another") };
    match request(store, ChangeRequest::Redeem(redemption), at).await {
        Ok(RequestOutcome::Redeemed { account, .. }) => Ok(account),
        Err(RequestError::Redeem(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

async fn invite(store: &Store, token: u8, purpose: Purpose) -> InviteId {
    let invite = NewInvite { token: [token; 32], purpose, lasts_ms: 1000 };
    match change(store, Change::InviteCreate(invite)).await {
        Ok(RequestOutcome::InviteCreated(id)) => id,
        other => panic!("{other:?}"),
    }
}

async fn password(store: &Store, id: AccountId) -> Option<PasswordHash> {
    let passwords = store.snapshot().await.expect("reads").passwords;
    passwords.into_iter().find(|(of, _)| *of == id).map(|(_, password)| password)
}

async fn texts(store: &Store) -> Vec<String> {
    store
        .read(|conn| {
            let mut all = conn.prepare("SELECT text FROM messages ORDER BY id")?;
            Ok::<_, StoreError>(all.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
        .await
        .expect("reads")
}

#[tokio::test]
async fn committed_records_survive_reopening() {
    let (folder, store) = open();
    let alice = create(&store, "Alice").await.expect("made");
    let bob = create(&store, "bob").await.expect("made");
    assert_eq!((alice, bob), (AccountId(1), AccountId(2)), "after the built-in accounts");
    let lobby = ChannelId(1);
    let id = MessageId::first_at(NOW);
    let topic = Topic { text: "hello".into(), by: nick("Alice"), at: NOW };
    let direct = StoredMessage {
        kind: MessageKind::Notice,
        tags: "+a=b".into(),
        send_id: Some(SendId("s1".into())),
        ..message(id.next(NOW), Conversation::direct(bob, alice), "psst")
    };
    commit(
        &store,
        vec![
            Record::ChannelCreated { id: lobby, name: channel("#Lobby"), creator: alice, at: NOW },
            Record::Joined { channel: lobby, account: alice, at: NOW },
            Record::Joined { channel: lobby, account: bob, at: NOW },
            Record::Joined { channel: lobby, account: bob, at: NOW },
            Record::Message(message(id, Conversation::Channel(lobby), "hi")),
            Record::Message(direct.clone()),
            Record::TopicSet(lobby, Some(topic.clone())),
            Record::Parted { channel: lobby, account: alice },
        ],
    )
    .expect("kept");
    let data = store.folder().to_owned();
    drop(store);

    let store = Store::open(&data).expect("opens again");
    let snapshot = store.snapshot().await.expect("reads");
    assert_eq!(snapshot.accounts.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["Alice", "bob"]);
    let [kept] = &snapshot.channels[..] else { panic!("one channel: {:?}", snapshot.channels) };
    assert_eq!((kept.id, kept.name.as_str(), kept.created), (lobby, "#Lobby", NOW));
    assert_eq!(kept.creator, Some(alice));
    assert_eq!((kept.topic.as_ref(), &kept.members[..], kept.has_messages), (Some(&topic), &[bob][..], true));
    assert_eq!(snapshot.last_message, direct.id);
    assert_eq!(snapshot.last_channel, 1);
    let content = Some(ContentHash::of(Ok(direct.conversation), direct.kind, &direct.text, &direct.tags));
    let send = StoredSend { account: direct.from, id: SendId("s1".into()), message: direct.id, content };
    assert_eq!(snapshot.send_ids, [send]);
    let row: (MessageId, Conversation, MessageKind, String) = store
        .read(|conn| {
            let sql = "SELECT id, place, kind, tags FROM messages WHERE text = 'psst'";
            Ok::<_, StoreError>(
                conn.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?,
            )
        })
        .await
        .expect("reads");
    assert_eq!(row, (direct.id, Conversation::Direct(alice, bob), MessageKind::Notice, "+a=b".into()));
    drop(folder);
}

#[tokio::test]
async fn ids_are_never_reused() {
    let (_folder, store) = open();
    let first = create(&store, "alice").await.expect("made");
    let last = MessageId::first_at(NOW);
    commit(
        &store,
        vec![
            Record::ChannelCreated {
                id: ChannelId(7),
                name: channel("#gone"),
                creator: AccountId(0),
                at: NOW,
            },
            Record::Message(message(last, Conversation::Channel(ChannelId(7)), "x")),
            Record::ChannelRemoved(ChannelId(7)),
        ],
    )
    .expect("kept");
    store
        .write(move |tx| {
            tx.execute("DELETE FROM messages", [])?;
            tx.execute("DELETE FROM accounts WHERE id = ?1", [first])?;
            Ok::<_, StoreError>(())
        })
        .await
        .expect("deletes");
    let snapshot = store.snapshot().await.expect("reads");
    assert!(snapshot.channels.is_empty());
    assert_eq!((snapshot.last_channel, snapshot.last_message), (7, last));
    assert!(create(&store, "bob").await.expect("made") > first);
}

#[tokio::test]
async fn second_opener_is_refused_and_files_are_private() {
    let (_folder, store) = open();
    let error = Store::open(store.folder()).err().expect("refused");
    assert!(
        matches!(&error, StoreError::InUse { pid: Some(pid), .. } if *pid == std::process::id()),
        "{error}"
    );
    let is_private = |path: &Path| !crate::platform::files::others_access(path).expect("is there").any;
    assert!(is_private(store.folder()));
    commit(&store, vec![]).expect("kept");
    for file in ["parlour.db", "parlour.db-wal", "parlour.db-shm", "lock"] {
        assert!(is_private(&store.folder().join(file)), "{file}");
    }
}

#[tokio::test]
async fn full_disk_fails_only_the_batch() {
    let (_folder, store) = open();
    let limit = |pages: u32| {
        store.write(move |tx| Ok::<_, StoreError>(tx.pragma_update(None, "max_page_count", pages)?))
    };
    let id = MessageId::first_at(NOW);
    let conversation = Conversation::Channel(ChannelId(1));
    limit(1).await.expect("limits"); // SQLite uses the present size then
    let long = "x".repeat(100_000);
    let error = commit(&store, vec![Record::Message(message(id, conversation, &long))]).expect_err("no room");
    assert_eq!(error.class(), ErrorClass::Full);
    assert!(texts(&store).await.is_empty());
    limit(100_000).await.expect("limits");
    commit(&store, vec![Record::Message(message(id, conversation, "short"))]).expect("room again");
    assert_eq!(texts(&store).await, ["short"]);
}

#[tokio::test]
async fn locked_database_fails_only_the_batch() {
    let (_folder, store) = open();
    store
        .write(|tx| Ok::<_, StoreError>(tx.busy_timeout(std::time::Duration::from_millis(1))?))
        .await
        .expect("sets");
    let other = Connection::open(store.folder().join("parlour.db")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let record = Record::Message(message(MessageId::first_at(NOW), Conversation::Channel(ChannelId(1)), "x"));
    let error = commit(&store, vec![record.clone()]).expect_err("locked");
    assert_eq!(error.class(), ErrorClass::Locked);
    other.execute_batch("ROLLBACK").expect("unlocks");
    commit(&store, vec![record]).expect("kept");
    assert_eq!(texts(&store).await, ["x"]);
}

#[tokio::test]
async fn failed_batch_does_not_fail_its_group() {
    let (_folder, store) = open();
    let (done, results) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    // Blocks the writer, so that the three batches become one group.
    let held = tokio::spawn({
        let store = store.clone();
        async move { store.write(move |_| wait.recv().map_err(|_| StoreError::Closed)).await }
    });
    tokio::task::yield_now().await;
    let at = |n| MessageId::from_i64(n);
    let nowhere = Record::Joined { channel: ChannelId(99), account: AccountId(99), at: NOW };
    let say = |n, text| Record::Message(message(at(n), Conversation::Channel(ChannelId(1)), text));
    for batch in [vec![say(1, "a")], vec![say(2, "b"), nowhere], vec![say(3, "c")]] {
        let done = done.clone();
        store.commit(batch.into(), Box::new(move |r| done.send(r.is_ok()).expect("waited for")));
    }
    go.send(()).expect("held");
    held.await.expect("no panic").expect("written");
    assert_eq!(results.iter().take(3).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(texts(&store).await, ["a", "c"]);
}

#[tokio::test]
async fn dropping_the_store_completes_queued_commits() {
    let (_folder, store) = open();
    let data = store.folder().to_owned();
    for n in 1..=500 {
        let record =
            Record::Message(message(MessageId::from_i64(n), Conversation::Channel(ChannelId(1)), "x"));
        store.commit(vec![record].into(), Box::new(|r| r.expect("kept")));
    }
    drop(store);
    assert_eq!(texts(&Store::open(&data).expect("opens")).await.len(), 500);
}

#[tokio::test]
async fn send_ids_expire_after_their_retention() {
    let (_folder, store) = open();
    let late = SEND_ID_RETENTION + Duration::from_millis(500);
    let send = |after: Duration, n: u64| {
        let id = MessageId::first_at(NOW + after + Duration::from_millis(n));
        let send_id = Some(SendId(n.to_string().into()));
        Record::Message(StoredMessage { send_id, ..message(id, Conversation::Channel(ChannelId(1)), "x") })
    };
    commit(&store, (0..200).map(|n| send(Duration::ZERO, n)).collect()).expect("kept");
    commit(&store, vec![send(late, 1000)]).expect("kept");
    let count_send_ids = async || store.snapshot().await.expect("reads").send_ids.len();
    assert_eq!(count_send_ids().await, 1, "the window goes by the last message");
    let rows = async || {
        let count = |conn: &Connection| {
            Ok::<i64, StoreError>(conn.query_one("SELECT count(*) FROM sends", [], |r| r.get(0))?)
        };
        store.read(count).await.expect("counts")
    };
    assert_eq!(rows().await, 201, "few new ones remove none");
    for n in 1001..1064 {
        commit(&store, vec![send(late, n)]).expect("kept");
    }
    assert_eq!(rows().await, 264 - 128, "each new one removes at most two");
    commit(&store, (1064..1128).map(|n| send(late, n)).collect()).expect("kept");
    assert_eq!(rows().await, 128);
}

#[tokio::test]
async fn names_are_case_insensitive_and_never_reassigned() {
    let (_folder, store) = open();
    let id = create(&store, "Alice").await.expect("made");
    let refused = async |name, again| match add(&store, name, again).await {
        Err(RequestError::Account(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused("aLICE", false).await, AccountError::Taken(n) if n.as_str() == "Alice"));
    assert!(matches!(refused("nickserv", false).await, AccountError::Reserved(..)));
    assert!(matches!(refused("ECHO", false).await, AccountError::Reserved(..)));
    assert_eq!(password(&store, id).await, Some(hash()));
    assert_eq!(password(&store, ECHO_ACCOUNT_ID).await, None);

    let remove = Change::account(nick("alice"), UserChange::Remove);
    change(&store, remove).await.expect("removes");
    assert_eq!(password(&store, id).await, None);
    assert!(store.snapshot().await.expect("reads").accounts.is_empty());
    assert!(matches!(refused("alice", false).await, AccountError::Removed(_)));
    add(&store, "ALICE", true).await.expect("restores");
    assert!(matches!(refused("alice", true).await, AccountError::NotRemoved(_)));
    assert!(matches!(refused("bob", true).await, AccountError::Unknown(_)));
    let chat = Core::new(Settings::default(), store.snapshot().await.expect("reads"));
    let list = chat.list_accounts(None, 10);
    assert_eq!(
        list.iter().map(|l| (l.account.id, l.account.name.as_str(), l.account.role)).collect::<Vec<_>>(),
        [(id, "ALICE", Role::Admin)]
    );
}

#[tokio::test]
async fn echo_account_has_the_id_the_core_expects() {
    let (_folder, store) = open();
    let sql = "SELECT name FROM accounts WHERE id = ?1";
    let name = store
        .read(|conn| Ok::<String, StoreError>(conn.query_one(sql, [ECHO_ACCOUNT_ID], |row| row.get(0))?));
    assert_eq!(name.await.expect("is there"), ECHO_ACCOUNT_NAME);
}

#[tokio::test]
async fn unreadable_account_row_keeps_its_name_reserved() {
    let (_folder, store) = open();
    let id = create(&store, "alice").await.expect("made");
    let damage = move |tx: &Connection| {
        tx.execute_batch("PRAGMA ignore_check_constraints = ON")?;
        Ok::<_, StoreError>(tx.execute("UPDATE accounts SET role = 7 WHERE id = ?1", [id])?)
    };
    store.write(damage).await.expect("damaged");
    let snapshot = store.snapshot().await.expect("reads");
    assert_eq!((snapshot.accounts.len(), snapshot.reserved_names.len()), (0, 1));
    let refused = add(&store, "ALICE", false).await;
    assert!(matches!(refused, Err(RequestError::Account(AccountError::Taken(_)))), "{refused:?}");
    let refused = add(&store, "alice", true).await;
    assert!(matches!(refused, Err(RequestError::Account(AccountError::NotRemoved(_)))), "{refused:?}");
}

fn accounts(uses: u32) -> Purpose {
    Purpose::Accounts { role: Role::Admin, channel: channel("#lobby"), uses }
}

#[tokio::test]
async fn invites_create_accounts_or_report_the_reason() {
    let (_folder, store) = open();
    invite(&store, 1, accounts(2)).await;
    let second = invite(&store, 2, accounts(5)).await;
    let taken = NewInvite { token: [2; 32], purpose: accounts(1), lasts_ms: 1000 };
    assert_eq!(change(&store, Change::InviteCreate(taken)).await, Err(RequestError::TokenTaken));

    let account = redeem(&store, 1, "Alice", NOW).await.expect("redeems");
    assert_eq!(account.role, Role::Admin);
    let snapshot = store.snapshot().await.expect("reads");
    assert_eq!(snapshot.channels[0].name, channel("#lobby"));
    assert_eq!(snapshot.channels[0].members, [account.id]);
    let refused = async |token, name, at| redeem(&store, token, name, at).await.expect_err("refused");
    assert!(matches!(refused(1, "alice", NOW).await, RedeemError::Account(AccountError::Taken(_))));
    assert!(matches!(refused(1, "echo", NOW).await, RedeemError::Account(AccountError::Reserved(..))));
    assert_eq!(refused(9, "bob", NOW).await, RedeemError::Unknown);
    assert_eq!(refused(1, "bob", Timestamp(NOW.0 + 1000)).await, RedeemError::Expired);
    // A refusal spends nothing.
    redeem(&store, 1, "bob", NOW).await.expect("redeems");
    assert_eq!(refused(1, "carol", NOW).await, RedeemError::UsedUp);
    let chat = Core::new(Settings::default(), store.snapshot().await.expect("reads"));
    assert_eq!(chat.check_invite(&[1; 32], &nick("dave"), NOW), Err(RedeemError::UsedUp));
    assert_eq!(chat.check_invite(&[2; 32], &nick("dave"), NOW), Ok(()));

    change(&store, Change::InviteRevoke { id: second.0 }).await.expect("revokes");
    let unknown = change(&store, Change::InviteRevoke { id: 99 }).await;
    assert_eq!(unknown, Err(RequestError::UnknownInvite(99)));
    assert_eq!(refused(2, "dave", NOW).await, RedeemError::Revoked);

    let chat = Core::new(Settings::default(), store.snapshot().await.expect("reads"));
    let list = chat.list_invites(InviteId(0), 10);
    let list: Vec<_> = list.iter().map(|i| (i.invite.spent, i.invite.uses, i.invite.revoked)).collect();
    assert_eq!(list, [(2, 2, None), (0, 5, Some(NOW))]);
    let audit = store.read(|conn| Ok::<_, StoreError>(audit::latest(conn, 10)?)).await.expect("reads");
    let redeemed: Vec<_> = audit.iter().filter(|entry| entry.action == "invite redeem").collect();
    assert_eq!(redeemed.len(), 2);
    assert_eq!(redeemed[1].actor, Actor::Account(account.id));
}

#[tokio::test]
async fn reset_invite_resets_only_its_account() {
    let (_folder, store) = open();
    let alice = create(&store, "alice").await.expect("made");
    let bob = create(&store, "bob").await.expect("made");
    let reset = || Purpose::Reset(nick("alice"));
    invite(&store, 1, reset()).await;
    invite(&store, 4, reset()).await;
    // One that the account made itself.
    let by_herself = invite(&store, 5, accounts(1)).await;
    let mut own = store.snapshot().await.expect("reads").invites.pop().expect("an invite");
    assert_eq!(own.id, by_herself);
    (own.id, own.token, own.created_by) = (InviteId(by_herself.0 + 1), [6; 32], Some(alice));
    let device =
        |account, n| Record::DeviceAdded { account, fingerprint: CertificateFingerprint([n; 32]), at: NOW };
    commit(&store, vec![Record::InviteCreated(own), device(alice, 7), device(bob, 8)]).expect("added");

    let refused = async |token, name| redeem(&store, token, name, NOW).await.expect_err("refused");
    let chat = Core::new(Settings::default(), store.snapshot().await.expect("reads"));
    for name in ["bob", "dora"] {
        assert_eq!(refused(1, name).await, RedeemError::WrongAccount(nick("alice")));
        assert!(matches!(chat.check_invite(&[1; 32], &nick(name), NOW), Err(RedeemError::WrongAccount(_))));
    }
    let account = redeem(&store, 1, "ALICE", NOW).await.expect("redeems");
    assert_eq!((account.id, account.name.as_str()), (alice, "alice"));
    assert_eq!(refused(1, "alice").await, RedeemError::UsedUp);
    assert_eq!(password(&store, alice).await, Some(PasswordHash::from_phc("another")));
    assert_eq!(password(&store, bob).await, Some(hash()));
    let devices: Vec<(AccountId, Device)> = store.snapshot().await.expect("reads").devices;
    assert_eq!(devices.iter().map(|(of, _)| *of).collect::<Vec<_>>(), [bob]);
    // No other link of the account is left, and those of the command line are.
    assert_eq!(refused(4, "alice").await, RedeemError::Revoked);
    assert_eq!(refused(6, "dora").await, RedeemError::Revoked);
    redeem(&store, 5, "dora", NOW).await.expect("redeems");

    invite(&store, 2, reset()).await;
    invite(&store, 3, reset()).await;
    let changed = async |to| change(&store, Change::account(nick("alice"), to)).await;
    changed(UserChange::Disable).await.expect("disables");
    assert!(matches!(refused(2, "alice").await, RedeemError::Disabled(_)));
    changed(UserChange::Remove).await.expect("removes");
    assert_eq!(refused(2, "alice").await, RedeemError::Revoked);
    // A damaged database may have one that is open all the same.
    let reopen = |tx: &Connection| {
        Ok::<_, StoreError>(tx.execute("UPDATE invites SET revoked = NULL WHERE id = 5", [])?)
    };
    store.write(reopen).await.expect("writes");
    assert_eq!(refused(2, "alice").await, RedeemError::AccountRemoved(nick("alice")));
}
