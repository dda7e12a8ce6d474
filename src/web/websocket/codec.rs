//! Frames to lines and back, without IO.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use tungstenite::Message;
use tungstenite::error::Error;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, FrameHeader};
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

/// Form of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subprotocol {
    /// `text.ircv3.net`
    Text,
    /// `binary.ircv3.net`
    Binary,
}

/// State of the other side after its frames were decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerState {
    Open,
    /// It has closed the WebSocket, and is to be sent nothing more.
    Closed,
}

/// Capacity for reading frames, in bytes. An idle WebSocket keeps that much; longer frames take more while they arrive.
const READ_BUFFER_BYTES: usize = 256;

/// Output beyond which no further line is encoded, in bytes: the size of a large write.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// Decoder and encoder of one WebSocket on the server's side.
pub(super) struct LineCodec {
    context: WebSocketContext,
    subprotocol: Subprotocol,
    /// Line whose end is not there yet.
    partial_line: Vec<u8>,
    max_line_bytes: usize,
}

/// The streams of the WebSocket's context: it reads what has arrived and appends what it sends.
struct Exchange<'a> {
    input: &'a [u8],
    output: &'a mut Vec<u8>,
}

impl Subprotocol {
    /// Returns the name in the WebSocket's opening.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text.ircv3.net",
            Self::Binary => "binary.ircv3.net",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Text, Self::Binary].into_iter().find(|subprotocol| subprotocol.name() == name)
    }

    /// Appends whole lines as frames of the server, which are the same for all its clients.
    pub fn append_frames(self, lines: &[u8], output: &mut Vec<u8>) {
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            self.append_frame(line, output);
        }
    }

    /// Appends a line as a frame, without its end. An empty line is none.
    fn append_frame(self, line: &[u8], output: &mut Vec<u8>) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        let (line, form) = match self {
            // A browser closes the WebSocket at text that is not UTF-8.
            Self::Text => match String::from_utf8_lossy(line) {
                Cow::Borrowed(text) => (Cow::Borrowed(text.as_bytes()), Data::Text),
                Cow::Owned(text) => (Cow::Owned(text.into_bytes()), Data::Text),
            },
            Self::Binary => (Cow::Borrowed(line), Data::Binary),
        };
        let header = FrameHeader { opcode: OpCode::Data(form), ..FrameHeader::default() };
        // Writing to a vector cannot fail.
        let _ = header.format(line.len() as u64, output);
        output.extend_from_slice(&line);
    }
}

impl LineCodec {
    /// Creates a codec for messages and lines of at most `max_line_bytes` bytes.
    pub fn new(subprotocol: Subprotocol, max_line_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(max_line_bytes))
            .max_frame_size(Some(max_line_bytes));
        Self {
            context: WebSocketContext::new(Role::Server, Some(config)),
            subprotocol,
            partial_line: Vec::new(),
            max_line_bytes,
        }
    }

    /// Returns the form of the messages.
    pub fn subprotocol(&self) -> Subprotocol {
        self.subprotocol
    }

    /// Decodes frames as they were read. Appends each message to `lines` as a line with CR LF, and responses to pings
    /// and to a close to `output`.
    ///
    /// A control frame and an empty message become an empty line, so that a reader which counts bytes counts them too.
    /// A line feed inside a message becomes a carriage return, so that no message is taken for two lines.
    ///
    /// # Errors
    /// The code for closing the WebSocket, for a frame that is too long, not UTF-8 or against the protocol.
    pub fn decode(
        &mut self,
        input: &[u8],
        lines: &mut Vec<u8>,
        output: &mut Vec<u8>,
    ) -> Result<PeerState, u16> {
        let mut exchange = Exchange { input, output };
        loop {
            match self.context.read(&mut exchange) {
                Ok(Message::Text(text)) => push_line(lines, text.as_bytes()),
                Ok(Message::Binary(bytes)) => push_line(lines, &bytes),
                Ok(_) => push_line(lines, b""),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(PeerState::Open);
                }
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(PeerState::Closed),
                Err(Error::Capacity(_)) => return Err(CloseCode::Size.into()),
                Err(Error::Utf8(_)) => return Err(CloseCode::Invalid.into()),
                Err(_) => return Err(CloseCode::Protocol.into()),
            }
        }
    }

    /// Encodes the lines of a block as frames, and appends these to `output` up to its limit. Returns the count of
    /// bytes that were taken. A line whose end is missing is kept until that comes.
    ///
    /// # Errors
    /// A line is longer than the limit.
    pub fn encode(&mut self, block: &[u8], output: &mut Vec<u8>) -> io::Result<usize> {
        let mut taken = 0;
        while output.len() < MAX_OUTPUT_BYTES
            && let Some(rest) = block.get(taken..).filter(|rest| !rest.is_empty())
        {
            let end = memchr::memchr(b'\n', rest);
            let (line, used) = match end {
                Some(end) => (rest.get(..end).unwrap_or_default(), end + 1),
                None => (rest, rest.len()),
            };
            if self.partial_line.len() + line.len() > self.max_line_bytes {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long for a WebSocket"));
            }
            taken += used;
            if end.is_none() {
                self.partial_line.extend_from_slice(line);
            } else if self.partial_line.is_empty() {
                self.subprotocol.append_frame(line, output);
            } else {
                let mut whole = std::mem::take(&mut self.partial_line);
                whole.extend_from_slice(line);
                self.subprotocol.append_frame(&whole, output);
            }
        }
        Ok(taken)
    }

    /// Appends a close frame to `output`, unless the WebSocket is closing already. The reason has at most 123 bytes.
    pub fn close(&mut self, code: u16, reason: &'static str, output: &mut Vec<u8>) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        // It fails only where the WebSocket is closed, or the frame is sent and nothing else follows.
        let _ = self.context.close(&mut Exchange { input: &[], output }, Some(frame));
    }
}

impl Read for Exchange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Exchange<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn push_line(lines: &mut Vec<u8>, message: &[u8]) {
    let start = lines.len();
    let message = message.strip_suffix(b"\n").unwrap_or(message);
    lines.extend_from_slice(message.strip_suffix(b"\r").unwrap_or(message));
    for byte in lines.iter_mut().skip(start).filter(|byte| **byte == b'\n') {
        *byte = b'\r';
    }
    lines.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 1000;

    /// Bit of a masked payload, and the lengths that say that two or eight bytes of length follow.
    const MASKED: u8 = 0x80;
    const TWO_BYTES: u8 = 126;
    const EIGHT_BYTES: u8 = 127;

    /// Returns a frame of a client.
    fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first_byte];
        let length = u16::try_from(payload.len()).expect("a short payload").to_be_bytes();
        match length {
            [0, short @ ..126] => bytes.push(MASKED | short),
            _ => bytes.extend([&[MASKED | TWO_BYTES][..], &length].concat()),
        }
        let mask = [1, 2, 3, 4];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    const TEXT: u8 = 0x81;
    const BINARY: u8 = 0x82;

    /// Decodes frames that arrive together. Returns the lines, the output and the result.
    fn decode(input: &[u8]) -> (String, Vec<u8>, Result<PeerState, u16>) {
        let (mut lines, mut output) = (Vec::new(), Vec::new());
        let state = LineCodec::new(Subprotocol::Text, MAX).decode(input, &mut lines, &mut output);
        (String::from_utf8_lossy(&lines).into_owned(), output, state)
    }

    #[test]
    fn each_message_becomes_one_line() {
        let input = [frame(TEXT, b"NICK a"), frame(BINARY, b"USER a 0 * :a\r\n"), frame(TEXT, b"")].concat();
        assert_eq!(
            decode(&input),
            ("NICK a\r\nUSER a 0 * :a\r\n\r\n".to_owned(), vec![], Ok(PeerState::Open))
        );
        assert_eq!(decode(&frame(TEXT, b"PRIVMSG a :x\r\nQUIT")).0, "PRIVMSG a :x\r\rQUIT\r\n");
        // Fragments of one message, with a ping between them.
        let input = [frame(0x01, b"NI"), frame(0x89, b"hi"), frame(0x00, b"CK"), frame(0x80, b" a")].concat();
        assert_eq!(
            decode(&input),
            ("\r\nNICK a\r\n".to_owned(), b"\x8a\x02hi".to_vec(), Ok(PeerState::Open))
        );
    }

    #[test]
    fn bad_frames_close_with_the_code_of_their_fault() {
        let too_long = [&[TEXT, MASKED | EIGHT_BYTES][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
        let mut unmasked = frame(TEXT, b"NICK a");
        unmasked[1] &= 0x7f;
        let fragments: Vec<u8> = std::iter::once(frame(0x01, &[b'a'; 90]))
            .chain((0..20).map(|_| frame(0x00, &[b'a'; 90])))
            .flatten()
            .collect();
        for (input, code, fault) in [
            (frame(TEXT, b"\xff\xfe"), 1007, "not UTF-8"),
            (frame(TEXT, &[b'a'; MAX + 1]), 1009, "a long message"),
            (too_long, 1009, "a length that is made up"),
            (fragments, 1009, "fragments without end"),
            (unmasked, 1002, "no mask"),
            (frame(0xc1, b"NICK a"), 1002, "a compressed message"),
            (frame(0x83, b""), 1002, "an unknown kind"),
            (frame(0x80, b""), 1002, "a continuation of nothing"),
            (frame(0x09, b""), 1002, "a ping in fragments"),
            (frame(0x89, &[0; 126]), 1002, "a long ping"),
        ] {
            assert_eq!(decode(&input).2, Err(code), "{fault}");
        }
        // Binary messages that are not UTF-8 are lines like any other, which the line's reader refuses.
        assert_eq!(decode(&frame(BINARY, b"\xff\xfe")).2, Ok(PeerState::Open));
    }

    #[test]
    fn close_is_answered_once() {
        let (lines, output, state) = decode(&[frame(0x88, &[0x03, 0xe9]), frame(TEXT, b"QUIT")].concat());
        assert_eq!((&lines[..], state), ("\r\n", Ok(PeerState::Closed)));
        assert_eq!(output, [0x88, 2, 0x03, 0xe9]);
        let (mut codec, mut output) = (LineCodec::new(Subprotocol::Text, MAX), Vec::new());
        codec.close(4502, "gone", &mut output);
        assert_eq!(output, *b"\x88\x06\x11\x96gone");
        codec.close(1000, "", &mut output);
        assert_eq!(output.len(), 8);
    }

    #[test]
    fn lines_become_frames_of_the_subprotocol() {
        let encode = |subprotocol, block: &[u8]| {
            let mut output = Vec::new();
            let taken = LineCodec::new(subprotocol, MAX).encode(block, &mut output).expect("short lines");
            assert_eq!(taken, block.len());
            output
        };
        assert_eq!(encode(Subprotocol::Text, b"PING a\r\nB\n\r\n"), b"\x81\x06PING a\x81\x01B");
        assert_eq!(encode(Subprotocol::Text, b"\xffx\r\n"), b"\x81\x04\xef\xbf\xbdx");
        assert_eq!(encode(Subprotocol::Binary, b"\xffx\r\n"), b"\x82\x02\xffx");
        assert!(LineCodec::new(Subprotocol::Text, MAX).encode(&[b'a'; MAX + 1], &mut Vec::new()).is_err());
    }

    #[test]
    fn output_stops_at_its_limit_and_continues_behind_it() {
        let mut codec = LineCodec::new(Subprotocol::Binary, MAX);
        let block = "0123456789\r\n".repeat(20_000);
        let (mut taken, mut frames) = (0, 0);
        while taken < block.len() {
            let mut output = Vec::new();
            taken += codec.encode(&block.as_bytes()[taken..], &mut output).expect("short lines");
            assert!(output.len() <= MAX_OUTPUT_BYTES + 12 && output.len().is_multiple_of(12));
            frames += output.len() / 12;
        }
        assert_eq!(frames, 20_000);
    }

    proptest! {
        #[test]
        fn frames_and_lines_may_be_cut_anywhere(
            lines in prop::collection::vec("[^\r\n\0]{1,200}", 1..10),
            cuts in prop::collection::vec(1_usize..40, 1..40),
        ) {
            let frames: Vec<u8> = lines.iter().flat_map(|line| frame(TEXT, line.as_bytes())).collect();
            let expected = lines.join("\r\n") + "\r\n";
            let (mut codec, mut decoded, mut output) = (LineCodec::new(Subprotocol::Text, MAX), Vec::new(), Vec::new());
            for piece in pieces(&frames, &cuts) {
                prop_assert_eq!(codec.decode(piece, &mut decoded, &mut output), Ok(PeerState::Open));
            }
            prop_assert_eq!(String::from_utf8(decoded).expect("text"), expected.clone());
            let mut whole = Vec::new();
            codec.encode(expected.as_bytes(), &mut whole).expect("short lines");
            for piece in pieces(expected.as_bytes(), &cuts) {
                codec.encode(piece, &mut output).expect("short lines");
            }
            prop_assert_eq!(output, whole);
        }

        #[test]
        fn any_bytes_are_decoded_within_bounds(input in prop::collection::vec(any::<u8>(), 0..2000)) {
            let (lines, output, _) = decode(&input);
            prop_assert!(lines.len() <= 3 * input.len() && output.len() <= input.len());
        }
    }

    /// Cuts bytes into pieces of these sizes, from the first again after the last.
    fn pieces<'a>(mut bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
        let mut found = Vec::new();
        for &size in sizes.iter().cycle() {
            let (piece, rest) = bytes.split_at(size.min(bytes.len()));
            found.push(piece);
            bytes = rest;
            if bytes.is_empty() {
                return found;
            }
        }
        found
    }
}
