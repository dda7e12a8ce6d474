//! `parlour user export`: prints or writes what is kept of a person.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::messages;
use crate::cli::admin::Admin;
use crate::cli::folders::Folders;
use crate::cli::output::print;
use crate::client::feed::escape_json;
use crate::core::effects::query::{AuditFilter, NamedAuditEntry};
use crate::core::record::AccountId;
use crate::core::request::people::personal_data::AccountMessage;
use crate::platform::files;
use crate::server::admin::{AdminQuery, AdminReply};
use crate::server::http::files::folder::FileFolder;
use crate::wire::{Nick, Timestamp};

/// Data that the export leaves out, with the reasons.
const NOT_INCLUDED: &str = "the messages of others in the person's conversations, which are the others' data; \
    passwords, tokens and keys, of which the server keeps hashes only; copies of the data folder";

/// Prints what is kept of an account as one JSON document, or writes it with the files of the account to a new folder.
pub fn run(folders: &Folders, name: &Nick, folder: Option<&Path>) -> anyhow::Result<()> {
    let admin = Admin::open(folders.data.clone())?;
    let AdminReply::PersonalData(mut data) =
        admin.request(AdminQuery::PersonalData { name: name.clone() })?
    else {
        bail!("an unexpected answer")
    };
    let Some(id) = data["account"]["id"].as_i64().map(AccountId) else { bail!("an unexpected answer") };
    // Made first, so that a wrong path costs no time.
    if let Some(folder) = folder {
        create_folder(folder)?;
    }
    data["not_included"] = json!(NOT_INCLUDED);
    data["audit"] = Value::Array(audit_entries(&admin, name)?);
    let mut sent = Vec::new();
    messages::for_each_page(&admin, id, "read", |page| {
        sent.extend(page.iter().map(message_json));
        Ok(())
    })?;
    let Some(folder) = folder else {
        data["messages"] = Value::Array(sent);
        // Line by line, because the ends of lines are control characters, too.
        let text = serde_json::to_string_pretty(&data)?;
        return print(&(text.lines().map(escape_json).collect::<Vec<_>>().join("\n") + "\n"));
    };
    let missing = copy_files(&folders.data, folder, &data["files"])?;
    write_new(&folder.join("person.json"), &(serde_json::to_string_pretty(&data)? + "\n"))?;
    let lines: Vec<String> = sent.iter().map(|message| format!("{message}\n")).collect();
    write_new(&folder.join("messages.jsonl"), &lines.concat())?;
    if missing > 0 {
        note!("{missing} files have no content on this server; `parlour doctor` says more.");
    }
    print(&format!(
        "{}: person.json, messages.jsonl with {} lines, {} files\n",
        folder.display(),
        sent.len(),
        data["files"].as_array().map_or(0, Vec::len) - missing
    ))
}

fn message_json(message: &AccountMessage) -> Value {
    let AccountMessage { id, to, time, command, text, tags, .. } = message;
    json!({
        "msgid": id.to_string(), "time": time.to_string(), "to": to, "command": command, "text": text, "tags": tags,
    })
}

/// Returns the entries of the audit by and about an account, the newest first.
fn audit_entries(admin: &Admin, name: &Nick) -> anyhow::Result<Vec<Value>> {
    let mut entries: Vec<NamedAuditEntry> = Vec::new();
    for by in [Some(name.to_string()), None] {
        let text = by.is_none().then(|| name.to_string());
        let mut until: Option<Timestamp> = None;
        loop {
            let (by, text) = (by.clone(), text.clone());
            let filter = AuditFilter { limit: AuditFilter::MAX_ENTRIES, by, text, since: None, until };
            let AdminReply::Audit(page) = admin.request(AdminQuery::Audit(filter))? else {
                bail!("an unexpected answer")
            };
            let is_full = page.len() >= AuditFilter::MAX_ENTRIES as usize;
            let oldest = page.last().map(|entry| entry.at);
            let before = entries.len();
            for entry in page {
                if is_about(&entry, name) && !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
            // Ends also where more entries than a page has are of one moment.
            if !is_full || oldest == until && entries.len() == before {
                break;
            }
            until = oldest;
        }
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    let as_json = |entry: &NamedAuditEntry| {
        let NamedAuditEntry { at, by, action, target, detail } = entry;
        json!({ "time": at.to_string(), "by": by, "action": action, "target": target, "detail": detail })
    };
    Ok(entries.iter().map(as_json).collect())
}

/// Returns whether an entry is by an account, or has its name as a word.
fn is_about(entry: &NamedAuditEntry, name: &Nick) -> bool {
    let is_name = |word: &str| word.eq_ignore_ascii_case(name.as_str());
    let has_name = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_[]\\`^{|}".contains(c)).any(is_name)
    };
    entry.by.as_deref().is_some_and(is_name) || has_name(&entry.target) || has_name(&entry.detail)
}

/// Copies the contents of the files. Returns the number of those that have none.
fn copy_files(data: &Path, folder: &Path, listed: &Value) -> anyhow::Result<usize> {
    let contents = FileFolder::of_data_folder(data);
    let target = folder.join("files");
    let mut missing = 0;
    for file in listed.as_array().into_iter().flatten() {
        let (Some(id), Some(name), Some(hash)) =
            (file["id"].as_str(), file["name"].as_str(), file["sha256"].as_str().and_then(parse_hash))
        else {
            bail!("an unexpected answer")
        };
        let Ok(mut content) = contents.open(&hash) else {
            missing += 1;
            continue;
        };
        files::create_private_folder(&target)?;
        let path = target.join(format!("{id}-{}", file_name(name)));
        let mut copy = open_new(&path)?;
        io::copy(&mut content, &mut copy).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(missing)
}

/// Returns the end of a file's name as one that every system can have.
fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || ".-_ ".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    let cut = name.char_indices().rev().nth(60).map_or(0, |(at, _)| at);
    name.get(cut..).unwrap_or_default().trim_end_matches(['.', ' ']).to_owned()
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

fn create_folder(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        bail!("{} is there already; name another folder, or remove it first", folder.display());
    }
    files::create_private_folder(folder)
        .with_context(|| format!("cannot make {}; name a folder where you may write", folder.display()))
}

fn open_new(path: &Path) -> anyhow::Result<std::fs::File> {
    files::open_private(OpenOptions::new().write(true).create_new(true), path)
        .with_context(|| format!("cannot make {}", path.display()))
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = open_new(path)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}; is there room?", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_stay_in_their_folder() {
        assert_eq!(file_name("../../etc/passwd"), ".._.._etc_passwd");
        assert_eq!(file_name("Übung 3.pdf"), "Übung 3.pdf");
        assert_eq!(file_name("a:b\\c. "), "a_b_c");
        assert!(file_name(&"x".repeat(300)).len() < 70);
    }
}
