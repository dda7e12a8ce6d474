//! Splitting and truncation of rendered replies for clients that did not negotiate lines over 512 bytes. The
//! [`Renderer`](super::event::Renderer) does the same for events.

use super::Output;
use crate::core::model::audience::SessionId;
use crate::wire::splitting::{MAX_LINE_BYTES, split_point, split_text};

/// Commands whose text may continue in another line of the same command.
const SPLITTABLE_COMMANDS: [&str; 4] = ["NOTICE", "PRIVMSG", "371", "372"];

/// Splits or truncates the lines of `outputs[from..]` for sessions that do not accept long ones.
pub(in crate::core) fn split_outputs(
    outputs: &mut Vec<Output>,
    from: usize,
    accepts_long_lines: impl Fn(SessionId) -> bool,
) {
    let is_long = |output: &Output| match output {
        Output::Line(to, line) => line.len() > MAX_LINE_BYTES && !fits(line) && !accepts_long_lines(*to),
        _ => false,
    };
    let mut at = from;
    while let Some(found) = outputs.iter().skip(at).position(is_long) {
        at += found;
        let Some(Output::Line(to, line)) = outputs.get(at) else { return };
        let (to, fitted) = (*to, split_or_truncate(line));
        let count = fitted.len();
        outputs.splice(at..=at, fitted.into_iter().map(|line| Output::Line(to, line)));
        at += count;
    }
}

/// Splits or truncates every line of a rendered text.
pub(in crate::core) fn split_lines(text: &str) -> String {
    let fit = |line: &str| if fits(line) { vec![line.to_owned()] } else { split_or_truncate(line) };
    text.split_inclusive("\r\n").flat_map(fit).collect()
}

/// Returns the part of a line after its tags, without its line end.
fn body(line: &str) -> &str {
    let line = line.strip_suffix("\r\n").unwrap_or(line);
    line.strip_prefix('@').and_then(|rest| rest.split_once(' ')).map_or(line, |(_, body)| body)
}

fn fits(line: &str) -> bool {
    body(line).len() + 2 <= MAX_LINE_BYTES
}

/// Splits a line, if its command allows that, or truncates it.
fn split_or_truncate(line: &str) -> Vec<String> {
    let body = body(line);
    let line = line.strip_suffix("\r\n").unwrap_or(line);
    let tags = line.get(..line.len() - body.len()).unwrap_or_default();
    let most = MAX_LINE_BYTES - 2;
    let command = body.split(' ').find(|word| !word.starts_with(':')).unwrap_or_default();
    let (head, text) = match body.get(1..).and_then(|rest| rest.split_once(" :")) {
        Some((head, text)) => (body.get(..head.len() + 3).unwrap_or_default(), text),
        None => (body, ""),
    };
    if SPLITTABLE_COMMANDS.contains(&command) && head.len() < most / 2 {
        let room = most - head.len();
        return split_text(text, room).map(|piece| format!("{tags}{head}{piece}\r\n")).collect();
    }
    // The longest part is truncated: the text, or the parameter that quotes the client's line.
    let over = body.len().saturating_sub(most);
    let longest = head.split(' ').max_by_key(|word| word.len()).unwrap_or_default();
    if text.len() > longest.len() || longest.len() <= over {
        let short = body.get(..split_point(body, most)).unwrap_or_default();
        return vec![format!("{tags}{short}\r\n")];
    }
    let short = longest.get(..split_point(longest, longest.len() - over)).unwrap_or_default();
    vec![format!("{tags}{}{text}\r\n", head.replacen(longest, short, 1))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(slot: u32) -> SessionId {
        SessionId { slot, generation: 0 }
    }

    #[test]
    fn long_replies_are_split_or_truncated_to_512_bytes() {
        let word = "word ".repeat(150);
        let long = [
            format!("@batch=r :s NOTICE al :{word}\r\n"),
            format!(":s 332 al #c :{word}\r\n"),
            format!(":s 403 al {} :No such channel\r\n", "x".repeat(900)),
            format!("@{} :s 001 al :hi\r\n", "x".repeat(900)),
        ];
        let of = |to| long.iter().map(move |line| Output::Line(session(to), line.clone()));
        let mut all: Vec<Output> = of(1).chain(of(2)).collect();
        split_outputs(&mut all, 0, |to| to == session(2));
        let got = |to| -> Vec<&str> {
            let line = move |output| match output {
                &Output::Line(of, ref line) if of == session(to) => Some(line.as_str()),
                _ => None,
            };
            all.iter().filter_map(line).collect()
        };
        assert_eq!(got(2), long);
        let [first, second, topic, name, tags] = got(1)[..] else { panic!("{:?}", got(1)) };
        assert!(got(1).iter().all(|line| fits(line) && line.ends_with("\r\n")));
        let text = |line: &str| {
            line.trim_end_matches("\r\n").strip_prefix("@batch=r :s NOTICE al :").map(str::to_owned)
        };
        assert_eq!([first, second].map(|line| text(line).expect("a notice")).concat(), word);
        assert!(topic.starts_with(":s 332 al #c :word word "));
        assert!(name.starts_with(":s 403 al xxx") && name.ends_with("x :No such channel\r\n"));
        assert_eq!(tags, long[3]);
        let whole = format!("{}{}", long[3], long[2]);
        assert_eq!(super::split_lines(&whole), format!("{}{name}", long[3]));
    }
}
