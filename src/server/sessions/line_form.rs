//! The form in which lines wait in a send queue: that of the connection, so that one encoding serves many sessions.

use std::borrow::Cow;

use crate::web::Subprotocol;

/// Form of the lines that are sent to a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server) enum LineForm {
    /// As they are, each with CR LF.
    #[default]
    Lines,
    /// Frames of a WebSocket.
    Frames(Subprotocol),
}

impl LineForm {
    /// Returns whole lines in this form.
    pub fn encode(self, lines: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Lines => Cow::Borrowed(lines),
            Self::Frames(subprotocol) => {
                let mut frames = Vec::with_capacity(lines.len() + lines.len() / 16);
                subprotocol.append_frames(lines, &mut frames);
                Cow::Owned(frames)
            }
        }
    }

    /// Appends whole lines in this form.
    pub fn append(self, lines: &[u8], output: &mut Vec<u8>) {
        match self {
            Self::Lines => output.extend_from_slice(lines),
            Self::Frames(subprotocol) => subprotocol.append_frames(lines, output),
        }
    }
}
