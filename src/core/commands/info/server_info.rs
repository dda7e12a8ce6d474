//! INFO, ADMIN, TIME, HELP and STATS: information about the server
//! (<https://modern.ircdocs.horse/#server-queries-and-commands>).

use crate::core::CoreCounts;
use crate::core::commands::{Command, Spec};
use crate::core::settings::VERSION;
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_HELPNOTFOUND, ERR_NOPRIVILEGES, RPL_ADMINLOC1, RPL_ADMINLOC2, RPL_ADMINME, RPL_ENDOFHELP,
    RPL_ENDOFINFO, RPL_ENDOFSTATS, RPL_HELPSTART, RPL_HELPTXT, RPL_INFO, RPL_STATSOTHER, RPL_STATSUPTIME,
    RPL_TIME,
};
use crate::wire::{Message, Reply};

/// The INFO command: the software, and the server's start.
pub const INFO: Spec =
    Spec { name: "INFO", min_params: 0, parse: |_| Ok(Command::ServerInfo(ServerInfo::Info)) };
/// The ADMIN command: the server's admins.
pub const ADMIN: Spec =
    Spec { name: "ADMIN", min_params: 0, parse: |_| Ok(Command::ServerInfo(ServerInfo::Admin)) };
/// The TIME command: the server's time.
pub const TIME: Spec =
    Spec { name: "TIME", min_params: 0, parse: |_| Ok(Command::ServerInfo(ServerInfo::Time)) };
/// The HELP command: usage of the commands.
pub const HELP: Spec = Spec { name: "HELP", min_params: 0, parse: parse_help };
/// The HELPOP command, which some clients send for HELP.
pub const HELPOP: Spec = Spec { name: "HELPOP", min_params: 0, parse: parse_help };
/// The STATS command: uptime and counts, for admins.
pub const STATS: Spec = Spec {
    name: "STATS",
    min_params: 1,
    parse: |m| Ok(Command::ServerInfo(ServerInfo::Stats(m.param(0).unwrap_or_default().into()))),
};

/// A parsed INFO, ADMIN, TIME, HELP or STATS.
#[derive(Debug)]
pub enum ServerInfo {
    /// Replies with the software and the server's start.
    Info,
    /// Replies with the server's admins.
    Admin,
    /// Replies with the server's time.
    Time,
    /// Replies with the usage of one command; `None` for an overview.
    Help(Option<Box<str>>),
    /// Replies with statistics, to admins only. With the letter that selects them.
    Stats(Box<str>),
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse_help(message: &Message<'_>) -> Result<Command, Reply> {
    let topic = message.param(0).filter(|topic| !topic.is_empty());
    Ok(Command::ServerInfo(ServerInfo::Help(topic.map(Into::into))))
}

/// Usage of each command, the most needed first.
const COMMAND_USAGE: &[(&str, &str)] = &[
    ("PRIVMSG", "PRIVMSG <target>{,<target>} :<text>   sends a message to a channel or a user"),
    ("NOTICE", "NOTICE <target>{,<target>} :<text>   sends a message that gets no automatic reply"),
    ("JOIN", "JOIN <channel>{,<channel>} [<key>{,<key>}]   joins channels; creates those that do not exist"),
    ("PART", "PART <channel>{,<channel>} [:<reason>]   leaves channels"),
    ("TOPIC", "TOPIC <channel> [:<topic>]   shows or sets the topic"),
    ("NAMES", "NAMES <channel>{,<channel>}   lists the members that are online"),
    ("LIST", "LIST [<mask>|>n|<n|C<min|T<min …]   shows the channels"),
    ("INVITE", "INVITE <nick> <channel>   invites a user to a channel"),
    ("KNOCK", "KNOCK <channel> [:<text>]   asks to be invited"),
    (
        "KICK",
        "KICK <channel>{,<channel>} <nick>{,<nick>} [:<reason>]   removes members from a channel; half-ops and higher",
    ),
    (
        "MODE",
        "MODE <channel> [<modes> [<values>]]   b ban (m: mute) e I k l i m n s t C, q o h v NICK; MODE <you> +B: a bot",
    ),
    ("RENAME", "RENAME <channel> <name> [:<reason>]   renames a channel; founder only"),
    ("REDACT", "REDACT <target> <msgid> [:<reason>]   erases a message"),
    ("CHATHISTORY", "CHATHISTORY LATEST|BEFORE|AFTER|AROUND|BETWEEN|TARGETS …   queries the message history"),
    ("MARKREAD", "MARKREAD <target> [timestamp=<time>]   queries or sets your read marker"),
    ("SEARCH", "SEARCH <attributes>   searches the messages, by text, in, from, before and after"),
    (
        "METADATA",
        "METADATA <target> GET|LIST|SET|CLEAR|SYNC …, METADATA * SUB|UNSUB|SUBS …   shows or sets metadata of accounts and \
         channels",
    ),
    ("AWAY", "AWAY [:<message>]   marks you as away, or as back"),
    ("WHO", "WHO <channel|mask> [%<fields>[,<token>]]   lists users that are online"),
    ("WHOIS", "WHOIS <nick>   shows details about a user"),
    ("WHOWAS", "WHOWAS <nick>   shows details about a user who quit"),
    ("ISON", "ISON <nick>{ <nick>}   shows which of these are online"),
    ("USERHOST", "USERHOST <nick>{ <nick>}   shows the host and away state of these"),
    (
        "MONITOR",
        "MONITOR +|- <nick>{,<nick>}, MONITOR C|L|S   notifies you when users come online or go offline",
    ),
    ("SETNAME", "SETNAME :<name>   changes your real name"),
    ("LUSERS", "LUSERS   shows the numbers of users and channels"),
    ("MOTD", "MOTD   shows the message of the day"),
    ("VERSION", "VERSION   shows the server's version"),
    ("INFO", "INFO   shows information about the server"),
    ("ADMIN", "ADMIN   shows the server's admins"),
    ("TIME", "TIME   shows the server's time"),
    ("PASSWD", "PASSWD <old> :<new>   changes your password; closes your other sessions"),
    (
        "CERT",
        "CERT ADD [<fingerprint>], CERT LIST, CERT DEL <fingerprint>   manages the certificates that log in to your account",
    ),
    (
        "INVITES",
        "INVITES CREATE [<uses>] [<24h>] [<#channel>] [admin], FOR <name> [<24h>], LIST, REVOKE <number>   manages invites to \
         the server; admins only",
    ),
    ("NICKSERV", "NICKSERV HELP   account commands, also as messages to NickServ"),
    ("CAP", "CAP LS [302], CAP LIST, CAP REQ :<capabilities>, CAP END   negotiates IRCv3 capabilities"),
    ("ISUPPORT", "ISUPPORT   lists the features and limits of the server"),
    ("PING", "PING <token>   is answered with PONG and the same token"),
    ("OPER", "OPER <account> :<password>   makes this session an admin's until it ends"),
    ("REHASH", "REHASH   reads the configuration and the certificates again; admins only"),
    ("KILL", "KILL <nick> [:<reason>]   closes a user's sessions; admins only"),
    ("WALLOPS", "WALLOPS :<text>   sends a message to all users; admins only"),
    ("STATS", "STATS u|m   shows uptime and counts; admins only"),
    ("AUDIT", "AUDIT [<number>]   lists the latest actions of admins and moderators; admins only"),
    ("QUIT", "QUIT [:<reason>]   ends this session"),
];

impl ServerInfo {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        match self {
            Self::Info => {
                for line in [
                    format!("{VERSION}: encrypted chat for the people on your network"),
                    "TLS 1.3 only; login required; messages are stored".to_owned(),
                    format!("Running since {}", cx.core.settings.started),
                ] {
                    cx.reply(Reply::numeric(RPL_INFO).text(line));
                }
                cx.reply(Reply::numeric(RPL_ENDOFINFO).text("End of INFO list"));
            }
            Self::Admin => reply_with_admins(cx),
            Self::Time => {
                let (seconds, now) = (cx.at.as_seconds().to_string(), cx.at.to_string());
                cx.reply(
                    Reply::numeric(RPL_TIME)
                        .arg(cx.core.settings.server_name.as_str())
                        .arg(seconds)
                        .arg("0")
                        .text(now),
                );
            }
            Self::Help(topic) => reply_with_help(cx, topic.as_deref()),
            Self::Stats(letter) => reply_with_stats(cx, &letter),
        }
    }
}

fn reply_with_admins(cx: &mut Context<'_>) {
    let mut admins: Vec<_> =
        cx.core.accounts.iter().filter(|account_state| account_state.is_admin()).collect();
    admins.sort_unstable_by_key(|account_state| account_state.account.id);
    let names: Vec<&str> =
        admins.iter().take(10).map(|account_state| account_state.nick().as_str()).collect();
    let names = names.join(", ");
    cx.reply(
        Reply::numeric(RPL_ADMINME).arg(cx.core.settings.server_name.as_str()).text("Administrative info"),
    );
    let network = cx.core.settings.network.clone();
    cx.reply(Reply::numeric(RPL_ADMINLOC1).text(&*network));
    cx.reply(Reply::numeric(RPL_ADMINLOC2).text(format!("Admins: {names}")));
}

fn reply_with_help(cx: &mut Context<'_>, topic: Option<&str>) {
    let name = topic.unwrap_or("*");
    let start = |cx: &mut Context<'_>, title: &str| {
        cx.reply(Reply::numeric(RPL_HELPSTART).arg(name).text(title));
    };
    match topic.filter(|topic| !topic.eq_ignore_ascii_case("index")) {
        None => {
            start(cx, "Available commands; HELP COMMAND shows the usage of one");
            let all: Vec<&str> = COMMAND_USAGE.iter().map(|(command, _)| *command).collect();
            for words in all.chunks(8) {
                cx.reply(Reply::numeric(RPL_HELPTXT).arg(name).text(words.join(" ")));
            }
        }
        Some(topic) => {
            let known = COMMAND_USAGE.iter().find(|(command, _)| command.eq_ignore_ascii_case(topic));
            let Some((command, text)) = known else {
                let reply = Reply::numeric(ERR_HELPNOTFOUND).arg(topic);
                return cx.reply(reply.text("No help on this topic; HELP lists the topics"));
            };
            start(cx, command);
            cx.reply(Reply::numeric(RPL_HELPTXT).arg(name).text(text));
        }
    }
    cx.reply(Reply::numeric(RPL_ENDOFHELP).arg(name).text("End of HELP"));
}

/// Refuses a command of admins.
pub(super) fn reply_not_admin(cx: &mut Context<'_>) {
    cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text("Permission Denied - You're not an admin"));
}

/// Formats a count and what is counted.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn reply_with_stats(cx: &mut Context<'_>, letter: &str) {
    if !cx.is_admin() {
        return reply_not_admin(cx);
    }
    match letter {
        "u" => {
            let up = cx.at.as_seconds().saturating_sub(cx.core.settings.started.as_seconds());
            let (days, rest) = (up / 86_400, up % 86_400);
            let text =
                format!("Server Up {days} days {}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
            cx.reply(Reply::numeric(RPL_STATSUPTIME).text(text));
        }
        "m" => {
            let CoreCounts { sessions, accounts, channels, .. } = cx.core.counts();
            let most = cx.core.peak_sessions;
            for text in [
                format!("{}, at most {most} at once", counted(sessions, "session")),
                counted(accounts, "account"),
                counted(channels, "channel"),
            ] {
                cx.reply(Reply::numeric(RPL_STATSOTHER).text(text));
            }
            if let Some(certificate) = cx.core.settings.certificate {
                cx.reply(Reply::numeric(RPL_STATSOTHER).text(certificate.describe(cx.at)));
            }
        }
        _ => {}
    }
    cx.reply(Reply::numeric(RPL_ENDOFSTATS).arg(letter).text("End of STATS report"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::commands::TABLE;

    #[test]
    fn help_covers_only_existing_commands() {
        for (command, text) in COMMAND_USAGE {
            assert!(TABLE.iter().copied().flatten().any(|spec| spec.name == *command), "{command}");
            assert!(text.starts_with(command), "{text}");
        }
    }
}
