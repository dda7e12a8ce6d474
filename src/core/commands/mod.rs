//! The commands of a session: one file each, with its name, parser, rule and tests.
//!
//! To add one, write its file and add a line to the `commands!` table below.

use super::state::context::Context;
use crate::wire::numeric::{ERR_NEEDMOREPARAMS, ERR_UNKNOWNCOMMAND};
use crate::wire::{Message, Reply};

pub mod account;
pub mod channel;
pub mod history;
pub mod info;
pub mod message;
pub mod session;
pub mod targets;

/// Entry of the command table.
#[derive(Debug)]
pub struct Spec {
    /// Name of the command, in capitals.
    pub name: &'static str,
    /// Minimum number of parameters, none of them empty. Otherwise the reply is `ERR_NEEDMOREPARAMS`.
    pub min_params: usize,
    /// Parses the parameters. The error is the reply.
    pub parse: fn(&Message<'_>) -> Result<Command, Reply>,
}

macro_rules! commands {
    ($($group:ident :: $module:ident :: $type:ident writes $writes:expr, [$($spec:ident),+],)*) => {
        /// A parsed command that waits to be run.
        #[derive(Debug)]
        pub enum Command {
            $(#[doc = concat!("See [`", stringify!($group), "::", stringify!($module), "`].")] $type($group::$module::$type),)*
        }

        const TABLE: &[&[&Spec]] = &[$(&[$(&$group::$module::$spec),+],)*];

        impl Command {
            /// Runs the command.
            pub fn run(self, cx: &mut Context<'_>) {
                match self {
                    $(Self::$type(command) => command.run(cx),)*
                }
            }

            /// Returns whether the command needs the store to accept writes.
            pub fn writes(&self) -> bool {
                match self {
                    $(Self::$type(command) => ($writes)(command),)*
                }
            }

            /// Returns the command's name, or that of the first of its family.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$type(_) => [$($group::$module::$spec.name),+][0],)*
                }
            }
        }
    };
}

// The most frequent commands come first, because the table is searched from the top.
commands! {
    message::send::SendMessage writes |_| true, [PRIVMSG, NOTICE, TAGMSG],
    info::ping::Ping writes |_| false, [PING, PONG],
    channel::join::Join writes |_| true, [SPEC],
    channel::part::Part writes |_| true, [SPEC],
    message::markread::MarkRead writes message::markread::MarkRead::sets, [SPEC],
    history::chathistory::ChatHistory writes |_| false, [SPEC],
    channel::names::Names writes |_| false, [SPEC],
    info::who::Who writes |_| false, [SPEC],
    info::whois::Whois writes |_| false, [SPEC],
    channel::mode::Mode writes channel::mode::Mode::changes_state, [SPEC],
    channel::topic::SetTopic writes channel::topic::SetTopic::sets, [SPEC],
    account::away::Away writes |_| false, [SPEC],
    info::monitor::Monitor writes |_| false, [SPEC],
    message::redact::Redact writes |_| true, [SPEC],
    history::search::SearchMessages writes |_| false, [SPEC],
    account::metadata::Metadata writes account::metadata::Metadata::sets, [SPEC],
    channel::kick::Kick writes |_| true, [SPEC],
    channel::invite::Invite writes |_| true, [SPEC],
    channel::knock::Knock writes |_| false, [SPEC],
    channel::rename::RenameChannel writes |_| true, [SPEC],
    account::setname::SetName writes |_| false, [SPEC],
    info::presence::Presence writes |_| false, [ISON, USERHOST, WHOWAS],
    channel::list::List writes |_| false, [SPEC],
    session::cap::NegotiateCaps writes |_| false, [SPEC],
    account::nick::ChangeNick writes |_| false, [SPEC],
    session::quit::Quit writes |_| false, [SPEC],
    info::motd::Motd writes |_| false, [SPEC],
    info::lusers::Lusers writes |_| false, [SPEC],
    info::version::Version writes |_| false, [SPEC],
    info::isupport::Isupport writes |_| false, [SPEC],
    info::server_info::ServerInfo writes |_| false, [INFO, ADMIN, TIME, HELP, HELPOP, STATS],
    info::audit::Audit writes |_| false, [SPEC],
    account::operator::OperatorCommand writes |_| true, [KILL, WALLOPS],
    account::files::Files writes account::files::Files::changes, [SPEC],
    account::invites::Invites writes |_| false, [SPEC],
    account::services::ServiceCommand writes |_| false, [PASSWD, CERT, OPER, REHASH, NICKSERV, NS],
    session::login_commands::LoginCommand writes |_| false, [USER, PASS, AUTHENTICATE, REGISTER],
}

impl Command {
    /// Parses a command. The error is the reply.
    pub fn parse(message: &Message<'_>) -> Result<Self, Reply> {
        let name = message.command;
        let known = TABLE.iter().copied().flatten().find(|spec| spec.name.eq_ignore_ascii_case(name));
        let Some(spec) = known else {
            return Err(Reply::numeric(ERR_UNKNOWNCOMMAND).arg(name).text("Unknown command"));
        };
        let needed = message.params().get(..spec.min_params);
        if needed.is_none_or(|needed| needed.iter().any(|param| param.is_empty())) {
            return Err(need_more_params(spec.name));
        }
        (spec.parse)(message)
    }
}

/// Creates `ERR_NEEDMOREPARAMS`.
pub(super) fn need_more_params(command: &str) -> Reply {
    Reply::numeric(ERR_NEEDMOREPARAMS).arg(command).text("Not enough parameters")
}
