//! An impostor: a server that answers at an address with a certificate of its own.

use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use parlour::trust::{certs, tls};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::UnixTime;
use tempfile::TempDir;

use super::WAIT_TIMEOUT;

/// A TLS server with a root of its own, on a free port. It accepts every handshake and records the input.
pub struct Impostor {
    /// Address of the impostor.
    pub address: SocketAddr,
    connections: Receiver<io::Result<Vec<u8>>>,
    _certificates: TempDir,
}

impl Impostor {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = certs::generate(folder.path(), &[], false, UnixTime::now()).expect("certificates");
        let config = tls::server_config(&identity);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let (note, connections) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if note.send(read_from_client(stream, config.clone())).is_err() {
                    return;
                }
            }
        });
        Self { address, connections, _certificates: folder }
    }

    /// Waits for a connection, which must have ended in the handshake without sending any data.
    #[track_caller]
    pub fn assert_received_nothing(&self) {
        let visit = self.connections.recv_timeout(WAIT_TIMEOUT).expect("a visitor");
        assert!(
            visit.is_err(),
            "it was told {:?}",
            visit.map(|said| String::from_utf8_lossy(&said).into_owned())
        );
    }

    /// Checks that there was no connection since.
    #[track_caller]
    pub fn assert_no_connection(&self) {
        assert!(self.connections.try_recv().is_err());
    }
}

/// Returns all data that a client sends after the handshake, or the handshake's error.
fn read_from_client(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(WAIT_TIMEOUT))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut tls = StreamOwned::new(connection, stream);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    let mut said = Vec::new();
    // The way it ends does not matter; only the data before the end does.
    let _ = tls.read_to_end(&mut said);
    Ok(said)
}
