//! Rendering of replies in a server-initiated batch ([batch](https://ircv3.net/specs/extensions/batch)).

use crate::wire::{Reply, ServerName};

/// Renders a batch with its type and parameters (`kind`) around replies to the session known as `nick`. Replies to one
/// command follow those to another, so the reference need only differ from that of an enclosing batch.
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
