//! Both ends over a real socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::*;
use crate::core::record::Role;
use crate::core::request::admin::{
    AccountChange, AccountError, Change, RequestError, RequestOutcome, UserChange,
};
use crate::core::request::people::NewUser;
use crate::platform::control::{self, Caller};
use crate::platform::files;
use crate::server::admin::{self, AdminQuery, AdminRequest, FailureKind};
use crate::server::auth::passwords::{Password, PasswordHasher};
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::store::Store;
use crate::trust::Pin;
use crate::wire::Nick;

/// A server on a folder, until it is dropped. Its runtime has threads of its own, because the client blocks.
struct TestServer {
    _runtime: tokio::runtime::Runtime,
    changes: mpsc::Receiver<Change>,
}

fn start(folder: &Path) -> TestServer {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runs");
    let store = Store::open(folder).expect("opens");
    let (send, changes) = mpsc::channel();
    let listed = store.clone();
    let facts = RunningServer {
        addresses: AdvertisedAddresses::new(&["chat.example.org".parse().expect("an address")], &[]),
        pin: Arc::new(|| Pin::new([7; 32])),
        metrics: Arc::new(|| "parlour_x 1\n".to_owned()),
        // Stands in for the hub.
        answer: Arc::new(move |query| {
            let store = listed.clone();
            Box::pin(async move { admin::run(&store, query.into(), crate::server::now()).await })
        }),
        reload: Arc::new(|| Box::pin(async { Ok(AdminReply::Certificates("00".to_owned())) })),
        sockets: ListeningSockets {
            sockets: Arc::default(),
            may_take_over: Arc::new(|_| Ok(())),
            released: tokio::sync::mpsc::channel(1).0,
        },
    };
    let control = {
        let _inside = runtime.enter();
        ControlSocket::bind(folder).expect("binds")
    };
    runtime.spawn(control.serve(facts, move |change| {
        let (store, send) = (store.clone(), send.clone());
        async move {
            // Stands in for the hub.
            let done = admin::run(&store, change.clone().into(), crate::server::now()).await;
            send.send(change).expect("taken");
            match done {
                Ok(_) => Ok(RequestOutcome::Changed),
                Err(failure) => {
                    assert_eq!(failure.kind, FailureKind::Taken);
                    Err(RequestError::Account(AccountError::Taken(nick("alice"))))
                }
            }
        }
    }));
    TestServer { _runtime: runtime, changes }
}

/// Connects as a caller that need not keep to the protocol.
fn connect(folder: &Path) -> Caller {
    Caller::connect(folder, Duration::from_mins(1)).expect("connects")
}

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect(name)
}

fn user_add_request(name: &str) -> AdminRequest {
    let costs = crate::server::config::Passwords { memory_kib: 8, iterations: 1, parallelism: 1 };
    let password = PasswordHasher::new(costs).hash(&Password::new("secret12").expect("keeps the rule"));
    let user = NewUser { name: nick(name), password: password.expect("hashes"), role: Role::Member };
    Change::UserAdd { user, again: false }.into()
}

#[test]
fn requests_reach_the_store_and_the_core() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path());
    assert!(!files::others_access(&folder.path().join(control::FILE_NAME)).expect("is there").any);

    let mut client = ControlClient::connect(folder.path()).expect("connects");
    assert_eq!(client.send_request(&user_add_request("alice")).expect("added"), AdminReply::Done);
    // The core had made the change before the reply came.
    let Ok(Change::UserAdd { .. }) = server.changes.try_recv() else { panic!("added") };
    let Err(ControlError::Failed(failure)) = client.send_request(&user_add_request("Alice")) else {
        panic!("taken")
    };
    assert_eq!(failure.kind, FailureKind::Taken);
    let Ok(Change::UserAdd { .. }) = server.changes.try_recv() else { panic!("asked") };
    let disable: AdminRequest = Change::account(nick("alice"), UserChange::Disable).into();
    assert_eq!(client.send_request(&disable).expect("disabled"), AdminReply::Done);
    let Ok(Change::UserChanges(changes)) = server.changes.try_recv() else { panic!("changed") };
    assert!(matches!(&changes[..], [AccountChange { change: UserChange::Disable, .. }]));
    let Ok(AdminReply::Server { addresses, pin }) = client.send_request(&AdminQuery::Server.into()) else {
        panic!("facts")
    };
    assert_eq!((addresses.len(), pin), (1, Pin::new([7; 32])));
    assert_eq!(
        client.send_request(&AdminQuery::Certificates.into()).expect("read"),
        AdminReply::Certificates("00".to_owned())
    );
}

#[test]
fn stale_socket_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join(control::FILE_NAME);
    control::leave_behind(folder.path());
    assert!(socket.exists() && ControlClient::connect(folder.path()).is_err(), "left behind");
    let server = start(folder.path());
    ControlClient::connect(folder.path())
        .expect("connects")
        .send_request(&user_add_request("alice"))
        .expect("added");
    drop(server);
    assert!(!socket.exists(), "removed at the end");
}

#[test]
fn long_folder_path_is_supported() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("a-long-name-of-a-folder/".repeat(8));
    let _server = start(&deep);
    assert!(deep.join(control::FILE_NAME).exists());
    ControlClient::connect(&deep).expect("connects").send_request(&user_add_request("alice")).expect("added");
}

#[test]
fn malformed_and_oversized_requests_are_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let _server = start(folder.path());
    let mut stream = BufReader::new(connect(folder.path()));
    let mut say = |bytes: &[u8]| {
        // The server closes after too many bytes, while the test still writes.
        let _ = stream.get_mut().write_all(bytes);
        let mut line = String::new();
        let _ = stream.read_line(&mut line);
        line
    };
    assert!(say(b"hello\n").contains("not understood"));
    assert!(say(b"\xff\xfe\n").contains("not understood"));
    assert!(say(b"{\"UserList\":{\"after\":null}}\n").contains("Users"));
    assert!(say(&vec![b'x'; usize::try_from(MAX_REQUEST_BYTES).expect("fits")]).contains("too long"));
    assert_eq!(say(b"\n"), "");
}

#[test]
fn silent_callers_do_not_block_new_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let _server = start(folder.path());
    let mut silent: Vec<Caller> = (0..40).map(|_| connect(folder.path())).collect();
    // In tests a silent caller may stay for an hour, so a timeout is not the reason for the reply.
    ControlClient::connect(folder.path())
        .expect("connects")
        .send_request(&user_add_request("alice"))
        .expect("added");
    // The first connections were replaced by later ones.
    assert_eq!(silent[0].read(&mut [0]).expect("closed"), 0);
    // The last connection still works.
    let last = silent.last_mut().expect("forty");
    last.write_all(b"{\"UserList\":{\"after\":null}}\n").expect("written");
    let mut line = String::new();
    BufReader::new(last).read_line(&mut line).expect("answered");
    assert!(line.contains("alice"), "{line}");
}
