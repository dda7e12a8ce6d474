//! Flipped bits in the file: the damaged row is skipped, and the ones after it work.

use std::fs;

use super::*;
use crate::core::effects::history::{MessageFilter, Search, Window};
use crate::core::record::member_status::MemberStatus;
use crate::core::record::modes::{ModeFlag, Modes};
use crate::core::record::{Invite, MetadataOwner};
use crate::store::{health, history, search};

const CHANNEL: ChannelId = ChannelId(1);

/// Makes a folder with alice, a channel, and these messages in it.
async fn filled_store(messages: &[String]) -> (tempfile::TempDir, Store) {
    let (folder, store) = open();
    let alice = create(&store, "alice").await.expect("made");
    let mut records = vec![
        Record::ChannelCreated { id: CHANNEL, name: channel("#room"), creator: alice, at: NOW },
        Record::Joined { channel: CHANNEL, account: alice, at: NOW },
    ];
    records.extend(
        (1..)
            .zip(messages)
            .map(|(n, text)| Record::Message(message(id(n), Conversation::Channel(CHANNEL), text))),
    );
    commit(&store, records).expect("kept");
    (folder, store)
}

fn id(n: u64) -> MessageId {
    MessageId::first_at(Timestamp(NOW.0 + n))
}

async fn latest_texts(store: &Store) -> Vec<String> {
    let window = Window::latest(1000);
    let kinds = MessageFilter { events: false, redactions: false };
    let read = move |conn: &Connection| {
        Ok::<_, StoreError>(history::read(conn, Conversation::Channel(CHANNEL), &window, kinds, 1 << 20)?)
    };
    let page = store.read(read).await.expect("reads");
    page.iter().map(|kept| kept.message.text.to_string()).collect()
}

fn damage(store: &Store, sql: &str) {
    let conn = Connection::open(store.folder().join("parlour.db")).expect("opens");
    conn.execute_batch("PRAGMA foreign_keys = OFF").expect("set");
    conn.execute_batch(sql).expect(sql);
}

#[tokio::test]
async fn damaged_message_keeps_its_position_and_hides_no_others() {
    let texts: Vec<String> = ["one", "two", "three", "four", "five", "six"].map(String::from).to_vec();
    let (_folder, store) = filled_store(&texts).await;
    let at = |n| id(n).as_i64();
    damage(
        &store,
        &format!(
            "UPDATE messages SET text = CAST(x'74ff6f' AS TEXT) WHERE id = {};
             UPDATE messages SET text = 'tiree' WHERE id = {};
             UPDATE messages SET sender = 77 WHERE id = {};",
            at(2),
            at(3),
            at(5)
        ),
    );
    let bad = history::UNREADABLE_TEXT;
    assert_eq!(latest_texts(&store).await, ["one", bad, bad, "four", bad, "six"]);
    // The index learns what stands behind.
    assert_eq!(search_texts(&store, id(6), "six").await, ["six"]);
    let health = health::check(store.folder()).expect("checks");
    assert!(health.faults.iter().any(|fault| fault.starts_with("3 messages ")), "{health:?}");
    // A start succeeds.
    let data = store.folder().to_owned();
    drop(store);
    let store = Store::open(&data).expect("opens");
    assert_eq!(latest_texts(&store).await.len(), 6);
}

#[tokio::test]
async fn damaged_table_page_hides_only_its_messages() {
    let texts: Vec<String> = (0..100).map(|n| format!("{n:03} {}", "x".repeat(300))).collect();
    let (_folder, store) = filled_store(&texts).await;
    let data = store.folder().to_owned();
    drop(store);
    let mut bytes = fs::read(data.join("parlour.db")).expect("reads");
    let at = bytes.windows(10).position(|part| part == b"050 xxxxxx").expect("is there");
    let start = at - at % 4096;
    bytes[start..start + 64].fill(0xa5);
    fs::write(data.join("parlour.db"), bytes).expect("written");
    let store = Store::open(&data).expect("opens");
    let page = latest_texts(&store).await;
    let bad = page.iter().filter(|text| *text == history::UNREADABLE_TEXT).count();
    assert_eq!(page.len(), 100);
    assert!((1..40).contains(&bad), "{bad} of 100 cannot be read");
    assert!(page[0].starts_with("000 ") && page[99].starts_with("099 "));
    assert!(!health::check(&data).expect("checks").faults.is_empty());
    // The search knows what is before and behind the page.
    assert_eq!(search_texts(&store, id(100), "000").await.len(), 1);
    assert_eq!(search_texts(&store, id(100), "099").await.len(), 1);
}

/// The texts that a search finds in the index of a store.
async fn search_texts(store: &Store, last: MessageId, text: &str) -> Vec<String> {
    let index = search::Index::start(store).expect("opens");
    let search = Search {
        includes_direct: true,
        account: AccountId(1),
        channels: vec![(CHANNEL, channel("#room"))],
        conversation: None,
        from: None,
        text: Some(text.into()),
        window: Window::latest(9),
    };
    loop {
        index.wait_until_indexed(last).await;
        let mut searching = search::SearchRun::new(search.clone());
        while !searching.is_done() {
            searching = index.continue_search(searching).await.expect("finds");
        }
        if searching.is_complete() {
            break searching.into_hits().iter().map(|(kept, _)| kept.message.text.to_string()).collect();
        }
        tokio::task::yield_now().await;
    }
}

/// Overwrites the pages of something in the database that was opened by nobody.
fn damage_pages(data: &Path, name: &str) {
    let path = data.join("parlour.db");
    let conn = Connection::open(&path).expect("opens");
    let mut read = conn.prepare("SELECT pageno FROM dbstat WHERE name = ?1").expect("has dbstat");
    let pages = read.query_map([name], |row| row.get::<_, u32>(0)).expect("reads");
    let pages = pages.collect::<Result<Vec<_>, _>>().expect("reads");
    assert!(!pages.is_empty(), "{name}");
    drop(read);
    drop(conn);
    let mut bytes = fs::read(&path).expect("reads");
    for page in pages {
        let start = (page as usize - 1) * 4096;
        bytes[start..start + 64].fill(0xa5);
    }
    fs::write(&path, bytes).expect("written");
}

/// Makes a folder with a hundred messages, and damages the pages of something in its database.
async fn filled_store_with_damage(name: &str) -> (tempfile::TempDir, PathBuf, Vec<String>) {
    let texts: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let (folder, store) = filled_store(&texts).await;
    let data = store.folder().to_owned();
    drop(store);
    damage_pages(&data, name);
    (folder, data, texts)
}

#[tokio::test]
async fn damaged_index_hides_nothing_and_is_rebuilt_at_next_start() {
    for name in ["messages_by_volume", "contents"] {
        let (_folder, data, said) = filled_store_with_damage(name).await;
        let store = Store::open(&data).expect("opens");
        assert_eq!(latest_texts(&store).await, said, "{name}");
        let latest = |conn: &Connection| {
            Ok::<_, StoreError>(history::latest_message_id(conn, Conversation::Channel(CHANNEL))?)
        };
        assert_eq!(store.read(latest).await.expect("reads"), Some(id(100)));
        let faults = health::check(&data).expect("checks").faults;
        assert!(faults.iter().any(|fault| fault.starts_with("an index is damaged")), "{faults:?}");
        assert_eq!(search_texts(&store, id(100), "099").await, ["099"]);
        drop(store);
        let store = Store::open(&data).expect("opens");
        assert_eq!(latest_texts(&store).await, said, "{name}");
        assert_eq!(health::check(&data).expect("checks").faults, Vec::<String>::new(), "{name}");
        commit(&store, vec![Record::Message(message(id(101), Conversation::Channel(CHANNEL), "more"))])
            .expect("kept");
        assert_eq!(latest_texts(&store).await.len(), 101);
    }
}

#[tokio::test]
async fn damaged_index_is_rebuilt_at_once_on_write() {
    for name in ["messages_by_volume", "contents"] {
        let (_folder, data, _) = filled_store_with_damage(name).await;
        let store = Store::open(&data).expect("opens");
        commit(&store, vec![Record::Message(message(id(101), Conversation::Channel(CHANNEL), "more"))])
            .expect("kept");
        assert_eq!(latest_texts(&store).await.len(), 101, "{name}");
        drop(store);
        assert_eq!(health::check(&data).expect("checks").faults, Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn damaged_account_and_channel_rows_are_skipped_and_reported() {
    let (_folder, store) = filled_store(&[]).await;
    let alice = AccountId(1);
    let bob = create(&store, "bob").await.expect("made");
    let key = CertificateFingerprint([7; 32]);
    let invite = Invite {
        id: InviteId(1),
        token: [3; 32],
        role: Role::Member,
        channel: None,
        uses: 1,
        spent: 0,
        expires: Timestamp(NOW.0 + 1000),
        revoked: None,
        created: NOW,
        created_by: None,
        resets: None,
        admin_account: None,
    };
    let founder =
        |account| Record::MemberStatusSet { channel: CHANNEL, account, member_status: MemberStatus::FOUNDER };
    let marked =
        Record::ReadMarkerSet { account: alice, conversation: Conversation::Channel(CHANNEL), read: NOW };
    let set = Record::MetadataSet {
        owner: MetadataOwner::Account(alice),
        key: "k".into(),
        value: Some("v".into()),
    };
    commit(
        &store,
        vec![
            Record::Joined { channel: CHANNEL, account: bob, at: NOW },
            founder(alice),
            founder(bob),
            marked.clone(),
            set,
            Record::DeviceAdded { account: alice, fingerprint: key, at: NOW },
            Record::InviteCreated(invite),
            Record::Audit {
                at: NOW,
                actor: Actor::Console,
                action: "user add".into(),
                target: "bob".into(),
                detail: "".into(),
            },
        ],
    )
    .expect("kept");
    assert!(health::check(store.folder()).expect("checks").faults.is_empty());
    damage(
        &store,
        "UPDATE members SET account = 1, joined = 3 WHERE account = 1; UPDATE ranks SET ranks = 4 WHERE account = 2;
         UPDATE markers SET read = 1 << 60; UPDATE account_metadata SET value = 'w';
         UPDATE devices SET account = 2; UPDATE invites SET role = 1; UPDATE audit SET target = 'rob';
         UPDATE channels SET flags = 0",
    );
    let data = store.folder().to_owned();
    drop(store);
    let store = Store::open(&data).expect("opens");
    let snapshot = store.snapshot().await.expect("reads");
    let [room] = snapshot.channels.as_slice() else { panic!("{:?}", snapshot.channels) };
    assert_eq!(
        (room.members.as_slice(), room.member_statuses.as_slice()),
        (&[bob][..], &[(alice, MemberStatus::FOUNDER)][..])
    );
    assert!(
        room.modes.has(ModeFlag::InviteOnly) && room.modes.has(ModeFlag::Secret),
        "who may come in is not known"
    );
    assert_eq!((snapshot.markers.len(), snapshot.metadata.len()), (0, 0));
    assert_eq!(snapshot.devices, []);
    assert_eq!(snapshot.invites, []);
    assert_eq!(redeem(&store, 3, "eve", NOW).await, Err(RedeemError::Unknown));
    let audit_entries = |conn: &Connection| Ok::<_, StoreError>(audit::latest(conn, 9)?);
    assert_eq!(store.read(audit_entries).await.expect("reads"), []);
    let named = |conn: &Connection| Ok::<_, StoreError>(checksums::rows::find_damaged_rows(conn)?);
    let tables =
        ["channel 1", "members", "ranks", "markers", "account_metadata", "devices", "invite 1", "audit"];
    let found = store.read(named).await.expect("reads");
    assert_eq!(found.len(), tables.len(), "{found:?}");
    for (found, table) in found.iter().zip(tables) {
        assert!(found.starts_with(&format!("the row of {table}")), "{found}");
    }
    // What is set anew is sound, also where the damaged row is in the way.
    let joined = Record::Joined { channel: CHANNEL, account: alice, at: NOW };
    let modes = Record::ModesSet(CHANNEL, Modes::default());
    let device = Record::DeviceAdded { account: alice, fingerprint: key, at: NOW };
    commit(&store, vec![joined, founder(bob), marked, modes, device]).expect("kept");
    let snapshot = store.snapshot().await.expect("reads");
    assert_eq!((snapshot.channels[0].members.len(), snapshot.channels[0].member_statuses.len()), (2, 2));
    assert_eq!(snapshot.markers, [(alice, Conversation::Channel(CHANNEL), NOW)]);
    assert!(!snapshot.channels[0].modes.has(ModeFlag::InviteOnly));
    let devices: Vec<_> = snapshot.devices.iter().map(|(of, device)| (*of, device.fingerprint)).collect();
    assert_eq!(devices, [(alice, key)]);
}

#[tokio::test]
async fn damaged_account_is_disabled_until_an_admin_enables_it() {
    let (_folder, store) = filled_store(&[]).await;
    let bob = create(&store, "bob").await.expect("made");
    damage(&store, "UPDATE accounts SET role = 1 WHERE name = 'bob'");
    let disabled = async || {
        let snapshot = store.snapshot().await.expect("reads");
        let of = |account: &Account| (account.disabled, account.role == Role::Admin);
        let bob = snapshot.accounts.iter().find(|account| account.id == bob).map(of);
        let chat = Core::new(Settings::default(), snapshot);
        let [login, other] = ["bob", "alice"].map(|name| chat.login_credentials(&nick(name)).is_some());
        (bob, login, other)
    };
    assert_eq!(disabled().await, (Some((true, false)), false, true));
    let health = health::check(store.folder()).expect("checks");
    assert_eq!(health.faults, [format!("the row of account {} is not as it was written", bob.0)]);
    // An admin's change writes the row again, as a member's: the role could be the damage.
    let enable = Change::account(nick("bob"), UserChange::Enable);
    change(&store, enable).await.expect("enabled");
    assert_eq!(disabled().await, (Some((false, false)), true, true));
    assert!(health::check(store.folder()).expect("checks").faults.is_empty());
}

#[tokio::test]
async fn unreadable_rows_do_not_prevent_start() {
    let (_folder, store) = filled_store(&[]).await;
    create(&store, "bob").await.expect("made");
    damage(
        &store,
        "UPDATE accounts SET name = CAST(x'ff' AS TEXT) WHERE name = 'bob';
         INSERT INTO members (channel, account, joined) VALUES (1, 2, 0);
         INSERT INTO ranks (channel, account, ranks) VALUES (1, 1, 999);
         INSERT INTO channels (id, name, created) VALUES (2, CAST(x'23ff' AS TEXT), 0);
         INSERT INTO markers (account, place, read) VALUES (1, 1, 7);
         INSERT INTO account_metadata (account, key, value) VALUES (1, 'k', CAST(x'ff' AS TEXT))",
    );
    let data = store.folder().to_owned();
    drop(store);
    let store = Store::open(&data).expect("opens");
    let snapshot = store.snapshot().await.expect("reads");
    assert_eq!(snapshot.accounts.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["alice"]);
    assert_eq!(snapshot.channels.len(), 1);
    assert_eq!((snapshot.markers.len(), snapshot.metadata.len()), (1, 0));
}

#[tokio::test]
async fn messages_without_checksums_get_them_later() {
    let texts: Vec<String> = (0..1200).map(|n| n.to_string()).collect();
    let (_folder, store) = filled_store(&texts).await;
    damage(&store, "UPDATE messages SET sum = NULL; UPDATE counters SET value = 0 WHERE name = 'summed'");
    assert_eq!(latest_texts(&store).await.len(), 1000, "without one they are read as ever");
    store.fill_checksums().await.expect("fills");
    let missing = |conn: &Connection| {
        let sql = "SELECT count(*) FROM messages WHERE sum IS NULL";
        Ok::<i64, StoreError>(conn.query_one(sql, [], |row| row.get(0))?)
    };
    assert_eq!(store.read(missing).await.expect("counts"), 0);
    assert_eq!(latest_texts(&store).await.len(), 1000);
    assert!(health::check(store.folder()).expect("checks").faults.is_empty());
    // A redaction keeps the checksum right.
    commit(&store, vec![Record::Redacted { conversation: Conversation::Channel(CHANNEL), message: id(7) }])
        .expect("redacted");
    assert!(health::check(store.folder()).expect("checks").faults.is_empty());
}
