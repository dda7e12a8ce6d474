//! Backups of a small server: what is restored is the same, and nothing wrong is taken for a backup.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use age::secrecy::SecretString;
use age::x25519;
use proptest::prelude::*;
use rustls_pki_types::UnixTime;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::core::record::access_token::{AccessScope, StoredAccessToken};
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::file::{FileId, StoredFile};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{
    Account, AccountId, ChannelId, Conversation, Invite, InviteId, MessageKind, Record, Role, StoredMessage,
};
use crate::platform::files;
use crate::store::{Store, StoreError, last_backup};
use crate::trust::certs;
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// Content of the shared file.
const CONTENT: &[u8] = b"a picture";

fn places(home: &Path) -> Places {
    Places { data: home.join("data"), certs: home.join("certs"), config_file: home.join("parlour.toml") }
}

fn commit(store: &Store, records: Vec<Record>) {
    let (done, result) = mpsc::channel();
    store.commit(records.into(), Box::new(move |r| done.send(r).expect("waited for")));
    result.recv().expect("answered").expect("kept");
}

fn message(n: u64, text: &str) -> Record {
    Record::Message(StoredMessage {
        id: MessageId::first_at(Timestamp(NOW.0 + n)),
        conversation: Conversation::Channel(ChannelId(1)),
        from: AccountId(1),
        kind: MessageKind::Privmsg,
        text: text.into(),
        tags: "".into(),
        send_id: None,
    })
}

/// Makes a server with an account, a device, an invite, a token, messages and a file.
fn server() -> (TempDir, Places, Store) {
    let home = tempfile::tempdir().expect("a folder");
    let places = places(home.path());
    certs::generate(&*places.certs, &[], false, UnixTime::now()).expect("generated");
    fs::write(&places.config_file, "name = \"School\"\n").expect("written");
    let store = Store::open(&places.data).expect("opens");
    let name = Nick::parse("alice").expect("a nick");
    let account = Account { id: AccountId(1), name: name.clone(), role: Role::Admin, disabled: false };
    let hash = Sha256::digest(CONTENT).into();
    let path = workspace::content_path(&places.data, &hash);
    files::create_private_folder(path.parent().expect("a folder")).expect("made");
    fs::write(path, CONTENT).expect("written");
    commit(
        &store,
        vec![
            Record::AccountAdded {
                account,
                password: PasswordHash::from_phc("$argon2id$SECRET"),
                invite: None,
                at: NOW,
            },
            Record::ChannelCreated {
                id: ChannelId(1),
                name: ChannelName::parse("#lobby").expect("a name"),
                creator: AccountId(1),
                at: NOW,
            },
            Record::Joined { channel: ChannelId(1), account: AccountId(1), at: NOW },
            Record::DeviceAdded {
                account: AccountId(1),
                fingerprint: CertificateFingerprint([7; 32]),
                at: NOW,
            },
            Record::InviteCreated(Invite {
                id: InviteId(1),
                token: [0xa5; 32],
                role: Role::Member,
                channel: None,
                uses: 30,
                spent: 1,
                expires: Timestamp(NOW.0 + 1),
                revoked: None,
                created: NOW,
                created_by: None,
                admin_account: None,
                resets: None,
            }),
            Record::AccessTokenCreated(StoredAccessToken {
                hash: [0x5a; 32],
                name,
                account: AccountId(1),
                scope: AccessScope::Read,
                created: NOW,
                expires: None,
            }),
            Record::FileAdded(StoredFile {
                id: FileId([3; 16]),
                owner: AccountId(1),
                name: "picture.png".into(),
                media_type: "image/png".into(),
                size: CONTENT.len() as u64,
                hash,
                dimensions: None,
                added: NOW,
                link: Some([9; 32]),
            }),
            message(1, "hello"),
            message(2, "grüße"),
        ],
    );
    (home, places, store)
}

fn passphrase(text: &str) -> (Protection, Key) {
    let secret = SecretString::from(text);
    (Protection::Passphrase(secret.clone()), Key::Passphrase(secret))
}

fn backup(places: &Places, protection: &Protection) -> Vec<u8> {
    let target = tempfile::tempdir().expect("a folder");
    let file = target.path().join("x.backup");
    let written = write_file(places, "School", protection, NOW, &file, &Hidden).expect("written");
    assert_eq!(written.bytes, fs::metadata(&file).expect("there").len());
    assert_eq!(fs::read_dir(target.path()).expect("a folder").count(), 1, "no other file is left");
    fs::read(file).expect("reads")
}

fn check(bytes: &[u8], key: &Key) -> Result<Manifest, BackupError> {
    verify(bytes, &mut |_| Ok(key.clone()), &Hidden)
}

fn no_key(_: KeyKind) -> Result<Key, BackupError> {
    Err(BackupError::Key("there is no key".into()))
}

/// Returns the state of a server as text: the core's, and each message.
fn state(store: &Store) -> (String, Vec<(i64, i64, String)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let snapshot = format!("{:?}", store.snapshot().await.expect("reads"));
        let messages = store.read(|conn| {
            let mut all = conn.prepare("SELECT id, place, text FROM messages ORDER BY id")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok::<_, StoreError>(rows.collect::<Result<_, _>>()?)
        });
        (snapshot, messages.await.expect("reads"))
    })
}

#[test]
fn restored_server_is_the_same() {
    let (_home, original, store) = server();
    let (protection, key) = passphrase("correct horse");
    let bytes = backup(&original, &protection);
    assert!(!bytes.windows(5).any(|window| window == b"hello"), "it is encrypted");
    let manifest = check(&bytes, &key).expect("sound");
    assert_eq!((manifest.counts.accounts, manifest.counts.channels), (1, 1));
    assert_eq!((manifest.counts.messages, manifest.counts.files), (2, 1));
    let home = tempfile::tempdir().expect("a folder");
    let restored = places(&home.path().join("new"));
    restore(&bytes[..], &restored, &mut |_| Ok(key.clone()), &Hidden).expect("restored");
    let pin = |places: &Places| certs::load(&places.certs, UnixTime::now()).expect("loads").pin();
    assert_eq!(pin(&restored), pin(&original));
    let hash = Sha256::digest(CONTENT).into();
    let content = fs::read(workspace::content_path(&restored.data, &hash)).expect("there");
    assert_eq!(content, CONTENT);
    assert_eq!(fs::read_to_string(&restored.config_file).expect("there"), "name = \"School\"\n");
    let mut names: Vec<_> = list(&home.path().join("new"));
    names.sort();
    assert_eq!(names, ["certs", "data", "parlour.toml"], "nothing else is left");
    for path in [&restored.data, &restored.data.join("parlour.db"), &restored.certs.join("root.key")] {
        assert!(!files::others_access(path).expect("known").any, "{}", path.display());
    }
    let reopened = Store::open(&restored.data).expect("opens");
    assert_eq!(state(&reopened), state(&store));
}

fn list(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
}

#[test]
fn nothing_is_overwritten() {
    let (_home, places, store) = server();
    let (protection, key) = passphrase("correct horse");
    let bytes = backup(&places, &protection);
    drop(store);
    let restored = |places: &Places| restore(&bytes[..], places, &mut |_| Ok(key.clone()), &Hidden);
    assert!(matches!(restored(&places), Err(BackupError::Occupied(_))));
    fs::remove_dir_all(&places.data).expect("removed");
    assert!(matches!(restored(&places), Err(BackupError::Occupied(_))), "certificates");
    fs::remove_dir_all(&places.certs).expect("removed");
    fs::write(&places.config_file, "name = \"Other\"\n").expect("written");
    let beside = restored(&places).expect("restored").config_beside.expect("beside");
    assert_eq!(fs::read_to_string(&places.config_file).expect("there"), "name = \"Other\"\n");
    assert_eq!(fs::read_to_string(beside).expect("there"), "name = \"School\"\n");
    let target = places.data.join("x");
    fs::write(&target, "").expect("written");
    let again = write_file(&places, "School", &Protection::NoSecrets, NOW, &target, &Hidden);
    assert!(matches!(again, Err(BackupError::Exists(_))));
}

#[test]
fn backup_without_secrets_has_none() {
    let (_home, places, _store) = server();
    let bytes = backup(&places, &Protection::NoSecrets);
    let manifest = verify(&bytes[..], &mut no_key, &Hidden).expect("sound");
    assert!(!manifest.secrets && manifest.certs.is_empty());
    let plain = zstd::decode_all(&bytes[..]).expect("zstd");
    let has = |secret: &[u8]| plain.windows(secret.len()).any(|window| window == secret);
    assert!(has(b"hello") && has("grüße".as_bytes()));
    for secret in [&b"$argon2id$SECRET"[..], b"PRIVATE KEY", &[0xa5; 32], &[0x5a; 32], &[9; 32]] {
        assert!(!has(secret), "{secret:?}");
    }
    let home = tempfile::tempdir().expect("a folder");
    let restored = super::tests::places(home.path());
    restore(&bytes[..], &restored, &mut no_key, &Hidden).expect("restored");
    assert_eq!(list(&restored.certs), Vec::<String>::new(), "the server makes its own");
    let store = Store::open(&restored.data).expect("opens");
    let health = crate::store::health::check(&restored.data).expect("checked");
    assert_eq!(health.faults, Vec::<String>::new());
    assert_eq!(state(&store).1.len(), 2);
}

#[test]
fn server_whose_certificates_are_elsewhere_makes_no_backup() {
    let (home, mut places, _store) = server();
    let (protection, _) = passphrase("correct horse");
    let certs = std::mem::replace(&mut places.certs, home.path().join("elsewhere"));
    let target = home.path().join("x.backup");
    let write = |places: &Places, protection| write_file(places, "School", protection, NOW, &target, &Hidden);
    let error = write(&places, &protection).expect_err("refused").to_string();
    assert!(error.contains("elsewhere") && error.contains("--certs"), "{error}");
    places.certs = certs;
    fs::remove_file(places.certs.join("server.key")).expect("removed");
    let error = write(&places, &protection).expect_err("refused").to_string();
    assert!(error.contains("there is no server.key"), "{error}");
    assert!(!target.exists());
    write(&places, &Protection::NoSecrets).expect("a backup without secrets needs none");
}

#[test]
fn recipients_open_what_is_encrypted_to_them() {
    let (_home, places, _store) = server();
    let (mine, other) = (x25519::Identity::generate(), x25519::Identity::generate());
    let recipient = mine.to_public().to_string().parse().expect("a recipient");
    let bytes = backup(&places, &Protection::Recipients(vec![recipient]));
    check(&bytes, &Key::Identities(vec![other.clone(), mine])).expect("sound");
    let wrong = check(&bytes, &Key::Identities(vec![other]));
    assert!(matches!(wrong, Err(BackupError::WrongKey)));
    assert!("AGE-SECRET-KEY-1".parse::<Recipient>().is_err());
}

#[test]
fn what_is_not_a_backup_is_refused() {
    let (_home, places, _store) = server();
    let (protection, key) = passphrase("correct horse");
    let bytes = backup(&places, &protection);
    let (_, wrong) = passphrase("correct house");
    assert!(matches!(check(&bytes, &wrong), Err(BackupError::WrongKey)));
    for foreign in [&b""[..], b"PK\x03\x04", b"SQLite format 3\0", &[0; 4096]] {
        assert!(matches!(check(foreign, &key), Err(BackupError::NotABackup)), "{foreign:?}");
    }
    let foreign = zstd::encode_all(&[7; 4096][..], 3).expect("zstd");
    assert!(check(&foreign, &key).is_err());
    let age = age::encrypt(&age::scrypt::Recipient::new(SecretString::from("correct horse")), b"text");
    assert!(check(&age.expect("encrypted"), &key).is_err());
    for at in [1, 10, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(check(&bytes[..at], &key), Err(BackupError::Damaged(_))), "cut at {at}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(matches!(check(&longer, &key), Err(BackupError::Damaged(_))));
}

/// Seals an archive with this manifest and these entries.
fn sealed(manifest: &str, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let compressed = zstd::Encoder::new(seal::SealWriter::new(Vec::new()), 1).expect("an encoder");
    let mut archive = tar::Builder::new(compressed);
    let all = [(super::manifest::NAME, manifest.as_bytes())];
    for (name, text) in all.iter().chain(entries) {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(text.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        archive.append(&header, *text).expect("appended");
    }
    archive.into_inner().and_then(zstd::Encoder::finish).and_then(seal::SealWriter::finish).expect("sealed")
}

#[test]
fn later_formats_and_hostile_archives_are_refused() {
    let newer = sealed(r#"{"format": 2, "parlour": "9.1.0", "more": []}"#, &[]);
    let Err(BackupError::Newer { version }) = verify(&newer[..], &mut no_key, &Hidden) else {
        panic!("newer")
    };
    assert_eq!(version, "9.1.0");
    let (_home, original, _store) = server();
    let bytes = backup(&original, &Protection::NoSecrets);
    let mut manifest = verify(&bytes[..], &mut no_key, &Hidden).expect("sound");
    manifest.schema = 999;
    let text = serde_json::to_string(&manifest).expect("JSON");
    let home = tempfile::tempdir().expect("a folder");
    let restored = places(home.path());
    let result = restore(&sealed(&text, &[])[..], &restored, &mut no_key, &Hidden);
    assert!(matches!(result, Err(BackupError::Newer { .. })));
    manifest.schema = 1;
    let text = serde_json::to_string(&manifest).expect("JSON");
    for name in ["../../x", "/etc/x", "certs/../x", "files/x", "parlour.db/x", "parlour-backup.json"] {
        let result = restore(&sealed(&text, &[(name, b"x")])[..], &restored, &mut no_key, &Hidden);
        assert!(matches!(result, Err(BackupError::Damaged(_))), "{name}");
    }
    assert_eq!(list(home.path()), Vec::<String>::new(), "nothing is left");
}

#[test]
fn damaged_database_makes_no_backup() {
    let (_home, places, store) = server();
    drop(store);
    let file = fs::OpenOptions::new().write(true).open(places.data.join("parlour.db")).expect("a file");
    files::write_all_at(&file, &[0xa5; 4096], 5 * 4096).expect("written");
    let target = places.data.join("x.backup");
    let result = write_file(&places, "School", &Protection::NoSecrets, NOW, &target, &Hidden);
    assert!(result.is_err());
    assert!(!target.exists());
    assert!(list(&places.data).iter().all(|name| !name.starts_with("parlour-backup-")), "nothing is left");
}

#[test]
fn cancelled_backup_leaves_nothing() {
    struct Cancelled(AtomicBool);
    impl Progress for Cancelled {
        fn begin(&self, step: Step, _: u64) {
            self.0.fetch_or(step == Step::Write, Ordering::Relaxed);
        }
        fn set(&self, _: u64) {}
        fn is_cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }
    let (_home, places, _store) = server();
    let folder = tempfile::tempdir().expect("a folder");
    let (target, progress) = (folder.path().join("x"), Cancelled(AtomicBool::new(false)));
    let result = write_file(&places, "School", &Protection::NoSecrets, NOW, &target, &progress);
    assert!(matches!(result, Err(BackupError::Cancelled)));
    assert_eq!(list(folder.path()), Vec::<String>::new());
    assert!(list(&places.data).iter().all(|name| !name.starts_with("parlour-backup-")));
}

#[test]
fn what_a_killed_backup_left_is_removed() {
    let (_home, places, _store) = server();
    let left = places.data.join("parlour-backup-left");
    fs::create_dir(&left).expect("made");
    fs::write(left.join("lock"), "").expect("written");
    let workspace = workspace::Workspace::new(&places.data, 0).expect("made");
    assert!(!left.exists());
    remove_stale(&places.data);
    let none = workspace::Workspace::new(&places.data, u64::MAX);
    assert!(matches!(none, Err(BackupError::NoRoomForCopy { .. })));
    assert!(workspace.database().parent().expect("a folder").exists(), "that of somebody else stays");
}

#[test]
fn what_killed_processes_left_is_removed_by_the_next_backup_and_restore() {
    let (_home, places, _store) = server();
    let folder = tempfile::tempdir().expect("a folder");
    let [left, used, new] = ["left", "used", "new"].map(|name| {
        let path = folder.path().join(format!(".parlour-backup-{name}.partial"));
        (fs::File::create(&path).expect("made"), path)
    });
    used.0.try_lock().expect("locked");
    for old in [&left, &used] {
        old.0.set_modified(std::time::SystemTime::now() - std::time::Duration::from_mins(2)).expect("set");
    }
    let target = folder.path().join("x.backup");
    write_file(&places, "School", &Protection::NoSecrets, NOW, &target, &Hidden).expect("written");
    assert_eq!([left.1.exists(), used.1.exists(), new.1.exists()], [false, true, true]);

    let home = folder.path().join("home");
    let [left, used, unlocked] = ["left", "used", "unlocked"].map(|name| {
        let path = home.join(format!(".parlour-restore-{name}"));
        fs::create_dir_all(&path).expect("made");
        path
    });
    let lock = |folder: &Path| workspace::lock_folder(folder).expect("locked");
    drop(lock(&left));
    let held = lock(&used);
    let bytes = fs::read(&target).expect("reads");
    restore(&bytes[..], &super::tests::places(&home), &mut no_key, &Hidden).expect("restored");
    assert_eq!([left.exists(), used.exists(), unlocked.exists()], [false, true, true]);
    drop(held);
}

#[test]
fn refused_restore_leaves_no_folder() {
    let (_home, original, _store) = server();
    let bytes = backup(&original, &Protection::NoSecrets);
    let folder = tempfile::tempdir().expect("a folder");
    let target = places(&folder.path().join("new/home"));
    let cut = restore(&bytes[..bytes.len() - 1], &target, &mut no_key, &Hidden);
    assert!(matches!(cut, Err(BackupError::Damaged(_))));
    assert_eq!(list(folder.path()), Vec::<String>::new());
    restore(&bytes[..], &target, &mut no_key, &Hidden).expect("restored");
    assert!(target.data.join("parlour.db").exists());
}

#[test]
fn note_of_the_last_backup_is_read_back() {
    let (_home, places, _store) = server();
    assert_eq!(last_backup::read(&places.data), None);
    let written = write_to(&places, "School", &Protection::NoSecrets, NOW, io::sink(), &Hidden);
    let note = written.expect("written").note;
    note.write(&places.data).expect("written");
    assert_eq!(last_backup::read(&places.data), Some(note.clone()));
    assert_eq!((note.at(), note.secrets), (NOW, false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn each_changed_byte_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8_u8, encrypted: bool) {
        static BACKUPS: std::sync::OnceLock<[Arc<Vec<u8>>; 2]> = std::sync::OnceLock::new();
        let (protection, key) = passphrase("correct horse");
        let backups = BACKUPS.get_or_init(|| {
            let (_home, places, _store) = server();
            [backup(&places, &Protection::NoSecrets).into(), backup(&places, &protection).into()]
        });
        let mut bytes = backups[usize::from(encrypted)].to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(check(&bytes, &key).is_err(), "byte {at}");
    }
}
