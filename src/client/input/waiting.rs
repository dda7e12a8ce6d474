//! `/cancel`: messages that could not be sent yet, and are not to be sent any more.

use crate::client::model::{Cancelled, Conversation, Model, Ticket};

/// Returns the last message of a conversation that waits, or `all` that wait there. The error is a text for the user.
pub fn waiting_tickets(model: &Model, conversation: &Conversation, all: bool) -> Result<Vec<Ticket>, String> {
    let tickets: Vec<Ticket> = if all {
        model.all_waiting(conversation)
    } else {
        model.last_waiting(conversation).into_iter().collect()
    };
    if tickets.is_empty() {
        return Err(format!(
            "no message to {conversation} waits to be sent; /delete takes back the last one that was sent"
        ));
    }
    Ok(tickets)
}

/// Cancels the last message of a conversation that waits, or `all` that wait there. The error is a text for the user.
pub fn cancel_waiting(
    model: &mut Model,
    conversation: &Conversation,
    all: bool,
) -> Result<Vec<Cancelled>, String> {
    let tickets = waiting_tickets(model, conversation, all)?;
    Ok(tickets.into_iter().filter_map(|ticket| model.cancel_message(ticket)).collect())
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
