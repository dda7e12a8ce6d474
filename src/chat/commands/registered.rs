//! Commands of the login that come too late: USER, PASS, AUTHENTICATE and REGISTER.

use super::{Command, Spec};
use crate::chat::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::{ERR_ALREADYREGISTERED, ERR_SASLALREADY};

/// USER
pub const USER: Spec = Spec { name: "USER", least: 0, parse: |_| Ok(Command::TooLate(TooLate::Registered)) };
/// PASS
pub const PASS: Spec = Spec { name: "PASS", least: 0, parse: |_| Ok(Command::TooLate(TooLate::Registered)) };
/// AUTHENTICATE
pub const AUTHENTICATE: Spec =
    Spec { name: "AUTHENTICATE", least: 0, parse: |_| Ok(Command::TooLate(TooLate::Authenticated)) };
/// REGISTER
pub const REGISTER: Spec =
    Spec { name: "REGISTER", least: 0, parse: |_| Ok(Command::TooLate(TooLate::HasAccount)) };

/// What was already done.
#[derive(Debug)]
pub enum TooLate {
    /// The connection is registered.
    Registered,
    /// The login is done.
    Authenticated,
    /// There is an account.
    HasAccount,
}

impl TooLate {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        cx.reply(match self {
            Self::Registered => Reply::numeric(ERR_ALREADYREGISTERED).text("You may not reregister"),
            Self::Authenticated => Reply::numeric(ERR_SASLALREADY).text("You have already logged in"),
            Self::HasAccount => Reply::fail("REGISTER", "ALREADY_AUTHENTICATED")
                .arg(cx.member.nick.as_str())
                .text("You have an account and are logged in"),
        });
    }
}
