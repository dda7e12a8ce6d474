//! The answer to a labelled command
//! ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)).

use super::audience::SessionId;
use super::effects::Output;
use super::settings::SERVER_NAME;

/// Marks what `session` gets out of `outputs[from..]` as the answer to its labelled command: nothing becomes an
/// ACK, one message carries the label, several go in a batch.
pub(super) fn apply(outputs: &mut Vec<Output>, from: usize, session: SessionId, label: &str) {
    let answers = outputs.iter_mut().skip(from).filter(|output| reaches(output, session)).count();
    if answers == 0 {
        outputs.push(Output::Line(session, format!("@label={label} :{SERVER_NAME} ACK\r\n")));
        return;
    }
    let tag = if answers == 1 { format!("label={label}") } else { "batch=r".to_owned() };
    for output in outputs.iter_mut().skip(from).filter(|output| reaches(output, session)) {
        match output {
            Output::Line(_, line) => {
                // A line of a batch of its own keeps its tags behind ours.
                let separator = if line.starts_with('@') { ";" } else { " " };
                let rest = line.strip_prefix('@').unwrap_or(line);
                *line = format!("@{tag}{separator}{rest}");
            }
            Output::Event { tag: place, .. } => *place = Some(tag.as_str().into()),
            Output::Fan { origin: Some(origin), .. } => origin.tag = Some(tag.as_str().into()),
            Output::Fan { .. } | Output::Close(..) => {}
        }
    }
    if answers > 1 {
        // Batch references are unique per connection and live until the batch ends; one command is answered
        // after the other, so one name serves all.
        let open = format!("@label={label} :{SERVER_NAME} BATCH +r labeled-response\r\n");
        outputs.insert(from, Output::Line(session, open));
        outputs.push(Output::Line(session, format!(":{SERVER_NAME} BATCH -r\r\n")));
    }
}

fn reaches(output: &Output, session: SessionId) -> bool {
    match output {
        Output::Line(to, _) => *to == session,
        Output::Event { to, event, caps, .. } => *to == session && event.is_for(*caps),
        Output::Fan { origin: Some(origin), audience, event } => {
            origin.session == session
                && origin.echo
                && audience.seats().iter().any(|seat| seat.session == session && event.is_for(seat.caps))
        }
        Output::Fan { .. } | Output::Close(..) => false,
    }
}
