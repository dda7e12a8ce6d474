//! Questions before requests that cannot be undone.

use crate::client::answers::modes::readable_mask;
use crate::client::model::requests::mode_changes::parse_mode_changes;
use crate::client::model::requests::{ChannelRequest, ServerRequest};
use crate::wire::ChannelName;

/// A request that waits for the user's consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Question, with the question mark.
    pub question: String,
    /// The request to send.
    pub request: ServerRequest,
    /// Set if Enter alone consents too, because the request harms nobody.
    pub enter_consents: bool,
}

impl Confirmation {
    /// Returns the question before a request; `None` for one that needs none.
    pub fn for_request(request: &ServerRequest) -> Option<Self> {
        let question = match request {
            ServerRequest::Channel(channel, request) => channel_question(channel, request)?,
            ServerRequest::Kill { name, .. } => format!("disconnect {name} from the server?"),
            ServerRequest::RevokeDevice(number, fingerprint) => {
                let shown: String = fingerprint.chars().take(16).collect();
                format!("end the access of device {number} ({shown}…) to your account?")
            }
            ServerRequest::RevokeInvite(id) => {
                format!("revoke invite {id}, so that its link is worth nothing?")
            }
            ServerRequest::Redact { .. } => {
                "take back this message of another person, for everybody?".to_owned()
            }
            _ => return None,
        };
        Some(Self { question, request: request.clone(), enter_consents: false })
    }

    /// Returns the question before a request against which something speaks.
    pub fn with_doubts(request: &ServerRequest, doubts: &[String]) -> Option<Self> {
        let mut asked = Self::for_request(request)?;
        if !doubts.is_empty() {
            let question = asked.question.trim_end_matches('?');
            let (first, rest) = question.split_at(question.chars().next().map_or(0, char::len_utf8));
            let first = first.to_uppercase();
            asked.question = format!("{}. {first}{rest} all the same?", doubts.join(". "));
        }
        Some(asked)
    }
}

fn channel_question(channel: &ChannelName, request: &ChannelRequest) -> Option<String> {
    match request {
        ChannelRequest::Kick { name, .. } => Some(format!("remove {name} from {channel}?")),
        ChannelRequest::Change(words) => {
            let banned: Vec<&str> = banned_masks(words).into_iter().map(readable_mask).collect();
            (!banned.is_empty()).then(|| format!("ban {} from {channel}?", banned.join(", ")))
        }
        _ => None,
    }
}

/// Returns the masks that a change of modes bans, without those that only mute. `+b` without a mask lists the bans.
fn banned_masks(words: &[String]) -> Vec<&str> {
    let changes = parse_mode_changes(words);
    let mut bans = changes.iter().filter(|change| change.on && change.letter == 'b').peekable();
    let sets_ban = bans.peek().is_some();
    let mut masks: Vec<&str> = bans.filter_map(|change| change.value).collect();
    // A letter before it may take no parameter on this server; whoever could be banned is asked about.
    if sets_ban && masks.is_empty() {
        masks.extend(words.iter().skip(1).next_back().map(String::as_str));
    }
    masks.retain(|mask| !mask.starts_with("m:"));
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(request: ChannelRequest) -> Option<String> {
        let channel = ChannelName::parse("#lobby").expect("a channel");
        let asked = Confirmation::for_request(&ServerRequest::Channel(channel, request));
        asked.map(|asked| asked.question)
    }

    #[test]
    fn doubts_stand_before_the_question() {
        let kick = ServerRequest::Kill { name: "bob".into(), reason: String::new() };
        let question =
            |doubts: &[String]| Confirmation::with_doubts(&kick, doubts).expect("a question").question;
        assert_eq!(question(&[]), "disconnect bob from the server?");
        let expected = "bob is not online. Disconnect bob from the server all the same?";
        assert_eq!(question(&["bob is not online".to_owned()]), expected);
        assert_eq!(Confirmation::with_doubts(&ServerRequest::Motd, &["no".to_owned()]), None);
    }

    #[test]
    fn what_harms_somebody_asks_first() {
        let change = |words: &str| ChannelRequest::Change(words.split(' ').map(str::to_owned).collect());
        for (request, expected) in [
            (
                ChannelRequest::Kick { name: "bob".into(), reason: String::new() },
                Some("remove bob from #lobby?"),
            ),
            (change("+b bob!*@*"), Some("ban bob from #lobby?")),
            (change("-o+b bob"), Some("ban bob from #lobby?")),
            (change("+b m:bob!*@*"), None),
            (change("-b bob!*@*"), None),
            (change("+b-b bob"), Some("ban bob from #lobby?")),
            (change("+o bob"), None),
            (change("+b"), None),
            (change("b"), None),
            (change("+ob carol bob!*@*"), Some("ban bob from #lobby?")),
            (change("+bb bob!*@* carol!*@*"), Some("ban bob, carol from #lobby?")),
            (change("+bb m:bob!*@* carol!*@*"), Some("ban carol from #lobby?")),
            (ChannelRequest::Topic("tea".into()), None),
        ] {
            assert_eq!(question(request).as_deref(), expected);
        }
        for request in [
            ServerRequest::Kill { name: "bob".into(), reason: String::new() },
            ServerRequest::RevokeDevice(2, "ab".into()),
            ServerRequest::RevokeInvite(3),
        ] {
            let asked = Confirmation::for_request(&request).expect("a question");
            assert!(asked.question.ends_with('?') && !asked.enter_consents);
        }
        assert_eq!(Confirmation::for_request(&ServerRequest::Motd), None);
    }
}
