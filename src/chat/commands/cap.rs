//! CAP, before and after the login
//! ([capability negotiation](https://ircv3.net/specs/extensions/capability-negotiation)).

use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::sasl::MECHANISMS;
use crate::wire::numeric::{ERR_INVALIDCAPCMD, ERR_NEEDMOREPARAMS};
use crate::wire::{Cap, CapSet, Reply};

/// CAP
pub const SPEC: Spec = Spec {
    name: "CAP",
    least: 1,
    parse: |m| Ok(Command::Negotiate(Negotiate(m.params().iter().map(|&p| p.into()).collect()))),
};

/// A CAP after the login.
#[derive(Debug)]
pub struct Negotiate(Vec<Box<str>>);

impl Negotiate {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        let params: Vec<&str> = self.0.iter().map(|param| &**param).collect();
        let mut caps = cx.member.caps;
        let answer = negotiate(&params, cx.member.nick.as_str(), &mut caps);
        for reply in answer.replies {
            cx.reply(reply);
        }
        if caps != cx.member.caps {
            cx.chat.set_caps(cx.member.session, caps);
        }
    }
}

/// What a CAP means for the welcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negotiation {
    /// It waits for CAP END.
    Holds,
    /// CAP END came.
    Ends,
}

/// The answer to a CAP.
#[derive(Debug)]
pub struct Answer {
    /// What the client hears.
    pub replies: Vec<Reply>,
    /// What it means before the login.
    pub negotiation: Option<Negotiation>,
}

/// Answers a CAP of a client that is known as `nick`, and changes its capabilities.
pub fn negotiate(params: &[&str], nick: &str, caps: &mut CapSet) -> Answer {
    let reply = |sub: &str| Reply::command("CAP").arg(nick).arg(sub);
    let sub = params.first().map(|sub| sub.to_ascii_uppercase()).unwrap_or_default();
    let (replies, negotiation) = match sub.as_str() {
        "LS" => {
            let modern = params.get(1).and_then(|v| v.parse::<u32>().ok()).is_some_and(|v| v >= 302);
            if modern {
                *caps = caps.with(Cap::CapNotify).with_302();
            }
            (vec![reply("LS").text(offer(modern))], Some(Negotiation::Holds))
        }
        "LIST" => (vec![reply("LIST").text(caps.to_string())], None),
        "REQ" => {
            let wanted = params.get(1).copied().unwrap_or_default();
            let answer = match request(wanted, *caps) {
                Some(agreed) => {
                    *caps = agreed;
                    reply("ACK")
                }
                None => reply("NAK"),
            };
            (vec![answer.text(wanted)], Some(Negotiation::Holds))
        }
        "END" => (vec![], Some(Negotiation::Ends)),
        "" => (vec![Reply::numeric(ERR_NEEDMOREPARAMS).arg("CAP").text("Not enough parameters")], None),
        other => (vec![Reply::numeric(ERR_INVALIDCAPCMD).arg(other).text("Invalid CAP command")], None),
    };
    Answer { replies, negotiation }
}

/// The capabilities on offer; with their values for clients that know version 302.
fn offer(modern: bool) -> String {
    let mut line = String::new();
    for cap in Cap::ALL {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(cap.name());
        if modern {
            line.push_str(match cap {
                Cap::Sasl => "=",
                Cap::AccountRegistration => "=before-connect,custom-account-name",
                _ => "",
            });
            if *cap == Cap::Sasl {
                line.push_str(MECHANISMS);
            }
        }
    }
    line
}

/// The capabilities after a request: all of it or, where one is unknown, nothing.
fn request(wanted: &str, caps: CapSet) -> Option<CapSet> {
    wanted.split(' ').filter(|word| !word.is_empty()).try_fold(caps, |caps, word| {
        match word.strip_prefix('-') {
            // Who knows 302 keeps it: the specification's "cap-notify".
            Some("cap-notify") if caps.knows_302() => Some(caps),
            Some(name) => Cap::parse(name).map(|cap| caps.without(cap)),
            None => Cap::parse(word).map(|cap| caps.with(cap)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(caps: &mut CapSet, params: &[&str]) -> String {
        let answer = negotiate(params, "al", caps);
        answer.replies.iter().map(|r| r.render("s", "al")).collect()
    }

    #[test]
    fn values_are_for_clients_that_know_302() {
        let mut caps = CapSet::EMPTY;
        assert!(ask(&mut caps, &["LS"]).contains(" sasl server-time"));
        assert!(!caps.has(Cap::CapNotify));
        assert_eq!(ask(&mut caps, &["REQ", "cap-notify"]), ":s CAP al ACK :cap-notify\r\n");
        assert_eq!(ask(&mut caps, &["REQ", "-cap-notify"]), ":s CAP al ACK :-cap-notify\r\n");
        assert!(!caps.has(Cap::CapNotify));
        assert!(ask(&mut caps, &["ls", "302"]).contains(" sasl=PLAIN server-time"));
        ask(&mut caps, &["REQ", "-cap-notify"]);
        assert!(caps.has(Cap::CapNotify));
    }

    #[test]
    fn the_offer_fits_a_line_of_512_bytes() {
        let mut caps = CapSet::EMPTY;
        for version in ["301", "302"] {
            assert!(ask(&mut caps, &["LS", version]).len() <= 512 - 24);
        }
    }

    #[test]
    fn a_request_is_granted_whole_or_not_at_all() {
        let mut caps = CapSet::of(&[Cap::Batch]);
        assert_eq!(ask(&mut caps, &["REQ", "sasl nonsense"]), ":s CAP al NAK :sasl nonsense\r\n");
        assert_eq!(caps, CapSet::of(&[Cap::Batch]));
        assert_eq!(ask(&mut caps, &["REQ", "sasl -batch"]), ":s CAP al ACK :sasl -batch\r\n");
        assert_eq!(caps, CapSet::of(&[Cap::Sasl]));
        assert_eq!(ask(&mut caps, &["LIST"]), ":s CAP al LIST :sasl\r\n");
        assert_eq!(ask(&mut caps, &["FOO"]), ":s 410 al FOO :Invalid CAP command\r\n");
    }
}
