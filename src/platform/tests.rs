//! Tests of the contract, the same on every system.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::control::{Caller, Listener};
use super::files::{self, Restriction};
use super::{clock, process, stdio};

fn is_private(path: &Path) -> bool {
    !files::others_access(path).expect("is there").any
}

#[test]
fn private_files_and_folders_are_for_their_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let private = folder.path().join("an ünusual name/deeper");
    files::create_private_folder(&private).expect("made");
    files::create_private_folder(&private).expect("is there already");
    assert!(is_private(&private) && is_private(private.parent().expect("a folder")));
    let path = private.join("key");
    let mut file = files::open_private(OpenOptions::new().write(true).create_new(true), &path).expect("made");
    file.write_all(b"secret").expect("written");
    assert!(is_private(&path) && !files::others_access_to_open(&file).expect("known").any);
    assert_eq!(files::owner(&path).expect("known"), files::owner(&private).expect("known"));
    for may_write in [false, true] {
        files::give_to_others(&path, may_write);
        let access = files::others_access(&path).expect("known");
        assert!(access.any && access.write == may_write && !access.sticky, "{access:?}");
        assert_eq!(files::others_access_to_open(&File::open(&path).expect("opens")).expect("known"), access);
        let command = files::restriction_command(Restriction::PrivateFile, &path);
        assert!(command.contains(&path.display().to_string()), "{command}");
        files::make_private(&path).expect("set");
        assert!(is_private(&path));
    }
    assert_eq!(fs::read(&path).expect("still readable"), b"secret");
}

#[test]
fn a_folder_is_locked_for_all_or_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || files::open_for_lock(folder.path()).expect("opens");
    let (first, second) = (open(), open());
    first.try_lock_shared().expect("free");
    second.try_lock_shared().expect("shared");
    assert!(matches!(open().try_lock(), Err(TryLockError::WouldBlock)));
    drop((first, second));
    open().try_lock().expect("free again");
    assert!(files::open_for_lock(&folder.path().join("missing")).is_err());
    let found = fs::read_dir(folder.path()).expect("a folder").flatten();
    assert!(found.into_iter().all(|entry| files::is_lock_file(&entry.file_name().to_string_lossy())));
}

#[test]
fn the_holder_of_a_lock_can_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    let lock = files::open_private(&mut options, &path).expect("opens");
    lock.try_lock().expect("free");
    fs::write(files::lock_holder_file(&path), "7").expect("written");
    assert_eq!(fs::read_to_string(files::lock_holder_file(&path)).expect("reads"), "7");
    assert!(matches!(options.open(&path).expect("opens").try_lock(), Err(TryLockError::WouldBlock)));
}

#[test]
fn a_replaced_file_has_another_identity() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, other) = (folder.path().join("a"), folder.path().join("b"));
    fs::write(&path, "old").expect("written");
    fs::write(&other, "new").expect("written");
    let old = files::identity(&path).expect("known");
    assert_eq!(files::identity(&path).expect("known"), old);
    let open = OpenOptions::new().write(true).open(&path).expect("opens");
    files::write_all_at(&open, b"LD", 1).expect("written");
    drop(open);
    assert_eq!(fs::read_to_string(&path).expect("reads"), "oLD");
    fs::rename(&other, &path).expect("replaced");
    files::sync_folder(folder.path()).expect("synced");
    assert_ne!(files::identity(&path).expect("known"), old);
    assert_eq!(fs::read_to_string(&path).expect("reads"), "new");
    assert!(files::identity(&other).is_err());
}

#[test]
fn the_disk_and_the_process_have_limits() {
    let space = files::disk_space(&std::env::temp_dir()).expect("known");
    assert!(space.free > 0 && space.free <= space.total, "{space:?}");
    assert!(files::disk_space(Path::new("/nowhere/at/all")).is_err());
    process::raise_open_files_limit().expect("raised");
    assert!(process::open_files_limit().is_none_or(|limit| limit > 64));
    process::lower_thread_priority().expect("lowered");
    let before = clock::monotonic();
    assert!(clock::monotonic() >= before);
    stdio::copy_stderr().expect("copied").flush().expect("flushed");
}

/// Serves one caller with an echo of what it sends, until it ends.
async fn echo(listener: &mut Listener) {
    let mut connection = listener.accept().await.expect("accepts").expect("is of this user");
    let mut bytes = [0; 1024];
    while let Ok(count @ 1..) = connection.read(&mut bytes).await {
        connection.write_all(&bytes[..count]).await.expect("written");
    }
}

#[tokio::test]
async fn callers_of_the_control_channel_get_replies_in_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let timeout = Duration::from_mins(1);
    assert!(Caller::connect(folder.path(), timeout).is_err(), "no server");
    let mut listener = Listener::bind(folder.path()).expect("binds");
    for text in ["one", "two"] {
        let path = folder.path().to_owned();
        let call = tokio::task::spawn_blocking(move || {
            let mut caller = Caller::connect(&path, timeout).expect("connects");
            let mut reply = vec![0; text.len()];
            for _ in 0..2 {
                caller.write_all(text.as_bytes()).expect("written");
                caller.read_exact(&mut reply).expect("replies");
                assert_eq!(reply, text.as_bytes());
            }
        });
        echo(&mut listener).await;
        call.await.expect("no panic");
    }
    drop(listener);
    let error = Caller::connect(folder.path(), timeout).expect_err("the server is gone");
    assert!(
        matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused),
        "{error}"
    );
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for_longer_than_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut listener = Listener::bind(folder.path()).expect("binds");
    let path = folder.path().to_owned();
    let call = tokio::task::spawn_blocking(move || {
        let mut caller = Caller::connect(&path, Duration::from_millis(50)).expect("connects");
        caller.read(&mut [0]).expect_err("nothing comes")
    });
    let connection = listener.accept().await.expect("accepts");
    let error = call.await.expect("no panic");
    assert!(matches!(error.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock), "{error}");
    drop(connection);
}
