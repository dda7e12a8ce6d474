//! Settings of the plain chat.

use std::collections::BTreeSet;

use crate::client::files::settings_file::SettingsFile;
use crate::client::input::watch::WatchedAccounts;
use crate::client::model::Model;
use crate::client::settings::catalog::SettingValue;
use crate::client::settings::{IgnoredAccount, Settings};
use crate::client::text::clean::clean;
use crate::wire::Nick;

/// Limit of the accounts that the server reports as ignored.
const MAX_BLOCKED: usize = 4_096;

/// Settings of the plain chat, and where they are kept.
#[derive(Debug, Default)]
pub struct PlainSettings {
    /// Name of the server, for settings of single conversations.
    pub server: String,
    /// Values of the settings.
    pub values: Settings,
    /// File that changes are saved to.
    pub file: Option<SettingsFile>,
    /// Accounts that the server reports as ignored.
    blocked: BTreeSet<Nick>,
    /// Accounts that the user is told about when they come online.
    pub(super) watched: WatchedAccounts,
}

impl PlainSettings {
    /// Changes a setting at once, and saves it. The error is a text for the user.
    pub(super) fn change(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.values.set(name, value)?;
        self.save(name)
    }

    /// Creates them for a server.
    pub fn new(server: String, settings: Settings, file: Option<SettingsFile>) -> Self {
        let (blocked, watched) = (BTreeSet::new(), WatchedAccounts::default());
        Self { server, values: settings, file, blocked, watched }
    }

    /// Monitors the accounts that the user watches, all of them on a new connection.
    pub(super) fn monitor_watched(&mut self, model: &mut Model, is_new_connection: bool) {
        if is_new_connection {
            self.watched.disconnected();
        }
        self.watched.update(&self.values.watched, &self.server, model, |_| false);
    }

    /// Returns whether messages of the account are hidden.
    pub(super) fn ignores(&self, account: &Nick) -> bool {
        self.blocked.contains(account)
            || self.values.ignored.iter().any(|it| it.matches(&self.server, account))
    }

    /// Returns the ignored accounts.
    pub(super) fn ignored(&self) -> Vec<Nick> {
        let settings = self.values.ignored.iter().filter(|ignored| ignored.is_on(&self.server));
        let all: BTreeSet<Nick> =
            settings.map(|ignored| ignored.account.clone()).chain(self.blocked.iter().cloned()).collect();
        all.into_iter().collect()
    }

    /// Records whether the server lists an account as ignored.
    pub(super) fn handle_blocked(&mut self, account: &Nick, value: Option<&str>) -> Result<(), String> {
        match value {
            Some("1") if self.blocked.len() < MAX_BLOCKED => drop(self.blocked.insert(account.clone())),
            Some("1") => {}
            _ => drop(self.blocked.remove(account)),
        }
        // Without a value nobody has decided yet, so what this device knows stands.
        if value == Some("0") { self.set_ignored(account, false) } else { Ok(()) }
    }

    /// Hides the messages of an account on this device, or shows them again. The error is a text for the user.
    pub(super) fn set_ignored(&mut self, account: &Nick, ignored: bool) -> Result<(), String> {
        let before = self.values.ignored.clone();
        if ignored {
            let entry = IgnoredAccount { server: Some(self.server.clone()), account: account.clone() };
            if !before.contains(&entry) {
                self.values.ignored.push(entry);
            }
        } else {
            self.blocked.remove(account);
            self.values.ignored.retain(|ignored| !ignored.matches(&self.server, account));
        }
        if before == self.values.ignored { Ok(()) } else { self.save("ignored") }
    }

    fn save(&self, name: &str) -> Result<(), String> {
        let stored = self.file.as_ref().map_or(Ok(()), |file| file.store(name, &self.values));
        stored.map_err(|error| error.to_string())
    }

    /// Formats all settings, one in a line.
    pub(super) fn list(&self) -> Vec<String> {
        let line = |SettingValue { name, value }| {
            let value = if value.is_empty() { "nothing" } else { &value };
            let changed = if self.values.is_default(&name) { "" } else { " (changed)" };
            clean(&format!("{name} is {value}{changed}"))
        };
        self.values.all().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_listed_and_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SettingsFile::new(folder.path().join("client.toml"));
        let mut settings = PlainSettings::new("home".to_owned(), Settings::default(), Some(file.clone()));
        settings.change("time_format", "12h").expect("a format");
        let lines = settings.list();
        assert!(lines.contains(&"time_format is 12h (changed)".to_owned()), "{lines:?}");
        assert!(lines.contains(&"highlights is nothing".to_owned()), "{lines:?}");
        assert_eq!(file.load(), (settings.values.clone(), Vec::new()));
        settings.change("time_format", "36h").expect_err("no format");
    }

    #[test]
    fn ignored_accounts_come_from_the_file_and_from_the_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SettingsFile::new(folder.path().join("client.toml"));
        let mut settings = PlainSettings::new("home".to_owned(), Settings::default(), Some(file.clone()));
        let [bob, carol] = ["bob", "carol"].map(|name| Nick::parse(name).expect(name));
        settings.set_ignored(&bob, true).expect("saved");
        assert_eq!(file.load().0.get("ignored").as_deref(), Some("home/bob"));
        settings.handle_blocked(&carol, Some("1")).expect("saved");
        assert!(settings.ignores(&bob) && settings.ignores(&carol));
        assert_eq!(settings.ignored(), [bob.clone(), carol.clone()]);
        settings.handle_blocked(&bob, None).expect("saved");
        assert!(settings.ignores(&bob), "no other device has decided");
        settings.handle_blocked(&bob, Some("0")).expect("saved");
        settings.handle_blocked(&carol, Some("0")).expect("saved");
        assert!(settings.ignored().is_empty());
        assert_eq!(file.load().0, Settings::default());
    }
}
