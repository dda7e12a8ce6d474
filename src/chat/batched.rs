//! Replies that go out as a batch of the server's ([batch](https://ircv3.net/specs/extensions/batch)).

use super::settings::SERVER_NAME;
use crate::wire::Reply;

/// The lines of a batch of a type, with its parameters, that holds the replies to the client known as `nick`. One answer
/// follows the other, so the reference need only differ from that of the batch around it.
pub(super) fn lines(reference: &str, kind: &str, replies: &[Reply], nick: &str) -> Vec<String> {
    let inner = replies.iter().map(|reply| format!("@batch={reference} {}", reply.render(SERVER_NAME, nick)));
    std::iter::once(format!(":{SERVER_NAME} BATCH +{reference} {kind}\r\n"))
        .chain(inner)
        .chain([format!(":{SERVER_NAME} BATCH -{reference}\r\n")])
        .collect()
}
