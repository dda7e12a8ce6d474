//! State of the page that lasts from one run of `parlour web` to the next, in `page.json` of the user's state folder,
//! readable by the user only: settings, drafts, messages that were not confirmed.
//!
//! The browser is no place for it: its storage belongs to an address, and the port is another one each time. Whoever is
//! given that port later finds nothing there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::private_file;
use crate::client::message_secrets::may_hold_secret;
use crate::platform::files;

/// Limit of the file, in bytes. Changes that would make it larger are dropped.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Limits of a key and a value, in bytes.
const MAX_KEY_BYTES: usize = 300;
const MAX_VALUE_BYTES: usize = 48 * 1024;

/// Limit of the values of one owner.
const MAX_VALUES: usize = 1_000;

/// Version of the format. A file of a later one is neither used nor replaced.
const VERSION: u32 = 1;

/// Key of the settings, which all accounts share.
const SETTINGS: &str = "settings";

/// Beginnings of the other keys that pages use.
const KEYS: [&str; 5] = ["current", "watched", "draft:", "outgoing:", "held:"];

/// Values by their keys. What they mean is the page's business.
pub type PageValues = BTreeMap<String, String>;

/// Returns the owner of values: an account, which has no `@`, on a server.
pub fn owner_of(account: &str, server: &str) -> String {
    format!("{account}@{server}")
}

/// The file, with the changes that were not written yet.
#[derive(Debug)]
pub struct PageStateFile {
    path: PathBuf,
    /// By owner and key; `None` removes a value.
    changes: Mutex<BTreeMap<(String, String), Option<String>>>,
    changed: Notify,
}

/// Error of the file. Each message states the consequence.
#[derive(Debug, thiserror::Error)]
pub enum PageStateError {
    /// The file cannot be read or written.
    #[error("cannot {0} {path}: {2}; the page's settings and drafts are not kept until that works", path = .1.display())]
    Io(&'static str, PathBuf, io::Error),
    /// The file is of a later version of the program.
    #[error("{path} was written by a later version of parlour; the page's settings and drafts are not kept by this one", path = .0.display())]
    Newer(PathBuf),
}

#[derive(Default, Deserialize, Serialize)]
struct Content {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<String>,
    /// By owner: an account on a server.
    #[serde(default)]
    accounts: BTreeMap<String, PageValues>,
}

impl PageStateFile {
    /// Returns the file beside `state.toml`. `None` without a home folder.
    pub fn at_default_path() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "parlour")?;
        Some(Self::new(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("page.json")))
    }

    /// Creates a handle of a file at another path.
    pub fn new(path: PathBuf) -> Self {
        Self { path, changes: Mutex::default(), changed: Notify::new() }
    }

    /// Returns the values of an owner, and the settings.
    ///
    /// # Errors
    /// The file cannot be read, or is of a later version.
    pub fn values(&self, owner: &str) -> Result<PageValues, PageStateError> {
        // Held while the file is read: a change that is being written would be neither in it nor here.
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut content = self.load()?;
        for ((owner, key), value) in &*changes {
            content.apply(owner, key, value.as_deref());
        }
        drop(changes);
        let mut values = content.accounts.remove(owner).unwrap_or_default();
        values.extend(content.settings.map(|settings| (SETTINGS.to_owned(), settings)));
        Ok(values)
    }

    /// Notes a change, for the next time that the file is written. What a page may not keep is dropped.
    pub fn change(&self, owner: &str, key: String, value: Option<String>) {
        let is_known = key == SETTINGS || KEYS.iter().any(|known| key.starts_with(known));
        if !is_known || key.len() > MAX_KEY_BYTES {
            return;
        }
        let value = value.filter(|value| value.len() <= MAX_VALUE_BYTES && !holds_secret(&key, value));
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).insert((owner.to_owned(), key), value);
        self.changed.notify_one();
    }

    /// Waits for a change that is not in the file yet.
    pub async fn wait_for_change(&self) {
        self.changed.notified().await;
    }

    /// Writes the changes. What other programs have written since stays.
    ///
    /// # Errors
    /// The file cannot be read or written, or is of a later version. The changes remain to be written.
    pub fn save(&self) -> Result<(), PageStateError> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if changes.is_empty() {
            return Ok(());
        }
        let mut content = self.load()?;
        for ((owner, key), value) in &*changes {
            content.apply(owner, key, value.as_deref());
        }
        self.write(content)?;
        changes.clear();
        Ok(())
    }

    /// Moves the values of accounts to the new names of their servers.
    ///
    /// # Errors
    /// The file cannot be read or written, or is of a later version.
    pub fn rename_servers(&self, renames: &BTreeMap<String, String>) -> Result<(), PageStateError> {
        let mut content = self.load()?;
        let present = |owner: String| {
            let new = owner
                .split_once('@')
                .and_then(|(account, server)| Some(owner_of(account, renames.get(server)?)));
            new.unwrap_or(owner)
        };
        let before = content.accounts.clone();
        content.accounts =
            before.clone().into_iter().map(|(owner, values)| (present(owner), values)).collect();
        if content.accounts == before { Ok(()) } else { self.write(content) }
    }

    fn write(&self, mut content: Content) -> Result<(), PageStateError> {
        content.version = VERSION;
        let failed = |error| PageStateError::Io("write", self.path.clone(), error);
        let text = serde_json::to_string(&content).map_err(|error| failed(error.into()))?;
        if text.len() > MAX_FILE_BYTES {
            return Err(failed(io::Error::other("it would be larger than 4 MiB")));
        }
        files::create_private_folder(self.path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        private_file::write(&self.path, &text).map_err(failed)
    }

    /// Reads the file. A damaged one is moved aside, so that the next save replaces nothing.
    fn load(&self) -> Result<Content, PageStateError> {
        let failed = |error| PageStateError::Io("read", self.path.clone(), error);
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Ok(file) => file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
            Err(error) => return Err(failed(error)),
        };
        match serde_json::from_slice::<Content>(&bytes) {
            Ok(content) if content.version > VERSION => Err(PageStateError::Newer(self.path.clone())),
            Ok(content) => Ok(content),
            Err(_) => {
                let moved = fs::rename(&self.path, self.path.with_extension("damaged"));
                moved
                    .map(|()| Content::default())
                    .map_err(|error| PageStateError::Io("move aside", self.path.clone(), error))
            }
        }
    }
}

impl Content {
    fn apply(&mut self, owner: &str, key: &str, value: Option<&str>) {
        if key == SETTINGS {
            self.settings = value.map(str::to_owned);
            return;
        }
        let values = self.accounts.entry(owner.to_owned()).or_default();
        match value {
            Some(value) if values.contains_key(key) || values.len() < MAX_VALUES => {
                values.insert(key.to_owned(), value.to_owned());
            }
            Some(_) => {}
            None => {
                values.remove(key);
            }
        }
        if values.is_empty() {
            self.accounts.remove(owner);
        }
    }
}

/// Returns whether a value is a draft that may hold a password. Such a text is written to no file.
fn holds_secret(key: &str, value: &str) -> bool {
    #[derive(Deserialize)]
    struct Draft {
        text: String,
    }
    // Behind the conversation, the key may name the tab that the draft was written in.
    key.strip_prefix("draft:").and_then(|key| key.split(' ').next()).is_some_and(|conversation| {
        serde_json::from_str::<Draft>(value).is_ok_and(|draft| may_hold_secret(&draft.text, conversation))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(file: &PageStateFile, owner: &str, key: &str, value: &str) {
        file.change(owner, key.to_owned(), Some(value.to_owned()));
    }

    fn keys(file: &PageStateFile, owner: &str) -> Vec<String> {
        file.values(owner).expect("loads").into_keys().collect()
    }

    #[test]
    fn values_of_each_account_and_shared_settings_last_in_a_private_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/page.json");
        let file = PageStateFile::new(path.clone());
        set(&file, "alice@home", "draft:#tea", r#"{"text":"one"}"#);
        set(&file, "bob@home", "current", "#tea");
        set(&file, "alice@home", "settings", "{}");
        assert_eq!(keys(&file, "alice@home"), ["draft:#tea", "settings"], "before it is written");
        // Another program writes in between.
        let other = PageStateFile::new(path.clone());
        set(&other, "alice@work", "current", "#x");
        other.save().expect("saves");
        file.save().expect("saves");
        assert_eq!(keys(&other, "alice@home"), ["draft:#tea", "settings"]);
        assert_eq!(keys(&other, "bob@home"), ["current", "settings"]);
        assert_eq!(keys(&other, "alice@work"), ["current", "settings"]);
        for path in [path.as_path(), path.parent().expect("a folder")] {
            assert!(!files::others_access(path).expect("is there").any, "{}", path.display());
        }
        file.change("alice@home", "draft:#tea".to_owned(), None);
        file.save().expect("saves");
        assert_eq!(keys(&other, "alice@home"), ["settings"]);
    }

    #[test]
    fn what_a_page_may_not_keep_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = PageStateFile::new(folder.path().join("page.json"));
        set(&file, "a@b", "draft:#tea", r#"{"text":"/ns identify secret"}"#);
        set(&file, "a@b", "draft:nickserv", r#"{"text":"anything"}"#);
        set(&file, "a@b", "draft:nickserv tab", r#"{"text":"anything"}"#);
        set(&file, "a@b", "elsewhere", "x");
        set(&file, "a@b", &format!("draft:{}", "x".repeat(MAX_KEY_BYTES)), "x");
        set(&file, "a@b", "watched", &"x".repeat(MAX_VALUE_BYTES + 1));
        for n in 0..MAX_VALUES + 5 {
            set(&file, "a@c", &format!("draft:{n}"), "x");
        }
        file.save().expect("saves");
        assert_eq!(keys(&file, "a@b"), Vec::<String>::new());
        assert_eq!(keys(&file, "a@c").len(), MAX_VALUES);
    }

    #[test]
    fn change_is_read_while_it_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = PageStateFile::new(folder.path().join("page.json"));
        for n in 0..50 {
            set(&file, "a@b", "draft:#tea", &n.to_string());
            std::thread::scope(|scope| {
                scope.spawn(|| file.save().expect("saves"));
                for _ in 0..20 {
                    assert_eq!(file.values("a@b").expect("loads")["draft:#tea"], n.to_string());
                }
            });
        }
    }

    #[test]
    fn damaged_file_is_moved_aside_and_a_later_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page.json");
        let file = PageStateFile::new(path.clone());
        fs::write(&path, "nonsense").expect("writes");
        assert_eq!(keys(&file, "a@b"), Vec::<String>::new());
        assert_eq!(fs::read_to_string(folder.path().join("page.damaged")).expect("reads"), "nonsense");
        fs::write(&path, r#"{"version":99}"#).expect("writes");
        set(&file, "a@b", "current", "#tea");
        assert!(matches!(file.save(), Err(PageStateError::Newer(_))));
        assert_eq!(fs::read_to_string(&path).expect("reads"), r#"{"version":99}"#);
    }
}
