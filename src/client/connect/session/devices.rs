//! The account's devices: listing and revoking.

use tokio::time::timeout;

use super::{Session, State};
use crate::client::connect::connection::{ConnectError, REPLY_TIMEOUT, clean_last_param};
use crate::client::connect::replies::ReplyPart;
use crate::client::text::clean::clean;
use crate::client::text::line::Line;
use crate::wire::{Message, Timestamp};

/// A device that may log in to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledDevice {
    /// Certificate fingerprint: SHA-256 of its certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// Time at which it was enrolled.
    pub added_at: Option<Timestamp>,
    /// Time of its last login.
    pub last_used: Option<Timestamp>,
}

impl Session {
    /// Lists the devices of the account. The inner error is the server's refusal. For a session that was just opened.
    pub async fn list_devices(&mut self) -> Result<Result<Vec<EnrolledDevice>, String>, ConnectError> {
        let mut devices = Vec::new();
        let listed = self.request(Line::new("CERT").arg("LIST"), |line| {
            match (line.command, line.param(0), line.param(1)) {
                ("NOTE", Some("CERT"), Some("CERT")) => {
                    devices.extend(parse_device(line));
                    ReplyPart::Partial
                }
                ("NOTE", Some("CERT"), Some("CERT_LIST")) => ReplyPart::End(Ok(())),
                ("FAIL", Some("CERT"), _) | ("421", _, Some("CERT")) => {
                    ReplyPart::End(Err(clean_last_param(line)))
                }
                _ => ReplyPart::Unrelated,
            }
        });
        Ok(listed.await?.map(|()| devices))
    }

    /// Revokes a device and ends its sessions, including this one for its own device. The inner error is the server's
    /// refusal.
    pub async fn revoke_device(&mut self, fingerprint: &str) -> Result<Result<(), String>, ConnectError> {
        self.request(Line::new("CERT").arg("DEL").arg(fingerprint), |line| {
            match (line.command, line.param(0), line.param(1)) {
                ("NOTE", Some("CERT"), Some("CERT_REMOVED")) => ReplyPart::End(Ok(())),
                ("FAIL", Some("CERT"), _) | ("421", _, Some("CERT")) => {
                    ReplyPart::End(Err(clean_last_param(line)))
                }
                _ => ReplyPart::Unrelated,
            }
        })
        .await
    }

    async fn request(
        &mut self,
        line: Line,
        classify: impl FnMut(&Message<'_>) -> ReplyPart,
    ) -> Result<Result<(), String>, ConnectError> {
        let State::Online(connection) = &mut self.state else {
            return Err(ConnectError::ConnectionLost("not connected".to_owned()));
        };
        match timeout(REPLY_TIMEOUT, connection.request(line, classify)).await {
            Ok(answered) => answered,
            Err(_) => Err(ConnectError::ConnectionLost("the server does not answer".to_owned())),
        }
    }
}

/// Parses `NOTE CERT CERT <fingerprint> <added> <used or *> :<text>`.
fn parse_device(line: &Message<'_>) -> Option<EnrolledDevice> {
    let time = |at| line.param(at).and_then(Timestamp::parse);
    Some(EnrolledDevice { fingerprint: clean(line.param(2)?), added_at: time(3), last_used: time(4) })
}
