//! Folding of long replies: a reply longer than the send queue allows becomes one block, which is sent in parts as the
//! client reads them. This keeps the promise of `SAFELIST` for every list, and for the names of large channels in the
//! welcome.

use std::mem;

use super::Output;
use super::ask::Ask;
use super::event::Renderer;
use crate::core::model::audience::SessionId;
use crate::wire::ServerName;

/// Replies up to this size, in bytes, are queued like all output. It is half of the smallest send queue that can be
/// configured.
const LONG: usize = 32 * 1024;

/// Replaces a long run of outputs to `session` in `outputs[from..]`, uninterrupted by outputs to others, by one
/// [`Ask::Lines`].
pub(in crate::core) fn fold(outputs: &mut Vec<Output>, from: usize, session: SessionId, server: &ServerName) {
    let is_own = |output: &Output| match output {
        Output::Line(to, _) | Output::Event { to, .. } => *to == session,
        Output::Fan { .. } | Output::Ask { .. } | Output::Done(..) | Output::Close(..) => false,
    };
    // An event counts as one line of average length. Most outputs of a long reply are lines.
    let length = |output: &Output| if let Output::Line(_, line) = output { line.len() } else { 128 };
    if outputs.iter().skip(from).filter(|output| is_own(output)).map(length).sum::<usize>() <= LONG {
        return;
    }
    let mut folded = Vec::new();
    let mut text = Vec::new();
    let mut renderer = Renderer::new(server);
    let end = |text: &mut Vec<u8>, folded: &mut Vec<Output>| {
        if !text.is_empty() {
            let ask = Box::new(Ask::Lines(mem::take(text)));
            folded.push(Output::Ask { session, label: None, ask });
        }
    };
    for output in outputs.drain(from..) {
        match output {
            Output::Line(to, line) if to == session => text.extend_from_slice(line.as_bytes()),
            Output::Event { to, caps, event, tag } if to == session => {
                renderer.render(&event, caps, tag.as_deref(), &mut text);
            }
            other => {
                end(&mut text, &mut folded);
                folded.push(other);
            }
        }
    }
    end(&mut text, &mut folded);
    outputs.append(&mut folded);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(slot: u32) -> SessionId {
        SessionId { slot, generation: 0 }
    }

    fn lines(to: u32, count: usize) -> impl Iterator<Item = Output> {
        (0..count).map(move |_| Output::Line(session(to), format!("{}\r\n", "x".repeat(98))))
    }

    #[test]
    fn a_long_answer_is_one_question_and_a_short_one_stays() {
        let mut outputs: Vec<Output> = lines(1, 300).collect();
        fold(&mut outputs, 0, session(1), &ServerName::default());
        assert_eq!(outputs.len(), 300);
        outputs.extend(lines(1, 200).chain(lines(2, 1)).chain(lines(1, 200)));
        fold(&mut outputs, 300, session(1), &ServerName::default());
        let [.., Output::Ask { ask: first, .. }, Output::Line(other, _), Output::Ask { ask: last, .. }] =
            &outputs[..]
        else {
            panic!("{} outputs", outputs.len())
        };
        assert_eq!((outputs.len(), *other), (303, session(2)));
        for ask in [first, last] {
            assert!(matches!(&**ask, Ask::Lines(text) if text.len() == 20_000));
        }
    }
}
