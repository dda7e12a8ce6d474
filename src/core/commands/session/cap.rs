//! CAP before and after the login
//! ([capability negotiation](https://ircv3.net/specs/extensions/capability-negotiation)).

use crate::core::commands::{Command, Spec};
use crate::core::request::sasl::MECHANISMS;
use crate::core::state::context::Context;
use crate::wire::numeric::{ERR_INVALIDCAPCMD, ERR_NEEDMOREPARAMS};
use crate::wire::{Cap, CapSet, Nick, Reply, ServerName};

/// Returns the bytes of capabilities that fit one line of 512 bytes for every nick. Clients of version 301 take no
/// second line, and old ones truncate longer lines. `LIST` is the longer of the two replies.
fn max_list_bytes(server: &ServerName) -> usize {
    512 - ":".len() - server.as_str().len() - " CAP ".len() - Nick::MAX - " LIST * :\r\n".len()
}

/// The CAP command: lists and negotiates capabilities.
pub const SPEC: Spec = Spec {
    name: "CAP",
    min_params: 1,
    parse: |m| Ok(Command::NegotiateCaps(NegotiateCaps(m.params().iter().map(|&p| p.into()).collect()))),
};

/// A CAP after the login.
#[derive(Debug)]
pub struct NegotiateCaps(Vec<Box<str>>);

impl NegotiateCaps {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let params: Vec<&str> = self.0.iter().map(|param| &**param).collect();
        let mut caps = cx.sender.caps;
        let answer = negotiate(&params, (&cx.core.settings.server_name, cx.sender.nick.as_str()), &mut caps);
        for reply in answer.replies {
            cx.reply(reply);
        }
        if caps != cx.sender.caps {
            cx.core.set_caps(cx.sender.session, caps);
        }
    }
}

/// Effect of a CAP on registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationEffect {
    /// Registration waits for CAP END.
    Wait,
    /// CAP END arrived.
    Continue,
}

/// Result of a CAP.
#[derive(Debug)]
pub struct CapResult {
    /// Replies to the client.
    pub replies: Vec<Reply>,
    /// Effect on registration; meaningless after the login.
    pub registration: Option<RegistrationEffect>,
}

/// Handles a CAP of the client known as `nick`, and changes its capabilities.
pub fn negotiate(params: &[&str], (server, nick): (&ServerName, &str), caps: &mut CapSet) -> CapResult {
    let reply = |sub: &str| Reply::command("CAP").arg(nick).arg(sub);
    let sub = params.first().map(|sub| sub.to_ascii_uppercase()).unwrap_or_default();
    let (replies, negotiation) = match sub.as_str() {
        "LS" => {
            let knows_302 = params.get(1).and_then(|v| v.parse::<u32>().ok()).is_some_and(|v| v >= 302);
            if knows_302 {
                *caps = caps.with(Cap::CapNotify).with_version_302();
            }
            let offer = Cap::ALL.iter().map(|&cap| format_cap(cap, knows_302));
            (
                list_replies(&reply("LS"), offer, knows_302, max_list_bytes(server)),
                Some(RegistrationEffect::Wait),
            )
        }
        "LIST" => {
            let on = caps.iter().map(|cap| format_cap(cap, false));
            (list_replies(&reply("LIST"), on, caps.supports_version_302(), max_list_bytes(server)), None)
        }
        "REQ" if params.len() < 2 => {
            let text = "Not enough parameters: CAP REQ needs the capabilities";
            (vec![Reply::numeric(ERR_NEEDMOREPARAMS).arg("CAP").text(text)], None)
        }
        "REQ" => {
            let requested = params.get(1).copied().unwrap_or_default();
            let answer = match apply_request(requested, *caps) {
                Some(new_caps) => {
                    *caps = new_caps;
                    reply("ACK")
                }
                None => reply("NAK"),
            };
            // Old clients truncate longer lines. Several ACKs are one reply.
            let lines = if requested.len() <= max_list_bytes(server) || caps.allows_long_lines() {
                vec![requested.to_owned()]
            } else {
                split_into_lines(
                    requested.split(' ').filter(|word| !word.is_empty()).map(str::to_owned),
                    max_list_bytes(server),
                )
            };
            (lines.iter().map(|line| answer.clone().text(line)).collect(), Some(RegistrationEffect::Wait))
        }
        "END" => (vec![], Some(RegistrationEffect::Continue)),
        "" => (vec![Reply::numeric(ERR_NEEDMOREPARAMS).arg("CAP").text("Not enough parameters")], None),
        other => (vec![Reply::numeric(ERR_INVALIDCAPCMD).arg(other).text("Invalid CAP command")], None),
    };
    CapResult { replies, registration: negotiation }
}

/// Returns the value of a capability, for clients that know version 302.
fn cap_value(cap: Cap) -> Option<&'static str> {
    match cap {
        Cap::Sasl => Some(MECHANISMS),
        Cap::AccountRegistration => Some("before-connect,custom-account-name"),
        Cap::Metadata | Cap::MetadataDraft => Some(crate::core::model::metadata::CAP_VALUE),
        Cap::Multiline => Some(crate::core::commands::message::batch::CAP_VALUE),
        _ => None,
    }
}

/// Formats a capability for a list.
fn format_cap(cap: Cap, with_value: bool) -> String {
    match cap_value(cap).filter(|_| with_value) {
        Some(value) => format!("{}={value}", cap.name()),
        None => cap.name().to_owned(),
    }
}

/// Renders a list as replies. All but the last have a `*`, which announces more; clients that do not know it get one
/// line.
fn list_replies(
    head: &Reply,
    words: impl Iterator<Item = String>,
    knows_302: bool,
    max_bytes: usize,
) -> Vec<Reply> {
    let mut lines =
        if knows_302 { split_into_lines(words, max_bytes) } else { vec![fit_one_line(words, max_bytes)] };
    let last = lines.pop().unwrap_or_default();
    let more = lines.into_iter().map(|line| head.clone().arg("*").text(line));
    more.chain([head.clone().text(last)]).collect()
}

/// Joins all words in order into lines of at most `max_bytes` bytes. A longer word becomes a line of its own.
fn split_into_lines(words: impl Iterator<Item = String>, max_bytes: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= max_bytes => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Joins the words that fit into one line of `max_bytes` bytes, in order. A word that does not fit is left out; shorter
/// ones after it may still fit.
fn fit_one_line(words: impl Iterator<Item = String>, max_bytes: usize) -> String {
    words.fold(String::new(), |mut line, word| {
        let space = if line.is_empty() { "" } else { " " };
        if line.len() + space.len() + word.len() <= max_bytes {
            line.push_str(space);
            line.push_str(&word);
        }
        line
    })
}

/// Returns the capabilities after a request: all of its changes or, if one is unknown, `None`.
fn apply_request(wanted: &str, caps: CapSet) -> Option<CapSet> {
    wanted.split(' ').filter(|word| !word.is_empty()).try_fold(caps, |caps, word| {
        match word.strip_prefix('-') {
            // A client that knows version 302 keeps cap-notify, as the specification demands.
            Some("cap-notify") if caps.supports_version_302() => Some(caps),
            Some(name) => Cap::parse(name).map(|cap| caps.without(cap)),
            None => Cap::parse(word).map(|cap| caps.with(cap)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send_cap(caps: &mut CapSet, params: &[&str]) -> String {
        let answer = negotiate(params, (&ServerName::default(), "al"), caps);
        answer.replies.iter().map(|r| r.render("s", "al")).collect()
    }

    #[test]
    fn cap_values_are_for_version_302_only() {
        let mut caps = CapSet::EMPTY;
        // A client that does not see sasl can't log in, so sasl must be among those that fit.
        let words = |line: String| line.split([' ', ':', '\r']).map(str::to_owned).collect::<Vec<_>>();
        assert!(words(send_cap(&mut caps, &["LS"])).contains(&"sasl".into()));
        assert!(!caps.has(Cap::CapNotify));
        assert_eq!(send_cap(&mut caps, &["REQ", "cap-notify"]), ":s CAP al ACK :cap-notify\r\n");
        assert_eq!(send_cap(&mut caps, &["REQ", "-cap-notify"]), ":s CAP al ACK :-cap-notify\r\n");
        assert!(!caps.has(Cap::CapNotify));
        assert!(words(send_cap(&mut caps, &["ls", "302"])).contains(&"sasl=PLAIN,EXTERNAL".into()));
        send_cap(&mut caps, &["REQ", "-cap-notify"]);
        assert!(caps.has(Cap::CapNotify));
    }

    /// Renders the replies for the client with the longest nick, without line ends.
    fn lines(replies: &[Reply]) -> Vec<String> {
        let render =
            |r: &Reply| r.render(ServerName::default().as_str(), "").trim_end_matches("\r\n").to_owned();
        let lines: Vec<String> = replies.iter().map(render).collect();
        for line in &lines {
            assert!(line.len() <= 510, "{} bytes: {line}", line.len());
        }
        lines
    }

    #[test]
    fn cap_lists_fit_512_bytes() {
        let nick = "x".repeat(Nick::MAX);
        let mut caps = CapSet::from_caps(Cap::ALL);
        let mut ask =
            |params: &[&str]| lines(&negotiate(params, (&ServerName::default(), &nick), &mut caps).replies);
        for params in [&["LS"][..], &["LIST"], &["LS", "301"]] {
            assert_eq!(ask(params).len(), 1, "{params:?}");
        }
        for params in [&["LS", "302"][..], &["LIST"]] {
            let lines = ask(params);
            let listed: Vec<&str> = lines.iter().filter_map(|l| l.split_once(" :")?.1.into()).collect();
            let names = listed.join(" ");
            let names: Vec<&str> = names.split(' ').filter_map(|word| word.split('=').next()).collect();
            assert!(names.iter().copied().eq(Cap::ALL.iter().map(|cap| cap.name())), "{params:?} {names:?}");
        }
        // A client that knows 302 but sends LS without a version gets the form of version 301.
        let again = ask(&["LS"]);
        assert!(again.len() == 1 && !again[0].contains('='), "{again:?}");
    }

    #[test]
    fn long_cap_lists_continue_after_star() {
        let head = Reply::command("CAP").arg("x".repeat(Nick::MAX)).arg("LIST");
        let words = |n: usize| (0..n).map(|i| format!("example.org/{}-{i}", "c".repeat(i % 40)));
        for n in [0, 1, 12, 13, 14, 50, 200] {
            let old = lines(&list_replies(&head, words(n), false, max_list_bytes(&ServerName::default())));
            assert!(old.len() == 1 && !old[0].contains(" * "));
            let lines = lines(&list_replies(&head, words(n), true, max_list_bytes(&ServerName::default())));
            let (last, more) = lines.split_last().expect("a line at least");
            assert!(more.iter().all(|line| line.contains(" LIST * :")) && last.contains(" LIST :"));
            let listed: Vec<&str> = lines.iter().filter_map(|l| l.split_once(" :")?.1.into()).collect();
            assert_eq!(listed.join(" "), words(n).collect::<Vec<_>>().join(" "));
        }
    }

    #[test]
    fn cap_lines_are_filled_to_exact_limit() {
        let words = |text: &'static str| text.split(' ').map(str::to_owned);
        assert_eq!(split_into_lines(words("aa bb cc"), 5), ["aa bb", "cc"]);
        assert_eq!(split_into_lines(words("aa bbb cc"), 5), ["aa", "bbb", "cc"]);
        assert_eq!(split_into_lines(words("a bbbbbbb c"), 5), ["a", "bbbbbbb", "c"]);
        assert_eq!(fit_one_line(words("aa bb cc"), 5), "aa bb");
        assert_eq!(fit_one_line(words("aa bbb c"), 5), "aa c");
        assert_eq!(fit_one_line(words("bbbbbbb c"), 5), "c");
    }

    #[test]
    fn cap_ack_repeats_request_in_lines_that_fit() {
        let nick = "x".repeat(Nick::MAX);
        let wanted = "batch server-time message-tags ".repeat(40);
        let replies = negotiate(
            &["REQ", &wanted],
            (&ServerName::default(), &nick),
            &mut CapSet::EMPTY.with_version_302(),
        )
        .replies;
        let texts =
            lines(&replies).into_iter().map(|line| line.split_once(" ACK :").expect("an ACK").1.to_owned());
        let texts: Vec<String> = texts.collect();
        assert!(texts.len() > 2 && texts.join(" ") == wanted.trim_end(), "{texts:?}");
        let mut caps = CapSet::EMPTY.with_version_302();
        let all = vec![CapSet::from_caps(Cap::ALL).to_string(); 4].join(" ");
        assert_eq!(send_cap(&mut caps, &["REQ", &all]), format!(":s CAP al ACK :{all}\r\n"));
        let wrong = format!("{all} nonsense");
        assert_eq!(send_cap(&mut caps, &["REQ", &wrong]), format!(":s CAP al NAK :{wrong}\r\n"));
    }

    #[test]
    fn cap_req_is_acked_whole_or_nakked() {
        let mut caps = CapSet::from_caps(&[Cap::Batch]);
        assert!(send_cap(&mut caps, &["REQ"]).starts_with(":s 461 al CAP :"));
        assert_eq!(send_cap(&mut caps, &["REQ", "sasl nonsense"]), ":s CAP al NAK :sasl nonsense\r\n");
        assert_eq!(caps, CapSet::from_caps(&[Cap::Batch]));
        assert_eq!(send_cap(&mut caps, &["REQ", "sasl -batch"]), ":s CAP al ACK :sasl -batch\r\n");
        assert_eq!(caps, CapSet::from_caps(&[Cap::Sasl]));
        assert_eq!(send_cap(&mut caps, &["LIST"]), ":s CAP al LIST :sasl\r\n");
        assert_eq!(send_cap(&mut caps, &["FOO"]), ":s 410 al FOO :Invalid CAP command\r\n");
    }
}
