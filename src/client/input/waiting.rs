//! `/cancel`: messages that could not be sent yet, and are not to be sent any more.

use crate::client::model::{Cancelled, Conversation, Model};

/// Cancels the last message of a conversation that waits, or `all` that wait there. The error is a text for the user.
pub fn cancel_waiting(
    model: &mut Model,
    conversation: &Conversation,
    all: bool,
) -> Result<Vec<Cancelled>, String> {
    let cancelled = if all {
        model.cancel_messages(conversation)
    } else {
        let last = model.last_waiting(conversation);
        last.and_then(|ticket| model.cancel_message(ticket)).into_iter().collect()
    };
    if cancelled.is_empty() {
        return Err(format!(
            "no message to {conversation} waits to be sent; /delete takes back the last one that was sent"
        ));
    }
    Ok(cancelled)
}

/// Returns the line for the user about cancelled messages.
pub fn describe_cancelled(cancelled: &[Cancelled]) -> String {
    let not_sent = match cancelled.len() {
        1 => "cancelled: the message is not sent".to_owned(),
        count => format!("cancelled: {count} messages are not sent"),
    };
    match cancelled.iter().filter(|one| one.may_have_arrived).count() {
        0 => not_sent,
        _ if cancelled.len() == 1 => {
            "cancelled, but it was on its way when the connection broke: it may have arrived".to_owned()
        }
        count => {
            format!(
                "{not_sent}, but {count} were on their way when the connection broke and may have arrived"
            )
        }
    }
}
