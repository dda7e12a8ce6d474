//! The account's devices: listing and revoking.

use tokio::time::timeout;

use super::{Session, State};
use crate::client::clean::clean;
use crate::client::connect::link::{ANSWER, Answer, ConnectError, text};
use crate::client::line::Line;
use crate::wire::{Message, Millis};

/// A device that may log in to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Certificate fingerprint: SHA-256 of its certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// Time at which it was enrolled.
    pub added: Option<Millis>,
    /// Time of its last login.
    pub used: Option<Millis>,
}

impl Session {
    /// Lists the devices of the account. The inner error is the server's refusal. For a session that was just opened.
    pub async fn devices(&mut self) -> Result<Result<Vec<Enrolled>, String>, ConnectError> {
        let mut devices = Vec::new();
        let listed = self.ask(Line::new("CERT").arg("LIST"), |line| {
            match (line.command, line.param(0), line.param(1)) {
                ("NOTE", Some("CERT"), Some("CERT")) => {
                    devices.extend(enrolled(line));
                    Answer::Part
                }
                ("NOTE", Some("CERT"), Some("CERT_LIST")) => Answer::Last(Ok(())),
                ("FAIL", Some("CERT"), _) | ("421", _, Some("CERT")) => Answer::Last(Err(text(line))),
                _ => Answer::Other,
            }
        });
        Ok(listed.await?.map(|()| devices))
    }

    /// Revokes a device and ends its sessions, including this one for its own device. The inner error is the server's
    /// refusal.
    pub async fn revoke(&mut self, fingerprint: &str) -> Result<Result<(), String>, ConnectError> {
        self.ask(Line::new("CERT").arg("DEL").arg(fingerprint), |line| {
            match (line.command, line.param(0), line.param(1)) {
                ("NOTE", Some("CERT"), Some("CERT_REMOVED")) => Answer::Last(Ok(())),
                ("FAIL", Some("CERT"), _) | ("421", _, Some("CERT")) => Answer::Last(Err(text(line))),
                _ => Answer::Other,
            }
        })
        .await
    }

    async fn ask(
        &mut self,
        line: Line,
        take: impl FnMut(&Message<'_>) -> Answer,
    ) -> Result<Result<(), String>, ConnectError> {
        let State::Online(connection) = &mut self.state else {
            return Err(ConnectError::Broke("not connected".to_owned()));
        };
        match timeout(ANSWER, connection.ask(line, take)).await {
            Ok(answered) => answered,
            Err(_) => Err(ConnectError::Broke("the server does not answer".to_owned())),
        }
    }
}

/// Parses `NOTE CERT CERT <fingerprint> <added> <used or *> :<text>`.
fn enrolled(line: &Message<'_>) -> Option<Enrolled> {
    let time = |at| line.param(at).and_then(Millis::parse);
    Some(Enrolled { fingerprint: clean(line.param(2)?), added: time(3), used: time(4) })
}
