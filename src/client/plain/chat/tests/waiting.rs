//! Tests of what waits: messages when the user quits, questions, lines before the login.

use super::*;
use crate::client::connect::session::SessionUpdate;

/// Makes alice an operator of #lobby, with others there.
fn make_operator(rig: &mut Rig) {
    rig.receive_line(":srv 353 alice = #lobby :~alice bob carol dave");
    rig.receive_line(":srv 366 alice #lobby :End");
}

#[tokio::test]
async fn a_second_quit_leaves_although_messages_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = StateFile::new(folder.path().join("state.toml"));
    let home = || PlainSettings::new("home".to_owned(), Settings::default(), None);
    let mut rig = Rig::start_with(home(), Some(file.clone())).await;
    rig.chat.session.model.disconnected();
    rig.type_line("first");
    let shown = rig.type_line("/quit good night");
    let expected = "not delivered yet: 1 message. The chat ends once it is; /quit again or Ctrl-C leaves now, and it goes \
                    out at the next start";
    assert!(shown.contains(expected), "{shown}");
    assert!(!rig.chat.is_done());
    rig.type_line("second");
    assert!(!rig.chat.is_done(), "lines are executed meanwhile");
    rig.type_line("/quit");
    assert!(rig.chat.is_done());
    assert_eq!(rig.chat.ending.quit_message(), "good night");
    rig.chat.keep_unsent();
    assert_eq!(file.load(current_time()).expect("loads").unsent.len(), 2);
    drop(rig);

    // The end of the input counts too.
    let mut rig = Rig::start_with(home(), None).await;
    rig.type_line("third");
    rig.chat.end_input();
    let shown = rig.take_shown();
    assert!(shown.contains("Ctrl-C leaves now, and it is lost") && !shown.contains("/quit"), "{shown}");
    assert!(!rig.chat.is_done());
    rig.chat.end_input();
    assert!(rig.chat.is_done());
    let LeftBehind { kept, lost } = rig.chat.left_behind();
    assert_eq!((kept, lost), (0, 1));
}

#[tokio::test]
async fn questions_are_asked_one_after_the_other() {
    let mut rig = Rig::start().await;
    make_operator(&mut rig);
    let shown = rig.type_line("/ban bob");
    assert!(shown.contains("ban bob from #lobby? y and Enter: yes, anything else: no"), "{shown}");
    let shown = rig.type_line("/ban carol");
    assert!(
        shown.contains("one question at a time: this one comes next. First:\n-- ban bob from"),
        "{shown}"
    );
    let shown = rig.type_line("y");
    assert!(shown.starts_with("-- ban carol from #lobby? y and Enter"), "{shown}");
    let sent = rig.take_sent();
    assert!(sent.contains("+b bob!*@*") && !sent.contains("carol"), "{sent}");
    rig.type_line("y");
    let sent = rig.take_sent();
    assert!(sent.contains("+b carol!*@*") && !sent.contains("bob"), "{sent}");
    rig.type_line("y");
    assert!(rig.take_sent().contains("PRIVMSG #lobby :y"), "no question is open");
}

#[tokio::test]
async fn a_line_that_is_no_answer_cancels_the_question_that_was_shown() {
    let mut rig = Rig::start().await;
    make_operator(&mut rig);
    rig.type_line("/kick bob");
    rig.type_line("/kick carol");
    let shown = rig.type_line("hello");
    assert!(rig.take_sent().contains("PRIVMSG #lobby :hello"));
    let cancelled =
        "cancelled, nothing was done: remove bob from #lobby?\n-- remove carol from #lobby? y and";
    assert!(shown.contains(cancelled), "{shown}");
    // An offer of the server comes while a question is open: Enter alone must not accept it.
    rig.chat.ask(Confirmation {
        question: "make an invite link?".to_owned(),
        request: crate::client::model::requests::ServerRequest::CreateInvite(Vec::new()),
        enter_consents: true,
    });
    let shown = rig.type_line("");
    assert_eq!(rig.take_sent(), "");
    assert!(
        shown.contains("nothing was done: remove carol") && shown.contains("make an invite link? Enter or y")
    );
    rig.type_line("/kick dave");
    let shown = rig.type_line("/quit");
    assert!(
        shown.contains("no answer to: make an") && shown.contains("no answer to: remove dave"),
        "{shown}"
    );
}

#[tokio::test]
async fn what_is_typed_before_the_first_connection_waits_for_it() {
    let server = FakeServer::start().await;
    let endpoint = Endpoint { extra_caps: PLAIN_CAPS, ..server.endpoint() };
    let mut chat = PlainChat::new(Session::start(endpoint), empty_output(), true);
    let away = || SessionUpdate::Disconnected {
        reason: "connection refused".to_owned(),
        retry_delay: Duration::from_secs(1),
    };
    chat.handle_update(away()).expect("shown");
    chat.handle_update(away()).expect("shown");
    for line in ["one", "two", "/cancel", "/nosuch", ""] {
        chat.handle_typed(TypedLine { text: line.to_owned(), is_finished: true });
    }
    let notes = String::from_utf8(chat.output.notes.clone()).expect("UTF-8");
    assert_eq!(notes.matches("not connected: connection refused. Trying until").count(), 1, "{notes}");
    assert_eq!(notes.matches("your line waits for the server").count(), 2, "{notes}");
    assert!(notes.contains("cancelled: the line is not sent") && notes.contains("/nosuch"), "{notes}");
    let welcomes = async {
        let mut peer = server.welcome_with_caps(CAPS, BURST).await;
        peer.expect_lines(&["PING 1"]).await;
        peer.send(":srv PONG srv 1").await;
        peer
    };
    let runs = async {
        while !chat.ready {
            let update = chat.session.next_update().await.expect("alive");
            chat.handle_update(update).expect("shown");
        }
    };
    let (_peer, ()) = tokio::join!(welcomes, runs);
    let mut sent = Vec::new();
    chat.session.model.take_output(&mut sent);
    let sent = String::from_utf8(sent).expect("UTF-8");
    assert!(sent.contains("PRIVMSG #lobby :one") && !sent.contains(":two"), "{sent}");
}

#[tokio::test]
async fn what_waited_for_a_connection_in_vain_is_a_draft_or_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = StateFile::new(folder.path().join("state.toml"));
    let home = || PlainSettings::new("home".to_owned(), Settings::default(), None);
    let mut rig = Rig::start_with(home(), Some(file.clone())).await;
    rig.chat.remembered.keep_last(rig.chat.conversation.as_ref(), current_time()).expect("kept");
    drop(rig);

    let server = FakeServer::start().await;
    let session = Session::start(server.endpoint());
    let mut chat =
        PlainChat::new(session, empty_output(), true).with_settings(home()).remember_in(file.clone());
    for line in ["see you", "at noon", "/msg NickServ PASSWD old new"] {
        chat.handle_typed(TypedLine { text: line.to_owned(), is_finished: true });
    }
    chat.handle_line("/quit");
    assert!(!chat.is_done());
    chat.handle_line("/quit");
    assert!(chat.is_done());
    chat.keep_early_lines();
    let notes = String::from_utf8(chat.output.notes.clone()).expect("UTF-8");
    assert!(notes.contains("not sent yet: 3 lines. The chat ends once they are; /quit again"), "{notes}");
    assert!(notes.contains("not sent: 2 lines, the draft of #lobby now"), "{notes}");
    assert!(notes.contains("not sent: /msg NickServ PASSWD ••••"), "{notes}");
    let drafts = file.load(current_time()).expect("loads").drafts;
    assert_eq!(drafts.values().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["see you\nat noon"]);
}

#[tokio::test]
async fn conversation_with_an_account_that_does_not_exist_is_left() {
    let mut rig = Rig::start().await;
    rig.type_line("/query nosuch");
    let sent = rig.take_sent();
    let asked = sent.lines().find(|line| line.contains("WHO nosuch")).expect("asked").to_owned();
    let label = asked.split([' ', ';']).next().expect("a label").to_owned();
    let line = format!("{label} :srv 315 alice nosuch :End of WHO list");
    rig.receive_line(&line);
    let shown = rig.take_shown();
    assert!(shown.contains("no such account: nosuch; check the name"), "{shown}");
    assert!(shown.contains("no current conversation: /channel #lobby or /query NAME"), "{shown}");
    assert!(rig.type_line("for nosuch alone").contains("no current conversation"));
    assert_eq!(rig.take_sent(), "", "it goes to nobody else");
}
