//! Line length: no line over 512 bytes goes to a session that did not negotiate longer ones, whatever it or others
//! send.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

use super::driver::Driver;
use super::simulation::seed::Seed;
use crate::core::SessionId;
use crate::core::effects::history::HistoryMessage;
use crate::core::effects::playback::{Batch, HistoryReader};
use crate::core::record::{Record, StoredMessage};
use crate::wire::splitting::MAX_LINE_BYTES;

/// Limit of tags, in bytes (<https://ircv3.net/specs/extensions/message-tags#size-limit>).
const TAGS: usize = 8191;

const CAPS: [&str; 6] = [
    "",
    "echo-message",
    "message-tags server-time account-tag multi-prefix userhost-in-names away-notify",
    "labeled-response batch echo-message message-tags extended-join setname invite-notify",
    "batch message-tags labeled-response draft/metadata-3 draft/channel-rename draft/message-redaction",
    "batch draft/multiline echo-message message-tags labeled-response draft/chathistory",
];

/// Every command of a logged-in client. `%` stands for a word, `$` for text.
const COMMANDS: [&str; 59] = [
    "PRIVMSG #a :$",
    "PRIVMSG bo :$",
    "PRIVMSG @#a :$",
    "PRIVMSG % :$",
    "PRIVMSG #a :\u{1}ACTION $\u{1}",
    "PRIVMSG #a :\u{1}VERSION $\u{1}",
    "PRIVMSG NickServ :$",
    "PRIVMSG echo :$",
    "NOTICE #a :$",
    "@+draft/react=% TAGMSG #a",
    "JOIN #a",
    "JOIN #a,#b,%",
    "JOIN %",
    "PART #a :$",
    "PART %",
    "TOPIC #a :$",
    "TOPIC #a",
    "TOPIC %",
    "KICK #a bo :$",
    "KICK % %",
    "AWAY :$",
    "SETNAME :$",
    "MODE #a +b %!%@%",
    "MODE #a +bbbeeI-o+vh a!b@c d!e@f g!h@i a:% *!*@%",
    "MODE #a %",
    "MODE #a +m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m\
     +m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m+m-m",
    "MODE #a +qqqqoooovvvv bo bo bo bo bo bo bo bo bo bo bo bo",
    "MODE #a +k %",
    "MODE #a b",
    "MODE %",
    "INVITE bo #a",
    "INVITE % %",
    "KNOCK #a :$",
    "RENAME #a #a :$",
    "RENAME #a %",
    "NAMES #a",
    "NAMES %,%",
    "WHO #a",
    "WHO #a %tcuihsnfdlaor,42",
    "WHO %",
    "WHOIS al",
    "WHOIS %",
    "WHOWAS %",
    "ISON al bo cy al bo cy al bo cy $",
    "USERHOST al bo cy al bo",
    "LIST",
    "LIST %",
    "FILES LIST %",
    "FILES LIST #a %",
    "FILES %",
    "MONITOR + al,bo,cy,%,%",
    "MONITOR S",
    "CHATHISTORY % % %",
    "REDACT #a % :$",
    "MARKREAD % timestamp=%",
    "METADATA * SET % :$",
    "METADATA #a SET note :$",
    "CAP REQ :% %",
    "% % % :$",
];

/// Commands without parameters, chosen at random.
const PARAMETERLESS_COMMANDS: [&str; 16] = [
    "MOTD",
    "LUSERS",
    "VERSION",
    "ISUPPORT",
    "INFO",
    "ADMIN",
    "TIME",
    "HELP",
    "STATS",
    "LIST",
    "AWAY",
    "MONITOR L",
    "CAP LS 302",
    "CAP LIST",
    "NS HELP",
    "METADATA * LIST",
];

fn text(rng: &mut SmallRng, most: usize) -> String {
    const PARTS: [&str; 12] =
        ["a", "word", " ", "ü", "👨‍👩‍👧‍👦", "会议", "\u{3}04,12", "\u{2}", "é", "x\u{301}", ":", "🇦🇧"];
    let length = *[0, 1, 20, 390, 500, 512, 700, most].choose(rng).expect("one");
    let mut text = String::new();
    while text.len() < length.min(most) {
        text.push_str(PARTS.choose(rng).expect("one"));
    }
    text
}

fn word(rng: &mut SmallRng) -> String {
    const WORDS: [&str; 8] = ["al", "bo", "#a", "#b", "+k", "LATEST", "*", "sasl"];
    if rng.random_range(0..2) == 0 {
        return (*WORDS.choose(rng).expect("one")).to_owned();
    }
    let start = ["", "#", "+", "x!"].choose(rng).expect("one");
    let rest: String = text(rng, 900).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    format!("{start}{}", if rest.is_empty() { "x" } else { rest.trim_start_matches(':') })
}

fn fill(rng: &mut SmallRng, pattern: &str) -> String {
    let mut line = String::new();
    for c in pattern.chars() {
        match c {
            '%' => line.push_str(&word(rng)),
            '$' => line.push_str(&text(rng, 1900)),
            c => line.push(c),
        }
    }
    line
}

fn check(got: &str, context: &str) {
    for line in got.split_inclusive("\r\n") {
        let (tags, body) = match line.strip_prefix('@') {
            Some(rest) => rest.split_once(' ').expect("a line behind the tags"),
            None => ("", line),
        };
        assert!(
            line.ends_with("\r\n") && !body.trim_end_matches("\r\n").contains(['\r', '\n', '\0']),
            "{line:?}"
        );
        assert!(body.len() <= MAX_LINE_BYTES, "{} bytes to {context}: {line}", body.len());
        assert!(tags.len() <= TAGS, "{} bytes of tags to {context}: {line}", tags.len());
    }
}

fn run(seed: u64) {
    let named = Seed(seed);
    let mut rng = named.rng();
    let mut d = Driver::new();
    d.core.settings.upload_url = Some("https://h/upload".into());
    d.core.settings.motd = vec!["long line ".repeat(100), "short".to_owned()];
    d.core.settings.network = "N".repeat(200).into();
    if seed % 2 == 1 {
        d.core.settings.server_name =
            crate::wire::ServerName::parse(&format!("{}.example", "s".repeat(55))).expect("a name");
    }
    let mut sessions: Vec<(SessionId, &str)> = Vec::new();
    for name in ["al", "bo", "cy"] {
        for caps in CAPS {
            let session = d.open_with_burst(name, caps);
            sessions.push((session, caps));
            d.send_line(session, "JOIN #a");
        }
    }
    for _ in 0..1500 {
        let (session, _) = sessions[rng.random_range(0..sessions.len())];
        let pattern = if rng.random_range(0..8) == 0 {
            PARAMETERLESS_COMMANDS.choose(&mut rng)
        } else {
            COMMANDS.choose(&mut rng)
        };
        let mut line = fill(&mut rng, pattern.expect("one"));
        if rng.random_range(0..3) == 0 && !line.starts_with('@') {
            line.insert_str(0, "@label=x ");
        }
        // Lines that do not parse never reach the core.
        if crate::wire::Message::parse(&line).is_none() {
            continue;
        }
        let own = d.send_line(session, &line);
        let mut all: Vec<(SessionId, String)> = vec![(session, own)];
        all.extend(sessions.iter().map(|&(other, _)| (other, d.take_output(other))));
        for (to, got) in all {
            let caps = sessions.iter().find(|(known, _)| *known == to).expect("known").1;
            if !d.core.sessions.get(&to).is_some_and(|known| known.caps.allows_long_lines()) {
                check(&got, &format!("{caps:?} after {line:.300}"));
            }
        }
    }
    // The same messages, as the history returns them later.
    let messages = std::mem::take(&mut d.records).into_iter().filter_map(|record| match record {
        Record::Message(message) => Some(message),
        _ => None,
    });
    let stored: Vec<StoredMessage> = messages.collect();
    let nick = crate::wire::Nick::parse("al").expect("a nick");
    for &(session, caps) in &sessions {
        let Some(known) = d.core.sessions.get(&session).filter(|known| !known.caps.allows_long_lines())
        else {
            continue;
        };
        let reader = HistoryReader {
            server: crate::wire::ServerName::default(),
            account: known.account,
            nick: nick.clone(),
            caps: known.caps,
            times: d.core.times.clone(),
        };
        let page = || {
            stored.iter().map(|message| {
                (
                    HistoryMessage {
                        message: message.clone(),
                        from: nick.clone(),
                        is_bot: false,
                        is_context: false,
                        files: Vec::new(),
                    },
                    "#a".into(),
                )
            })
        };
        let batch = Batch { kind: "chathistory", param: Some("#a"), is_last: false };
        for out in [reader.render_batch(batch, None, page()), reader.render_replay(page())] {
            check(&out, caps);
        }
    }
}

#[test]
fn no_line_exceeds_session_line_limit() {
    for seed in 0..12 {
        run(seed);
    }
}
