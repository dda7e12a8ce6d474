//! Server names in `state.toml`, `client.toml` and `page.json` that follow a change in `servers.toml`.
//!
//! What the client remembers of a server is under its name there, which the user may change, with `parlour servers rename`
//! or in the file. So `state.toml` records the account and the pins that each name had, by which the next start finds the
//! new name.

use std::collections::BTreeMap;

use super::page_state_file::PageStateFile;
use super::servers::{KnownServer, Servers};
use super::settings_file::SettingsFile;
use super::state_file::StateFile;
use crate::client::settings::Settings;
use crate::client::settings::catalog::conversation_setting;
use crate::client::settings::state::{RecordedServer, State};
use crate::wire::Timestamp;

/// Moves what the client remembers of servers to their present names, and records these for the next time. The error is a
/// text for the user; nothing is lost by it.
pub fn follow_server_renames(
    known: &Servers,
    state_file: &StateFile,
    settings_file: Option<&SettingsFile>,
    page_file: Option<&PageStateFile>,
    now: Timestamp,
) -> Result<(), String> {
    let state = state_file.load(now).map_err(|error| error.to_string())?;
    let renames = find_renames(&state.servers, known);
    let servers: Vec<RecordedServer> = known.iter().map(recorded).collect();
    if renames.is_empty() && servers == state.servers {
        return Ok(());
    }
    if let Some(file) = settings_file.filter(|_| !renames.is_empty()) {
        rename_in_settings(file, &renames)?;
    }
    if let Some(file) = page_file.filter(|_| !renames.is_empty()) {
        file.rename_servers(&renames).map_err(|error| error.to_string())?;
    }
    let change = |state: &mut State| {
        state.rename_servers(&renames, now);
        state.servers = servers;
    };
    state_file.change(now, change).map_err(|error| error.to_string())
}

fn recorded(server: &KnownServer) -> RecordedServer {
    RecordedServer {
        name: server.name.clone(),
        account: server.account.to_string(),
        pins: server.pins.newest_first().map(|pin| pin.to_string()).collect(),
    }
}

/// Returns the new name for each old one that has another now.
fn find_renames(recorded: &[RecordedServer], known: &Servers) -> BTreeMap<String, String> {
    let is_same = |old: &RecordedServer, server: &KnownServer| {
        let mut pins = server.pins.newest_first().chain(server.former_pins.iter().copied());
        server.account.as_str().eq_ignore_ascii_case(&old.account)
            && pins.any(|pin| old.pins.contains(&pin.to_string()))
    };
    let mut renames = BTreeMap::new();
    for old in recorded {
        let candidates: Vec<&KnownServer> = known.iter().filter(|server| is_same(old, server)).collect();
        // Without exactly one it was removed, or nobody can tell.
        if let [server] = candidates[..]
            && server.name != old.name
        {
            renames.insert(old.name.clone(), server.name.clone());
        }
    }
    renames
}

fn rename_in_settings(file: &SettingsFile, renames: &BTreeMap<String, String>) -> Result<(), String> {
    let (mut settings, _) = file.load();
    let before = settings.clone();
    let present_name = |name: &String| renames.get(name).unwrap_or(name).clone();
    for account in settings.ignored.iter_mut().chain(&mut settings.watched) {
        account.server = account.server.as_ref().map(present_name);
    }
    let levels = std::mem::take(&mut settings.notify.conversations);
    for (mut key, level) in levels {
        key.server = present_name(&key.server);
        settings.notify.conversations.insert(key, level);
    }
    let store =
        |name: &str, settings: &Settings| file.store(name, settings).map_err(|error| error.to_string());
    if settings.ignored != before.ignored {
        store("ignored", &settings)?;
    }
    if settings.watched != before.watched {
        store("watched", &settings)?;
    }
    let keys = before.notify.conversations.keys().chain(settings.notify.conversations.keys());
    for key in
        keys.filter(|key| before.notify.conversations.get(key) != settings.notify.conversations.get(key))
    {
        store(&conversation_setting(key), &settings)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::state::Draft;
    use crate::trust::{Address, Pin};
    use crate::wire::Nick;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn what_is_remembered_follows_a_server_to_its_new_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("servers.toml");
        let state_file = StateFile::new(folder.path().join("state.toml"));
        let settings_file = SettingsFile::new(folder.path().join("client.toml"));
        let page_file = PageStateFile::new(folder.path().join("page.json"));
        page_file.change("alice@home.lan", "current".to_owned(), Some("#home".to_owned()));
        page_file.change("alice@work.lan", "current".to_owned(), Some("#work".to_owned()));
        page_file.save().expect("saves");
        let follow = || {
            let known = Servers::load(&path).expect("reads");
            follow_server_renames(&known, &state_file, Some(&settings_file), Some(&page_file), NOW)
                .expect("followed");
        };
        let alice = Nick::parse("alice").expect("a nick");
        for host in ["home.lan", "work.lan"] {
            let address: Address = format!("{host}:6697").parse().expect("an address");
            let pin = Pin::new([host.as_bytes()[0]; 32]);
            Servers::store_server(&path, &[address], pin, &alice).expect("stored");
        }
        // A file of an earlier version has no record.
        let text = "# mine\n[notify.conversations]\n\"home.lan/#lobby\" = \"all\" # loud\n\"work.lan/#lobby\" = \"nothing\"\n";
        std::fs::write(settings_file.path(), text).expect("writes");
        let add = |state: &mut State| {
            let key = "home.lan/#lobby".parse().expect("a key");
            state.add_draft(key, Draft { text: "see you".to_owned(), reply_to: None });
            state.current = "home.lan/#lobby".parse().ok();
            state.ignores.insert("home.lan/bob".parse().expect("a key"), true);
            state.uses.record("home.lan/#lobby", NOW);
            state.uses.record("/join", NOW);
        };
        state_file.change(NOW, add).expect("kept");
        let (mut settings, _) = settings_file.load();
        for (name, value) in [("ignored", "home.lan/bob, zoe"), ("watched", "home.lan/carol, work.lan/dave")]
        {
            settings.set(name, value).expect(value);
            settings_file.store(name, &settings).expect("stored");
        }
        follow();
        let before = (state_file.load(NOW).expect("loads"), settings_file.load());
        assert_eq!(before.1.0.get("notify.conversations.home.lan/#lobby").as_deref(), Some("all"));
        assert_eq!(before.0.servers.len(), 2);
        follow();
        assert_eq!(
            (state_file.load(NOW).expect("loads"), settings_file.load()),
            before,
            "nothing has changed"
        );

        // One gets a name that has to be encoded, and the other one takes its name.
        Servers::rename(&path, "home.lan", "a/b, c").expect("renamed");
        Servers::rename(&path, "work.lan", "home.lan").expect("renamed");
        follow();
        let state = state_file.load(NOW).expect("loads");
        let key = |text: &str| text.parse().expect(text);
        assert_eq!(state.current, Some(key("a%2Fb%2C%20c/#lobby")));
        assert_eq!(state.current.as_ref().map(|key| key.server.as_str()), Some("a/b, c"));
        assert_eq!(state.drafts.keys().collect::<Vec<_>>(), [&key("a%2Fb%2C%20c/#lobby")]);
        assert_eq!(state.ignores.keys().collect::<Vec<_>>(), [&key("a%2Fb%2C%20c/bob")]);
        assert!(state.uses.score("a%2Fb%2C%20c/#lobby", NOW) > 0.0 && state.uses.score("/join", NOW) > 0.0);
        assert!(state.uses.score("home.lan/#lobby", NOW) <= 0.0);
        let current = |owner: &str| page_file.values(owner).expect("loads").remove("current");
        assert_eq!(current("alice@a/b, c").as_deref(), Some("#home"));
        assert_eq!(current("alice@home.lan").as_deref(), Some("#work"));
        assert_eq!(current("alice@work.lan"), None);
        let (settings, problems) = settings_file.load();
        assert_eq!(problems, [""; 0]);
        assert_eq!(settings.get("ignored").as_deref(), Some("a%2Fb%2C%20c/bob, zoe"));
        assert_eq!(settings.get("watched").as_deref(), Some("a%2Fb%2C%20c/carol, home.lan/dave"));
        let level = |name: &str| settings.get(&format!("notify.conversations.{name}"));
        assert_eq!(level("a%2Fb%2C%20c/#lobby").as_deref(), Some("all"));
        assert_eq!((level("home.lan/#lobby").as_deref(), level("work.lan/#lobby")), (Some("nothing"), None));
        let text = std::fs::read_to_string(settings_file.path()).expect("reads");
        assert!(text.contains("# mine\n") && text.contains("# loud"), "{text}");
    }
}
