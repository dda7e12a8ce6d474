//! The commands of a session: one file each, with its name, parser, rule and tests.
//!
//! To add one, write its file and add a line to the `commands!` table below.

use super::context::Context;
use crate::wire::numeric::{ERR_NEEDMOREPARAMS, ERR_UNKNOWNCOMMAND};
use crate::wire::{Message, Reply};

pub mod about;
pub mod account;
pub mod admins;
pub mod away;
pub mod batch;
pub mod cap;
pub mod chathistory;
pub mod invite;
pub mod invites;
pub mod isupport;
pub mod join;
pub mod kick;
pub mod knock;
pub mod list;
pub mod lusers;
pub mod markread;
pub mod message;
pub mod metadata;
pub mod mode;
pub mod monitor;
pub mod motd;
pub mod names;
pub mod nick;
pub mod part;
pub mod ping;
pub mod presence;
pub mod quit;
pub mod redact;
pub mod registered;
pub mod rename;
pub mod search;
pub mod setname;
pub mod targets;
pub mod topic;
pub mod version;
mod voice;
pub mod who;
pub mod whois;

/// Entry of the command table.
#[derive(Debug)]
pub struct Spec {
    /// Name of the command, in capitals.
    pub name: &'static str,
    /// Minimum number of parameters, none of them empty. Otherwise the reply is `ERR_NEEDMOREPARAMS`.
    pub least: usize,
    /// Parses the parameters. The error is the reply.
    pub parse: fn(&Message<'_>) -> Result<Command, Reply>,
}

macro_rules! commands {
    ($($module:ident :: $type:ident writes $writes:expr, [$($spec:ident),+],)*) => {
        /// A parsed command that waits to be run.
        #[derive(Debug)]
        pub enum Command {
            $(#[doc = concat!("See [`", stringify!($module), "`].")] $type($module::$type),)*
        }

        const TABLE: &[&[&Spec]] = &[$(&[$(&$module::$spec),+],)*];

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
                    $(Self::$type(_) => [$($module::$spec.name),+][0],)*
                }
            }
        }
    };
}

// The most frequent commands come first, because the table is searched from the top.
commands! {
    message::Said writes |_| true, [PRIVMSG, NOTICE, TAGMSG],
    ping::Ping writes |_| false, [PING, PONG],
    join::Join writes |_| true, [SPEC],
    part::Part writes |_| true, [SPEC],
    markread::MarkRead writes markread::MarkRead::sets, [SPEC],
    chathistory::ChatHistory writes |_| false, [SPEC],
    names::Names writes |_| false, [SPEC],
    who::Who writes |_| false, [SPEC],
    whois::Whois writes |_| false, [SPEC],
    mode::Mode writes mode::Mode::may_change, [SPEC],
    topic::SetTopic writes topic::SetTopic::sets, [SPEC],
    away::Away writes |_| false, [SPEC],
    monitor::Monitor writes |_| false, [SPEC],
    redact::Redact writes |_| true, [SPEC],
    search::Find writes |_| false, [SPEC],
    metadata::Metadata writes metadata::Metadata::sets, [SPEC],
    kick::Kick writes |_| true, [SPEC],
    invite::Invite writes |_| true, [SPEC],
    knock::Knock writes |_| false, [SPEC],
    rename::RenameChannel writes |_| true, [SPEC],
    setname::SetName writes |_| false, [SPEC],
    presence::Presence writes |_| false, [ISON, USERHOST, WHOWAS],
    list::List writes |_| false, [SPEC],
    cap::Negotiate writes |_| false, [SPEC],
    nick::Rename writes |_| false, [SPEC],
    quit::Quit writes |_| false, [SPEC],
    motd::Motd writes |_| false, [SPEC],
    lusers::Lusers writes |_| false, [SPEC],
    version::Version writes |_| false, [SPEC],
    isupport::Isupport writes |_| false, [SPEC],
    about::About writes |_| false, [INFO, ADMIN, TIME, HELP, HELPOP, STATS],
    admins::Admins writes |_| true, [KILL, WALLOPS],
    invites::Invites writes |_| false, [SPEC],
    account::Manage writes |_| false, [PASSWD, CERT, OPER, REHASH, NICKSERV, NS],
    registered::TooLate writes |_| false, [USER, PASS, AUTHENTICATE, REGISTER],
}

impl Command {
    /// Parses a command. The error is the reply.
    pub fn parse(message: &Message<'_>) -> Result<Self, Reply> {
        let name = message.command;
        let known = TABLE.iter().copied().flatten().find(|spec| spec.name.eq_ignore_ascii_case(name));
        let Some(spec) = known else {
            return Err(Reply::numeric(ERR_UNKNOWNCOMMAND).arg(name).text("Unknown command"));
        };
        let needed = message.params().get(..spec.least);
        if needed.is_none_or(|needed| needed.iter().any(|param| param.is_empty())) {
            return Err(need_more(spec.name));
        }
        (spec.parse)(message)
    }
}

/// Creates `ERR_NEEDMOREPARAMS`.
pub(super) fn need_more(command: &str) -> Reply {
    Reply::numeric(ERR_NEEDMOREPARAMS).arg(command).text("Not enough parameters")
}
