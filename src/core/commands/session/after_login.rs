//! Commands of the login, which are refused after it: USER, PASS, AUTHENTICATE and REGISTER.

use crate::core::commands::{Command, Spec};
use crate::core::state::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::{ERR_ALREADYREGISTERED, ERR_SASLALREADY};

/// The USER command after the login.
pub const USER: Spec = Spec { name: "USER", least: 0, parse: |_| Ok(Command::TooLate(TooLate::Registered)) };
/// The PASS command after the login.
pub const PASS: Spec = Spec { name: "PASS", least: 0, parse: |_| Ok(Command::TooLate(TooLate::Registered)) };
/// The AUTHENTICATE command after the login.
pub const AUTHENTICATE: Spec =
    Spec { name: "AUTHENTICATE", least: 0, parse: |_| Ok(Command::TooLate(TooLate::Authenticated)) };
/// The REGISTER command after the login.
pub const REGISTER: Spec =
    Spec { name: "REGISTER", least: 0, parse: |_| Ok(Command::TooLate(TooLate::HasAccount)) };

/// A login command that comes too late. The variant selects the error reply.
#[derive(Debug)]
pub enum TooLate {
    /// USER or PASS: replies with `ERR_ALREADYREGISTERED`.
    Registered,
    /// AUTHENTICATE: replies with `ERR_SASLALREADY`.
    Authenticated,
    /// REGISTER: replies with a FAIL.
    HasAccount,
}

impl TooLate {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        cx.reply(match self {
            Self::Registered => Reply::numeric(ERR_ALREADYREGISTERED).text("You may not reregister"),
            Self::Authenticated => Reply::numeric(ERR_SASLALREADY).text("You have already logged in"),
            Self::HasAccount => Reply::fail("REGISTER", "ALREADY_AUTHENTICATED")
                .arg(cx.member.nick.as_str())
                .text("You have an account and are logged in"),
        });
    }
}
