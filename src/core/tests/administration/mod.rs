//! Changes by administrators and programs, which come without a line of a client.

mod first_invite;
mod groups;
mod hooks;
mod imports;
