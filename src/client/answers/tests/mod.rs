mod named;

use super::card::CardLine;
use super::*;
use crate::client::model::Event;
use crate::client::model::requests::SecretText;
use crate::wire::{Cap, CapSet, Message, Nick};

fn lobby() -> ChannelName {
    ChannelName::parse("#lobby").expect("a channel")
}

fn in_lobby(request: ChannelRequest) -> ServerRequest {
    ServerRequest::Channel(lobby(), request)
}

/// Answers a request of alice, who is in #lobby, with these replies to its first line; further lines are acknowledged.
fn answer_with(request: ServerRequest, replies: &[&str]) -> Answer {
    let mut lines = vec!["@label=2 :srv BATCH +r labeled-response".to_owned()];
    lines.extend(replies.iter().map(|reply| format!("@batch=r {reply}")));
    lines.push(":srv BATCH -r".to_owned());
    lines.extend((3..6).map(|label| format!("@label={label} :srv ACK")));
    answer_with_lines(request, &lines)
}

/// Answers a request of alice with these lines, those of each command on their own.
fn answer_to_lines(request: ServerRequest, lines: &[&[&str]]) -> Answer {
    let lines: Vec<String> =
        lines.iter().flat_map(|lines| lines.iter()).map(|&line| line.to_owned()).collect();
    answer_with_lines(request, &lines)
}

fn answer_with_lines(request: ServerRequest, lines: &[String]) -> Answer {
    let mut model = Model::new("run".to_owned());
    let feed = |model: &mut Model, line: &str| {
        model.handle(&Message::parse(line).expect(line), Timestamp(1));
        std::iter::from_fn(|| model.next_event()).collect::<Vec<Event>>()
    };
    model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    for line in [":alice!u@h JOIN #lobby", "PONG srv 1"] {
        feed(&mut model, line);
    }
    model.send_request(request).expect("connected");
    let events: Vec<Event> = lines.iter().flat_map(|line| feed(&mut model, line)).collect();
    let answered = events.into_iter().find_map(|event| match event {
        Event::Answered { request, replies } => Some((request, replies)),
        _ => None,
    });
    let (request, replies) = answered.expect("an answer");
    answer(&request, &replies, AnswerContext { zone: &TimeZone::UTC, now: Timestamp(1), model: &model })
}

/// Returns the title and the lines of a card, as the plain chat shows them.
fn card_lines(answer: Answer) -> String {
    let Answer::Card(card) = answer else { panic!("{answer:?}") };
    let mut lines = vec![card.title.clone()];
    lines.extend(card.lines(Some(80), |text| text.chars().count()).into_iter().map(|line| match line {
        CardLine::Heading(line) | CardLine::Text(line) => line,
        CardLine::Field { name, value } => format!("{name}: {value}"),
        CardLine::Secret(secret) => format!("secret {secret}"),
    }));
    lines.join("\n")
}

#[test]
fn whois_is_a_profile() {
    let replies = [
        ":srv 311 alice bob bob parlour * :Bob Builder",
        ":srv 319 alice bob :@#lobby #tools",
        ":srv 312 alice bob chat.parlour :home",
        ":srv 301 alice bob :at lunch",
        ":srv 313 alice bob :is an admin of this server",
        ":srv 671 alice bob :is using a secure connection",
        ":srv 317 alice bob 7300 1700000000 :seconds idle, signon time",
        ":srv 760 alice bob pronouns * :he/him",
        ":srv 760 alice bob parlour/created * :2023-01-02T03:04:05.000Z",
        ":srv 760 alice bob parlour/devices * :2",
        ":srv 330 alice bob :is logged in as",
        ":srv 318 alice bob :End of /WHOIS list",
    ];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::Profile("bob".into()), &replies)));
}

#[test]
fn the_profile_of_a_hook_says_what_it_is_sent() {
    let role = |text: &str| {
        let about = format!(":srv 335 alice out :{text}");
        let replies = [":srv 311 alice out out parlour * :Webhook", &about, ":srv 318 alice out :End"];
        let card = card_lines(answer_with(ServerRequest::Profile("out".into()), &replies));
        card.lines().find_map(|line| line.strip_prefix("Role: ")).expect("a role").to_owned()
    };
    assert_eq!(
        role("is a hook: a program, which has all messages"),
        "hook: a program, which has all messages"
    );
    assert_eq!(role("is a bot on home"), "bot");
}

#[test]
fn whois_of_somebody_offline_or_unknown() {
    let replies = [
        ":srv 401 alice bob :No such nick",
        ":srv 318 alice bob :End",
        ":srv 314 alice bob bob parlour * :Bob Builder",
        ":srv 312 alice bob chat.parlour :2023-01-02T03:04:05.000Z",
        ":srv 369 alice bob :End",
    ];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::Profile("bob".into()), &replies)));
    let profile = |who: &[&str]| {
        let refused =
            ["@label=2 :srv 401 alice bo :No such nick", "@label=3 :srv 406 alice bo :There was none"];
        answer_to_lines(ServerRequest::Profile("bo".into()), &[&refused, who])
    };
    let unknown = profile(&["@label=4 :srv 315 alice bo :End"]);
    assert!(matches!(unknown, Answer::Failure(text) if text.contains("no account is called bo; ")));
    let unused = profile(&[
        "@label=4 :srv BATCH +r labeled-response",
        "@batch=r :srv 354 alice 7 * bo H 0 :Bo Peep",
        "@batch=r :srv 315 alice bo :End",
        ":srv BATCH -r",
    ]);
    assert_eq!(
        card_lines(unused),
        "Profile of bo\nName: bo\nFull name: Bo Peep\nOnline: no, and not seen so far"
    );
}

#[test]
fn who_is_a_table() {
    let replies = [
        ":srv 354 alice 7 #lobby alice H*@ 3 alice",
        ":srv 354 alice 7 #lobby bob G~ 7300 :Bob Builder",
        ":srv 354 alice 7 #lobby carol HB 7300 :Carol",
        ":srv 315 alice #lobby :End",
    ];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::People("#lobby".into()), &replies)));
    let nobody = answer_with(ServerRequest::People("x*".into()), &[":srv 315 alice x* :End"]);
    assert!(matches!(nobody, Answer::Sentence(text) if text.contains("x*")));
}

#[test]
fn bans_are_a_table() {
    let replies = [
        ":srv 367 alice #lobby carol!*@* alice 1700000000",
        ":srv 367 alice #lobby m:dave!*@* alice!a@h 1700000000",
        ":srv 368 alice #lobby :End",
        ":srv 348 alice #lobby *!*@good alice 1700000000",
        ":srv 346 alice #lobby erin!*@* alice 1700000000",
    ];
    insta::assert_snapshot!(card_lines(answer_with(in_lobby(ChannelRequest::Bans), &replies)));
    let none = answer_with(in_lobby(ChannelRequest::Bans), &[":srv 368 alice #lobby :End"]);
    assert!(matches!(none, Answer::Sentence(text) if text.contains("nobody is banned")));
}

#[test]
fn modes_are_sentences() {
    let replies = [":srv 324 alice #lobby +imnkl hunter2 20", ":srv 329 alice #lobby 1700000000"];
    let text = card_lines(answer_with(in_lobby(ChannelRequest::Modes), &replies));
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn devices_and_invites_are_lists() {
    let fingerprint = "ab".repeat(32);
    let device = format!(":srv NOTE CERT CERT {fingerprint} 2023-01-02T03:04:05.000Z * :added");
    let replies = [&*device, ":srv NOTE CERT CERT_LIST :1 certificate may log in"];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::Devices, &replies)));
    let replies = [
        ":srv NOTE INVITES INVITE 3 :Invite 3: one member account, landing in #lobby; used 0 of 1",
        ":srv NOTE INVITES INVITE_LIST :1 invite is open, 2 spent; `parlour invite list` shows all",
    ];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::Invites, &replies)));
    let replies = [
        ":srv NOTE INVITES INVITE_CREATED 3 :Invite 3 creates one member account in #lobby. Link:",
        ":srv NOTE INVITES INVITE_LINK 3 :parlour://192.0.2.7/token",
    ];
    let link = answer_with(ServerRequest::CreateInvite(vec!["CREATE".into()]), &replies);
    assert!(!format!("{link:?}").contains("token"), "the link is hidden from Debug");
    insta::assert_snapshot!(card_lines(link));
}

#[test]
fn files_are_lists_and_a_link_is_a_secret() {
    let lobby = Conversation::parse("#lobby").expect("a channel");
    let id = "k3sVnR0mQ2yq1r8uJ5wX7A";
    let shared = format!(
        ":srv NOTE FILES SHARED #lobby 0000018bcfe56800 2023-01-02T03:04:05.000Z bob {id};image/png;20481;640x480 :my photo.png"
    );
    let replies = [&*shared, ":srv NOTE FILES SHARED_LIST #lobby 0000018bcfe56800 :100 files"];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::SharedFiles(lobby.clone()), &replies)));
    let none =
        answer_with(ServerRequest::SharedFiles(lobby), &[":srv NOTE FILES SHARED_LIST #lobby * :0 files"]);
    assert_eq!(
        none,
        Answer::Sentence("no message in #lobby shares a file; /upload PATH sends one".to_owned())
    );
    let own = format!(":srv NOTE FILES FILE {id} 2048 text/plain 2023-01-02T03:04:05.000Z 1 * :notes.txt");
    let linked = format!(":srv NOTE FILES FILE {id} 1 text/plain 2023-01-02T03:04:05.000Z 0 link :a.txt");
    let replies = [&*own, &*linked, ":srv NOTE FILES FILE_LIST 2049 1073741824 :2 files"];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::OwnFiles, &replies)));
    let replies = [&*format!(":srv NOTE FILES LINK {id} https://192.0.2.7/l/token :Whoever has this link")];
    let link = answer_with(ServerRequest::LinkFile(id.to_owned()), &replies);
    assert!(!format!("{link:?}").contains("token"), "the link is hidden from Debug");
    insta::assert_snapshot!(card_lines(link));
    let refused = answer_with(
        ServerRequest::UnlinkFile(id.to_owned()),
        &[":srv FAIL FILES NO_SUCH_FILE :There is no such file"],
    );
    assert!(matches!(refused, Answer::Failure(text) if text.contains("/files own")));
}

#[test]
fn the_audit_is_a_table() {
    let replies = [
        ":srv NOTE AUDIT ENTRY 2023-01-02T03:04:05.000Z alice :channel kick bob: #lobby: spam",
        ":srv NOTE AUDIT ENTRY 2023-01-01T00:00:00.000Z * :user add alice",
        ":srv NOTE AUDIT AUDIT_LIST :2 entries",
    ];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::Audit(50), &replies)));
}

#[test]
fn motd_and_statistics_are_lines() {
    let replies = [
        ":srv 375 alice :- srv Message of the day -",
        ":srv 372 alice :- Be kind.",
        ":srv 372 alice :-",
        ":srv 372 alice :- Lunch at noon.",
        ":srv 376 alice :End",
    ];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::Motd, &replies)));
    let none = answer_with(ServerRequest::Motd, &[":srv 422 alice :MOTD File is missing"]);
    assert_eq!(none, Answer::Sentence("the server has no message of the day".to_owned()));
    let replies =
        [":srv 242 alice :Server Up 1 days 2:03:04", ":srv 249 alice :3 sessions", ":srv 219 alice u :End"];
    insta::assert_snapshot!(card_lines(answer_with(ServerRequest::Statistics, &replies)));
}

#[test]
fn changes_are_confirmed_in_sentences() {
    let change = || in_lobby(ChannelRequest::Change(vec!["+o".into(), "bob".into()]));
    assert_eq!(answer_with(change(), &[":alice!u@h MODE #lobby +o bob"]), Answer::Nothing);
    let unchanged = Answer::Sentence("bob is an operator in #lobby already".to_owned());
    assert_eq!(answer_with(change(), &[]), unchanged);
    for (request, replies, expected) in [
        (
            in_lobby(ChannelRequest::Invite("bob".into())),
            &[":srv 341 alice bob #lobby"][..],
            "bob is invited to #lobby",
        ),
        (
            in_lobby(ChannelRequest::Invite("bob".into())),
            &[":srv 341 alice bob #lobby", ":srv 301 alice bob :at lunch"],
            "bob is invited to #lobby; they are away: at lunch",
        ),
        (
            ServerRequest::Oper("a".into(), SecretText::new("x")),
            &[":srv 381 alice :You are now"],
            "until this session",
        ),
        (ServerRequest::Rehash, &[":srv 382 alice parlour.toml :Rehashing"], "its certificates again"),
        (
            ServerRequest::Rehash,
            &[
                ":srv 382 alice parlour.toml :Rehashing: reloaded; changed: motd; only after a restart: listen",
            ],
            "certificates again; changed: motd; only after a restart: listen",
        ),
        (ServerRequest::Kill { name: "bob".into(), reason: String::new() }, &[], "bob was disconnected"),
        (ServerRequest::SetName("A B".into()), &[":alice!u@h SETNAME :A B"], "A B"),
        (ServerRequest::RevokeInvite(3), &[":srv NOTE INVITES INVITE_REVOKED 3 :x"], "invite 3 is revoked"),
        (ServerRequest::RevokeDevice(2, "ab".into()), &[":srv NOTE CERT CERT_REMOVED ab :x"], "device 2"),
        (in_lobby(ChannelRequest::Knock(String::new())), &[":srv 711 alice #lobby :delivered"], "were asked"),
    ] {
        let answer = answer_with(request, replies);
        assert!(matches!(&answer, Answer::Sentence(text) if text.contains(expected)), "{answer:?}");
    }
}

#[test]
fn refusals_say_the_remedy_and_an_admin_is_offered_an_invite_link() {
    let refused = answer_with(ServerRequest::Rehash, &[":srv 481 alice :Permission Denied"]);
    assert!(matches!(refused, Answer::Failure(text) if text.contains("ask one of them")));
    let invite = || in_lobby(ChannelRequest::Invite("zoe".into()));
    let refused = answer_with(invite(), &[":srv 401 alice zoe :No such nick", ":srv 221 alice +"]);
    assert!(matches!(&refused, Answer::Failure(text) if text.contains("/invite-link")), "{refused:?}");
    let offered = answer_with(invite(), &[":srv 401 alice zoe :No such nick", ":srv 221 alice +Bo"]);
    let Answer::Offer { request, question, .. } = offered else { panic!("{offered:?}") };
    assert_eq!(request, ServerRequest::CreateInvite(vec!["CREATE".into(), "#lobby".into()]));
    assert!(question.contains("zoe"), "{question}");
    let other = answer_with(invite(), &[":srv 482 alice #lobby :You're not channel operator"]);
    assert!(matches!(other, Answer::Failure(text) if text.contains("#lobby")));
}

#[test]
fn a_refused_knock_or_key_is_a_failure() {
    let knock = || in_lobby(ChannelRequest::Knock(String::new()));
    let key = in_lobby(ChannelRequest::Key(Some(SecretText::new("a,b"))));
    for (request, reply, expected) in [
        (knock(), ":srv 713 alice #lobby :Channel is open", "#lobby is open; /join #lobby"),
        (knock(), ":srv 714 alice #lobby :You're already on that channel", "you are in #lobby already"),
        (key, ":srv 696 alice #lobby k * :Invalid channel key", "that is no valid key"),
    ] {
        let refused = answer_with(request, &[reply]);
        assert!(matches!(&refused, Answer::Failure(text) if text.starts_with(expected)), "{refused:?}");
    }
}

#[test]
fn raw_replies_keep_their_numerics() {
    let raw = || ServerRequest::Raw(SecretText::new("LUSERS"));
    let replies = [":srv 251 alice :There are 2 users", ":srv 461 alice X :Not enough parameters"];
    insta::assert_snapshot!(card_lines(answer_with(raw(), &replies)));
    assert!(matches!(answer_with(raw(), &[]), Answer::Sentence(text) if text.starts_with("sent")));
}

proptest::proptest! {
    /// Whatever a server replies, no answer panics.
    #[test]
    fn any_replies_make_an_answer(replies in proptest::collection::vec("(NOTE (CERT|INVITES) (CERT|INVITE_LINK|INVITE_LIST) |(3[0-9]{2}|760|221|401) alice )[a-z#+*:; ]{0,12}", 0..5)) {
        let replies: Vec<String> = replies.iter().map(|reply| format!(":srv {reply}")).collect();
        let replies: Vec<&str> = replies.iter().map(String::as_str).collect();
        for request in [
            ServerRequest::Profile("bob".into()), ServerRequest::People("*".into()), ServerRequest::Motd,
            ServerRequest::Statistics, ServerRequest::Devices, ServerRequest::Invites,
            ServerRequest::CreateInvite(Vec::new()), ServerRequest::Raw(SecretText::new("X")),
            in_lobby(ChannelRequest::Bans), in_lobby(ChannelRequest::Modes), in_lobby(ChannelRequest::Invite("x".into())),
        ] {
            if let Answer::Card(card) = answer_with(request, &replies) {
                card.lines(Some(40), |text| text.chars().count());
                card.lines(None, |text| text.chars().count());
            }
        }
    }
}

#[test]
fn remedies_fit_the_role() {
    let whois = |modes: &str| {
        let modes = format!(":srv 221 alice {modes}");
        let lines: &[&[&str]] = &[
            &[&modes],
            &[
                "@label=2 :srv 401 alice nosuch :No such nick",
                "@label=3 :srv 406 alice nosuch :There was no such",
            ],
            &["@label=4 :srv 315 alice nosuch :End"],
        ];
        match answer_to_lines(ServerRequest::Profile("nosuch".into()), lines) {
            Answer::Failure(text) => text,
            other => panic!("{other:?}"),
        }
    };
    assert!(whois("+o").ends_with("/invite-link makes a link that creates an account"), "{}", whois("+o"));
    assert!(whois("+").ends_with("an admin can make a link that creates an account"), "{}", whois("+"));
}

#[test]
fn a_knock_that_reaches_nobody_says_whom_to_ask() {
    let den = ChannelName::parse("#den").expect("a channel");
    let knock = |reply: &str| {
        answer_with(ServerRequest::Channel(den.clone(), ChannelRequest::Knock(String::new())), &[reply])
    };
    let Answer::Failure(text) = knock(":srv 403 alice #den :No such channel") else { panic!("a failure") };
    assert!(text.contains("ask somebody who is in it for an /invite") && !text.contains("/join"), "{text}");
    let Answer::Failure(text) = knock(":srv 713 alice #den :Channel is open") else { panic!("a failure") };
    assert_eq!(text, "#den is open; /join #den");
}

#[test]
fn a_refused_mute_or_display_name_is_a_failure() {
    let lobby = Conversation::Channel(lobby());
    for (request, done) in [
        (ServerRequest::Mute(lobby.clone(), true), "#lobby is muted on all your devices"),
        (ServerRequest::Mute(lobby, false), "#lobby is no longer muted"),
        (ServerRequest::DisplayName("Ann".to_owned()), "others see you as Ann"),
        (ServerRequest::DisplayName(String::new()), "others see your nick alone"),
    ] {
        match answer_with(request.clone(), &[":srv 761 alice #lobby key * :1"]) {
            Answer::Sentence(text) => assert!(text.starts_with(done), "{text}"),
            other => panic!("{other:?}"),
        }
        let refused = ["FAIL METADATA LIMIT_REACHED #lobby :You have too many keys"];
        assert!(matches!(answer_with(request, &refused), Answer::Failure(_)));
    }
}
