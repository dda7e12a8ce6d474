//! Tests of the execution of typed lines.

use super::*;
use crate::client::input::ignore::IgnoreScope;
use crate::client::input::parse_line;
use crate::client::settings::Settings;
use crate::client::settings::state::ConversationKey;
use crate::wire::{Cap, CapSet, Nick};

/// A client that records what it is told to do.
struct Recorder {
    model: Model,
    current: Option<Conversation>,
    calls: Vec<String>,
    settings: Settings,
}

impl SettingsClient for Recorder {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn change_setting(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.calls.push(format!("set {name} to {value}"));
        Ok(())
    }

    fn list_settings(&mut self) {
        self.calls.push("settings".to_owned());
    }

    fn say(&mut self, text: &str) {
        self.calls.push(format!("say {text}"));
    }

    fn set_ignored(&mut self, account: &Nick, ignored: bool) -> Result<IgnoreScope, String> {
        self.calls.push(format!("ignore {account}: {ignored}"));
        Ok(IgnoreScope::ThisDevice)
    }

    fn ignored(&self) -> Vec<Nick> {
        Vec::new()
    }

    fn refused_watches(&self) -> Vec<Nick> {
        Vec::new()
    }

    fn own_nick(&self) -> Option<Nick> {
        self.model.me().cloned()
    }

    fn check_account(&mut self, account: &Nick, then: String) {
        self.model.check_account(account, then);
    }

    fn current_key(&self) -> Result<ConversationKey, String> {
        let conversation = self.current.clone().ok_or(Self::NO_CONVERSATION)?;
        Ok(ConversationKey { server: "home".to_owned(), conversation })
    }
}

impl Client for Recorder {
    const NO_CONVERSATION: &'static str = "no conversation";
    const NO_CHANNEL: &'static str = "no channel";

    fn model(&mut self) -> Result<&mut Model, String> {
        Ok(&mut self.model)
    }

    fn current(&self) -> Option<Conversation> {
        self.current.clone()
    }

    fn switch_to(&mut self, conversation: Conversation) {
        self.calls.push(format!("switch to {conversation}"));
        self.current = Some(conversation);
    }

    fn send(&mut self, message: Outgoing) -> Result<(), String> {
        self.calls.push(match message {
            Outgoing::Here(kind, text) => format!("send {kind:?} {text}"),
            Outgoing::To(conversation, text) => format!("send to {conversation}: {text}"),
            Outgoing::Reply(text) => format!("reply {text}"),
            Outgoing::File(path, text) => format!("file {path}: {text}"),
        });
        Ok(())
    }

    fn act_on_message(&mut self, action: MessageAction) -> Result<(), String> {
        self.calls.push(match action {
            MessageAction::React(emoji) => format!("react {emoji}"),
            MessageAction::RedactLast(reason) => format!("redact {reason}"),
            MessageAction::CancelWaiting { all } => format!("cancel, all: {all}"),
        });
        Ok(())
    }

    fn show(&mut self, view: Show) -> Result<(), String> {
        self.calls.push(match view {
            Show::Search(terms) => format!("search {terms}"),
            Show::Members(channel) => format!("members {}", channel.is_some()),
            Show::Topic(channel) => format!("topic {channel}"),
            Show::Help(topic) => format!("help {topic:?}"),
        });
        Ok(())
    }

    fn navigate(&mut self, command: Navigation) -> Result<(), String> {
        self.calls.push(format!("{command:?}"));
        Ok(())
    }

    fn note_change(&mut self, change: OwnChange) {
        self.calls.push(match change {
            OwnChange::Parted(channel) => format!("parted {channel}"),
            OwnChange::Away(message) => format!("away {message}"),
        });
    }

    fn confirm(&mut self, confirmation: Confirmation) {
        self.calls.push(confirmation.question);
    }

    fn undo_redaction(&mut self) -> Result<(), String> {
        self.calls.push("undo".to_owned());
        Ok(())
    }

    fn execute_view_command(&mut self, command: ViewCommand) -> Result<(), String> {
        self.calls.push(format!("{command:?}"));
        Ok(())
    }

    fn quit(&mut self, message: String) -> Result<(), String> {
        self.calls.push(format!("quit {message}"));
        Ok(())
    }
}

/// Executes a line. Returns the calls and the lines for the server.
fn run(line: &str, current: Option<&str>, connected: bool) -> Result<Vec<String>, String> {
    let mut model = Model::new("run".to_owned());
    if connected {
        model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(&[Cap::LabeledResponse]));
        model.take_output(&mut Vec::new());
    }
    let current = current.map(|name| Conversation::parse(name).expect(name));
    let mut client = Recorder { model, current, calls: Vec::new(), settings: Settings::default() };
    execute(parse_line(line)?, &mut client)?;
    let mut output = Vec::new();
    client.model.take_output(&mut output);
    let sent = String::from_utf8(output).expect("UTF-8");
    client.calls.extend(sent.lines().map(str::to_owned));
    Ok(client.calls)
}

#[test]
fn commands_become_lines_and_calls() {
    for (line, expected) in [
        ("", ""),
        ("hi", "send Text hi"),
        ("/me waves", "send Action waves"),
        ("/msg bob hi", "send to bob: hi"),
        ("/reply yes", "reply yes"),
        ("/react tada", "react tada"),
        ("/upload 'a b.png' look at this", "file a b.png: look at this"),
        ("/delete oops", "redact oops"),
        ("/cancel all", "cancel, all: true"),
        ("/search tea", "search tea"),
        ("/list tea", "Channels(\"tea\")"),
        ("/query bob", "switch to bob"),
        ("/join #a #b", "switch to #a|switch to #b|JOIN #a|JOIN #b"),
        ("/join #a tea", "switch to #a|JOIN #a tea"),
        ("/part bye", "parted #lobby|PART #lobby :bye"),
        ("/part #a", "parted #a|PART #a"),
        ("/names #a", "members true"),
        ("/topic", "topic #lobby"),
        ("/topic tea", "@label=2 TOPIC #lobby :tea"),
        ("/away lunch", "away lunch|AWAY :lunch"),
        ("/back", "away |AWAY"),
        ("/whois bob", "@label=2 WHOIS bob|@label=3 WHOWAS bob"),
        ("/invite bob", "@label=2 INVITE bob #lobby|@label=3 MODE alice"),
        ("/kick bob no more", "@label=2 MODE alice"),
        ("/kill bob", "@label=2 MODE alice"),
        ("/undo", "undo"),
        ("/knock #a let me in", "@label=2 KNOCK #a :let me in"),
        ("/files", "@label=2 FILES LIST #lobby"),
        ("/files own", "@label=2 FILES LIST"),
        ("/bans", "@label=2 MODE #lobby b|@label=3 MODE #lobby e|@label=4 MODE #lobby I"),
        ("/mode +o bob", "@label=2 MODE #lobby +o bob"),
        ("/mode", "@label=2 MODE #lobby"),
        ("/mute", "Mute(true)"),
        ("/quit bye", "quit bye"),
        ("/help", "help Overview"),
        ("/help part", "help Command(\"part\")"),
        ("/set", "settings"),
        (
            "/ignore bob",
            "ignore bob: true|say messages of bob are hidden on this device; /unignore bob shows them again",
        ),
        ("/dnd off", "DoNotDisturb(Off)"),
        (
            "/theme light",
            "set theme to light|say theme is auto (default) — colours: dark, light, high-contrast, or auto as the terminal reports",
        ),
    ] {
        let calls = run(line, Some("#lobby"), true).expect(line);
        assert_eq!(calls.join("|"), expected, "{line}");
    }
}

#[test]
fn commands_that_cannot_be_executed_say_why() {
    for (line, current, connected, expected) in [
        ("/query #a", Some("#lobby"), true, "you are not in #a: /join #a"),
        ("/part", Some("bob"), true, Recorder::NO_CHANNEL),
        ("/files", None, true, Recorder::NO_CONVERSATION),
        ("/topic tea", None, true, Recorder::NO_CHANNEL),
        ("/kick bob", None, true, Recorder::NO_CHANNEL),
        ("/part", Some("#lobby"), false, "not connected"),
        ("/away lunch", Some("#lobby"), false, "not connected"),
        ("/whois bob", None, false, "not connected"),
        ("/display-name Ann", None, true, "this server has no display names"),
        ("/kick bob", Some("#lobby"), false, "not connected"),
        (
            "/key mot de passe",
            Some("#lobby"),
            true,
            "a key cannot have spaces, commas or a colon at its start; choose another",
        ),
        (
            "/join #a :x",
            None,
            true,
            "a key cannot have spaces, commas or a colon at its start; choose another",
        ),
        ("/devices revoke 1", None, true, "no such device in the list that was shown; /devices lists them"),
    ] {
        assert_eq!(run(line, current, connected), Err(expected.to_owned()), "{line}");
    }
}
