//! FILES: tokens for requests over HTTP, the files of one's own, and links for everybody (docs/files.md). The modern
//! protocol does not specify it.
//!
//! | command | replies |
//! | --- | --- |
//! | `FILES TOKEN` | `NOTE FILES TOKEN <token> <seconds>` |
//! | `FILES LIST` | `NOTE FILES FILE <id> <bytes> <media type> <time> <messages> <link or *> :<name>` for each, the newest first, and `NOTE FILES FILE_LIST <bytes> <quota>` |
//! | `FILES LINK <id>` | `NOTE FILES LINK <id> <url>` |
//! | `FILES UNLINK <id>` | `NOTE FILES UNLINKED <id>` |

use crate::core::commands::{Command, Spec};
use crate::core::effects::query::{FileSecretQuery, FileSecretResult, Query};
use crate::core::model::files::FileState;
use crate::core::record::file::FileId;
use crate::core::request::files::FileError;
use crate::core::state::context::Context;
use crate::wire::{Message, Reply};

/// The FILES command.
pub const SPEC: Spec = Spec { name: "FILES", min_params: 1, parse };

/// Maximum number of listed files.
const MAX_LISTED: usize = 100;

/// A parsed FILES.
#[derive(Debug)]
pub enum Files {
    /// Make a token.
    Token,
    /// List the sender's files.
    List,
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
        "LIST" => Files::List,
        "LINK" => Files::Link(file()?),
        "UNLINK" => Files::Unlink(file()?),
        _ => return Err(fail("INVALID_PARAMS", "There are TOKEN, LIST, LINK ID and UNLINK ID")),
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
    let text = match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    cx.reply(note("FILE_LIST").arg(used.to_string()).arg(quota.to_string()).text(text));
}
