//! Tests of the plain chat on a scripted server.

use jiff::tz::TimeZone;

use super::*;
use crate::client::connect::connection::Endpoint;
use crate::client::connect::fake_server::{FakePeer, FakeServer};
use crate::client::connect::login::PLAIN_CAPS;
use crate::client::input::commands::commands;
use crate::client::model::{ChatMessage, Event, MessageKind};
use crate::client::plain::output::Columns;
use crate::client::settings::Settings;
use crate::client::settings::do_not_disturb::DoNotDisturb;
use crate::client::settings::time_format::TimeFormat;
use crate::wire::{Message, Nick};

const CAPS: &str = "invite-notify draft/message-redaction draft/metadata-3 draft/read-marker soju.im/search";
const BURST: &str = "\r\n:srv 005 alice METADATA=max-keys=8 :are\r\n:alice!alice@h JOIN #lobby";

fn empty_output() -> PlainOutput<Vec<u8>, Vec<u8>> {
    PlainOutput {
        messages: Vec::new(),
        notes: Vec::new(),
        zone: TimeZone::UTC,
        time_format: TimeFormat::default(),
        columns: Columns::default(),
        noted_reason: None,
    }
}

mod waiting;

/// Plain chat of alice, in #lobby, who types.
struct Rig {
    chat: PlainChat<Vec<u8>, Vec<u8>>,
    _peer: FakePeer,
    _server: FakeServer,
}

impl Rig {
    async fn start() -> Self {
        let settings = PlainSettings::new("home".to_owned(), Settings::default(), None);
        Self::start_with(settings, None).await
    }

    async fn start_with(settings: PlainSettings, file: Option<StateFile>) -> Self {
        let server = FakeServer::start().await;
        let endpoint = Endpoint { extra_caps: PLAIN_CAPS, ..server.endpoint() };
        let (session, mut peer) =
            tokio::join!(Session::open(endpoint, None), server.welcome_with_caps(CAPS, BURST));
        let mut chat =
            PlainChat::new(session.expect("logged in"), empty_output(), true).with_settings(settings);
        if let Some(file) = file {
            chat = chat.remember_in(file);
        }
        let answers = async {
            peer.expect_lines(&["PING 1"]).await;
            peer.send(":srv PONG srv 1").await;
        };
        let runs = async {
            while !chat.ready {
                let update = chat.session.next_update().await.expect("alive");
                chat.handle_update(update).expect("shown");
            }
        };
        tokio::join!(answers, runs);
        Self { chat, _peer: peer, _server: server }
    }

    fn receive(&mut self, place: &str, from: &str, id: &str, text: &str) {
        self.receive_answer(place, from, id, text, None);
    }

    fn receive_answer(&mut self, place: &str, from: &str, id: &str, text: &str, reply_to: Option<&str>) {
        let message = ChatMessage {
            conversation: Conversation::parse(place).expect(place),
            from: Nick::parse(from).expect(from),
            mine: from == "alice",
            kind: MessageKind::Text,
            text: text.to_owned(),
            time: current_time(),
            msgid: Some(id.to_owned()),
            reply_to: reply_to.map(str::to_owned),
            files: Vec::new(),
            ticket: None,
        };
        self.chat.handle_event(Event::Message(message)).expect("shown");
    }

    /// Returns what was shown since the last call, messages before notes.
    fn take_shown(&mut self) -> String {
        let output = &mut self.chat.output;
        let shown = [std::mem::take(&mut output.messages), std::mem::take(&mut output.notes)].concat();
        String::from_utf8(shown).expect("UTF-8")
    }

    /// Handles a line of the server.
    fn receive_line(&mut self, line: &str) {
        let message = crate::wire::Message::parse(line).expect(line);
        self.chat.session.model.handle(&message, current_time());
        while let Some(event) = self.chat.session.model.next_event() {
            self.chat.handle_event(event).expect("shown");
        }
    }

    /// Returns what was sent since the last call.
    fn take_sent(&mut self) -> String {
        let mut sent = Vec::new();
        self.chat.session.model.take_output(&mut sent);
        String::from_utf8(sent).expect("UTF-8")
    }

    /// Types a line. Returns what is shown at once.
    fn type_line(&mut self, line: &str) -> String {
        self.take_shown();
        self.take_sent();
        self.chat.handle_line(line);
        self.take_shown()
    }
}

/// Arguments with which a command of the table does something.
fn sample_arguments(name: &str) -> &'static str {
    match name {
        "join" | "knock" => "#den",
        "query" | "whois" | "invite" | "kick" | "ban" | "unban" | "mute-user" | "unmute-user" | "op"
        | "deop" | "halfop" | "dehalfop" | "voice" | "devoice" | "kill" | "ignore" | "unignore" | "watch"
        | "unwatch" => "bob",
        "msg" => "bob hello",
        "search" | "me" | "reply" | "wallops" | "setname" | "draft" => "tea",
        "react" => "tada",
        "rename" => "#tea",
        "key" => "sesame",
        "limit" => "20",
        "oper" => "root hunter2",
        "raw" => "WHO #lobby",
        "ns" => "HELP",
        "theme" => "light",
        "notify" => "all",
        "dnd" => "1h",
        "upload" => "Cargo.toml look",
        _ => "",
    }
}

#[tokio::test]
async fn each_command_does_something_or_says_why_not() {
    for command in commands() {
        let mut rig = Rig::start().await;
        rig.receive("#lobby", "bob", "b1", "shall we?");
        rig.receive("#lobby", "alice", "a1", "yes");
        if command.name == "cancel" {
            rig.chat.session.model.disconnected();
        }
        for before in match command.name {
            "cancel" => &["hello"][..],
            "close" => &["/query bob"],
            "undo" => &["/delete"],
            "unignore" => &["/ignore bob"],
            "unwatch" => &["/watch bob"],
            "send-draft" => &["/draft tea"],
            _ => &[],
        } {
            rig.type_line(before);
        }
        let line = format!("/{} {}", command.name, sample_arguments(command.name));
        let before = rig.chat.conversation.clone();
        let shown = rig.type_line(&line);
        let sent = rig.take_sent();
        let did = !sent.is_empty() || rig.chat.conversation != before || rig.chat.ending != Ending::None;
        assert!(did || !shown.is_empty(), "{line}");
        // One exists to say that something is impossible, and this server has no files.
        let fails = ["edit", "save", "upload"].contains(&command.name);
        assert_eq!(rig.chat.failures, usize::from(fails), "{line}: {shown}");
        let mut words = shown.lines().map(|text| text.trim_start_matches("-- ").split(' ').count());
        assert!(shown.is_empty() || words.any(|count| count > 2), "{line}: {shown}");
        assert!(!shown.contains("needs the full-screen"), "{line}: {shown}");
    }
}

#[tokio::test]
async fn mentions_are_marked_and_ring_as_the_user_chose() {
    let mut settings = Settings::default();
    settings.set("highlights", "tea").expect("words");
    let mut rig = Rig::start_with(PlainSettings::new("home".to_owned(), settings, None), None).await;
    rig.take_shown();
    let hears = |rig: &mut Rig, place: &str, text: &str| {
        rig.receive(place, "bob", "b", text);
        let shown = rig.take_shown();
        (shown.contains("(mention) <bob>"), shown.contains('\u{7}'))
    };
    assert_eq!(hears(&mut rig, "#lobby", "hello"), (false, false));
    assert_eq!(hears(&mut rig, "#lobby", "hello alice"), (true, true));
    assert_eq!(hears(&mut rig, "#lobby", "Tea?"), (true, true));
    assert_eq!(hears(&mut rig, "bob", "hello"), (false, true));
    rig.receive("#lobby", "alice", "a1", "who is there?");
    rig.receive_answer("#lobby", "bob", "b2", "me", Some("a1"));
    assert!(rig.take_shown().contains("(mention) <bob> (to alice: “who is there?”) me"));
    rig.type_line("/notify all");
    assert_eq!(hears(&mut rig, "#lobby", "hello"), (false, true));
    rig.type_line("/mute");
    rig.receive_line(":srv 761 alice #lobby soju.im/muted * :1");
    assert_eq!(hears(&mut rig, "#lobby", "hello alice"), (true, false));
    rig.type_line("/unmute");
    rig.receive_line(":srv 761 alice #lobby soju.im/muted * :0");
    let shown = rig.type_line("/dnd 1h");
    assert!(shown.contains("do not disturb until "), "{shown}");
    assert_eq!(hears(&mut rig, "#lobby", "hello alice"), (true, false));
    rig.type_line("/dnd off");
    assert_eq!(hears(&mut rig, "#lobby", "hello alice"), (true, true));
    rig.type_line("/ignore bob");
    rig.receive("#lobby", "bob", "b3", "alice!");
    assert_eq!(rig.take_shown(), "");
    let shown = rig.type_line("/set highlights milk");
    assert!(shown.contains("highlights is milk"), "{shown}");
    rig.receive("#lobby", "carol", "c1", "milk?");
    assert!(rig.take_shown().contains("(mention) <carol> milk?"));
}

#[tokio::test]
async fn a_program_reads_neither_marks_nor_bells() {
    let mut rig = Rig::start().await;
    rig.chat.interactive = false;
    rig.take_shown();
    rig.receive("#lobby", "bob", "b1", "hello alice");
    let shown = rig.take_shown();
    assert!(shown.ends_with("#lobby <bob> hello alice\n"), "{shown:?}");
}

#[tokio::test]
async fn unfinished_line_is_a_draft_and_the_next_run_offers_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = StateFile::new(folder.path().join("state.toml"));
    let home = || PlainSettings::new("home".to_owned(), Settings::default(), None);
    let mut rig = Rig::start_with(home(), Some(file.clone())).await;
    rig.type_line("/query bob");
    rig.take_sent();
    rig.chat.handle_typed(TypedLine { text: "see you\u{1b}".to_owned(), is_finished: false });
    assert_eq!(rig.take_sent(), "");
    assert!(rig.take_shown().contains("your line was not sent; it is the draft of bob now"));
    rig.type_line("/dnd");
    rig.chat.remembered.keep_last(rig.chat.conversation.as_ref(), current_time()).expect("kept");
    drop(rig);

    let mut rig = Rig::start_with(home(), Some(file.clone())).await;
    let shown = rig.take_shown();
    assert!(shown.contains("now talking to bob"), "{shown}");
    assert!(
        shown.contains("you have a draft in bob; /send-draft sends it, /draft - removes it:\n--   see you")
    );
    assert_eq!(rig.chat.attention.do_not_disturb, Some(DoNotDisturb::On));
    assert!(rig.type_line("/query #lobby").contains("now talking in #lobby"));
    assert!(rig.type_line("/send-draft").contains("there is no draft in #lobby"));
    rig.type_line("/query bob");
    rig.type_line("/send-draft");
    let sent = rig.take_sent();
    assert!(sent.contains("PRIVMSG bob :see you"), "{sent}");
    assert!(rig.type_line("/draft").contains("there is no draft in bob"));
    rig.type_line("/draft /me waves");
    rig.type_line("/send-draft");
    assert!(rig.take_sent().contains("ACTION waves"), "a command is executed");
    drop(rig);

    let mut rig = Rig::start_with(home(), Some(file)).await;
    assert!(!rig.take_shown().contains("draft"), "it was sent");
    // Without a terminal the last line needs no end.
    rig.chat.interactive = false;
    rig.chat.handle_typed(TypedLine { text: "the last line".to_owned(), is_finished: false });
    assert!(rig.take_sent().contains(":the last line"));
}

#[tokio::test]
async fn a_refused_decision_about_an_ignored_account_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = StateFile::new(folder.path().join("state.toml"));
    let home = PlainSettings::new("home".to_owned(), Settings::default(), None);
    let mut rig = Rig::start_with(home, Some(file.clone())).await;
    rig.type_line("/ignore nosuch");
    assert_eq!(file.load(current_time()).expect("loads").ignores.len(), 1);
    let sent = rig.take_sent();
    let label = sent.split(' ').find(|word| word.starts_with("@label=")).expect("a label").to_owned();
    let line = format!("{label} FAIL METADATA INVALID_TARGET nosuch :No such account or channel");
    rig.chat.session.model.handle(&Message::parse(&line).expect("a line"), current_time());
    while let Some(event) = rig.chat.session.model.next_event() {
        rig.chat.handle_event(event).expect("shown");
    }
    let shown = rig.take_shown();
    assert_eq!(shown.matches("there is no account nosuch; check the name").count(), 1, "{shown}");
    assert!(file.load(current_time()).expect("loads").ignores.is_empty());
    assert!(rig.type_line("/ignore").contains("you ignore nobody"));
}

#[tokio::test]
async fn messages_that_are_not_confirmed_are_sent_by_the_next_run_and_failed_ones_are_drafts() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = StateFile::new(folder.path().join("state.toml"));
    let home = || PlainSettings::new("home".to_owned(), Settings::default(), None);
    let mut rig = Rig::start_with(home(), Some(file.clone())).await;
    rig.type_line("first");
    let first = rig.take_sent();
    let failed = Event::Failed {
        ticket: Ticket(99),
        target: Conversation::parse("#lobby").expect("a channel"),
        text: "too soon".to_owned(),
        reason: "moderated".to_owned(),
    };
    rig.chat.handle_event(failed).expect("shown");
    assert!(rig.take_shown().contains("its text is the draft of #lobby now; /send-draft sends it"));
    let failed = Event::Failed {
        ticket: Ticket(98),
        target: Conversation::parse("bob").expect("a person"),
        text: "see you".to_owned(),
        reason: "no".to_owned(),
    };
    rig.chat.handle_event(failed).expect("shown");
    assert!(rig.take_shown().contains("its text is the draft of bob now; /query bob shows it"));
    rig.chat.session.model.disconnected();
    let shown = rig.type_line("second");
    assert!(shown.contains("not connected"), "{shown}");
    drop(rig);

    let mut rig = Rig::start_with(home(), Some(file)).await;
    let shown = rig.take_shown();
    assert!(shown.contains("sending 2 messages of the last run"), "{shown}");
    assert!(shown.contains("you have a draft in #lobby") && shown.contains("too soon"), "{shown}");
    let sent = rig.take_sent();
    assert!(sent.contains(":first") && sent.contains(":second"), "{sent}");
    let send_id = |lines: &str| {
        let line = lines.lines().find(|line| line.contains(":first")).expect("sent").to_owned();
        line.split([';', ' ']).find(|tag| tag.contains("send-id=")).map(str::to_owned)
    };
    assert_eq!(send_id(&sent), send_id(&first));
}
