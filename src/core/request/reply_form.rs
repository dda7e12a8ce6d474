//! The form of the replies to account commands.

/// Channel of a request, which decides the form of its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyForm {
    /// A command of this name.
    Command(&'static str),
    /// A message to `NickServ`.
    Service,
}
