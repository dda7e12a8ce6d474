//! Data folders as admins and accidents leave them: a server refuses an unusable one and names the remedy.

use std::fs;

use super::*;
use crate::core::request::admin::ChangeRequest;
use crate::core::request::maintenance::Maintenance;
use crate::platform::files;
use crate::store::health;

/// Opens a store with an account and a message.
async fn open_store() -> (tempfile::TempDir, Store) {
    let (folder, store) = open();
    create(&store, "alice").await.expect("made");
    add_message(&store, 1, "hello");
    (folder, store)
}

fn add_message(store: &Store, n: u64, text: &str) {
    let id = MessageId::first_at(Timestamp(NOW.0 + n));
    commit(store, vec![Record::Message(message(id, Conversation::Channel(ChannelId(1)), text))])
        .expect("kept");
}

/// Makes a data folder with copies of these files of another.
fn copy_files(from: &Path, files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        fs::copy(from.join(file), folder.path().join(file)).expect("copied");
    }
    folder
}

#[track_caller]
fn open_error(folder: &Path) -> UnusableDatabase {
    match Store::open(folder) {
        Err(StoreError::Unusable(why)) => {
            assert!(!why.remedy().is_empty() && !why.to_string().contains('\n'));
            *why
        }
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it opens"),
    }
}

async fn assert_opens_with(folder: &Path, wanted: &[&str]) {
    let store = Store::open(folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(texts(&store).await, wanted);
    assert_eq!(store.snapshot().await.expect("reads").accounts.len(), 1);
}

#[tokio::test]
async fn copy_without_log_is_refused_until_loss_is_accepted() {
    let (_folder, store) = open_store().await;
    let copy = copy_files(store.folder(), &["parlour.db"]);
    for _ in 0..2 {
        assert!(matches!(open_error(copy.path()), UnusableDatabase::LogLeftBehind(_)));
    }
    let Err(StoreError::Unusable(why)) = health::check(copy.path()) else { panic!("doctor finds it") };
    assert!(matches!(*why, UnusableDatabase::LogLeftBehind(_)));
    assert!(Store::accept_loss(copy.path()).expect("accepts").is_some());
    drop(Store::open(copy.path()).expect("opens"));
    assert!(Store::accept_loss(copy.path()).expect("accepts").is_none(), "once is enough");
}

#[tokio::test]
async fn complete_copy_is_opened() {
    let (_folder, store) = open_store().await;
    let with_log = copy_files(store.folder(), &["parlour.db", "parlour.db-wal"]);
    assert_opens_with(with_log.path(), &["hello"]).await;
    // A backup program that uses SQLite copies it while the server runs.
    let backup = tempfile::tempdir().expect("a folder");
    let conn = Connection::open(store.folder().join("parlour.db")).expect("opens");
    conn.execute("VACUUM INTO ?1", [backup.path().join("parlour.db").to_str()]).expect("copied");
    drop(conn);
    files::make_private(&backup.path().join("parlour.db")).expect("set");
    assert_opens_with(backup.path(), &["hello"]).await;
    // After a crash another program opened it, which copied the log into it.
    let crashed = copy_files(store.folder(), &["parlour.db", "parlour.db-wal", "parlour.position"]);
    let shell = Connection::open(crashed.path().join("parlour.db")).expect("opens");
    shell.query_row("SELECT count(*) FROM messages", [], |_| Ok(())).expect("reads");
    drop(shell);
    assert!(!crashed.path().join("parlour.db-wal").exists());
    assert_opens_with(crashed.path(), &["hello"]).await;
    // After an orderly shutdown the one file has everything.
    let data = store.folder().to_owned();
    drop(store);
    assert_opens_with(copy_files(&data, &["parlour.db"]).path(), &["hello"]).await;
}

#[tokio::test]
async fn log_of_another_database_or_time_is_refused() {
    let (_a, one) = open_store().await;
    let (_b, other) = open_store().await;
    let mixed = copy_files(one.folder(), &["parlour.db"]);
    fs::copy(other.folder().join("parlour.db-wal"), mixed.path().join("parlour.db-wal")).expect("copied");
    assert!(matches!(open_error(mixed.path()), UnusableDatabase::ForeignLog(_)));
    // An older copy of the same database, put back beside the present log.
    let old = copy_files(one.folder(), &["parlour.db"]);
    let data = one.folder().to_owned();
    drop(one);
    let one = Store::open(&data).expect("opens");
    add_message(&one, 2, "later");
    fs::copy(data.join("parlour.db-wal"), old.path().join("parlour.db-wal")).expect("copied");
    assert!(matches!(open_error(old.path()), UnusableDatabase::ForeignLog(_)));
    assert!(old.path().join("parlour.db-wal").metadata().expect("still there").len() > 0);
}

#[tokio::test]
async fn database_missing_commits_is_refused_until_loss_is_accepted() {
    let (_folder, store) = open_store().await;
    let data = store.folder().to_owned();
    drop(store);
    let old = copy_files(&data, &["parlour.db"]);
    let store = Store::open(&data).expect("opens");
    add_message(&store, 60_000, "confirmed");
    let last = store.snapshot().await.expect("reads").last_message;
    drop(store);
    fs::copy(old.path().join("parlour.db"), data.join("parlour.db")).expect("put back");
    let UnusableDatabase::MissingCommits { has, confirmed, .. } = open_error(&data) else { panic!("behind") };
    assert_eq!(confirmed.0 - has.0, 59_999);
    assert!(matches!(health::check(&data), Err(StoreError::Unusable(_))));
    let store = Store::accept_loss(&data).expect("accepts").expect("something was lost");
    request(&store, ChangeRequest::Maintenance(Maintenance::AcceptLoss), NOW).await.expect("noted");
    drop(store);
    let store = Store::open(&data).expect("opens");
    assert_eq!(texts(&store).await, ["hello"]);
    assert!(store.snapshot().await.expect("reads").last_message >= last, "no id is given twice");
    let audit = store.read(|conn| Ok::<_, StoreError>(audit::latest(conn, 1)?)).await.expect("reads");
    assert_eq!(audit[0].action, "server accept-loss");
    drop(store);

    // Accounts are no messages, but their loss is detected too.
    let old = copy_files(&data, &["parlour.db"]);
    let store = Store::open(&data).expect("opens");
    create(&store, "bob").await.expect("made");
    drop(store);
    fs::copy(old.path().join("parlour.db"), data.join("parlour.db")).expect("put back");
    assert!(matches!(open_error(&data), UnusableDatabase::MissingCommits { changes: 1, .. }));
    // Another server's database is refused as well.
    let (_other, another) = open_store().await;
    let theirs = another.folder().to_owned();
    drop(another);
    fs::copy(theirs.join("parlour.db"), data.join("parlour.db")).expect("put there");
    assert!(matches!(open_error(&data), UnusableDatabase::Replaced(_)));
}

#[tokio::test]
async fn foreign_files_are_refused() {
    let (_folder, store) = open_store().await;
    let data = store.folder().to_owned();
    drop(store);
    let database = data.join("parlour.db");
    let sound = fs::read(&database).expect("reads");
    let mut found = Vec::new();
    let mut with = |bytes: &[u8]| {
        fs::write(&database, bytes).expect("written");
        found.push(open_error(&data));
        assert_eq!(fs::read(&database).expect("reads"), bytes, "left as it is");
    };
    with(b"");
    with(&sound[..sound.len() - 4096]);
    with(&sound[..50]);
    with(b"this is no database, and long enough to be looked at as one would look at the header of one");
    let sqlite = |script: &str| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let conn = Connection::open(file.path()).expect("opens");
        conn.execute_batch(script).expect(script);
        drop(conn);
        fs::read(file.path()).expect("reads")
    };
    with(&sqlite("CREATE TABLE notes (x); PRAGMA user_version = 3"));
    with(&sqlite("CREATE TABLE x (y); DROP TABLE x"));
    with(&sqlite("CREATE TABLE accounts (x); CREATE TABLE messages (x); CREATE TABLE counters (x)"));
    fs::remove_file(&database).expect("removed");
    found.push(open_error(&data));
    assert!(
        matches!(
            &found[..],
            [
                UnusableDatabase::Empty(_),
                UnusableDatabase::Truncated(_),
                UnusableDatabase::Truncated(_),
                UnusableDatabase::NotADatabase(_),
                UnusableDatabase::ForeignDatabase(_),
                UnusableDatabase::NoTables(_),
                UnusableDatabase::NoVersion(_),
                UnusableDatabase::Missing(_),
            ]
        ),
        "{found:#?}"
    );
    fs::write(&database, sound).expect("put back");
    files::make_private(&database).expect("set");
    assert_opens_with(&data, &["hello"]).await;
}

#[tokio::test]
async fn folder_or_file_writable_by_others_is_refused() {
    let (_folder, store) = open_store().await;
    let data = store.folder().to_owned();
    drop(store);
    for path in [data.clone(), data.join("parlour.db"), data.join("parlour.position")] {
        files::give_to_others(&path, true);
        let error = open_error(&data);
        assert!(matches!(&error, UnusableDatabase::WritableByOthers { path: found, .. } if *found == path));
        assert!(error.remedy().contains(&path.display().to_string()), "{error:?}");
        files::make_private(&path).expect("set");
    }
    assert_opens_with(&data, &["hello"]).await;
}

#[tokio::test]
async fn commit_fails_when_the_database_file_is_gone() {
    let (folder, store) = open_store().await;
    let data = store.folder().to_owned();
    let one =
        |n| Record::Message(message(MessageId::from_i64(n), Conversation::Channel(ChannelId(1)), "lost?"));
    let refused = |n| match commit(&store, vec![one(n)]) {
        Err(StoreError::Displaced(path)) => path,
        other => panic!("{other:?}"),
    };
    let elsewhere = folder.path().join("elsewhere");
    if !files::OPEN_FILES_CAN_BE_MOVED {
        fs::rename(data.join("parlour.db"), data.join("moved")).expect_err("it is open");
        return;
    }
    // The folder is moved, and later a copy replaces it.
    fs::rename(&data, &elsewhere).expect("moved");
    assert_eq!(refused(1 << 62), data.join("parlour.db"));
    fs::create_dir(&data).expect("made");
    fs::copy(elsewhere.join("parlour.db"), data.join("parlour.db")).expect("copied");
    assert_eq!(refused(1 << 62), data.join("parlour.db"));
    fs::remove_dir_all(&data).expect("removed");
    fs::rename(&elsewhere, &data).expect("moved back");
    commit(&store, vec![one(1 << 61)]).expect("as before");
    // The log alone would be lost as well.
    fs::rename(data.join("parlour.db-wal"), data.join("kept")).expect("moved");
    assert_eq!(refused(1 << 62), data.join("parlour.db-wal"));
    fs::rename(data.join("kept"), data.join("parlour.db-wal")).expect("moved back");
    fs::remove_file(data.join("parlour.db")).expect("removed");
    assert_eq!(refused(1 << 62), data.join("parlour.db"));
    assert!(matches!(
        store.write(|tx| Ok::<_, StoreError>(tx.execute("DELETE FROM invites", [])?)).await,
        Ok(0)
    ));
    let error = create(&store, "bob").await.expect_err("refused");
    assert!(matches!(error, StoreError::Displaced(_)));
}
