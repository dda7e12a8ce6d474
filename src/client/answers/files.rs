//! Files: what messages of a conversation share, the account's own, and links to them (docs/files.md).

use super::card::{Block, Card, Table};
use super::times::date_of_text;
use super::{Answer, AnswerContext, notes};
use crate::client::model::Conversation;
use crate::client::model::event::shared_files::SharedFile;
use crate::client::model::event::{ServerEvent, StandardNote};
use crate::client::model::requests::SecretText;
use crate::wire::file_name::file_size;

/// Returns the files that messages of a conversation share, the newest first.
pub(super) fn shared(
    conversation: &Conversation,
    replies: &[ServerEvent],
    context: AnswerContext<'_>,
) -> Answer {
    // `<target> <msgid> <time> <account> <file> :<name>`
    let row = |note: &StandardNote| {
        let file = SharedFile::parse_tag(about(note, 4)).pop()?;
        let when = date_of_text(about(note, 2), context.zone);
        Some(vec![note.text.clone(), file_size(file.size), about(note, 3).to_owned(), when, file.id])
    };
    let rows: Vec<_> = notes(replies).filter(|note| note.code == "SHARED").filter_map(row).collect();
    if rows.is_empty() {
        return Answer::Sentence(format!(
            "no message in {conversation} shares a file; /upload PATH sends one"
        ));
    }
    let has_older = notes(replies).any(|note| note.code == "SHARED_LIST" && about(note, 1) != "*");
    let latest = if has_older { "These are the latest; the page of the server lists all. " } else { "" };
    let table = Table { headings: vec!["Name", "Size", "By", "When", "Id"], rows };
    card(&format!("Files in {conversation}"), table, format!("{latest}/save saves the files of a message."))
}

/// Returns the files of this account, the newest first.
pub(super) fn own(replies: &[ServerEvent], context: AnswerContext<'_>) -> Answer {
    // `<id> <bytes> <media type> <time> <messages> <link or *> :<name>`
    let row = |note: &StandardNote| {
        let is_linked = about(note, 5) != "*";
        vec![
            note.text.clone(),
            size(about(note, 1)),
            date_of_text(about(note, 3), context.zone),
            about(note, 4).to_owned(),
            if is_linked { "yes" } else { "no" }.to_owned(),
            about(note, 0).to_owned(),
        ]
    };
    let rows: Vec<_> = notes(replies).filter(|note| note.code == "FILE").map(row).collect();
    if rows.is_empty() {
        return Answer::Sentence("you have no files here; /upload PATH sends one".to_owned());
    }
    let usage = notes(replies).find(|note| note.code == "FILE_LIST");
    let usage = usage.map_or_else(String::new, |note| {
        format!("{} of {} are used. ", size(about(note, 0)), size(about(note, 1)))
    });
    let table = Table { headings: vec!["Name", "Size", "Added", "Messages", "Link", "Id"], rows };
    let hint = "/files link ID makes an address that needs no login, /files unlink ID revokes it.";
    card("Your files", table, usage + hint)
}

/// Returns a link, which is shown once.
pub(super) fn link(replies: &[ServerEvent]) -> Answer {
    let Some(note) = notes(replies).find(|note| note.code == "LINK") else {
        return Answer::Sentence("the server made no link".to_owned());
    };
    let about_it = "Whoever has this link can read the file, without an account. It is shown this once; \
                    /files unlink ID revokes it, and so does another link.";
    let blocks = vec![Block::Text(about_it.to_owned()), Block::Text(String::new())];
    let secret = Some(SecretText::new(about(note, 1)));
    Answer::Card(Card { title: "Link to a file".to_owned(), blocks, secret })
}

fn card(title: &str, table: Table, hint: String) -> Answer {
    let blocks = vec![Block::Table(table), Block::Text(String::new()), Block::Text(hint)];
    Answer::Card(Card { title: title.to_owned(), blocks, secret: None })
}

fn about(note: &StandardNote, index: usize) -> &str {
    note.context.get(index).map_or("", String::as_str)
}

/// Formats a number of bytes; what is no number stays as it is.
fn size(bytes: &str) -> String {
    bytes.parse().map_or_else(|_| bytes.to_owned(), file_size)
}
