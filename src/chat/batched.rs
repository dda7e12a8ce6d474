//! Replies that go out as a batch of the server's ([batch](https://ircv3.net/specs/extensions/batch)).

use crate::wire::{Reply, ServerName};

/// The lines of a batch of a type, with its parameters, that holds the replies to the client known as `nick`. One answer
/// follows the other, so the reference need only differ from that of the batch around it.
pub(super) fn lines(
    reference: &str,
    kind: &str,
    replies: &[Reply],
    (server, nick): (&ServerName, &str),
) -> Vec<String> {
    let inner =
        replies.iter().map(|reply| format!("@batch={reference} {}", reply.render(server.as_str(), nick)));
    std::iter::once(format!(":{server} BATCH +{reference} {kind}\r\n"))
        .chain(inner)
        .chain([format!(":{server} BATCH -{reference}\r\n")])
        .collect()
}
