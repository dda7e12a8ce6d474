//! Messages: on arrival, in the history, in the search index, and their removal.

mod history;
mod history_access;
mod history_events;
mod history_order;
mod markers;
mod messages;
mod multiline;
mod old_clients;
mod redact;
mod replay;
mod search;
