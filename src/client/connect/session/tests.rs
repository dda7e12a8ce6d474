//! Tests of sessions against a scripted server, over real TLS.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::client::connect::dial::DialError;
use crate::client::connect::fake_server::FakeServer;
use crate::client::model::{Conversation, MessageKind};
use crate::trust::Address;
use crate::trust::device::DeviceIdentity;
use crate::trust::verifier::TrustError;
use crate::wire::ChannelName;

fn lobby_channel() -> Conversation {
    Conversation::Channel(ChannelName::parse("#lobby").expect("a channel"))
}

async fn next_event(session: &mut Session) -> Event {
    loop {
        if let SessionUpdate::Event(event) = session.next_update().await.expect("alive") {
            return event;
        }
    }
}

#[tokio::test]
async fn untrusted_server_gets_no_login_bytes() {
    let fake = FakeServer::start().await;
    let ours = FakeServer::start().await.pin;
    let endpoint = Endpoint { pins: ours.into(), ..fake.endpoint() };
    let (opened, shaken) = tokio::join!(Session::open(endpoint, None), async {
        let (stream, _) = fake.listener.accept().await.expect("accepted");
        fake.acceptor.accept(stream).await.map(drop)
    });
    // The handshake did not complete, so the client could not send a login.
    shaken.expect_err("broken off");
    let Err(ConnectError::Dial(DialError::Untrusted { address, reason: TrustError::Pin(mismatch), .. })) =
        opened
    else {
        panic!("let in");
    };
    assert_eq!((address, mismatch.expected, mismatch.seen), (fake.address(), ours, fake.pin));
}

#[tokio::test]
async fn untrusted_server_is_a_final_error() {
    let (fake, ours) = (FakeServer::start().await, FakeServer::start().await);
    let endpoint = Endpoint { addresses: vec![fake.address(), ours.address()], ..ours.endpoint() };
    let (opened, _) = tokio::join!(Session::open(endpoint, None), async {
        let (stream, _) = fake.listener.accept().await.expect("accepted");
        fake.acceptor.accept(stream).await.map(drop)
    });
    assert!(matches!(opened, Err(ConnectError::Dial(DialError::Untrusted { .. }))));
}

#[tokio::test]
async fn tries_next_address_and_keeps_lines_after_welcome() {
    let fake = FakeServer::start().await;
    let dead = TcpListener::bind("127.0.0.1:0").await.expect("bound").local_addr().expect("bound");
    let addresses = vec![dead.to_string().parse().expect("an address"), fake.address()];
    let endpoint = Endpoint { addresses, ..fake.endpoint() };
    let burst = "\r\n:srv 005 alice LINELEN=2048 :are\r\n:alice!alice@h JOIN #lobby";
    let (session, mut peer) = tokio::join!(Session::open(endpoint, None), fake.welcome_client(burst));
    let mut session = session.expect("logged in");
    assert!(matches!(next_event(&mut session).await, Event::Joined { is_me: true, .. }));
    let ((), ready) = tokio::join!(
        async {
            peer.expect_lines(&["PING 1"]).await;
            peer.send(":srv PONG srv 1").await;
        },
        next_event(&mut session)
    );
    assert_eq!(ready, Event::Ready { reconnected: false });
}

#[tokio::test]
async fn password_login_continues_without_device_support() {
    let fake = FakeServer::start().await;
    let (device, _) = DeviceIdentity::generate().expect("made");
    let endpoint = Endpoint { device: Some(device), enrols_device: true, ..fake.endpoint() };
    let (session, peer) = tokio::join!(Session::open(endpoint, None), async {
        let mut peer = fake.welcome_client("").await;
        peer.expect_lines(&["CERT ADD"]).await;
        peer.send(":srv 421 alice CERT :Unknown command").await;
        peer
    });
    let mut session = session.expect("logged in");
    assert!(!session.logs_in_by_device());
    drop(peer);
    // `welcome` expects the password again.
    let back =
        async { while !matches!(session.next_update().await.expect("alive"), SessionUpdate::Connected) {} };
    tokio::join!(back, fake.welcome_client(""));
}

#[tokio::test]
async fn unconfirmed_messages_are_resent_on_reconnect() {
    let fake = FakeServer::start().await;
    let (session, mut peer) = tokio::join!(Session::open(fake.endpoint(), None), fake.welcome_client(""));
    let mut session = session.expect("logged in");
    let tickets = session.model.send_message(&lobby_channel(), MessageKind::Text, "hi");
    let server = async {
        peer.expect_lines(&["PING 1"]).await;
        let first = peer.read_line().await;
        assert!(first.ends_with("PRIVMSG #lobby :hi"), "{first}");
        peer.send("ERROR :Closing link (restarting)").await;
        drop(peer);
        let mut peer = fake.welcome_client("").await;
        peer.expect_lines(&["PING 3"]).await;
        peer.send("PONG srv 3").await;
        assert_eq!(peer.read_line().await, first, "the same label and send id");
        peer.send("@label=2;msgid=1 :alice!alice@h PRIVMSG #lobby :hi").await;
        peer
    };
    let client = async {
        let mut story = Vec::new();
        loop {
            match session.next_update().await.expect("alive") {
                SessionUpdate::Disconnected { reason, retry_delay } => {
                    assert!(retry_delay <= Duration::from_millis(500));
                    story.push(format!("down: {reason}"));
                }
                SessionUpdate::Connected => story.push("up".to_owned()),
                SessionUpdate::Event(Event::ServerError(reason)) => story.push(format!("closes: {reason}")),
                SessionUpdate::Event(Event::Message(said)) => story.push(format!("said {}", said.text)),
                SessionUpdate::Event(Event::Confirmed(ticket)) => {
                    assert_eq!(tickets, [ticket]);
                    return story;
                }
                SessionUpdate::Event(_) => {}
            }
        }
    };
    let (mut peer, story) = tokio::join!(server, client);
    let closes = "closes: Closing link (restarting)";
    assert_eq!(story, [closes, "down: Closing link (restarting)", "up", "said hi"]);
    assert_eq!(session.model.unconfirmed_count(), 0);

    let ((), ()) = tokio::join!(session.close("bye"), async {
        peer.expect_lines(&["QUIT :bye"]).await;
        peer.send("ERROR :Closing link (bye)").await;
        drop(peer);
    });
}

#[tokio::test]
async fn restarting_server_is_connected_to_at_once_unless_it_says_so_again() {
    let fake = FakeServer::start().await;
    let (session, mut peer) = tokio::join!(Session::open(fake.endpoint(), None), fake.welcome_client(""));
    let mut session = session.expect("logged in");
    // Paused for this moment only, because the time-outs of a connection would pass at once.
    tokio::time::pause();
    tokio::time::advance(STABLE_AFTER).await;
    tokio::time::resume();
    for hurries in [true, false] {
        let delay = async {
            loop {
                if let SessionUpdate::Disconnected { retry_delay, .. } =
                    session.next_update().await.expect("alive")
                {
                    return retry_delay;
                }
            }
        };
        let restart = async {
            peer.send("ERROR :Server is restarting").await;
            drop(peer);
        };
        let (delay, ()) = tokio::join!(delay, restart);
        assert_eq!(delay.is_zero(), hurries, "{delay:?}");
        let back = async {
            while !matches!(session.next_update().await.expect("alive"), SessionUpdate::Connected) {}
        };
        ((), peer) = tokio::join!(back, fake.welcome_client(""));
    }
}

#[test]
fn only_a_reason_that_ends_so_announces_a_restart() {
    for (reason, restarts) in [
        ("Server is restarting", true),
        ("Closing link (restarting)", true),
        ("Server Restarting...", true),
        ("Server is shutting down", false),
        ("Killed by alice: restarting your client helps", false),
        ("", false),
    ] {
        assert_eq!(announces_restart(reason), restarts, "{reason}");
    }
}

#[tokio::test]
async fn refused_login_fails_at_once_with_clean_text() {
    let fake = FakeServer::start().await;
    let server = async {
        let mut peer = fake.accept_client().await;
        for _ in 0..3 {
            peer.read_line().await;
        }
        peer.send(":srv 904 alice :SASL authentication failed: \u{1b}[31mwrong").await;
        peer
    };
    let (opened, _peer) = tokio::join!(Session::open(fake.endpoint(), None), server);
    let Err(ConnectError::Login(error)) = opened else { panic!("let in") };
    assert_eq!(error, LoginError::Refused("wrong".into()));
}

#[tokio::test]
async fn gives_up_after_patience() {
    let fake = FakeServer::start().await;
    let patience = Some(Duration::from_millis(1));
    let (session, peer) = tokio::join!(Session::open(fake.endpoint(), patience), fake.welcome_client(""));
    let mut session = session.expect("logged in");
    drop((peer, fake));
    let error = loop {
        if let Err(error) = session.next_update().await {
            break error;
        }
    };
    assert!(matches!(error, SessionError::GaveUp { .. }), "{error}");
}

#[tokio::test]
async fn reports_server_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address: Address = listener.local_addr().expect("bound").to_string().parse().expect("an address");
    let endpoint = Endpoint { addresses: vec![address], ..FakeServer::start().await.endpoint() };
    let (opened, ()) = tokio::join!(Session::open(endpoint, None), async {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        stream.write_all(b"NOTICE * :*** Looking up your hostname\r\n").await.expect("written");
        // The connection stays open until the client has read the text.
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    });
    let error = opened.err().expect("refused").to_string();
    assert!(error.contains("not a Parlour server's TLS"), "{error}");
}

#[tokio::test]
async fn new_login_takes_over_unconfirmed_messages() {
    let fake = FakeServer::start().await;
    let (session, peer) = tokio::join!(Session::open(fake.endpoint(), None), fake.welcome_client(""));
    let mut session = session.expect("logged in");
    drop(peer);
    while !matches!(session.next_update().await, Ok(SessionUpdate::Disconnected { .. })) {}
    session.model.send_message(&lobby_channel(), MessageKind::Text, "while it was refused");
    // Another session's password is accepted.
    let (again, mut peer) = tokio::join!(Session::open(fake.endpoint(), None), fake.welcome_client(""));
    session.take_over(again.expect("logged in"));
    let said = async {
        loop {
            let line = peer.read_line().await;
            if let Some(token) = line.strip_prefix("PING ") {
                peer.send(&format!("PONG srv {token}")).await;
            }
            if line.contains("PRIVMSG") {
                return line;
            }
        }
    };
    let said = tokio::select! {
        said = said => said,
        () = async { while session.next_update().await.is_ok() {} } => panic!("the session is over"),
    };
    assert!(said.ends_with("PRIVMSG #lobby :while it was refused") && said.contains("send-id="), "{said}");
    assert_eq!(session.model.unconfirmed_count(), 1);
}

/// Returns the error of a login at a server that sends the same text endlessly after the first line.
async fn error_of_flooded_login(piece: &str) -> ConnectError {
    let server = FakeServer::start().await;
    let mut session = Session::start(server.endpoint());
    let piece = piece.to_owned();
    let flood = tokio::spawn(async move {
        let mut peer = server.accept_client().await;
        peer.read_line().await;
        while peer.0.write_all(piece.as_bytes()).await.is_ok() {}
    });
    let ended = session.next_update().await;
    flood.abort();
    match ended {
        Err(SessionError::Final(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn bounds_input_before_login() {
    for piece in [
        ":srv CAP * LS * :a b=c d\r\n".to_owned(),
        format!(":srv CAP * LS * :{}\r\n", "x".repeat(8000)),
        ":srv NOTICE * :hello\r\n".to_owned(),
        "PING :x\r\n".to_owned(),
        "\r\n".to_owned(),
        // An endless line.
        "x".repeat(4096),
    ] {
        let error = error_of_flooded_login(&piece).await;
        assert!(matches!(error, ConnectError::Login(LoginError::TooMuchOutput)), "{error}");
    }
}
