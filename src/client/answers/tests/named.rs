//! Tests of what is said about accounts that a request names: whether they exist, and whom a ban holds.

use super::*;

#[test]
fn a_name_without_an_account_is_named_with_the_remedy() {
    let change =
        |words: &str| in_lobby(ChannelRequest::Change(words.split(' ').map(str::to_owned).collect()));
    let Answer::Sentence(text) = answer_to_lines(
        change("+b nobody!*@*"),
        &[
            &["@label=2 :alice!u@h MODE #lobby +b nobody!*@*"],
            &["@label=3 :srv 315 alice nobody :End"],
            NO_EXCEPTIONS,
        ],
    ) else {
        panic!("a sentence")
    };
    assert!(text.starts_with("no such account: nobody; check the name") && text.contains("/unban"), "{text}");
    let known: &[&[&str]] = &[
        &["@label=2 :alice!u@h MODE #lobby +b bob!*@*"],
        &[
            "@label=3 :srv BATCH +w labeled-response",
            "@batch=w :srv 354 alice 7 * Bob D 0 :Bob",
            "@batch=w :srv 315 alice bob :End",
            ":srv BATCH -w",
        ],
        NO_EXCEPTIONS,
    ];
    assert_eq!(answer_to_lines(change("+b bob!*@*"), known), Answer::Nothing);
    // A mask of several, and a name that is taken off the list, are not looked up.
    for words in ["+b *!*@host", "-b nobody!*@*", "+o bob"] {
        let done: &[&[&str]] =
            &[&["@label=2 :alice!u@h MODE #lobby +o bob"], &["@label=3 :srv 349 alice #lobby :End"]];
        assert_eq!(answer_to_lines(change(words), done), Answer::Nothing, "{words}");
    }
    let watched = || ServerRequest::Existence {
        account: Nick::parse("nobody").expect("a nick"),
        then: "/unwatch nobody ends it".to_owned(),
    };
    let text = Answer::Sentence("no such account: nobody; /unwatch nobody ends it".to_owned());
    assert_eq!(answer_to_lines(watched(), &[&["@label=2 :srv 315 alice nobody :End"]]), text);
    // A refusal, as by a rate limit, tells nothing.
    let refused: &[&[&str]] = &[&["@label=2 FAIL WHO TEMPORARILY_UNAVAILABLE :busy"]];
    assert_eq!(answer_to_lines(watched(), refused), Answer::Nothing);
}

/// The reply to the query for the exceptions from bans, which follows that for one account.
const NO_EXCEPTIONS: &[&str] = &["@label=4 :srv 349 alice #lobby :End"];

/// Names of the members of #lobby, with a status each.
const NAMES: &[&str] =
    &[":srv 353 alice = #lobby :alice +bob carol %dave ~erin", ":srv 366 alice #lobby :End"];

#[test]
fn a_ban_says_whom_it_does_not_hold() {
    // One who is there may read on, and a status lets one write.
    let noted = |words: &str, flags: &str| {
        let name = words.split(&[' ', '!']).nth(1).unwrap_or_default().trim_start_matches("m:");
        let who = format!("@batch=w :srv 354 alice 7 * {name} {flags} 0 :{name}");
        let names = NAMES[0].replace(":alice", ":@alice");
        let lines: &[&[&str]] = &[
            &[&names, NAMES[1]],
            &[&format!("@label=2 :alice!u@h MODE #lobby {words}")],
            &[
                "@label=3 :srv BATCH +w labeled-response",
                &who,
                "@batch=w :srv 315 alice x :End",
                ":srv BATCH -w",
            ],
            NO_EXCEPTIONS,
        ];
        let change = ChannelRequest::Change(words.split(' ').map(str::to_owned).collect());
        match answer_to_lines(in_lobby(change), lines) {
            Answer::Sentence(text) => text,
            other => panic!("{words}: {other:?}"),
        }
    };
    for (words, flags, expected) in [
        ("+b carol!*@*", "H", "carol stays in #lobby and reads along; /kick carol removes them"),
        (
            "+b bob!*@*",
            "H",
            "bob has voice in #lobby and writes in spite of a ban; /devoice bob takes that status",
        ),
        (
            "+b m:dave!*@*",
            "H",
            "dave is a half-operator of #lobby and writes in spite of a mute; /dehalfop dave takes that status",
        ),
        ("+b erin!*@*", "H", "erin is a founder of #lobby, whom no ban holds"),
        ("+b m:zoe!*@*", "H*", "zoe is an admin of the server, whom no mute holds"),
    ] {
        assert_eq!(noted(words, flags), expected);
    }
}

#[test]
fn joining_where_one_is_says_what_keeps_from_writing() {
    let joined = |bans: &[&str], exceptions: &[&str]| {
        let mut lines = vec!["@label=2 :srv BATCH +r labeled-response".to_owned()];
        let ban = |mask: &&str| format!("@batch=r :srv 367 alice #lobby {mask} bob 1700000000");
        lines.extend(bans.iter().map(ban));
        lines.extend(["@batch=r :srv 368 alice #lobby :End".to_owned(), ":srv BATCH -r".to_owned()]);
        let names = NAMES.iter().map(|&line| line.to_owned());
        let exceptions = exceptions.iter().map(|mask| format!("@batch=e :srv 348 alice #lobby {mask} bob 1"));
        let begin = "@label=3 :srv BATCH +e labeled-response".to_owned();
        let exceptions = [begin].into_iter().chain(exceptions).chain([":srv BATCH -e".to_owned()]);
        let lines: Vec<String> = names.chain(lines).chain(exceptions).collect();
        match answer_with_lines(in_lobby(ChannelRequest::OwnBan), &lines) {
            Answer::Sentence(text) => text,
            other => panic!("{bans:?}: {other:?}"),
        }
    };
    for (bans, expected) in [
        (&["carol!*@*", "x*!*@*"][..], "you are in #lobby already"),
        (&["m:carol!*@*", "m:Al*!*@*"], "you are muted in #lobby and may only read; ask one of"),
        (&["m:alice!*@*", "a:alice"], "you are banned in #lobby and may only read; ask one of"),
    ] {
        let text = joined(bans, &["carol!*@*"]);
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(joined(bans, &["a:alice"]), "you are in #lobby already");
    }
}

/// Answers a request of alice, an operator of #lobby, where carol is excepted from bans, and dave and all whose name
/// begins with `er` too.
fn with_exceptions(request: ServerRequest, lines_before: &[&[&str]], label: u8) -> Answer {
    let names = [":srv 353 alice = #lobby :@alice bob carol dave erin ernie", NAMES[1]];
    let begin = format!("@label={label} :srv BATCH +e labeled-response");
    let exceptions: &[&str] = &[
        &begin,
        "@batch=e :srv 348 alice #lobby carol!*@* bob 1",
        "@batch=e :srv 348 alice #lobby a:dave bob 1",
        "@batch=e :srv 348 alice #lobby er*!*@* bob 1",
        "@batch=e :srv 349 alice #lobby :End",
        ":srv BATCH -e",
    ];
    let lines: Vec<&[&str]> =
        [&names[..]].into_iter().chain(lines_before.iter().copied()).chain([exceptions]).collect();
    answer_to_lines(request, &lines)
}

#[test]
fn a_ban_says_who_is_excepted_from_it() {
    let change =
        |words: &str| in_lobby(ChannelRequest::Change(words.split(' ').map(str::to_owned).collect()));
    for (words, expected) in [
        (
            "+b carol!*@*",
            "carol is excepted from bans in #lobby, so no ban holds them; /mode #lobby -e carol!*@* ends the exception",
        ),
        (
            "+b m:dave!*@*",
            "dave is excepted from bans in #lobby, so no mute holds them; /mode #lobby -e a:dave ends",
        ),
        (
            "+b erin!*@*",
            "erin is excepted from bans in #lobby by er*!*@*, so no ban holds them; /mode #lobby -e er*!*@*",
        ),
        (
            "+b er*!*@*",
            "erin, ernie are excepted from bans in #lobby, so it does not hold for them; /bans lists the exceptions",
        ),
        ("+b *!*@*", "carol, dave, erin and others are excepted from bans in #lobby"),
        ("+b d*!*@*", "dave is excepted from bans in #lobby"),
    ] {
        let name = words.split(&[' ', '!']).nth(1).unwrap_or_default().trim_start_matches("m:");
        let done = format!("@label=2 :alice!u@h MODE #lobby {words}");
        let who = format!("@label=3 :srv 354 alice 7 * {name} H 0 :{name}");
        let is_mask = name.contains('*');
        // Before the ban, as what speaks against it, and after it.
        let asked = if is_mask { vec![] } else { vec![who.replace("@label=3", "@label=2")] };
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let look_up = ServerRequest::LookUp(Box::new(change(words)));
        match with_exceptions(look_up, &[&asked], if is_mask { 2 } else { 3 }) {
            Answer::Doubts { doubts, .. } => {
                assert!(doubts.len() == 1 && doubts[0].starts_with(expected), "{words}: {doubts:?}");
            }
            other => panic!("{words}: {other:?}"),
        }
        let lines: Vec<&str> = if is_mask { vec![&done] } else { vec![&done, &who] };
        match with_exceptions(change(words), &[&lines], if is_mask { 3 } else { 4 }) {
            Answer::Sentence(text) => assert!(text.starts_with(expected), "{words}: {text}"),
            other => panic!("{words}: {other:?}"),
        }
    }
    let who = "@label=3 :srv 354 alice 7 * bob H 0 :bob";
    let done = "@label=2 :alice!u@h MODE #lobby +b bob!*@*";
    let text = Answer::Sentence("bob stays in #lobby and reads along; /kick bob removes them".to_owned());
    assert_eq!(with_exceptions(change("+b bob!*@*"), &[&[done, who]], 4), text);
}

#[test]
fn whom_a_half_operator_cannot_unrank_is_not_said_to_be_unranked_by_them() {
    let names: &[&str] = &[":srv 353 alice = #lobby :%alice +bob @carol", NAMES[1]];
    for (name, expected) in [
        ("bob", "bob has voice in #lobby and writes in spite of a ban; /devoice bob takes that status"),
        (
            "carol",
            "carol is an operator of #lobby and writes in spite of a ban; ask one of its operators to take that status \
             (/names #lobby)",
        ),
    ] {
        let change = ChannelRequest::Change(vec!["+b".to_owned(), format!("{name}!*@*")]);
        let done = format!("@label=2 :alice!u@h MODE #lobby +b {name}!*@*");
        let who = format!("@label=3 :srv 354 alice 7 * {name} H 0 :{name}");
        let lines: &[&[&str]] = &[names, &[&done, &who], NO_EXCEPTIONS];
        assert_eq!(answer_to_lines(in_lobby(change), lines), Answer::Sentence(expected.to_owned()));
    }
}
