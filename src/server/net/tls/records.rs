//! The TLS of a connection without its socket: records that were received become plaintext, plaintext becomes records.

use std::io;
use std::sync::Arc;

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeTlsData, UnbufferedStatus};
use rustls::{CommonState, ServerConfig};

use super::buffers::WaitingBytes;

/// Limit of the bytes that wait for the rest of a record or of a handshake message, as rustls has it for connections with
/// buffers. A record has at most 16 KiB, and a handshake message may have several.
const MAX_WAITING_BYTES: usize = 0xffff;

/// Space for the alert that closes a direction, and for a change of keys that goes before it.
const CLOSE_BYTES: usize = 256;

/// State of a TLS connection. While nothing is on its way it owns no buffers: rustls's connections with buffers keep 4 KiB
/// for the next read.
pub(super) struct Records {
    connection: UnbufferedServerConnection,
    /// The beginning of a record or of a handshake message.
    incoming: Vec<u8>,
    /// Records that are to be sent before anything else.
    pub outgoing: WaitingBytes,
    /// Set when the other side has closed its direction.
    is_peer_closed: bool,
    /// Set when this side's direction is closed.
    is_closed: bool,
    /// Set after an error.
    is_broken: bool,
}

impl Records {
    pub fn new(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self {
            connection: UnbufferedServerConnection::new(config)?,
            incoming: Vec::new(),
            outgoing: WaitingBytes::default(),
            is_peer_closed: false,
            is_closed: false,
            is_broken: false,
        })
    }

    /// Returns what the handshake agreed on.
    pub fn common_state(&self) -> &CommonState {
        &self.connection
    }

    /// Returns true if the other side has closed its direction: what was received is all that it sent.
    pub fn is_peer_closed(&self) -> bool {
        self.is_peer_closed
    }

    /// Returns true after an error: the connection takes and gives nothing more.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Takes bytes as they were read, which it may overwrite, and passes their plaintext on. Records that they call for are
    /// among the outgoing ones afterwards, also after an error.
    ///
    /// # Errors
    /// The bytes are not what TLS allows. Then the connection takes and gives nothing more.
    pub fn receive(&mut self, received: &mut [u8], on_plaintext: impl FnMut(&[u8])) -> io::Result<()> {
        if self.is_broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut waiting = std::mem::take(&mut self.incoming);
        let is_continued = !waiting.is_empty();
        let input = if is_continued {
            waiting.extend_from_slice(received);
            waiting.as_mut_slice()
        } else {
            received
        };
        match self.process(input, on_plaintext) {
            // What follows the end is of no interest.
            Ok(_) if self.is_peer_closed => Ok(()),
            Ok(done) => {
                let rest = input.get(done..).unwrap_or_default();
                if rest.len() > MAX_WAITING_BYTES {
                    self.is_broken = true;
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a TLS message is too long"));
                }
                // A copy has no spare capacity: the other side may leave it at that. What grows byte by byte is not
                // copied each time.
                self.incoming = if is_continued && done == 0 { waiting } else { rest.to_vec() };
                Ok(())
            }
            Err(error) => {
                self.is_broken = true;
                Err(io::Error::new(io::ErrorKind::InvalidData, error))
            }
        }
    }

    /// Processes all whole records. Returns the count of the bytes that are done.
    fn process(
        &mut self,
        input: &mut [u8],
        mut on_plaintext: impl FnMut(&[u8]),
    ) -> Result<usize, rustls::Error> {
        let mut done = 0;
        loop {
            let rest = input.get_mut(done..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(rest);
            match state {
                Ok(ConnectionState::ReadTraffic(mut records)) => {
                    while let Some(record) = records.next_record() {
                        let record = record?;
                        discard += record.discard;
                        on_plaintext(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(record)) => append_record(record, &mut self.outgoing),
                // They leave in this order, and before anything else.
                Ok(ConnectionState::TransmitTlsData(records)) => records.done(),
                Ok(ConnectionState::PeerClosed) => self.is_peer_closed = true,
                // The rest is the beginning of a record, or follows the end. No configuration allows early data.
                Ok(_) => return Ok(done + discard),
                Err(error) => {
                    self.append_alerts(input.get_mut(done + discard..).unwrap_or_default());
                    return Err(error);
                }
            }
            done += discard;
        }
    }

    /// Appends the alert by which rustls tells the other side of an error, if it made one, and what goes before it. `rest` is
    /// the input that led to it.
    fn append_alerts(&mut self, rest: &mut [u8]) {
        // Not further than that, because rustls would look at the same input again.
        while self.connection.wants_write() {
            match self.connection.process_tls_records(rest).state {
                Ok(ConnectionState::EncodeTlsData(record)) => append_record(record, &mut self.outgoing),
                _ => return,
            }
        }
    }

    /// Encrypts plaintext into the beginning of `output`, which must have room for the records. Returns their length in
    /// bytes.
    ///
    /// # Errors
    /// This side's direction is closed, or the connection is broken.
    pub fn encrypt(&mut self, plaintext: &[u8], output: &mut [u8]) -> io::Result<usize> {
        if self.is_broken || self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // Nothing is received by that: whole records were processed when they came.
        match self.connection.process_tls_records(&mut self.incoming).state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                traffic.encrypt(plaintext, output).map_err(io::Error::other)
            }
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Closes this side's direction: appends the alert that tells the other side. After an error that is told already.
    pub fn close(&mut self) {
        if self.is_broken || std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        let mut output = [0; CLOSE_BYTES];
        let state = self.connection.process_tls_records(&mut self.incoming).state;
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state
            && let Ok(length) = traffic.queue_close_notify(&mut output)
        {
            self.outgoing.push(output.get(..length).unwrap_or_default());
        }
    }
}

#[cfg(test)]
impl Records {
    /// Returns the capacity of the buffers, in bytes.
    pub fn buffer_bytes(&self) -> usize {
        self.incoming.capacity() + self.outgoing.capacity()
    }
}

fn append_record<Data>(mut record: EncodeTlsData<'_, Data>, outgoing: &mut WaitingBytes) {
    // The first try tells the length.
    if let Err(rustls::unbuffered::EncodeError::InsufficientSize(short)) = record.encode(&mut []) {
        let mut encoded = vec![0; short.required_size];
        let written = record.encode(&mut encoded);
        debug_assert!(written.is_ok(), "there is room");
        outgoing.push(&encoded);
    }
}
