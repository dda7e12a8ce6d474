//! Commands of the login, which are refused after it: USER, PASS, AUTHENTICATE and REGISTER.

use crate::core::commands::{Command, Spec};
use crate::core::state::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::{ERR_ALREADYREGISTERED, ERR_SASLALREADY};

/// The USER command after the login.
pub const USER: Spec =
    Spec { name: "USER", min_params: 0, parse: |_| Ok(Command::LoginCommand(LoginCommand::Registered)) };
/// The PASS command after the login.
pub const PASS: Spec =
    Spec { name: "PASS", min_params: 0, parse: |_| Ok(Command::LoginCommand(LoginCommand::Registered)) };
/// The AUTHENTICATE command after the login.
pub const AUTHENTICATE: Spec = Spec {
    name: "AUTHENTICATE",
    min_params: 0,
    parse: |_| Ok(Command::LoginCommand(LoginCommand::Authenticated)),
};
/// The REGISTER command after the login.
pub const REGISTER: Spec =
    Spec { name: "REGISTER", min_params: 0, parse: |_| Ok(Command::LoginCommand(LoginCommand::HasAccount)) };

/// A login command that comes too late. The variant selects the error reply.
#[derive(Debug)]
pub enum LoginCommand {
    /// USER or PASS: replies with `ERR_ALREADYREGISTERED`.
    Registered,
    /// AUTHENTICATE: replies with `ERR_SASLALREADY`.
    Authenticated,
    /// REGISTER: replies with a FAIL.
    HasAccount,
}

impl LoginCommand {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        cx.reply(match self {
            Self::Registered => Reply::numeric(ERR_ALREADYREGISTERED).text("You may not reregister"),
            Self::Authenticated => Reply::numeric(ERR_SASLALREADY).text("You have already logged in"),
            Self::HasAccount => Reply::fail("REGISTER", "ALREADY_AUTHENTICATED")
                .arg(cx.sender.nick.as_str())
                .text("You have an account and are logged in"),
        });
    }
}
