//! Tests of the stream over a pipe, against rustls's client.

mod handshakes;
mod hostile;

use std::future::poll_fn;
use std::sync::{Arc, LazyLock};

use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::{ServerName, UnixTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex, split};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as ClientStream;

use super::*;
use crate::trust::certs::{self, Identity};
use crate::trust::tls;

type ServerStream = TlsStream<DuplexStream>;

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    certs::generate(folder.path(), &[], false, UnixTime::now()).expect("certificates")
});

/// Configurations of a server and of a client that knows it.
fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    (tls::server_config(&IDENTITY), tls::client_config(IDENTITY.pin()))
}

/// Outcomes of a handshake over a pipe of so many bytes.
async fn handshake(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    pipe_bytes: usize,
) -> (io::Result<ServerStream>, io::Result<ClientStream<DuplexStream>>) {
    let (near, far) = duplex(pipe_bytes);
    let name = ServerName::try_from("Parlour.example").expect("a name");
    let server = async { start_handshake(near).await?.complete(server).await };
    tokio::join!(server, TlsConnector::from(client).connect(name, far))
}

/// A server and a client after their handshake, over a pipe of so many bytes.
async fn connected(pipe_bytes: usize) -> (ServerStream, ClientStream<DuplexStream>) {
    let (server, client) = configs();
    let (server, client) = handshake(server, client, pipe_bytes).await;
    (server.expect("a handshake"), client.expect("a handshake"))
}

/// Bytes of which no part looks like another one.
fn long_text(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| u8::try_from(index % 251).expect("small")).collect()
}

fn assert_holds_no_buffers(stream: &ServerStream) {
    assert_eq!((stream.plaintext.capacity(), stream.records.buffer_bytes()), (0, 0));
    assert!(buffers::are_wiped());
}

#[tokio::test]
async fn lines_go_both_ways_and_leave_no_buffers() {
    let (mut server, mut client) = connected(64 * 1024).await;
    for round in 0..3 {
        let (ping, answer) = (format!("PING {round}\r\n"), format!("PONG {round}\r\n"));
        client.write_all(ping.as_bytes()).await.expect("sent");
        let mut read = vec![0; 100];
        let length = server.read(&mut read).await.expect("received");
        assert_eq!(read.get(..length), Some(ping.as_bytes()));
        assert!(buffers::are_wiped());
        let pieces = [IoSlice::new(b"PONG "), IoSlice::new(b""), IoSlice::new(&answer.as_bytes()[5..])];
        let written = server.write_vectored(&pieces).await.expect("taken");
        server.flush().await.expect("sent");
        assert_eq!(written, answer.len());
        client.read_exact(&mut read[..written]).await.expect("received");
        assert_eq!(read.get(..written), Some(answer.as_bytes()));
        assert_holds_no_buffers(&server);
    }
    assert_eq!(server.write(b"").await.expect("nothing"), 0);
    assert_eq!(server.read(&mut []).await.expect("nothing"), 0);
}

#[tokio::test]
async fn large_texts_pass_through_small_pipes() {
    for (pipe_bytes, text_bytes) in [(1, 2_000), (100, 40_000), (20_000, 400_000)] {
        let (mut server, mut client) = connected(pipe_bytes).await;
        let text = long_text(text_bytes);
        let (mut received, mut received_back) = (Vec::new(), Vec::new());
        {
            let (mut from_client, mut to_client) = split(&mut server);
            let (mut from_server, mut to_server) = split(&mut client);
            let read = from_client.read_to_end(&mut received);
            let read_back = from_server.read_to_end(&mut received_back);
            let write = async {
                to_server.write_all(&text).await?;
                to_server.shutdown().await
            };
            let write_back = async {
                to_client.write_all(&text).await?;
                to_client.shutdown().await
            };
            let outcome = tokio::try_join!(read, read_back, write, write_back).map(|_| ());
            outcome.expect("both ways");
        }
        assert!(received == text && received_back == text);
        assert_holds_no_buffers(&server);
    }
}

#[tokio::test]
async fn reader_with_little_room_gets_all_in_order() {
    let (mut server, mut client) = connected(64 * 1024).await;
    let text = long_text(10_000);
    server.flush().await.expect("the ticket is sent");
    client.write_all(&text).await.expect("sent");
    let mut received = Vec::new();
    while received.len() < text.len() {
        let mut piece = [0; 7];
        let length = server.read(&mut piece).await.expect("received");
        assert!(length > 0);
        received.extend_from_slice(piece.get(..length).expect("within"));
    }
    assert!(received == text);
    assert_holds_no_buffers(&server);
}

#[tokio::test]
async fn write_takes_at_most_64_kib_at_once() {
    let (mut server, mut client) = connected(1024 * 1024).await;
    let (one, many) = (long_text(100_000), long_text(1_000));
    // The session ticket waits to be sent before it.
    assert!(!server.records.outgoing.is_empty());
    assert_eq!(server.write(&one).await.expect("taken"), WRITE_BYTES);
    let pieces = [IoSlice::new(&many); 100];
    assert_eq!(server.write_vectored(&pieces).await.expect("taken"), WRITE_BYTES);
    assert_holds_no_buffers(&server);
    let mut received = vec![0; 2 * WRITE_BYTES];
    client.read_exact(&mut received).await.expect("received");
    let expected = [&one[..WRITE_BYTES], &many.repeat(100)[..WRITE_BYTES]].concat();
    assert!(received == expected);
}

#[tokio::test]
async fn keys_are_renewed_when_the_client_asks() {
    let (mut server, mut client) = connected(64 * 1024).await;
    for _ in 0..3 {
        client.get_mut().1.refresh_traffic_keys().expect("renewed");
        client.write_all(b"ping").await.expect("sent");
        let mut read = [0; 4];
        server.read_exact(&mut read).await.expect("received");
        server.write_all(b"pong").await.expect("taken");
        server.flush().await.expect("sent");
        client.read_exact(&mut read).await.expect("received");
        assert_eq!(&read, b"pong");
        assert_holds_no_buffers(&server);
    }
}

#[tokio::test]
async fn each_direction_ends_with_a_notice() {
    let (mut server, mut client) = connected(64 * 1024).await;
    client.write_all(b"last").await.expect("sent");
    client.shutdown().await.expect("closed");
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.expect("the end");
    assert_eq!(received, b"last");
    assert_eq!(server.read(&mut [0; 10]).await.expect("still the end"), 0);
    server.write_all(b"more").await.expect("still open on this side");
    server.shutdown().await.expect("closed");
    server.write_all(b"late").await.expect_err("closed");
    client.read_to_end(&mut received).await.expect("the end");
    assert_eq!(received, b"lastmore");
    assert_holds_no_buffers(&server);
}

#[tokio::test]
async fn own_end_leaves_the_other_direction_open() {
    let (mut server, mut client) = connected(64 * 1024).await;
    // A pipe passes on what is written before its end only; the notice is what ends the direction.
    poll_fn(|cx| {
        server.records.close();
        server.poll_send_outgoing(cx)
    })
    .await
    .expect("told");
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.expect("the end");
    client.write_all(b"last words").await.expect("sent");
    client.shutdown().await.expect("closed");
    server.read_to_end(&mut received).await.expect("the end");
    assert_eq!(received, b"last words");
    server.shutdown().await.expect("once more");
}

#[tokio::test]
async fn end_without_a_notice_is_an_error() {
    let (mut server, mut client) = connected(64 * 1024).await;
    client.write_all(b"last").await.expect("sent");
    drop(client);
    let mut received = [0; 10];
    assert_eq!(server.read(&mut received).await.expect("received"), 4);
    for _ in 0..2 {
        let error = server.read(&mut received).await.expect_err("cut off");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn abandoned_reads_and_writes_lose_and_repeat_nothing() {
    let (mut server, mut client) = connected(64).await;
    // A read that is abandoned again and again while a record arrives in parts.
    let mut received = Vec::new();
    let text = long_text(1_000);
    let receive = async {
        while received.len() < text.len() {
            let mut piece = [0; 300];
            tokio::select! {
                biased;
                read = server.read(&mut piece) => {
                    let length = read.expect("received");
                    received.extend_from_slice(piece.get(..length).expect("within"));
                }
                () = tokio::task::yield_now() => {}
            }
        }
    };
    let send = async {
        client.write_all(&text).await?;
        client.flush().await
    };
    let (outcome, ()) = tokio::join!(send, receive);
    outcome.expect("sent");
    assert!(received == text);

    // A write takes what the pipe has no room for. The next one waits, and is abandoned.
    let written = server.write(&text).await.expect("taken");
    assert_eq!(written, text.len());
    assert_eq!(server.write(&long_text(50_000)).await.expect("taken"), 50_000);
    tokio::select! {
        biased;
        _ = server.write(b"never") => panic!("there is no room"),
        () = tokio::task::yield_now() => {}
    }
    let expected = [text, long_text(50_000), b"end".to_vec()].concat();
    let mut received = vec![0; expected.len()];
    let send = async {
        server.flush().await?;
        server.write_all(b"end").await?;
        server.flush().await
    };
    let (outcome, read) = tokio::join!(send, client.read_exact(&mut received));
    outcome.expect("sent");
    read.expect("received");
    assert!(received == expected);
    assert_holds_no_buffers(&server);
}

#[tokio::test]
async fn waiting_reader_does_not_keep_a_writer_from_waking() {
    let (server, mut client) = connected(100).await;
    let (mut from_client, mut to_client) = split(server);
    let text = long_text(20_000);
    let sent = text.clone();
    let writer = tokio::spawn(async move {
        to_client.write_all(&sent).await?;
        to_client.flush().await
    });
    // It is polled while the writer waits, in another task.
    let reader = tokio::spawn(async move {
        let mut read = [0; 4];
        from_client.read_exact(&mut read).await.map(|_| read)
    });
    tokio::task::yield_now().await;
    let mut received = vec![0; text.len()];
    client.read_exact(&mut received).await.expect("received");
    assert!(received == text);
    writer.await.expect("a task").expect("sent");
    client.write_all(b"done").await.expect("sent");
    client.flush().await.expect("sent");
    assert_eq!(&reader.await.expect("a task").expect("received"), b"done");
}
