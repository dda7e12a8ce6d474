//! Files that are sent and saved from the screen.

use super::super::buffer::Buffer;
use super::super::entry::Message;
use super::super::{BufferKey, Models, ScreenEffect, Workspace};
use crate::client::input::transfers::{Outcome, TransferEvent, TransferId};
use crate::client::model::{MessageKind, Model};
use crate::client::screen::effects::TransferRequest;
use crate::client::screen::text::markup::SegmentKind;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::text::file_address::FileAddress;

/// Limit of a name on the screen, in bytes.
const MAX_NAME_BYTES: usize = 64;

impl Workspace {
    /// Begins to upload a file for a message of the conversation on the screen. The error is a text for the user.
    pub fn upload(&mut self, path: String, text: String, models: &[&mut Model]) -> Result<(), String> {
        let key = self.current.clone().ok_or("no conversation open: /join #CHANNEL or /query NAME first")?;
        if self.current_buffer().is_some_and(|buffer| buffer.left) {
            return Err(format!("you have left {0}: /join {0} rejoins", key.1));
        }
        if !self.takes_files(models) {
            return Err("this server takes no files".to_owned());
        }
        let file = (self.file_access.find)(&path)?;
        let server = key.0;
        let id = self.transfers.begin(key, sanitize_line(&file.name, MAX_NAME_BYTES), Some(text))?;
        self.effects.push(ScreenEffect::Transfer(TransferRequest::Upload { id, server, path }));
        Ok(())
    }

    /// Returns whether the server of the conversation on the screen takes files. One that is away may.
    pub fn takes_files(&self, models: &[&mut Model]) -> bool {
        let model = self.current.as_ref().and_then(|(server, _)| models.get(*server));
        model.is_some_and(|model| model.upload_url().is_some() || !model.is_online())
    }

    /// Begins to save the files of the selected message, or of the last one of another account.
    pub fn save_files(&mut self, models: &[&mut Model]) {
        let Some((key, addresses)) = self.files_to_save(models).filter(|(_, files)| !files.is_empty()) else {
            return self.show_error("there is no file in this message");
        };
        self.deselect();
        for address in addresses {
            if let Err(error) = self.begin_to_save(key.clone(), address) {
                return self.show_error(&error);
            }
        }
    }

    /// Begins to save the file at an address, or else the files of the selected message or of the last one with files. The
    /// error is a text for the user.
    pub fn save(&mut self, address: Option<FileAddress>, models: &[&mut Model]) -> Result<(), String> {
        let key = self.current.clone().ok_or("no conversation open: /join #CHANNEL or /query NAME first")?;
        let upload_url = models.get(key.0).and_then(|model| model.upload_url()).unwrap_or_default();
        let addresses = match address {
            Some(address) if !address.is_below(upload_url) => {
                return Err("this file is not on the server of this conversation".to_owned());
            }
            Some(address) => vec![address],
            None if self.selection().is_some() => {
                self.save_files(models);
                return Ok(());
            }
            None => {
                let messages = self.current_buffer().into_iter().flat_map(Buffer::newest_first);
                let mut messages = messages.filter_map(|(_, entry)| entry.message());
                messages
                    .find_map(|message| Some(files_of(message, upload_url)).filter(|files| !files.is_empty()))
                    .ok_or("there is no message with files here")?
            }
        };
        addresses.into_iter().try_for_each(|address| self.begin_to_save(key.clone(), address))
    }

    /// Begins to save a file of a server. The error is a text for the user.
    pub fn save_file(&mut self, address: &FileAddress, server: usize) -> Result<(), String> {
        let key = self.current.clone().filter(|key| key.0 == server);
        self.begin_to_save(key.ok_or("its conversation was closed")?, address.clone())
    }

    fn begin_to_save(&mut self, key: BufferKey, address: FileAddress) -> Result<(), String> {
        let name = sanitize_line(&address.name(), MAX_NAME_BYTES);
        let server = key.0;
        let id = self.transfers.begin(key, name, None)?;
        self.effects.push(ScreenEffect::Transfer(TransferRequest::Save { id, server, address }));
        Ok(())
    }

    /// Returns whether the selected message has files.
    pub fn can_save(&self, models: &[&mut Model]) -> bool {
        self.files_to_save(models).is_some_and(|(_, files)| !files.is_empty())
    }

    fn files_to_save(&self, models: &[&mut Model]) -> Option<(BufferKey, Vec<FileAddress>)> {
        let (key, _, message) = self.selected_or_last_message()?;
        let upload_url = models.get(key.0)?.upload_url().unwrap_or_default();
        Some((key, files_of(message, upload_url)))
    }

    /// Handles an event of a transfer. A file that is on the server is shared in its conversation.
    pub fn handle_transfer(&mut self, id: TransferId, event: TransferEvent, models: Models<'_, '_>) {
        match self.transfers.handle(id, event) {
            None | Some(Outcome::Goes) => {}
            Some(Outcome::Ended { text, is_error: true }) => self.show_error(&text),
            Some(Outcome::Ended { text, is_error: false }) => self.show_hint(&text),
            Some(Outcome::Uploaded(transfer, path)) => {
                let (server, conversation) = transfer.place.clone();
                let Some(model) = models.get(server) else { return };
                let Some(url) = model.upload_url().map(str::to_owned) else {
                    return self.show_error(&format!(
                        "{} was not sent: the server takes no files any more",
                        transfer.name
                    ));
                };
                let limit = model.text_limit(&conversation, MessageKind::Text);
                for text in transfer.messages(&url, &path, limit) {
                    self.send_message(server, &conversation, &text, None, models);
                }
            }
        }
    }

    /// Ends the transfer of the conversation on the screen that began last, or all of them. Returns whether there was one.
    pub fn cancel_transfers(&mut self, all: bool) -> bool {
        let Some(key) = self.current.clone() else { return false };
        let cancelled = self.transfers.cancel(&key, all);
        self.effects.extend(
            cancelled.iter().map(|transfer| ScreenEffect::Transfer(TransferRequest::Cancel(transfer.id))),
        );
        if !cancelled.is_empty() {
            let names: Vec<&str> = cancelled.iter().map(|transfer| transfer.name.as_str()).collect();
            self.show_hint(&format!("cancelled: {}", names.join(", ")));
        }
        !cancelled.is_empty()
    }

    /// Describes the transfer of the conversation on the screen that began last.
    pub fn transfer_notice(&self) -> Option<String> {
        let transfer = self.transfers.latest_in(self.current.as_ref()?)?;
        Some(format!("{}  /cancel stops it", transfer.describe()))
    }
}

/// Returns the files that a message has.
fn files_of(message: &Message, upload_url: &str) -> Vec<FileAddress> {
    let mut files: Vec<FileAddress> = Vec::new();
    for segment in &message.markup {
        let file = match &segment.kind {
            SegmentKind::File(file) => Some(file.address.clone()),
            // A server that lists no files has them all the same.
            SegmentKind::Link(target) => {
                FileAddress::parse(target).ok().filter(|file| file.is_below(upload_url))
            }
            _ => None,
        };
        files.extend(file.filter(|file| !files.contains(file)));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::input::parse_line;
    use crate::client::screen::components::hint_line::{HintLine, rows_needed};
    use crate::client::screen::components::timeline::Timeline;
    use crate::client::screen::tests::fixture::Fixture;
    use crate::client::screen::workspace::FileAccess;
    use crate::client::text::paths::FoundFile;

    fn fixture() -> Fixture {
        let mut fixture = Fixture::new();
        fixture.lines(&[":srv 005 alice draft/FILEHOST=https://chat.example:6697/upload :are supported"]);
        let find = |path: &str| {
            let found = FoundFile { name: "a.png".to_owned(), size: 2048 };
            path.ends_with("png").then_some(found).ok_or_else(|| format!("there is no file {path}"))
        };
        fixture.workspace.file_access = FileAccess { find, ..FileAccess::default() };
        fixture
    }

    fn execute(fixture: &mut Fixture, line: &str) -> Result<(), String> {
        let input = parse_line(line).expect(line);
        fixture.with(|context| context.workspace.execute(input, context.models)).map(drop)
    }

    #[test]
    fn a_file_is_shared_when_the_server_has_it() {
        let mut fixture = fixture();
        execute(&mut fixture, "/upload ~/a.png look").expect("a file");
        let effects = std::mem::take(&mut fixture.workspace.effects);
        let [ScreenEffect::Transfer(TransferRequest::Upload { id, server: 0, path })] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!((path.as_str(), fixture.output().as_str()), ("~/a.png", ""));
        let progress = TransferEvent::Progress { name: "a.png".to_owned(), bytes: 512, size: 2048 };
        fixture.with(|context| context.workspace.handle_transfer(*id, progress, context.models));
        assert_eq!(rows_needed(&fixture.workspace, 60), 1);
        let expected = " uploading a.png: 25 % of 2 KiB  /cancel stops it";
        assert_eq!(fixture.render(&HintLine, 60, 1), [expected]);
        let uploaded = TransferEvent::Uploaded("/f/ID/a.png".to_owned());
        fixture.with(|context| context.workspace.handle_transfer(*id, uploaded, context.models));
        let sent = fixture.output();
        assert!(sent.contains("PRIVMSG #lobby :look https://chat.example:6697/f/ID/a.png"), "{sent}");
        assert_eq!(fixture.workspace.transfer_notice(), None);
    }

    #[test]
    fn quitting_with_a_file_on_its_way_needs_a_second_attempt() {
        let mut fixture = fixture();
        execute(&mut fixture, "/upload a.png").expect("a file");
        let warning = execute(&mut fixture, "/quit").expect_err("a warning");
        assert!(warning.contains("a file is still on its way"), "{warning}");
        assert_eq!(fixture.workspace.quit.message, None);
        execute(&mut fixture, "/quit").expect("the second attempt");
        assert!(fixture.workspace.quit.message.is_some());
    }

    #[test]
    fn an_upload_is_cancelled_before_the_messages_that_wait() {
        let mut fixture = fixture();
        execute(&mut fixture, "/upload a.png").expect("a file");
        execute(&mut fixture, "/cancel").expect("an upload");
        let effects = std::mem::take(&mut fixture.workspace.effects);
        let [
            ScreenEffect::Transfer(TransferRequest::Upload { id, .. }),
            ScreenEffect::Transfer(TransferRequest::Cancel(cancelled)),
        ] = &effects[..]
        else {
            panic!("{effects:?}")
        };
        assert_eq!(id, cancelled);
        let late = TransferEvent::Uploaded("/f/ID/a.png".to_owned());
        fixture.with(|context| context.workspace.handle_transfer(*id, late, context.models));
        assert_eq!(fixture.output(), "", "sent after it was cancelled");
        assert!(execute(&mut fixture, "/cancel").is_err());
    }

    #[test]
    fn files_are_described_and_saved_by_their_message() {
        let mut fixture = fixture();
        let id = "AAAAAAAAAAAAAAAAAAAAAA";
        let url = format!("https://chat.example:6697/f/{id}/my%20photo.png");
        let line = format!(
            "@msgid=a1;parlour/files={id}\\:image/png\\:2048\\:4x4 :bob!u@parlour PRIVMSG #lobby :look {url} nice"
        );
        fixture.lines(&[&line]);
        let timeline = Timeline::default();
        let rows = fixture.render(&timeline, 70, 6).join("\n");
        assert!(rows.contains("look my photo.png · 2 KiB · image/png nice"), "{rows}");
        fixture.workspace.display.raw_text = true;
        let rows = fixture.render(&timeline, 120, 6).join("\n");
        assert!(rows.contains(&url), "{rows}");
        fixture.with(|context| context.workspace.save_files(context.models));
        let effects = std::mem::take(&mut fixture.workspace.effects);
        let [ScreenEffect::Transfer(TransferRequest::Save { id: transfer, server: 0, address })] =
            &effects[..]
        else {
            panic!("{effects:?}")
        };
        assert_eq!(address.name(), "my photo.png");
        let saved = TransferEvent::Saved("/home/jo/my photo.png".to_owned());
        fixture.with(|context| context.workspace.handle_transfer(*transfer, saved, context.models));
        assert_eq!(fixture.workspace.hint.clone().expect("a hint").text, "saved: /home/jo/my photo.png");
        // Also by a command, and when there is something behind it.
        fixture.lines(&["@msgid=a9 :bob!u@parlour PRIVMSG #lobby :thanks"]);
        for line in ["/save", &format!("/save {url}")] {
            execute(&mut fixture, line).expect(line);
            let effects = std::mem::take(&mut fixture.workspace.effects);
            assert!(
                matches!(&effects[..], [ScreenEffect::Transfer(TransferRequest::Save { address, .. })] if address.name() == "my photo.png"),
                "{line}: {effects:?}"
            );
        }
        for (line, why) in [
            (format!("/save https://evil.example:6697/f/{id}/x"), "not on the server of this conversation"),
            ("/save my photo.png".to_owned(), "not the address of a file"),
        ] {
            let error = parse_line(&line).and_then(|_| execute(&mut fixture, &line)).expect_err("refused");
            assert!(error.contains(why), "{error}");
        }
        // Nothing is asked of other servers.
        fixture.lines(&[&format!(
            "@msgid=a2 :bob!u@parlour PRIVMSG #lobby :https://evil.example:6697/f/{id}/x"
        )]);
        fixture.with(|context| context.workspace.save_files(context.models));
        assert!(fixture.workspace.effects.is_empty());
        assert!(fixture.workspace.hint.clone().expect("a hint").is_error);
    }

    #[test]
    fn what_cannot_be_sent_is_said_at_once() {
        let mut fixture = fixture();
        let error = execute(&mut fixture, "/upload missing").expect_err("no file");
        assert!(error.contains("there is no file missing"), "{error}");
        let mut plain = Fixture::new();
        assert_eq!(execute(&mut plain, "/upload a.png"), Err("this server takes no files".to_owned()));
    }
}
