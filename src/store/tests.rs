//! Guarantees of the store, each tested with a store in a folder of its own.

use std::sync::mpsc;

mod damage;
mod faults;
mod files;

use super::accounts::{self, AccountError, PasswordHash};
use super::audit::{self, Actor};
use super::invites::{self, NewInvite, RedeemError, Redeemed};
use super::*;
use crate::chat::people::{ECHO_ID, ECHO_NAME};
use crate::chat::record::{
    AccountId, ChannelId, MessageKind, Place, Record, Role, SendId, StoredMessage, Topic,
};
use crate::wire::{ChannelName, MessageId, Nick};

const NOW: Millis = Millis(1_700_000_000_000);

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

fn message(id: MessageId, place: Place, text: &str) -> StoredMessage {
    StoredMessage {
        id,
        place,
        from: AccountId(1),
        kind: MessageKind::Privmsg,
        text: text.into(),
        tags: "".into(),
        send_id: None,
    }
}

async fn create(store: &Store, name: &str) -> Result<AccountId, AccountError> {
    let name = nick(name);
    store
        .write(move |tx| accounts::create(tx, &name, &hash(), Role::Member, None, NOW))
        .await
        .map(|account| account.id)
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
async fn what_was_committed_comes_back_after_reopening() {
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
        ..message(id.next(NOW), Place::direct(bob, alice), "psst")
    };
    commit(
        &store,
        vec![
            Record::ChannelCreated { id: lobby, name: channel("#Lobby"), maker: alice, at: NOW },
            Record::Joined { channel: lobby, account: alice, at: NOW },
            Record::Joined { channel: lobby, account: bob, at: NOW },
            Record::Joined { channel: lobby, account: bob, at: NOW },
            Record::Message(message(id, Place::Channel(lobby), "hi")),
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
    assert_eq!(kept.maker, Some(alice));
    assert_eq!((kept.topic.as_ref(), &kept.members[..], kept.spoken_in), (Some(&topic), &[bob][..], true));
    assert_eq!(snapshot.last_message, direct.id);
    assert_eq!(snapshot.last_channel, 1);
    assert_eq!(snapshot.sends, [(AccountId(1), SendId("s1".into()), direct.id)]);
    let row: (MessageId, Place, MessageKind, String) = store
        .read(|conn| {
            let sql = "SELECT id, place, kind, tags FROM messages WHERE text = 'psst'";
            Ok::<_, StoreError>(
                conn.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?,
            )
        })
        .await
        .expect("reads");
    assert_eq!(row, (direct.id, Place::Direct(alice, bob), MessageKind::Notice, "+a=b".into()));
    drop(folder);
}

#[tokio::test]
async fn numbers_are_never_given_twice() {
    let (_folder, store) = open();
    let first = create(&store, "alice").await.expect("made");
    let last = MessageId::first_at(NOW);
    commit(
        &store,
        vec![
            Record::ChannelCreated { id: ChannelId(7), name: channel("#gone"), maker: AccountId(0), at: NOW },
            Record::Message(message(last, Place::Channel(ChannelId(7)), "x")),
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
async fn a_second_opener_is_refused_and_the_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, store) = open();
    let error = Store::open(store.folder()).err().expect("refused");
    assert!(
        matches!(&error, StoreError::InUse { pid: Some(pid), .. } if *pid == std::process::id()),
        "{error}"
    );
    let mode = |path: &Path| path.metadata().expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(store.folder()), 0o700);
    commit(&store, vec![]).expect("kept");
    for file in ["parlour.db", "parlour.db-wal", "parlour.db-shm", "lock"] {
        assert_eq!(mode(&store.folder().join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_full_disk_fails_the_batch_and_nothing_else() {
    let (_folder, store) = open();
    let limit = |pages: u32| {
        store.write(move |tx| Ok::<_, StoreError>(tx.pragma_update(None, "max_page_count", pages)?))
    };
    let id = MessageId::first_at(NOW);
    let place = Place::Channel(ChannelId(1));
    limit(1).await.expect("limits"); // SQLite uses the present size then
    let long = "x".repeat(100_000);
    let error = commit(&store, vec![Record::Message(message(id, place, &long))]).expect_err("no room");
    assert_eq!(error.class(), ErrorClass::Full);
    assert!(texts(&store).await.is_empty());
    limit(100_000).await.expect("limits");
    commit(&store, vec![Record::Message(message(id, place, "short"))]).expect("room again");
    assert_eq!(texts(&store).await, ["short"]);
}

#[tokio::test]
async fn a_locked_database_fails_the_batch_and_nothing_else() {
    let (_folder, store) = open();
    store
        .write(|tx| Ok::<_, StoreError>(tx.busy_timeout(std::time::Duration::from_millis(1))?))
        .await
        .expect("sets");
    let other = Connection::open(store.folder().join("parlour.db")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let record = Record::Message(message(MessageId::first_at(NOW), Place::Channel(ChannelId(1)), "x"));
    let error = commit(&store, vec![record.clone()]).expect_err("locked");
    assert_eq!(error.class(), ErrorClass::Locked);
    other.execute_batch("ROLLBACK").expect("unlocks");
    commit(&store, vec![record]).expect("kept");
    assert_eq!(texts(&store).await, ["x"]);
}

#[tokio::test]
async fn a_broken_batch_does_not_take_its_group_down() {
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
    let say = |n, text| Record::Message(message(at(n), Place::Channel(ChannelId(1)), text));
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
async fn dropping_the_store_finishes_what_is_queued() {
    let (_folder, store) = open();
    let data = store.folder().to_owned();
    for n in 1..=500 {
        let record = Record::Message(message(MessageId::from_i64(n), Place::Channel(ChannelId(1)), "x"));
        store.commit(vec![record].into(), Box::new(|r| r.expect("kept")));
    }
    drop(store);
    assert_eq!(texts(&Store::open(&data).expect("opens")).await.len(), 500);
}

#[tokio::test]
async fn send_ids_are_forgotten_after_their_window() {
    let (_folder, store) = open();
    let send = |time: u64, n: u64| {
        let id = MessageId::first_at(Millis(NOW.0 + time + n));
        let send_id = Some(SendId(n.to_string().into()));
        Record::Message(StoredMessage { send_id, ..message(id, Place::Channel(ChannelId(1)), "x") })
    };
    commit(&store, (0..200).map(|n| send(0, n)).collect()).expect("kept");
    commit(&store, vec![send(SENDS_KEPT.0 + 500, 1000)]).expect("kept");
    let kept = async || store.snapshot().await.expect("reads").sends.len();
    assert_eq!(kept().await, 1, "the window goes by the last message");
    let rows = async || {
        let count = |conn: &Connection| {
            Ok::<i64, StoreError>(conn.query_one("SELECT count(*) FROM sends", [], |r| r.get(0))?)
        };
        store.read(count).await.expect("counts")
    };
    assert_eq!(rows().await, 201, "few new ones remove none");
    for n in 1001..1064 {
        commit(&store, vec![send(SENDS_KEPT.0 + 500, n)]).expect("kept");
    }
    assert_eq!(rows().await, 264 - 128, "each new one removes at most two");
    commit(&store, (1064..1128).map(|n| send(SENDS_KEPT.0 + 500, n)).collect()).expect("kept");
    assert_eq!(rows().await, 128);
}

#[tokio::test]
async fn names_are_unique_in_any_case_and_do_not_pass_on() {
    let (_folder, store) = open();
    let id = create(&store, "Alice").await.expect("made");
    assert!(matches!(create(&store, "aLICE").await, Err(AccountError::Taken(n)) if n.as_str() == "Alice"));
    assert!(matches!(create(&store, "nickserv").await, Err(AccountError::Reserved(..))));
    assert!(matches!(create(&store, "ECHO").await, Err(AccountError::Reserved(..))));
    assert!(store.credentials(nick("alice")).await.expect("reads").is_some());
    assert!(store.credentials(nick("echo")).await.expect("reads").is_none());

    store.write(move |tx| Ok::<_, StoreError>(accounts::remove(tx, id, NOW)?)).await.expect("removes");
    assert!(store.credentials(nick("alice")).await.expect("reads").is_none());
    assert!(store.snapshot().await.expect("reads").accounts.is_empty());
    assert!(matches!(create(&store, "alice").await, Err(AccountError::Removed(_))));
    let restore = |name| {
        let name = nick(name);
        store.write(move |tx| accounts::restore(tx, &name, &hash(), Role::Admin))
    };
    assert_eq!(restore("ALICE").await.expect("restores").id, id);
    assert!(matches!(restore("alice").await, Err(AccountError::NotRemoved(_))));
    assert!(matches!(restore("bob").await, Err(AccountError::Unknown(_))));
    let list = store.read(|conn| Ok::<_, StoreError>(accounts::list(conn, None, 10)?)).await.expect("lists");
    assert_eq!(
        list.iter().map(|l| (l.account.name.as_str(), l.account.role)).collect::<Vec<_>>(),
        [("ALICE", Role::Admin)]
    );
}

#[tokio::test]
async fn the_echo_has_the_row_that_the_chat_thinks() {
    let (_folder, store) = open();
    let sql = "SELECT name FROM accounts WHERE id = ?1";
    let name = store.read(|conn| Ok::<String, StoreError>(conn.query_one(sql, [ECHO_ID], |row| row.get(0))?));
    assert_eq!(name.await.expect("is there"), ECHO_NAME);
}

#[tokio::test]
async fn a_hash_is_renewed_only_while_the_password_stands() {
    let (_folder, store) = open();
    let id = create(&store, "alice").await.expect("made");
    let [changed, renewed] = ["changed", "renewed"].map(PasswordHash::from_phc);
    let now = async || store.credentials(nick("alice")).await.expect("reads").expect("is there").password;
    store
        .write({
            let (changed, renewed) = (changed.clone(), renewed.clone());
            move |tx| {
                accounts::set_password(tx, id, &changed)?;
                Ok::<_, StoreError>(accounts::renew_password(tx, id, &hash(), &renewed)?)
            }
        })
        .await
        .expect("writes");
    assert_eq!(now().await, Some(changed));
}

#[tokio::test]
async fn invites_make_their_accounts_and_say_why_not() {
    let (_folder, store) = open();
    let invite = |token: u8, uses| NewInvite {
        token: [token; 32],
        role: Role::Admin,
        channel: Some(channel("#lobby")),
        uses,
        expires: Millis(NOW.0 + 1000),
        resets: None,
        power: None,
    };
    let make = |new: NewInvite| {
        store.write(move |tx| Ok::<_, StoreError>(invites::create(tx, &new, (NOW, Actor::Console))?))
    };
    let redeem = |token: u8, name: &str, now: Millis| store.redeem([token; 32], nick(name), hash(), now);
    make(invite(1, 2)).await.expect("made");
    let second = make(invite(2, 5)).await.expect("made");

    let Redeemed::Made(account, lands) = redeem(1, "Alice", NOW).await.expect("redeems") else {
        panic!("an account")
    };
    assert_eq!((account.role, lands), (Role::Admin, Some(channel("#lobby"))));
    assert!(matches!(redeem(1, "alice", NOW).await, Err(RedeemError::Account(AccountError::Taken(_)))));
    assert!(matches!(redeem(1, "echo", NOW).await, Err(RedeemError::Account(AccountError::Reserved(..)))));
    assert!(matches!(redeem(9, "bob", NOW).await, Err(RedeemError::Unknown)));
    assert!(matches!(redeem(1, "bob", Millis(NOW.0 + 1000)).await, Err(RedeemError::Expired)));
    // Failed attempts spent nothing; of two that try the last use at once, one succeeds.
    let (a, b) = tokio::join!(redeem(1, "bob", NOW), redeem(1, "carol", NOW));
    assert!(
        matches!((&a, &b), (Ok(_), Err(RedeemError::Spent)) | (Err(RedeemError::Spent), Ok(_))),
        "{a:?} {b:?}"
    );
    assert!(matches!(store.check_invite([1; 32], nick("dave"), NOW).await, Err(RedeemError::Spent)));

    assert!(store.check_invite([2; 32], nick("dave"), NOW).await.is_ok());
    let revoke = |id| store.write(move |tx| Ok::<_, StoreError>(invites::revoke(tx, id, NOW)?));
    assert_eq!(revoke(second).await.expect("revokes").expect("is there").revoked, Some(NOW));
    assert_eq!(revoke(invites::InviteId(99)).await.expect("looks"), None);
    assert!(matches!(redeem(2, "dave", NOW).await, Err(RedeemError::Revoked)));

    let list = store
        .read(|conn| Ok::<_, StoreError>(invites::list(conn, invites::InviteId(0), 10)?))
        .await
        .expect("lists");
    assert_eq!(list.iter().map(|i| (i.spent, i.uses)).collect::<Vec<_>>(), [(2, 2), (0, 5)]);
    let audit = store.read(|conn| Ok::<_, StoreError>(audit::latest(conn, 10)?)).await.expect("reads");
    assert_eq!(audit.len(), 2);
    assert_eq!(audit[1].actor, Actor::Account(account.id));
}

#[tokio::test]
async fn an_invite_resets_its_account_and_no_other() {
    let (_folder, store) = open();
    let alice = create(&store, "alice").await.expect("made");
    let bob = create(&store, "bob").await.expect("made");
    let key = crate::chat::account::DeviceKey([7; 32]);
    let reset = move |token: u8| NewInvite {
        token: [token; 32],
        role: Role::Member,
        channel: None,
        uses: 1,
        expires: Millis(NOW.0 + 1000),
        resets: Some(alice),
        power: None,
    };
    // The last of them is one that the account made itself.
    let by_herself = NewInvite { resets: None, ..reset(5) };
    let make = async |invite: NewInvite, actor| {
        let create = move |tx: &Connection| invites::create(tx, &invite, (NOW, actor));
        store.write(move |tx| Ok::<_, StoreError>(create(tx)?)).await.expect("made")
    };
    make(reset(1), Actor::Console).await;
    make(reset(4), Actor::Console).await;
    make(by_herself, Actor::Account(alice)).await;
    let redeem =
        |token: u8, name: &str| store.redeem([token; 32], nick(name), PasswordHash::from_phc("another"), NOW);
    let other = crate::chat::account::DeviceKey([8; 32]);
    let added =
        [(alice, key), (bob, other)].map(|(account, key)| Record::DeviceAdded { account, key, at: NOW });
    commit(&store, added.into()).expect("added");
    for name in ["bob", "dora"] {
        assert!(
            matches!(redeem(1, name).await, Err(RedeemError::Other(of)) if of == nick("alice")),
            "{name}"
        );
        let checked = store.check_invite([1; 32], nick(name), NOW).await;
        assert!(matches!(checked, Err(RedeemError::Other(_))), "{name}");
    }
    // Of two at once one succeeds.
    let (a, b) = tokio::join!(redeem(1, "ALICE"), redeem(1, "alice"));
    assert!(
        matches!((&a, &b), (Ok(_), Err(RedeemError::Spent)) | (Err(RedeemError::Spent), Ok(_))),
        "{a:?} {b:?}"
    );
    let Ok(Redeemed::Reset(account)) = a.or(b) else { panic!("a reset") };
    assert_eq!((account.id, account.name.as_str()), (alice, "alice"));
    let password =
        async |name| store.credentials(nick(name)).await.expect("reads").expect("is there").password;
    assert_eq!(password("alice").await, Some(PasswordHash::from_phc("another")));
    assert_eq!(password("bob").await, Some(hash()));
    let devices = |id| {
        let of = move |snapshot: Snapshot| snapshot.devices.iter().filter(|(of, _)| *of == id).count();
        let snapshot = store.snapshot();
        async move { snapshot.await.map(of) }
    };
    assert_eq!((devices(alice).await.expect("reads"), devices(bob).await.expect("reads")), (0, 1));

    for (token, name) in [(4, "alice"), (5, "dora")] {
        assert!(
            matches!(redeem(token, name).await, Err(RedeemError::Revoked)),
            "no other link of hers is left"
        );
    }

    make(reset(2), Actor::Console).await;
    make(reset(3), Actor::Console).await;
    let change = |sql: &'static str| store.write(move |tx| Ok::<_, StoreError>(tx.execute(sql, [alice])?));
    change("UPDATE accounts SET disabled = 1 WHERE id = ?1").await.expect("disables");
    assert!(matches!(redeem(2, "alice").await, Err(RedeemError::Disabled(_))));
    store.write(move |tx| Ok::<_, StoreError>(accounts::remove(tx, alice, NOW)?)).await.expect("removes");
    assert!(matches!(redeem(2, "alice").await, Err(RedeemError::Gone(_))));
    let revoked = store.write(move |tx| Ok::<_, StoreError>(invites::revoke_all_of(tx, alice, NOW)?));
    assert_eq!(revoked.await.expect("revokes"), 2);
    assert!(matches!(redeem(2, "alice").await, Err(RedeemError::Revoked)));
}
