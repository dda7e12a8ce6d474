//! Changes by administrators and programs, which come without a line of a client.

mod groups;
mod hooks;
mod imports;
