//! Files that are sent from the plain chat.

use std::io::Write;

use super::PlainChat;
use crate::client::files::paths::{download_folder, find_file};
use crate::client::input::transfers::{Outcome, TransferEvent, TransferId};
use crate::client::model::MessageKind;
use crate::client::text::clean::clean;
use crate::client::text::file_address::FileAddress;
use crate::wire::file_name::file_size;

impl<T: Write, N: Write> PlainChat<T, N> {
    /// Begins to upload a file for a message of the current conversation.
    pub(super) fn upload(&mut self, path: &str, text: String) -> Result<(), String> {
        let target = self.current_conversation()?;
        self.check_waiting()?;
        let model = &self.session.model;
        if model.is_online() && model.upload_url().is_none() {
            return Err("this server takes no files".to_owned());
        }
        let file = find_file(path)?;
        let name = clean(&file.name);
        let id = self.transfers.begin(target, name.clone(), Some(text))?;
        self.jobs.upload(id, self.session.endpoint(), path);
        self.output.write_note(&format!("uploading {name} ({}); /cancel stops it", file_size(file.size)));
        Ok(())
    }

    /// Begins to save the file at an address, or else the files of the last message here that shares some.
    pub(super) fn save(&mut self, address: Option<FileAddress>) -> Result<(), String> {
        let target = self.current_conversation()?;
        let upload_url = self.session.model.upload_url().unwrap_or_default();
        let addresses = match address {
            Some(address) if !address.is_below(upload_url) => {
                return Err("this file is not on the server of this conversation".to_owned());
            }
            Some(address) => vec![address],
            None => {
                let message = self.recent.find_last_with_files(&target);
                let files = message.map(|message| message.files.clone());
                files.ok_or("there is no recent message with files here; /save ADDRESS saves another one")?
            }
        };
        for address in addresses {
            let name = clean(&address.name());
            let id = self.transfers.begin(target.clone(), name.clone(), None)?;
            self.jobs.save(id, self.session.endpoint(), address, download_folder());
            self.output.write_note(&format!("saving {name}; /cancel stops it"));
        }
        Ok(())
    }

    /// Handles an event of a transfer. A file that is on the server is shared in its conversation.
    pub(super) fn handle_transfer(&mut self, id: TransferId, event: TransferEvent) {
        match self.transfers.handle(id, event) {
            None | Some(Outcome::Goes) => {}
            Some(Outcome::Ended { text, is_error }) => {
                self.failures += usize::from(is_error);
                self.output.write_note(&clean(&text));
            }
            Some(Outcome::Uploaded(transfer, path)) => {
                let Some(url) = self.session.model.upload_url().map(str::to_owned) else {
                    self.failures += 1;
                    let text = format!("{} was not sent: the server takes no files any more", transfer.name);
                    return self.output.write_note(&text);
                };
                let limit = self.session.model.text_limit(&transfer.place, MessageKind::Text);
                for text in transfer.messages(&url, &path, limit) {
                    self.session.model.send_message(&transfer.place, MessageKind::Text, &text);
                }
                self.note_if_offline();
            }
        }
    }

    /// Ends the upload of the current conversation that began last, or all of them. Returns whether there was one.
    pub(super) fn cancel_transfers(&mut self, all: bool) -> bool {
        let Some(target) = &self.conversation else { return false };
        let cancelled = self.transfers.cancel(target, all);
        for transfer in &cancelled {
            self.jobs.cancel(transfer.id);
            self.output.write_note(&format!("cancelled: {}", transfer.name));
        }
        !cancelled.is_empty()
    }
}
