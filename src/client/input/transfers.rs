//! Transfers of files that are in progress, as both chats show them.

use crate::client::text::file_address::address_of;
use crate::wire::file_name::file_size;

/// Number of a transfer, for its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub u64);

/// Limit of the transfers that are in progress at one time. A server takes four uploads of an account.
const MAX_TRANSFERS: usize = 4;

/// News of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferEvent {
    /// It has begun, or gone on.
    Progress {
        /// Name of the file.
        name: String,
        /// Bytes that have gone over the connection.
        bytes: u64,
        /// Bytes of the whole file.
        size: u64,
    },
    /// The server has the file, at this path.
    Uploaded(String),
    /// The file is on this machine, at this path.
    Saved(String),
    /// It has ended for this reason.
    Failed(String),
}

/// A transfer in progress. `P` tells the conversation that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer<P> {
    /// Number by which its events are told.
    pub id: TransferId,
    /// Conversation that it was begun in.
    pub place: P,
    /// Text of the message that an upload is for; `None` for a file that is being saved.
    pub text: Option<String>,
    /// Name of the file.
    pub name: String,
    /// Bytes that have gone over the connection.
    bytes: u64,
    /// Bytes of the whole file, once they are known.
    size: Option<u64>,
}

/// The transfers in progress, in the order of their beginning.
#[derive(Clone, Debug)]
pub struct Transfers<P> {
    running: Vec<Transfer<P>>,
    next: u64,
}

/// Result of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<P> {
    /// Nothing but the progress has changed.
    Goes,
    /// The file of this upload is on the server, at this path.
    Uploaded(Transfer<P>, String),
    /// It has ended, which this text says.
    Ended {
        /// The text, for the user.
        text: String,
        /// Set if it failed.
        is_error: bool,
    },
}

impl<P> Default for Transfers<P> {
    fn default() -> Self {
        Self { running: Vec::new(), next: 0 }
    }
}

impl<P: PartialEq> Transfers<P> {
    /// Notes a transfer that begins. The error is a text for the user.
    pub fn begin(&mut self, place: P, name: String, text: Option<String>) -> Result<TransferId, String> {
        if self.running.len() >= MAX_TRANSFERS {
            return Err(format!(
                "{MAX_TRANSFERS} files are on their way already: wait for one, or /cancel it"
            ));
        }
        self.next += 1;
        let id = TransferId(self.next);
        self.running.push(Transfer { id, place, text, name, bytes: 0, size: None });
        Ok(id)
    }

    /// Returns whether nothing is in progress.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Returns the transfer of a conversation that began last.
    pub fn latest_in(&self, place: &P) -> Option<&Transfer<P>> {
        self.running.iter().rev().find(|transfer| transfer.place == *place)
    }

    /// Takes the transfer of a conversation that began last, or all of them, to be cancelled.
    pub fn cancel(&mut self, place: &P, all: bool) -> Vec<Transfer<P>> {
        let mut taken = Vec::new();
        while let Some(at) = self.running.iter().rposition(|transfer| transfer.place == *place)
            && (all || taken.is_empty())
        {
            taken.push(self.running.remove(at));
        }
        taken
    }

    /// Handles an event. `None` for a transfer that was cancelled meanwhile.
    pub fn handle(&mut self, id: TransferId, event: TransferEvent) -> Option<Outcome<P>> {
        let at = self.running.iter().position(|transfer| transfer.id == id)?;
        if let TransferEvent::Progress { name, bytes, size } = event {
            let transfer = self.running.get_mut(at)?;
            (transfer.name, transfer.bytes, transfer.size) = (name, bytes, Some(size));
            return Some(Outcome::Goes);
        }
        let transfer = self.running.remove(at);
        let (text, is_error) = match event {
            TransferEvent::Uploaded(path) => return Some(Outcome::Uploaded(transfer, path)),
            TransferEvent::Saved(path) => (format!("saved: {path}"), false),
            TransferEvent::Failed(why) if transfer.text.is_some() => {
                (format!("{} was not sent: {why}", transfer.name), true)
            }
            TransferEvent::Failed(why) => (format!("{} was not saved: {why}", transfer.name), true),
            TransferEvent::Progress { .. } => return Some(Outcome::Goes),
        };
        Some(Outcome::Ended { text, is_error })
    }
}

impl<P> Transfer<P> {
    /// Describes the progress.
    pub fn describe(&self) -> String {
        let does = if self.text.is_some() { "uploading" } else { "saving" };
        match self.size {
            Some(size) => {
                let percent = (self.bytes.min(size) * 100).checked_div(size).unwrap_or(100);
                format!("{does} {}: {percent} % of {}", self.name, file_size(size))
            }
            None => format!("{does} {}", self.name),
        }
    }

    /// Returns the texts of the messages that share the file: one, or two if the address would be cut.
    pub fn messages(&self, upload_url: &str, path: &str, limit: usize) -> Vec<String> {
        let address = address_of(upload_url, path);
        match self.text.as_deref().map(str::trim).unwrap_or_default() {
            "" => vec![address],
            text if text.len() + 1 + address.len() <= limit => vec![format!("{text} {address}")],
            text => vec![text.to_owned(), address],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(bytes: u64) -> TransferEvent {
        TransferEvent::Progress { name: "a.png".to_owned(), bytes, size: 2048 }
    }

    #[test]
    fn a_transfer_is_described_until_it_ends() {
        let mut transfers = Transfers::default();
        let id = transfers.begin("#a", "a.png".to_owned(), Some(" look ".to_owned())).expect("room");
        assert_eq!(transfers.latest_in(&"#a").map(Transfer::describe).as_deref(), Some("uploading a.png"));
        assert_eq!(transfers.handle(id, progress(1024)), Some(Outcome::Goes));
        let described = transfers.latest_in(&"#a").map(Transfer::describe);
        assert_eq!(described.as_deref(), Some("uploading a.png: 50 % of 2 KiB"));
        let done = transfers.handle(id, TransferEvent::Uploaded("/f/ID/a.png".to_owned()));
        let Some(Outcome::Uploaded(transfer, path)) = done else { panic!("{done:?}") };
        let url = "https://chat.example:6697/upload";
        assert_eq!(transfer.messages(url, &path, 500), ["look https://chat.example:6697/f/ID/a.png"]);
        assert_eq!(transfer.messages(url, &path, 40), ["look", "https://chat.example:6697/f/ID/a.png"]);
        assert!(transfers.is_empty());
    }

    #[test]
    fn a_cancelled_transfer_has_no_further_events() {
        let mut transfers = Transfers::default();
        let mut begin = |place| transfers.begin(place, "a.png".to_owned(), None);
        let ids: Vec<_> =
            ["#a", "#b", "#a", "#a"].into_iter().map(|place| begin(place).expect("room")).collect();
        assert!(begin("#a").is_err(), "no limit");
        assert_eq!(transfers.cancel(&"#a", false).iter().map(|it| it.id).collect::<Vec<_>>(), [ids[3]]);
        assert_eq!(transfers.cancel(&"#a", true).len(), 2);
        assert_eq!(transfers.handle(ids[0], progress(1)), None);
        let failed = transfers.handle(ids[1], TransferEvent::Failed("gone".to_owned()));
        let expected = Outcome::Ended { text: "a.png was not saved: gone".to_owned(), is_error: true };
        assert_eq!(failed, Some(expected));
    }
}
