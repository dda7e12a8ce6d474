//! Authentication: every way to log in, and what happens to those who fail.

mod before_login;
mod chat_invites;
mod devices;
mod invites;
mod login;
mod oper;
mod pass;
mod passwords;
mod refusals;
mod resets;
