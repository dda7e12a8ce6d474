//! The answer to a labelled command
//! ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)).

use super::audience::SessionId;
use super::effects::Output;
use crate::wire::{Message, ServerName, Tags};

/// Longest label, in bytes, as the specification has it; longer ones are ignored.
const MAX: usize = 64;

/// The label of a command, still escaped as it goes back.
pub fn of(message: &Message<'_>) -> Option<Box<str>> {
    in_tags(message.tags)
}

/// The label among the tags of a line, of one that could not be read otherwise too.
pub fn in_tags(tags: Tags<'_>) -> Option<Box<str>> {
    if tags.is_empty() {
        return None;
    }
    let last = tags.iter().filter(|(key, _)| *key == "label").last().map(|(_, value)| value);
    last.filter(|label| !label.is_empty() && label.len() <= MAX).map(Into::into)
}

/// Rendered lines as the answer to a labelled command: an ACK where there are none, one with the label, or several in a
/// batch.
pub(super) fn answer(lines: &str, label: &str, server: &ServerName) -> String {
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

/// Marks what `session` gets out of `outputs[from..]` as the answer to its labelled command: nothing becomes an
/// ACK, one message carries the label, several go in a batch. Where the answer is still to be found out, it will carry
/// the label.
pub(super) fn apply(
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
            Output::Fan { .. } | Output::Ask { .. } | Output::Close(..) => {}
        }
    }
    if answers > 1 {
        // Batch references are unique per connection and live until the batch ends; one command is answered
        // after the other, so one name serves all.
        let open = format!("@label={label} :{server} BATCH +r labeled-response\r\n");
        outputs.insert(from, Output::Line(session, open));
        // Before what comes after the answer: what a client missed, after JOIN.
        let behind = outputs.iter().rposition(|output| !matches!(output, Output::Ask { .. }));
        let end = Output::Line(session, format!(":{server} BATCH -r\r\n"));
        outputs.insert(behind.map_or(from, |at| at + 1), end);
    }
}

/// The line with one more tag before its others. A line of a batch of its own, or its end, stays in that: the batch
/// as a whole is in ours.
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
        Output::Event { to, event, caps, .. } => *to == session && event.is_for(*caps),
        Output::Fan { origin: Some(origin), audience, event } => {
            origin.session == session
                && origin.echo
                && audience.seats().any(|seat| seat.session == session && event.is_for(seat.caps))
        }
        Output::Fan { .. } | Output::Ask { .. } | Output::Close(..) => false,
    }
}
