//! Replies before the login: line length and label.

use super::{LoginMachine, LoginStep};
use crate::wire::{BatchRef, Label, Reply, Tagging};

/// The replies to a command, each with the nick by which it addresses the client.
#[derive(Debug, Default)]
pub(super) struct Replies(Vec<(Box<str>, Reply)>);

impl Replies {
    /// Adds a reply to the client known as `nick`.
    pub fn push(&mut self, nick: &str, reply: Reply) {
        self.0.push((nick.into(), reply));
    }
}

impl LoginMachine {
    /// Writes the replies that depended on a check, with the label of the command that caused it.
    pub(super) fn write_checked(&mut self, replies: Replies, out: &mut String) {
        let label = self.label.take();
        self.write(replies, label, out);
    }

    /// Writes the replies to a command in lines of the length that the client takes, with the label of the command.
    pub(super) fn write(&self, Replies(replies): Replies, label: Option<Label>, out: &mut String) {
        let server = self.settings.server_name.as_str();
        let takes_long = self.caps.allows_long_lines();
        let fit = |(nick, reply): (Box<str>, Reply)| {
            let fitted = if takes_long { vec![reply] } else { reply.fit(server, &nick) };
            fitted.into_iter().map(move |reply| (nick.clone(), reply))
        };
        let mut replies: Vec<_> = replies.into_iter().flat_map(fit).collect();
        if let Some(label) = label {
            let whole = Tagging::Label(label.clone());
            match replies.as_mut_slice() {
                [] => replies.push(("*".into(), Reply::ack().tagged(whole))),
                [(_, only)] => only.set_tagging(whole),
                several => {
                    for (_, reply) in several {
                        reply.set_tagging(Tagging::Batch(BatchRef::RESPONSE));
                    }
                    replies.insert(0, ("*".into(), Reply::response_start(&label)));
                    replies.push(("*".into(), Reply::batch_end(BatchRef::RESPONSE)));
                }
            }
        }
        for (nick, reply) in replies {
            reply.write(server, &nick, out);
        }
    }
}

impl LoginStep {
    /// Returns whether the reply depends on a check that is still to come.
    pub(super) fn awaits_verification(&self) -> bool {
        matches!(self, Self::CheckPassword(_) | Self::LookUpDevice(_) | Self::RedeemInvite(_))
    }
}
