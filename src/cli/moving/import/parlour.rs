//! The export of another Parlour server (`parlour export`), or of this one.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

use super::sender::Sender;
use super::source::{Line, Lines, Source};
use crate::cli::moving::export::{Manifest, parse_hash};
use crate::cli::moving::{FORMAT, FORMAT_VERSION, file_names};
use crate::core::request::export::ExportedItem;
use crate::server::http::files::folder::{FileFolder, StoredContent};

/// Limit of a manifest, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// Maximum count of contents that wait until a batch of files is added.
const MAX_HELD: usize = 500;

/// Reads the manifest. Returns `None` if the folder is no export of Parlour.
pub fn manifest(source: &mut Source) -> anyhow::Result<Option<Manifest>> {
    let Some(folder) = source.folder_of(file_names::MANIFEST) else { return Ok(None) };
    let Some(reader) = source.read(&format!("{folder}{}", file_names::MANIFEST))? else { return Ok(None) };
    let mut text = String::new();
    reader.take(MAX_MANIFEST_BYTES).read_to_string(&mut text).context("the manifest is damaged")?;
    let Ok(manifest) = serde_json::from_str::<Manifest>(&text) else { return Ok(None) };
    if manifest.format != FORMAT {
        return Ok(None);
    }
    if manifest.version > FORMAT_VERSION {
        bail!(
            "this export was written by parlour {}, in a newer format; use that version to import it",
            manifest.parlour.escape_debug()
        );
    }
    Ok(Some(manifest))
}

/// Returns whether it is an export that was interrupted.
pub fn is_unfinished(source: &Source) -> bool {
    source.folder_of(file_names::UNFINISHED).is_some()
}

/// Sends all that the export has. The contents of its files go into the server's folder.
pub fn send(source: &mut Source, contents: &FileFolder, sender: &mut Sender<'_>) -> anyhow::Result<()> {
    let folder = source.folder_of(file_names::MANIFEST).unwrap_or_default();
    for name in [file_names::ACCOUNTS, file_names::CHANNELS, file_names::MESSAGES, file_names::FILES] {
        if source.names().binary_search(&format!("{folder}{name}")).is_err() {
            bail!(
                "this export is not complete: {name} is missing; nothing was changed, export or copy it again"
            );
        }
    }
    each_line(source, &folder, file_names::ACCOUNTS, sender, |sender, account| {
        sender.push(ExportedItem::Account(account))
    })?;
    each_line(source, &folder, file_names::CHANNELS, sender, |sender, channel| {
        sender.push(ExportedItem::Channel(channel))
    })?;
    each_line(source, &folder, file_names::MESSAGES, sender, |sender, message| {
        sender.push(ExportedItem::Message(message))
    })?;
    let mut files = Vec::new();
    each_line(source, &folder, file_names::FILES, sender, |_, file| {
        files.push(file);
        Ok(())
    })?;
    let mut held = Vec::new();
    for file in files {
        let crate::core::request::export::ExportedFile { sha256, size, .. } = &file;
        match copy_content(source, &folder, contents, (sha256, *size), sender.report.dry_run)? {
            Ok(content) => {
                held.extend(content);
                sender.push(ExportedItem::File(file))?;
            }
            Err(reason) => sender.report.leave_out(reason),
        }
        if held.len() >= MAX_HELD {
            sender.flush()?;
            held.clear();
        }
    }
    sender.flush()
}

/// Reads the items of a file, a line each.
fn each_line<T: DeserializeOwned>(
    source: &mut Source,
    folder: &str,
    name: &str,
    sender: &mut Sender<'_>,
    mut take: impl FnMut(&mut Sender<'_>, T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(reader) =
        source.read(&format!("{folder}{name}")).with_context(|| format!("cannot read {name}"))?
    else {
        bail!("{name} is missing; export or copy it again");
    };
    let mut lines = Lines::new(reader);
    let mut number = 0_u64;
    while let Some(line) = lines.next_line().with_context(|| format!("cannot read {name}, line {number}"))? {
        number += 1;
        match line {
            Line::TooLong => sender.report.leave_out(format!("{name}: the line is longer than a megabyte")),
            Line::Text("") => {}
            Line::Text(text) => match serde_json::from_str(text) {
                Ok(item) => take(sender, item)?,
                // The error may quote what somebody wrote.
                Err(_) => sender.report.leave_out(format!("{name}: the line is damaged")),
            },
        }
    }
    Ok(())
}

/// Copies the content of a file into the server's folder, where it is held until the file is added. The inner error is the
/// reason why there is none.
fn copy_content(
    source: &mut Source,
    folder: &str,
    contents: &FileFolder,
    (sha256, size): (&str, u64),
    dry_run: bool,
) -> anyhow::Result<Result<Option<StoredContent>, String>> {
    let Some(hash) = parse_hash(sha256) else { return Ok(Err("a file's SHA-256 is damaged".to_owned())) };
    let name = format!("{folder}{}/{sha256}", file_names::CONTENTS);
    let Some(reader) = source.read(&name).with_context(|| format!("cannot read {name}"))? else {
        return Ok(Err("the content of the file is missing".to_owned()));
    };
    if dry_run {
        return Ok(Ok(None));
    }
    let mut incoming = contents.begin().context("cannot write to the server's folder of files")?;
    let mut reader = reader.take(size.saturating_add(1));
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut piece).with_context(|| format!("cannot read {name}"))?;
        if read == 0 {
            break;
        }
        incoming.push(piece.get(..read).unwrap_or_default());
        if incoming.is_full() {
            incoming
                .write_waiting()
                .context("cannot write to the server's folder of files; is there room?")?;
        }
    }
    if incoming.size() != size {
        return Ok(Err("the content of the file has another size".to_owned()));
    }
    incoming.write_waiting().context("cannot write to the server's folder of files; is there room?")?;
    if incoming.hash() != hash {
        return Ok(Err("the content of the file is damaged".to_owned()));
    }
    Ok(Ok(Some(contents.finish(incoming).context("cannot write to the server's folder of files")?)))
}
