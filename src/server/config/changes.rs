//! Differences between two configurations, by key, and which of them need a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::Config;

/// Keys that a running server does not take over. A name without a dot at its end is a key, with one a whole section.
const NEEDS_RESTART: &[&str] = &[
    "listen",
    "server_name",
    "advertise",
    "announce",
    "passwords.",
    "limits.flood",
    "limits.messages_per_second",
    "limits.burst",
    "limits.connections_per_address",
    "limits.connections_before_login",
    "limits.line_bytes",
    "limits.send_queue_bytes",
    "limits.login_timeout_s",
    "limits.handshake_timeout_s",
    "limits.disk_reserve_mib",
    "web.enabled",
    "web.listen",
    "web.origins",
    "files.enabled",
    "backup.",
    "hooks.",
    "api.",
    "log.format",
    "metrics.",
];

/// A key whose value differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// The key with its section, such as `history.keep_days`.
    pub key: String,
    /// The value that is in force, as in the file; `None` for none.
    pub old: Option<String>,
    /// The value in the file; `None` for none.
    pub new: Option<String>,
    /// The new value is in force only after a restart.
    pub needs_restart: bool,
}

/// The values that a running server goes by, each under its key with the section.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuesInForce(BTreeMap<String, Value>);

impl ValuesInForce {
    /// Returns the values of a configuration.
    pub fn of(config: &Config) -> Self {
        let mut values = BTreeMap::new();
        // A configuration that was read can be written.
        if let Ok(table) = Table::try_from(config) {
            flatten("", table, &mut values);
        }
        Self(values)
    }

    /// Returns the differences to a configuration, and takes over those that need no restart.
    pub fn take_over(&mut self, config: &Config) -> Vec<ChangedKey> {
        let Self(new) = Self::of(config);
        let keys = self.0.keys().chain(new.keys().filter(|key| !self.0.contains_key(*key)));
        let keys: Vec<String> = keys.filter(|key| self.0.get(*key) != new.get(*key)).cloned().collect();
        let mut changes: Vec<ChangedKey> = Vec::new();
        for key in keys {
            let text = |value: Option<&Value>| value.map(ToString::to_string);
            let needs_restart = needs_restart(&key);
            changes.push(ChangedKey {
                old: text(self.0.get(&key)),
                new: text(new.get(&key)),
                needs_restart,
                key: key.clone(),
            });
            if !needs_restart {
                match new.get(&key) {
                    Some(value) => drop(self.0.insert(key, value.clone())),
                    None => drop(self.0.remove(&key)),
                }
            }
        }
        changes.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        changes
    }
}

/// Returns whether a running server does not take over a change of this key.
pub fn needs_restart(key: &str) -> bool {
    NEEDS_RESTART
        .iter()
        .any(|entry| if entry.ends_with('.') { key.starts_with(entry) } else { key == *entry })
}

fn flatten(section: &str, table: Table, values: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        // Names of channels have characters that a bare key may not have.
        let key = if key.starts_with('#') { format!("\"{key}\"") } else { key };
        let key = format!("{section}{key}");
        match value {
            Value::Table(inner) => flatten(&format!("{key}."), inner, values),
            value => drop(values.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(text: &str) -> Config {
        Config::from_text(text, Path::new("parlour.toml")).expect(text)
    }

    #[test]
    fn changes_are_named_with_their_values_until_they_are_in_force() {
        let mut in_force = ValuesInForce::of(&Config::default());
        assert_eq!(in_force.take_over(&Config::default()), []);
        let new = config(
            "motd = \"hello\"\nlisten = [\"127.0.0.1:1\"]\n[history.channels.\"#a\"]\nkeep_days = 3\n[passwords]\nmemory_kib = 8",
        );
        let changed = |changes: Vec<ChangedKey>| -> Vec<String> {
            let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            let line = |change: ChangedKey| {
                format!("{} {} {} {}", change.key, text(change.old), text(change.new), change.needs_restart)
            };
            changes.into_iter().map(line).collect()
        };
        let of_listen = "listen [\"0.0.0.0:6697\", \"[::]:6697\"] [\"127.0.0.1:1\"] true";
        assert_eq!(
            changed(in_force.take_over(&new)),
            [
                "history.channels.\"#a\".keep_days - 3 false",
                of_listen,
                "motd \"\" \"hello\" false",
                "passwords.memory_kib 19456 8 true",
            ]
        );
        let still = changed(in_force.take_over(&new));
        assert_eq!(
            still,
            [of_listen, "passwords.memory_kib 19456 8 true"],
            "what needs a restart still does"
        );
        let back = changed(in_force.take_over(&Config::default()));
        assert_eq!(back, ["history.channels.\"#a\".keep_days 3 - false", "motd \"hello\" \"\" false"]);
    }

    #[test]
    fn keys_that_need_a_restart_exist() {
        let ValuesInForce(all) = ValuesInForce::of(&Config::default());
        for entry in NEEDS_RESTART {
            assert!(
                all.keys().any(|key| key == entry || entry.ends_with('.') && key.starts_with(entry)),
                "{entry}"
            );
        }
    }
}
