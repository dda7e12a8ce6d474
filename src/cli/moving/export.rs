//! `parlour export`: writes what a server has as JSON Lines.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, IntoInnerError, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::{FORMAT, FORMAT_VERSION, end_when_stopped, file_names, progress_bar};
use crate::cli::admin::Admin;
use crate::cli::folders::FolderOptions;
use crate::cli::output::print;
use crate::client::text::count::counted;
use crate::core::record::file::FileHash;
use crate::core::request::export::{ExportedFile, ExportedItem};
use crate::platform::files;
use crate::server::admin::{AdminQuery, AdminReply, ExportQuery, ExportReply};
use crate::server::http::files::folder::FileFolder;
use crate::server::now;
use crate::wire::MessageId;

/// Write accounts, channels, messages and files as JSON Lines, with or without a running server.
///
/// The folder has everything that everybody wrote, direct messages included, so it is for you alone. It has no passwords,
/// devices, invites, hooks and tokens: use a backup to move a server as it is. `parlour import` takes such a folder.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour export --to school-2026
  jq -r 'select(.channel == \"#class-3b\") | .text' school-2026/messages.jsonl")]
pub struct Args {
    /// A new or empty folder for the files.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    folders: FolderOptions,
}

/// The manifest of an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// Name of the network.
    pub server: String,
    /// Version of the program that wrote it.
    pub parlour: String,
    /// Time of the export.
    pub exported: String,
    /// Counts of what it has.
    pub accounts: u64,
    pub channels: u64,
    pub messages: u64,
    pub files: u64,
    /// Count of messages that could not be read, because the database is damaged.
    pub unreadable_messages: u64,
    /// Count of files whose content is missing.
    pub missing_files: u64,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let folders = args.folders.existing()?;
    let admin = Admin::open(folders.data.clone())?;
    let server = folders.config()?.name;
    create_folder(&args.to)?;
    let bar = progress_bar(None, "{spinner} {msg}");
    end_when_stopped(
        &bar,
        format!("the export was interrupted; run it again, it begins anew in {}", args.to.display()),
    );
    let contents = FileFolder::of_data_folder(&folders.data);
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        version: FORMAT_VERSION,
        server,
        parlour: env!("CARGO_PKG_VERSION").to_owned(),
        exported: now().to_string(),
        accounts: 0,
        channels: 0,
        messages: 0,
        files: 0,
        unreadable_messages: 0,
        missing_files: 0,
    };
    let export = Export { admin: &admin, to: &args.to, bar: &bar };
    // What the messages name comes after them, so that it has all of it also while more is written.
    let messages = export.write(file_names::MESSAGES, ExportQuery::Messages(MessageId::default()))?;
    (manifest.messages, manifest.unreadable_messages) = (messages.count, messages.unreadable);
    let files = export.write(file_names::FILES, ExportQuery::Files(None))?;
    manifest.files = files.count;
    manifest.channels = export.write(file_names::CHANNELS, ExportQuery::Channels(None))?.count;
    manifest.accounts = export.write(file_names::ACCOUNTS, ExportQuery::Accounts(None))?.count;
    for file in &files.files {
        if !export.copy_content(&contents, file)? {
            manifest.missing_files += 1;
        }
    }
    bar.finish_and_clear();
    write_manifest(&args.to, &manifest)?;
    report(&args.to, &manifest)
}

fn report(to: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    if manifest.unreadable_messages > 0 {
        note!(
            "Left out, because the database is damaged: {}. `parlour doctor` says more.",
            counted(manifest.unreadable_messages, "message")
        );
    }
    if manifest.missing_files > 0 {
        note!("Without their content, which is missing: {}.", counted(manifest.missing_files, "file"));
    }
    let parts = [
        (manifest.accounts, "account"),
        (manifest.channels, "channel"),
        (manifest.messages, "message"),
        (manifest.files, "file"),
    ];
    let parts = parts.map(|(count, unit)| counted(count, unit)).join(", ");
    print(&format!("{parts} in {}\n", to.display()))
}

/// Makes the folder, private, unless it is there and empty. What an interrupted export left in it is removed.
fn create_folder(to: &Path) -> anyhow::Result<()> {
    match fs::read_dir(to) {
        Ok(mut entries) => {
            if to.join(file_names::UNFINISHED).is_file() && !to.join(file_names::MANIFEST).exists() {
                remove_unfinished(to).with_context(|| {
                    format!("cannot remove the interrupted export in {}; name a new folder", to.display())
                })?;
            } else if entries.next().is_some() {
                bail!("{} is not empty; name a new folder", to.display());
            }
            files::make_private(to).with_context(|| format!("cannot make {} private", to.display()))?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => files::create_private_folder(to)
            .with_context(|| format!("cannot make {}; name a folder where you may write", to.display()))?,
        Err(error) => {
            return Err(error).with_context(|| format!("cannot use {}; name a new folder", to.display()));
        }
    }
    let mark = to.join(file_names::UNFINISHED);
    files::open_private(OpenOptions::new().write(true).create(true), &mark)
        .with_context(|| format!("cannot write {}", mark.display()))?;
    Ok(())
}

/// Removes the files of an export that was interrupted, and no other ones.
fn remove_unfinished(to: &Path) -> std::io::Result<()> {
    let ignore_missing = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    };
    for name in [file_names::MESSAGES, file_names::FILES, file_names::CHANNELS, file_names::ACCOUNTS] {
        ignore_missing(fs::remove_file(to.join(name)))?;
    }
    ignore_missing(fs::remove_dir_all(to.join(file_names::CONTENTS)))
}

/// An export under way.
struct Export<'a> {
    admin: &'a Admin,
    to: &'a Path,
    bar: &'a ProgressBar,
}

/// Counts of what was written to one file of an export.
#[derive(Default)]
struct Written {
    count: u64,
    unreadable: u64,
    files: Vec<ExportedFile>,
}

impl Export<'_> {
    /// Writes all pages from one on, each item as a line.
    fn write(&self, name: &str, first: ExportQuery) -> anyhow::Result<Written> {
        let path = self.to.join(name);
        let file = files::open_private(OpenOptions::new().write(true).create_new(true), &path);
        let mut out = BufWriter::new(file.with_context(|| format!("cannot write {}", path.display()))?);
        let mut written = Written::default();
        let mut next = Some(first);
        while let Some(query) = next {
            let AdminReply::Exported(page) = self.admin.request(AdminQuery::Export(query.clone()))? else {
                bail!("an unexpected answer")
            };
            next = next_page(&query, &page);
            written.unreadable += page.unreadable;
            for item in page.items {
                written.count += 1;
                let line = match &item {
                    ExportedItem::Account(account) => serde_json::to_string(account),
                    ExportedItem::Channel(channel) => serde_json::to_string(channel),
                    ExportedItem::Message(message) => serde_json::to_string(message),
                    ExportedItem::File(file) => serde_json::to_string(file),
                };
                writeln!(out, "{}", line?).with_context(|| format!("cannot write {}", path.display()))?;
                if let ExportedItem::File(file) = item {
                    written.files.push(file);
                }
            }
            self.bar.set_message(format!("{}: {}", name.trim_end_matches(".jsonl"), written.count));
            self.bar.tick();
        }
        let synced = out.into_inner().map_err(IntoInnerError::into_error).and_then(|file| file.sync_all());
        synced.with_context(|| format!("cannot write {}; is there room?", path.display()))?;
        Ok(written)
    }

    /// Copies the content of a file. Returns `false` if it is missing.
    fn copy_content(&self, contents: &FileFolder, exported: &ExportedFile) -> anyhow::Result<bool> {
        let Some(hash) = parse_hash(&exported.sha256) else { return Ok(false) };
        let mut from = match contents.open(&hash) {
            Ok(from) => from,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).context("cannot read the content of a file"),
        };
        let folder = self.to.join(file_names::CONTENTS);
        files::create_private_folder(&folder)?;
        let path = folder.join(&exported.sha256);
        let copied = match files::open_private(OpenOptions::new().write(true).create_new(true), &path) {
            Ok(mut to) => std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all()),
            // Another file has the same content.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        };
        copied.with_context(|| format!("cannot write {}; is there room?", path.display()))?;
        self.bar.set_message(format!("contents: {}", exported.name.escape_debug()));
        self.bar.tick();
        Ok(true)
    }
}

/// Returns the query of the page after one; `None` after the last.
fn next_page(query: &ExportQuery, page: &ExportReply) -> Option<ExportQuery> {
    if let ExportQuery::Messages(_) = query {
        return page.last.map(ExportQuery::Messages);
    }
    Some(match page.items.last()? {
        ExportedItem::Account(account) => ExportQuery::Accounts(Some(account.name.clone())),
        ExportedItem::Channel(channel) => ExportQuery::Channels(Some(channel.name.clone())),
        ExportedItem::File(file) => ExportQuery::Files(Some(file.id)),
        ExportedItem::Message(message) => ExportQuery::Messages(message.msgid),
    })
}

fn write_manifest(to: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let path = to.join(file_names::MANIFEST);
    let mut file: File = files::open_private(OpenOptions::new().write(true).create_new(true), &path)?;
    let text = serde_json::to_string_pretty(manifest)? + "\n";
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| files::sync_folder(to))?;
    fs::remove_file(to.join(file_names::UNFINISHED))?;
    Ok(())
}

/// Parses the 64 hexadecimal digits of a SHA-256.
pub(super) fn parse_hash(text: &str) -> Option<FileHash> {
    let mut hash = FileHash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}
