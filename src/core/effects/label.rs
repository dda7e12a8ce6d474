//! Replies to labelled commands ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)).

use super::Output;
use crate::core::model::audience::SessionId;
use crate::wire::{Message, ServerName, Tags};

/// Limit of a label, in bytes, from the specification. Longer labels are ignored.
const MAX: usize = 64;

/// Returns the label of a command, still escaped.
pub fn of(message: &Message<'_>) -> Option<Box<str>> {
    in_tags(message.tags)
}

/// Returns the label among the tags of a line. Works even if other parts of the line did not parse.
pub fn in_tags(tags: Tags<'_>) -> Option<Box<str>> {
    if tags.is_empty() {
        return None;
    }
    let last = tags.iter().filter(|(key, _)| *key == "label").last().map(|(_, value)| value);
    last.filter(|label| !label.is_empty() && label.len() <= MAX).map(Into::into)
}

/// Renders lines as the reply to a labelled command: an ACK for no lines, the label on a single line, or a batch around
/// several.
pub(in crate::core) fn answer(lines: &str, label: &str, server: &ServerName) -> String {
    let open = format!("@label={label} :{server} BATCH +r labeled-response\r\n");
    match lines.matches('\n').count() {
        0 => format!("@label={label} :{server} ACK\r\n"),
        1 => tagged(&format!("label={label}"), lines),
        _ => {
            let inner = lines.split_inclusive('\n').map(|line| tagged("batch=r", line));
            std::iter::once(open).chain(inner).chain([format!(":{server} BATCH -r\r\n")]).collect()
        }
    }
}

/// Marks the part of `outputs[from..]` that reaches `session` as the reply to its labelled command: nothing becomes an
/// ACK, a single output carries the label, several go in a batch. If the reply is the result of a query, the query
/// carries the label instead.
pub(in crate::core) fn apply(
    outputs: &mut Vec<Output>,
    from: usize,
    (session, label): (SessionId, &str),
    server: &ServerName,
) {
    for output in outputs.iter_mut().skip(from) {
        if let Output::Ask { session: asker, label: place, ask } = output
            && *asker == session
            && ask.is_answer()
        {
            *place = Some(label.into());
            ask.set_label(label);
            return;
        }
    }
    let answers = outputs.iter_mut().skip(from).filter(|output| reaches(output, session)).count();
    if answers == 0 {
        outputs.push(Output::Line(session, format!("@label={label} :{server} ACK\r\n")));
        return;
    }
    let tag = if answers == 1 { format!("label={label}") } else { "batch=r".to_owned() };
    for output in outputs.iter_mut().skip(from).filter(|output| reaches(output, session)) {
        match output {
            Output::Line(_, line) => *line = tagged(&tag, line),
            Output::Event { tag: place, .. } => *place = Some(tag.as_str().into()),
            Output::Fan { origin: Some(origin), .. } => origin.tag = Some(tag.as_str().into()),
            Output::Fan { .. } | Output::Ask { .. } | Output::Done(..) | Output::Close(..) => {}
        }
    }
    if answers > 1 {
        // Batch references are unique per connection while the batch is open. Commands are replied to one after the
        // other, so one reference serves all.
        let open = format!("@label={label} :{server} BATCH +r labeled-response\r\n");
        outputs.insert(from, Output::Line(session, open));
        // The batch ends before queries that follow the reply, such as the replay after a JOIN.
        let behind = outputs.iter().rposition(|output| !matches!(output, Output::Ask { .. }));
        let end = Output::Line(session, format!(":{server} BATCH -r\r\n"));
        outputs.insert(behind.map_or(from, |at| at + 1), end);
    }
}

/// Prepends a tag to a line. A line inside a batch of its own, or the end of that batch, stays as it is: that batch as
/// a whole is inside ours.
fn tagged(tag: &str, line: &str) -> String {
    match line.strip_prefix('@') {
        Some(rest) if rest.starts_with("batch=") => line.to_owned(),
        Some(rest) => format!("@{tag};{rest}"),
        None => format!("@{tag} {line}"),
    }
}

fn reaches(output: &Output, session: SessionId) -> bool {
    match output {
        Output::Line(to, _) => *to == session,
        Output::Event { to, event, caps, .. } => *to == session && event.is_visible_to(*caps),
        Output::Fan { origin: Some(origin), audience, event } => {
            origin.session == session
                && origin.echo
                && audience.recipients().any(|seat| seat.session == session && event.is_visible_to(seat.caps))
        }
        Output::Fan { .. } | Output::Ask { .. } | Output::Done(..) | Output::Close(..) => false,
    }
}
