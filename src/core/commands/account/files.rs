//! FILES: tokens for requests over HTTP, the files of one's own and of a conversation, and links for everybody
//! (docs/files.md). The modern protocol does not specify it.
//!
//! | command | replies |
//! | --- | --- |
//! | `FILES TOKEN` | `NOTE FILES TOKEN <token> <seconds>` |
//! | `FILES LIST` | `NOTE FILES FILE <id> <bytes> <media type> <time> <messages> <link or *> :<name>` for each, the newest first, and `NOTE FILES FILE_LIST <bytes> <quota>` |
//! | `FILES LIST <target> [msgid=<id>]` | `NOTE FILES SHARED <target> <msgid> <time> <account> <file> :<name>` for each that a message of the conversation shares, before that message, the newest first, with the account that uploaded it and the file as an entry of the tag `parlour/files`; and `NOTE FILES SHARED_LIST <target> <msgid or *>`, with the message before which there are more |
//! | `FILES LINK <id>` | `NOTE FILES LINK <id> <url>` |
//! | `FILES UNLINK <id>` | `NOTE FILES UNLINKED <id>` |

use crate::core::commands::{Command, Spec};
use crate::core::effects::query::{FileSecretQuery, FileSecretResult, Query};
use crate::core::effects::tags::describe_file;
use crate::core::model::files::FileState;
use crate::core::record::file::FileId;
use crate::core::request::files::FileError;
use crate::core::request::target::Target;
use crate::core::state::context::Context;
use crate::wire::{Message, MessageId, Reply};

/// The FILES command.
pub const SPEC: Spec = Spec { name: "FILES", min_params: 1, parse };

/// Maximum number of listed files. A conversation has a few more in one list if the last message shares several.
const MAX_LISTED: usize = 100;

/// A parsed FILES.
#[derive(Debug)]
pub enum Files {
    /// Make a token.
    Token,
    /// List the sender's files.
    List,
    /// List what messages of a conversation share.
    ListShared {
        /// Channel, or nick of the other account.
        target: Target,
        /// Target as the client wrote it.
        name: Box<str>,
        /// Message before which they are; `None` for all.
        before: Option<MessageId>,
    },
    /// Make a link, in place of the one before.
    Link(FileId),
    /// Revoke the link.
    Unlink(FileId),
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let file = || {
        let id = message.param(1).and_then(|id| id.parse().ok());
        id.ok_or_else(|| fail("NO_SUCH_FILE", "There is no such file"))
    };
    let command = match message.param(0).unwrap_or_default().to_ascii_uppercase().as_str() {
        "TOKEN" => Files::Token,
        "LIST" => match (message.param(1), message.param(2)) {
            (None, _) => Files::List,
            (Some(name), before) => {
                let before = before.map(|id| id.strip_prefix("msgid=").and_then(|id| id.parse().ok()));
                if before == Some(None) {
                    return Err(fail(
                        "INVALID_PARAMS",
                        "The message before which files are listed is msgid=ID",
                    ));
                }
                Files::ListShared { target: Target::parse(name), name: name.into(), before: before.flatten() }
            }
        },
        "LINK" => Files::Link(file()?),
        "UNLINK" => Files::Unlink(file()?),
        _ => return Err(fail("INVALID_PARAMS", "There are TOKEN, LIST, LIST TARGET, LINK ID and UNLINK ID")),
    };
    Ok(Command::Files(command))
}

fn fail(code: &'static str, text: &str) -> Reply {
    Reply::fail(SPEC.name, code).text(text)
}

fn note(code: &'static str) -> Reply {
    Reply::command("NOTE").arg(SPEC.name).arg(code)
}

impl Files {
    /// Returns whether the command needs the store.
    pub(in crate::core::commands) fn changes(&self) -> bool {
        matches!(self, Self::Link(_) | Self::Unlink(_))
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if cx.core.settings.upload_url.is_none() {
            return cx.reply(fail("DISABLED", "This server takes no files"));
        }
        match self {
            Self::Token => {
                let (session, account) = (cx.sender.session, cx.sender.account);
                cx.query(Query::FileSecret(FileSecretQuery::Token { session, account }));
            }
            Self::List => reply_with_list(cx),
            Self::ListShared { target, name, before } => reply_with_shared(cx, &target, &name, before),
            Self::Link(file) => match cx.core.check_file_owner(cx.sender.account, file) {
                Ok(()) => cx.query(Query::FileSecret(FileSecretQuery::Link(file))),
                Err(error) => reply_with_error(cx, error),
            },
            Self::Unlink(file) => match cx.core.set_file_link(cx.sender.account, file, None, cx.fx) {
                Ok(()) => cx
                    .reply(note("UNLINKED").arg(file.to_string()).text("The link leads nowhere from now on")),
                Err(error) => reply_with_error(cx, error),
            },
        }
    }
}

/// Continues FILES when the token or the link was made.
pub(in crate::core) fn complete_file_secret(cx: &mut Context<'_>, result: FileSecretResult) {
    match result {
        FileSecretResult::Token { token, seconds } => {
            let reply = note("TOKEN").arg(token.0.as_str()).arg(seconds.to_string());
            cx.reply(reply.text("A token for requests about files, good for one upload"));
        }
        FileSecretResult::Link { file, hash, url } => {
            match cx.core.set_file_link(cx.sender.account, file, Some(hash), cx.fx) {
                Ok(()) => {
                    let reply = note("LINK").arg(file.to_string()).arg(url.0.as_str());
                    cx.reply(reply.text("Whoever has this link can read the file"));
                }
                Err(error) => reply_with_error(cx, error),
            }
        }
    }
}

fn reply_with_error(cx: &mut Context<'_>, error: FileError) {
    let (code, text) = match error {
        FileError::NotOwner => ("NOT_OWNER", "Only the account that uploaded a file may do that"),
        _ => ("NO_SUCH_FILE", "There is no such file"),
    };
    cx.reply(fail(code, text));
}

fn reply_with_list(cx: &mut Context<'_>) {
    let account = cx.sender.account;
    let mut own: Vec<&FileState> = cx.core.files.iter().filter(|state| state.file.owner == account).collect();
    own.sort_unstable_by_key(|state| (std::cmp::Reverse(state.file.added), state.file.id));
    let (count, scanned) = (own.len(), cx.core.files.iter().len());
    let listed = own.into_iter().take(MAX_LISTED).map(|FileState { file, shares }| {
        note("FILE")
            .arg(file.id.to_string())
            .arg(file.size.to_string())
            .arg(&*file.media_type)
            .arg(file.added.to_string())
            .arg(shares.len().to_string())
            .arg(if file.link.is_some() { "link" } else { "*" })
            .text(&*file.name)
    });
    let listed: Vec<Reply> = listed.collect();
    let (used, quota) = (cx.core.files.bytes_of(account), cx.core.settings.file_quota_bytes);
    cx.core.count_scanned_rows(scanned);
    for reply in listed {
        cx.reply(reply);
    }
    cx.reply(note("FILE_LIST").arg(used.to_string()).arg(quota.to_string()).text(count_files(count)));
}

fn reply_with_shared(cx: &mut Context<'_>, target: &Target, given: &str, before: Option<MessageId>) {
    let Some((conversation, target)) = cx.resolve_conversation(target) else {
        let reply = Reply::fail(SPEC.name, "INVALID_TARGET").arg(given);
        return cx.reply(reply.text("There is no such conversation, or you are not in it"));
    };
    let core = &cx.core;
    let before = before.unwrap_or(MessageId::LAST);
    let shared = core.files.latest_shares(conversation, before, MAX_LISTED);
    let is_more = |oldest: MessageId| !core.files.latest_shares(conversation, oldest, 1).is_empty();
    let next = shared.last().map(|(oldest, _)| *oldest).filter(|oldest| is_more(*oldest));
    let listed = shared.iter().map(|(message, file)| {
        let owner = core.accounts.get(file.owner).map_or("*", |owner| owner.nick().as_str());
        note("SHARED")
            .arg(&*target)
            .arg(message.to_string())
            .arg(core.times.time_of(*message).to_string())
            .arg(owner)
            .arg(describe_file(file))
            .text(&*file.name)
    });
    let mut replies: Vec<Reply> = listed.collect();
    let last = note("SHARED_LIST").arg(&*target);
    let last = last.arg(next.map_or_else(|| "*".to_owned(), |oldest| oldest.to_string()));
    replies.push(last.text(count_files(shared.len())));
    core.count_scanned_rows(replies.len());
    for reply in replies {
        cx.reply(reply);
    }
}

fn count_files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}
