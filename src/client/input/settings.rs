//! Commands about settings: `/set`, `/theme`, `/notify`, `/ignore`, `/dnd`.

use super::ignore::IgnoreScope;
use super::watch::watch_note;
use crate::client::model::Conversation;
use crate::client::settings::catalog::{conversation_setting, level_name, parse_level};
use crate::client::settings::do_not_disturb::DoNotDisturbChange;
use crate::client::settings::state::ConversationKey;
use crate::client::settings::{IgnoredAccount, NotifyLevel, Settings};
use crate::wire::Nick;

/// A parsed command about settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsCommand {
    /// `/set`: list all settings.
    List,
    /// `/set KEY`: show a setting.
    Show(String),
    /// `/set KEY VALUE`: change a setting.
    Set {
        /// Name of the setting.
        name: String,
        /// Value as typed, without quotes.
        value: String,
    },
    /// `/ignore NAME` (`true`) and `/unignore NAME`.
    Ignore(Nick, bool),
    /// `/ignore`: list the ignored accounts.
    Ignored,
    /// `/watch NAME` (`true`) and `/unwatch NAME`.
    Watch(Nick, bool),
    /// `/watch`: list the watched accounts.
    Watched,
    /// `/notify LEVEL` for the current conversation; no level stands for a query, `default` for the general one.
    Notify(Option<LevelChoice>),
}

/// Level that a conversation gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelChoice {
    /// Level of its own.
    Own(NotifyLevel),
    /// Level of channels, or of direct conversations.
    General,
}

/// A client with settings. Its methods are what the clients do differently; errors are texts for the user.
pub trait SettingsClient {
    /// Returns the settings.
    fn settings(&self) -> &Settings;

    /// Changes a setting at once and for the next runs.
    fn change_setting(&mut self, name: &str, value: &str) -> Result<(), String>;

    /// Shows all settings.
    fn list_settings(&mut self);

    /// Shows a line to the user.
    fn say(&mut self, text: &str);

    /// Hides the messages of an account from now on, or shows them again. Returns the devices for which that counts.
    fn set_ignored(&mut self, account: &Nick, ignored: bool) -> Result<IgnoreScope, String>;

    /// Returns the ignored accounts of the server that the user is at.
    fn ignored(&self) -> Vec<Nick>;

    /// Returns the watched accounts that the server refused to watch, because its list is full.
    fn refused_watches(&self) -> Vec<Nick>;

    /// Returns the user's own nick, while connected.
    fn own_nick(&self) -> Option<Nick>;

    /// Asks the server whether an account exists, and says what it means (`then`) if there is none.
    fn check_account(&mut self, account: &Nick, then: String);

    /// Returns the current conversation with the name of its server.
    fn current_key(&self) -> Result<ConversationKey, String>;
}

/// Parses the arguments of `/set`.
pub(super) fn parse_set(args: &str) -> SettingsCommand {
    match args.trim().split_once(char::is_whitespace) {
        None if args.trim().is_empty() => SettingsCommand::List,
        None => SettingsCommand::Show(args.trim().to_owned()),
        Some((name, value)) => {
            SettingsCommand::Set { name: name.to_owned(), value: unquote(value).to_owned() }
        }
    }
}

/// Parses the arguments of `/notify`.
pub(super) fn parse_notify(args: &str) -> Result<SettingsCommand, String> {
    Ok(SettingsCommand::Notify(match args.trim() {
        "" => None,
        "default" | "on" => Some(LevelChoice::General),
        "off" | "none" => Some(LevelChoice::Own(NotifyLevel::Nothing)),
        word => Some(LevelChoice::Own(parse_level(word).map_err(|error| describe_no_level(word, &error))?)),
    }))
}

/// Describes a word that is no level of notification. Clients such as WeeChat watch people with `/notify`, so a word that
/// may be a name gets a pointer to `/watch`.
fn describe_no_level(word: &str, error: &str) -> String {
    let misspelt = word.to_ascii_lowercase();
    let is_like_level = ["all", "mentions", "nothing", "default", "none", "off", "on"]
        .iter()
        .any(|level| strsim::osa_distance(&misspelt, level) <= level.len() / 4);
    match Nick::parse_foreign(word) {
        Ok(name) if !is_like_level => {
            format!("{error} or default; /watch {name} tells you when {name} comes online")
        }
        _ => format!("{error} or default"),
    }
}

/// Parses the arguments of `/watch` (`true`) and `/unwatch`.
pub(super) fn parse_watch(args: &str, watch: bool) -> Result<SettingsCommand, String> {
    match args.trim() {
        "" if watch => Ok(SettingsCommand::Watched),
        "" => Err("whom? /watch lists whom you watch".to_owned()),
        name => match Nick::parse_foreign(name) {
            Ok(account) => Ok(SettingsCommand::Watch(account, watch)),
            Err(error) => Err(format!("this cannot be an account's name: {error}")),
        },
    }
}

/// Parses the arguments of `/ignore` (`true`) and `/unignore`.
pub(super) fn parse_ignore(args: &str, ignore: bool) -> Result<SettingsCommand, String> {
    match args.trim() {
        "" if ignore => Ok(SettingsCommand::Ignored),
        "" => Err("whose messages?".to_owned()),
        name => match Nick::parse_foreign(name) {
            Ok(account) => Ok(SettingsCommand::Ignore(account, ignore)),
            Err(error) => Err(format!("this cannot be an account's name: {error}")),
        },
    }
}

/// Parses the arguments of `/dnd`.
pub(super) fn parse_do_not_disturb(args: &str) -> Result<DoNotDisturbChange, String> {
    /// Limit of a span: a longer one is one without an end.
    const MAX_DAYS: u64 = 366;
    match args.trim() {
        "" | "on" => Ok(DoNotDisturbChange::On),
        "off" => Ok(DoNotDisturbChange::Off),
        span => match humantime::parse_duration(span) {
            Ok(span) if span.as_secs() <= MAX_DAYS * 86_400 => {
                Ok(DoNotDisturbChange::For(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
            }
            Ok(_) => Err("for more than a year, leave the duration out".to_owned()),
            Err(_) => Err("write a duration such as 45m or 8h, or off".to_owned()),
        },
    }
}

/// Executes a command. The error is a text for the user.
pub fn execute_settings_command<C: SettingsClient + ?Sized>(
    command: SettingsCommand,
    client: &mut C,
) -> Result<(), String> {
    match command {
        SettingsCommand::List => client.list_settings(),
        SettingsCommand::Show(name) => {
            let value = show(client.settings(), &name)?;
            client.say(&value);
        }
        SettingsCommand::Set { name, value } => {
            client.change_setting(&name, &value)?;
            let value = show(client.settings(), &name)?;
            client.say(&value);
        }
        SettingsCommand::Ignored => {
            let text = match &client.ignored()[..] {
                [] => "you ignore nobody; /ignore NAME hides the messages of NAME".to_owned(),
                accounts => {
                    let names: Vec<&str> = accounts.iter().map(Nick::as_str).collect();
                    format!("you ignore {}; /unignore NAME shows the messages again", names.join(", "))
                }
            };
            client.say(&text);
        }
        SettingsCommand::Ignore(account, ignore) => {
            if ignore && client.own_nick().as_ref() == Some(&account) {
                return Err("this is your own name".to_owned());
            }
            if !ignore && !client.ignored().contains(&account) {
                return Err(format!("you do not ignore {account}; /ignore lists whom you ignore"));
            }
            let devices = match client.set_ignored(&account, ignore)? {
                IgnoreScope::AllDevices => "on all your devices",
                IgnoreScope::AllDevicesLater => "on this device, and on the others once you are connected",
                IgnoreScope::ThisDevice => "on this device",
            };
            client.say(&if ignore {
                format!("messages of {account} are hidden {devices}; /unignore {account} shows them again")
            } else {
                format!("messages of {account} are shown again {devices}")
            });
        }
        SettingsCommand::Watched => {
            let watched: Vec<String> = client.settings().watched.iter().map(ToString::to_string).collect();
            let refused = client.refused_watches();
            client.say(&match (&watched[..], &refused[..]) {
                ([], _) => "you watch nobody; /watch NAME tells you when NAME comes online".to_owned(),
                (_, []) => format!("you watch {}; /unwatch NAME ends it", watched.join(", ")),
                (_, refused) => {
                    let refused: Vec<&str> = refused.iter().map(Nick::as_str).collect();
                    format!(
                        "you watch {}, but the server has no room for {}; /unwatch NAME ends one and makes room",
                        watched.join(", "),
                        refused.join(", ")
                    )
                }
            });
        }
        SettingsCommand::Watch(account, watch) => {
            if watch && client.own_nick().as_ref() == Some(&account) {
                return Err("this is your own name".to_owned());
            }
            let mut watched = client.settings().watched.clone();
            let known = watched.len();
            watched.retain(|it| it.account != account);
            if !watch && watched.len() == known {
                return Err(format!("you do not watch {account}; /watch lists whom you watch"));
            }
            if watch {
                watched.push(IgnoredAccount { server: None, account: account.clone() });
            }
            let names: Vec<String> = watched.iter().map(ToString::to_string).collect();
            client.change_setting("watched", &names.join(", "))?;
            client.say(&if watch {
                watch_note(&account)
            } else {
                format!("you are no longer told when {account} comes online; /watch {account} begins again")
            });
            if watch {
                let then =
                    format!("check the name; you are told once somebody gets it, /unwatch {account} ends it");
                client.check_account(&account, then);
            }
        }
        SettingsCommand::Notify(choice) => {
            let key = client.current_key()?;
            let name = conversation_setting(&key);
            match choice {
                None => {}
                Some(LevelChoice::General) => client.change_setting(&name, "default")?,
                Some(LevelChoice::Own(level)) => client.change_setting(&name, level_name(level))?,
            }
            let is_own = client.settings().get(&name).is_some();
            let text = describe_level(&key.conversation, client.settings().notify.level(&key), is_own);
            client.say(&text);
        }
    }
    Ok(())
}

/// Formats a setting in one line: value, and what it is for.
fn show(settings: &Settings, name: &str) -> Result<String, String> {
    let conversation = name.starts_with("notify.conversations.");
    let value = match settings.get(name) {
        Some(value) if value.is_empty() => "nothing".to_owned(),
        Some(value) => value,
        None if conversation => "as all others".to_owned(),
        None => return Err(crate::client::settings::catalog::describe_unknown(name)),
    };
    let about = Settings::about(name);
    let default = if settings.is_default(name) { " (default)" } else { "" };
    let dash = if about.is_empty() { "" } else { " — " };
    Ok(format!("{name} is {value}{default}{dash}{about}"))
}

/// Describes the level of notification of a conversation, and how to change it. `is_own` is set if the conversation has
/// one of its own.
fn describe_level(conversation: &Conversation, level: NotifyLevel, is_own: bool) -> String {
    let what = match level {
        NotifyLevel::All => "all messages notify you",
        NotifyLevel::Mentions => "mentions notify you",
        NotifyLevel::Nothing => "nothing notifies you",
    };
    let (like, others) = match conversation {
        _ if is_own => (String::new(), "; /notify default undoes that"),
        Conversation::Channel(_) => (", as in other channels".to_owned(), ""),
        Conversation::Direct(_) => (", as in other direct conversations".to_owned(), ""),
    };
    format!(
        "{what} in {conversation} on this device{like}{others}; /notify all, mentions or nothing changes it"
    )
}

/// Takes quotes off a value, which `/set` does not need.
fn unquote(value: &str) -> &str {
    let value = value.trim();
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// Returns the candidates for a value of a setting: those to choose from, or else the current one.
pub fn complete_value(settings: &Settings, name: &str) -> Vec<String> {
    let values = Settings::values(name);
    let current = settings.get(name).filter(|value| !value.is_empty() && values.is_empty());
    let mut all: Vec<String> = values.into_iter().map(str::to_owned).chain(current).collect();
    if !all.is_empty() && !all.iter().any(|value| value == "default") {
        all.push("default".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Recorder {
        settings: Settings,
        shown: Vec<String>,
        ignored: Vec<Nick>,
        checked: Vec<Nick>,
    }

    impl SettingsClient for Recorder {
        fn settings(&self) -> &Settings {
            &self.settings
        }

        fn change_setting(&mut self, name: &str, value: &str) -> Result<(), String> {
            self.settings.set(name, value)
        }

        fn list_settings(&mut self) {
            self.shown.push("the list".to_owned());
        }

        fn say(&mut self, text: &str) {
            self.shown.push(text.to_owned());
        }

        fn set_ignored(&mut self, account: &Nick, ignored: bool) -> Result<IgnoreScope, String> {
            self.ignored.retain(|known| known != account);
            if ignored {
                self.ignored.push(account.clone());
            }
            Ok(IgnoreScope::AllDevices)
        }

        fn ignored(&self) -> Vec<Nick> {
            self.ignored.clone()
        }

        fn refused_watches(&self) -> Vec<Nick> {
            Vec::new()
        }

        fn own_nick(&self) -> Option<Nick> {
            Nick::parse("alice").ok()
        }

        fn check_account(&mut self, account: &Nick, _then: String) {
            self.checked.push(account.clone());
        }

        fn current_key(&self) -> Result<ConversationKey, String> {
            "home/#lobby".parse().map_err(|_| "no conversation".to_owned())
        }
    }

    #[test]
    fn settings_are_listed_shown_changed_and_reset() {
        let mut client = Recorder::default();
        for (args, expected) in [
            ("", "the list"),
            ("bell", "bell is true (default) — ring the terminal's bell for a notification"),
            ("bell off", "bell is false — ring the terminal's bell for a notification"),
            ("bell default", "bell is true (default) — ring the terminal's bell for a notification"),
            ("keys.search \"\"", "keys.search is nothing — search the history"),
            (
                "time_format  \"%H:%M %p\" ",
                "time_format is %H:%M %p — times: 24h, 12h, seconds, or a pattern of strftime such as %H:%M:%S",
            ),
        ] {
            execute_settings_command(parse_set(args), &mut client).expect(args);
            assert_eq!(client.shown.pop().as_deref(), Some(expected));
        }
        let error = execute_settings_command(parse_set("tehme"), &mut client).expect_err("unknown");
        assert_eq!(error, "there is no setting tehme; did you mean theme?");
        let error = execute_settings_command(parse_set("tehme dark"), &mut client).expect_err("unknown");
        assert_eq!(error, "there is no setting tehme; did you mean theme?");
    }

    #[test]
    fn level_of_the_current_conversation_is_shown_and_changed() {
        let mut client = Recorder::default();
        for (args, expected) in [
            ("", "mentions notify you in #lobby on this device, as in other channels;"),
            ("nothing", "nothing notifies you in #lobby on this device; /notify default undoes that;"),
            ("all", "all messages notify you in #lobby on this device; /notify default undoes that;"),
            ("default", "mentions notify you in #lobby on this device, as in other channels;"),
            ("off", "nothing notifies you in #lobby on this device; /notify default undoes that;"),
            ("on", "mentions notify you in #lobby on this device, as in other channels;"),
        ] {
            execute_settings_command(parse_notify(args).expect(args), &mut client).expect(args);
            assert!(client.shown.pop().is_some_and(|text| text.starts_with(expected)), "{args}");
        }
        assert_eq!(client.settings, Settings::default());
        for word in ["mention", "Nothings"] {
            let expected = "choose one of all, mentions, nothing or default".to_owned();
            assert_eq!(parse_notify(word), Err(expected), "{word}");
        }
        let error = parse_notify("zoe").expect_err("no level");
        assert!(error.ends_with("or default; /watch zoe tells you when zoe comes online"), "{error}");
    }

    #[test]
    fn accounts_are_ignored_listed_and_shown_again() {
        let mut client = Recorder::default();
        let mut run = |args: &str, ignore| {
            let done =
                parse_ignore(args, ignore).and_then(|command| execute_settings_command(command, &mut client));
            done.map_or_else(|error| error, |()| client.shown.pop().unwrap_or_default())
        };
        assert!(run("", true).starts_with("you ignore nobody"));
        assert!(run("bob", true).starts_with("messages of bob are hidden on all your devices"));
        assert!(run("", true).starts_with("you ignore bob;"));
        assert_eq!(run("Alice", true), "this is your own name");
        assert_eq!(run("carol", false), "you do not ignore carol; /ignore lists whom you ignore");
        assert_eq!(run("bob", false), "messages of bob are shown again on all your devices");
        assert_eq!(run("", false), "whose messages?");
        assert!(run("#lobby", true).starts_with("this cannot be an account's name"));
        assert!(client.checked.is_empty(), "the server refuses to ignore nobody");
    }

    #[test]
    fn do_not_disturb_takes_a_duration() {
        assert_eq!(parse_do_not_disturb(""), Ok(DoNotDisturbChange::On));
        assert_eq!(parse_do_not_disturb("1h 30m"), Ok(DoNotDisturbChange::For(5_400_000)));
        assert_eq!(parse_do_not_disturb("off"), Ok(DoNotDisturbChange::Off));
        assert!(parse_do_not_disturb("soon").is_err() && parse_do_not_disturb("3 years").is_err());
    }

    #[test]
    fn values_are_completed() {
        let settings = Settings::default();
        assert_eq!(complete_value(&settings, "bell"), ["true", "false", "default"]);
        assert_eq!(complete_value(&settings, "keys.search"), ["Ctrl-F", "default"]);
        assert!(complete_value(&settings, "tehme").is_empty());
    }
}
