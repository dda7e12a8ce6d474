//! What the other side may send to cost much, or to be taken for another.

use proptest::prelude::*;
use rustls::ClientConnection;

use super::*;

/// Bytes that a connection may own, whatever the other side sends: a message of several records, the read that crosses the
/// limit, and the spare capacity of a buffer that grows.
const MAX_OWNED_BYTES: usize = 2 * (64 * 1024 + buffers::READ_BYTES);

/// The two sides after the handshake, without a socket.
fn connected_records() -> (Records, ClientConnection) {
    let (server, client) = configs();
    let name = ServerName::try_from("parlour.example").expect("a name");
    let mut client = ClientConnection::new(client, name).expect("a configuration");
    let mut server = Records::new(server).expect("a configuration");
    while client.is_handshaking() || server.common_state().is_handshaking() {
        server.receive(&mut sent_by(&mut client), |_| {}).expect("valid");
        let mut records = server.outgoing.as_slice();
        while !records.is_empty() {
            client.read_tls(&mut records).expect("read");
            client.process_new_packets().expect("valid");
        }
        server.outgoing = WaitingBytes::default();
    }
    (server, client)
}

/// Returns the records that the client has to send.
fn sent_by(client: &mut ClientConnection) -> Vec<u8> {
    let mut records = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut records).expect("written");
    }
    records
}

/// Returns the records with which the client sends a text.
fn records_of(client: &mut ClientConnection, text: &[u8]) -> Vec<u8> {
    io::Write::write_all(&mut client.writer(), text).expect("taken");
    sent_by(client)
}

fn assert_is_broken(records: &mut Records) {
    assert!(records.is_broken());
    records.receive(&mut [23, 3, 3, 0, 1], |_| panic!("nothing is received")).expect_err("over");
    records.encrypt(b"text", &mut [0; 100]).expect_err("over");
    assert!(records.buffer_bytes() <= 1024);
}

#[test]
fn record_that_drips_is_bounded_and_complete() {
    let (mut server, mut client) = connected_records();
    let text = long_text(40_000);
    let mut received = Vec::new();
    for byte in records_of(&mut client, &text) {
        server.receive(&mut [byte], |piece| received.extend_from_slice(piece)).expect("valid");
        assert!(server.buffer_bytes() <= 2 * 17 * 1024);
    }
    assert!(received == text);
    assert_eq!(server.buffer_bytes(), 0);
}

#[test]
fn oversized_record_is_refused_by_its_header() {
    let (mut server, _) = connected_records();
    server
        .receive(&mut [23, 3, 3, 0x48, 0x01], |_| {})
        .expect_err("more than 16 KiB and what a cipher may add");
    assert!(!server.outgoing.is_empty(), "there is an alert");
    assert_is_broken(&mut server);
}

#[tokio::test]
async fn altered_record_ends_the_connection_with_an_alert() {
    let (mut server, mut client) = connected(64 * 1024).await;
    // A record of application data that nobody encrypted.
    let forged = [&[23, 3, 3, 0, 40][..], &[7; 40]].concat();
    client.write_all(b"true").await.expect("sent");
    client.get_mut().0.write_all(&forged).await.expect("sent");
    let mut read = [0; 10];
    assert_eq!(server.read(&mut read).await.expect("what came before"), 4);
    let error = server.read(&mut read).await.expect_err("refused");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let alert = client.read(&mut read).await.expect_err("told");
    assert!(alert.to_string().contains("BadRecordMac"), "{alert}");
    server.write_all(b"more").await.expect_err("over");
    server.read(&mut read).await.expect_err("over");
    server.shutdown().await.expect("closed");
    assert_holds_no_buffers(&server);
}

#[test]
fn alert_follows_a_change_of_keys_that_is_due() {
    let (mut server, mut client) = connected_records();
    client.refresh_traffic_keys().expect("renewed");
    server.receive(&mut sent_by(&mut client), |_| {}).expect("valid");
    server.receive(&mut [&[23, 3, 3, 0, 40][..], &[7; 40]].concat(), |_| {}).expect_err("forged");
    client.read_tls(&mut server.outgoing.as_slice()).expect("read");
    let error = client.process_new_packets().expect_err("told");
    assert_eq!(error, rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac));
}

#[test]
fn record_that_is_sent_again_or_in_another_order_is_refused() {
    let (mut server, mut client) = connected_records();
    let (first, second) = (records_of(&mut client, b"first"), records_of(&mut client, b"second"));
    server.receive(&mut first.clone(), |_| {}).expect("valid");
    server.receive(&mut first.clone(), |_| panic!("nothing is received")).expect_err("repeated");

    let (mut server, mut client) = connected_records();
    let _lost = records_of(&mut client, b"lost");
    server
        .receive(&mut records_of(&mut client, b"next"), |_| panic!("nothing is received"))
        .expect_err("one is missing");
    // Records of another connection.
    let (mut server, _) = connected_records();
    server.receive(&mut second.clone(), |_| panic!("nothing is received")).expect_err("foreign");
    assert_is_broken(&mut server);
}

#[test]
fn what_follows_the_end_is_ignored() {
    let (mut server, mut client) = connected_records();
    client.send_close_notify();
    let mut end = sent_by(&mut client);
    end.extend_from_slice(&[23, 3, 3, 0, 40]);
    server.receive(&mut end, |_| panic!("nothing is received")).expect("the end");
    server.receive(&mut [7; 1000], |_| panic!("nothing is received")).expect("ignored");
    assert!(server.is_peer_closed());
    assert_eq!(server.buffer_bytes(), 0);
}

#[test]
fn message_without_end_is_refused_before_it_is_kept() {
    let mut records = Records::new(configs().0).expect("a configuration");
    // The first part of a ClientHello of 64 KiB, which never comes to its end.
    let mut first = [&[22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff][..], &[0; 0x3ffc]].concat();
    let mut next = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
    let mut outcome = records.receive(&mut first, |_| {});
    for _ in 0..4 {
        outcome = outcome.and_then(|()| records.receive(&mut next.clone(), |_| {}));
        assert!(records.buffer_bytes() <= MAX_OWNED_BYTES);
    }
    outcome.expect_err("refused");
    records.receive(&mut next, |_| {}).expect_err("over");
    assert_eq!(records.buffer_bytes(), 0);
}

#[tokio::test]
async fn hello_without_end_is_refused_while_it_is_read() {
    let (near, mut far) = duplex(1024);
    let part = [&[22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff][..], &[0; 0x3ffc]].concat();
    let next = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
    let send = async {
        far.write_all(&part).await?;
        for _ in 0..8 {
            far.write_all(&next).await?;
        }
        io::Result::Ok(())
    };
    let (refused, outcome) = tokio::join!(start_handshake(near), send);
    assert!(refused.is_err());
    outcome.expect_err("closed");
}

#[test]
fn endless_messages_without_content_are_refused() {
    // Change cipher spec, which TLS 1.3 ignores during the handshake.
    let (server, client) = configs();
    let name = ServerName::try_from("parlour.example").expect("a name");
    let mut client = ClientConnection::new(client, name).expect("a configuration");
    let mut records = Records::new(server).expect("a configuration");
    records.receive(&mut sent_by(&mut client), |_| {}).expect("valid");
    let refused = (0..100).find(|_| records.receive(&mut [20, 3, 3, 0, 1, 1], |_| {}).is_err());
    assert!(refused.is_some());

    // Changes of keys.
    let (mut server, mut client) = connected_records();
    let refused = (0..1000).find(|_| {
        client.refresh_traffic_keys().expect("renewed");
        server.receive(&mut sent_by(&mut client), |_| {}).is_err()
    });
    assert!(refused.is_some());
    assert_is_broken(&mut server);
}

#[test]
fn second_hello_is_refused() {
    let (mut server, _) = connected_records();
    let (_, client) = configs();
    let name = ServerName::try_from("parlour.example").expect("a name");
    let mut other = ClientConnection::new(client, name).expect("a configuration");
    server.receive(&mut sent_by(&mut other), |_| {}).expect_err("in the clear");
    assert_is_broken(&mut server);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Before and after the handshake, in pieces of any size: no panic, and no more memory than is allowed.
    #[test]
    fn any_bytes_are_refused_or_wait(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        kind in 20_u8..24,
        piece_bytes in 1_usize..100,
        is_connected in any::<bool>(),
        keeps_header in any::<bool>(),
    ) {
        let mut records = if is_connected {
            connected_records().0
        } else {
            Records::new(configs().0).expect("a configuration")
        };
        let mut bytes = bytes;
        if keeps_header && let [a, b, c, d, e, ..] = bytes.as_mut_slice() {
            (*a, *b, *c, *d, *e) = (kind, 3, 3, 0, *e);
        }
        for piece in bytes.chunks_mut(piece_bytes) {
            if records.receive(piece, |_| panic!("nothing is received")).is_err() {
                break;
            }
        }
        prop_assert!(records.buffer_bytes() <= MAX_OWNED_BYTES);
    }

    /// A handshake and a text of which one byte was changed on the way: never is anything else received.
    #[test]
    fn changed_byte_is_noticed(at in any::<prop::sample::Index>(), change in 1_u8.., piece_bytes in 1_usize..300) {
        let (mut server, mut client) = connected_records();
        let mut records = records_of(&mut client, b"a text");
        let index = at.index(records.len());
        records[index] ^= change;
        let mut received = Vec::new();
        let outcome = records
            .chunks_mut(piece_bytes)
            .try_for_each(|piece| server.receive(piece, |text| received.extend_from_slice(text)));
        // TLS 1.3 makes no use of the type and the version in the header. A length that is too large is waited for.
        prop_assert!(received.is_empty() || (index <= 2 && received == b"a text"));
        prop_assert!(outcome.is_err() || matches!(index, 0..=4));
    }
}
