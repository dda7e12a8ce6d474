//! Messages of channels: the history, and the search.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::request::Parts;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use super::channels::{no_channel, parse_channel};
use super::page::{PageLimit, Parameters, PathParts, next_page};
use crate::core::Core;
use crate::core::commands::history::search::{MAX_CHARACTERS, MAX_WORDS};
use crate::core::effects::history::{HistoryMessage, MessageFilter, Search, Window};
use crate::core::effects::playback::MAX_RESULT_BYTES;
use crate::core::record::Conversation;
use crate::core::record::file::StoredFile;
use crate::core::request::files::FILE_PATH;
use crate::server::http::problem::Problem;
use crate::server::http::shown_text::{ShownKind, ShownText};
use crate::server::reading::SearchHits;
use crate::store::history;
use crate::wire::file_name::encode_name;
use crate::wire::ids::MessageTimes;
use crate::wire::{ChannelName, MessageId, Nick};

/// Messages that are read of a channel: no events, and none that was taken back.
const KINDS: MessageFilter = MessageFilter { events: false, redactions: false };

/// A message of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Message {
    #[schema(example = "0006540f8a3c4000")]
    msgid: String,
    /// RFC 3339, in UTC.
    #[schema(format = DateTime)]
    time: String,
    channel: String,
    /// Name of the sender.
    from: String,
    /// True if the sender is a program.
    is_bot: bool,
    #[schema(inline)]
    kind: ShownKind,
    /// Lines are separated by line feeds.
    text: String,
    /// Id of the message that it answers.
    reply_to: Option<String>,
    files: Vec<File>,
}

/// A file that a message shares.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct File {
    url: String,
    name: String,
    #[schema(example = "image/png")]
    media_type: String,
    bytes: u64,
    /// Of a picture, in pixels.
    width: Option<u32>,
    height: Option<u32>,
}

/// A page of messages, the earliest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Messages {
    messages: Vec<Message>,
    /// Path of the next page, if there may be one. With `after` it has later messages, without it earlier ones.
    next: Option<String>,
}

/// A page of messages that were found, the earliest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundMessages {
    messages: Vec<Message>,
    /// Address of the page of earlier ones, if there may be one.
    next: Option<String>,
    /// False if not all messages were searched, because the index is behind or the search took too long.
    is_complete: bool,
}

/// The part of a history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryPage {
    /// Messages before the one with this id, the latest of them. Without `before` and `after`, the latest of all.
    #[serde(default, deserialize_with = "msgid")]
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{16}$")]
    before: Option<MessageId>,
    /// Messages after the one with this id, the earliest of them.
    #[serde(default, deserialize_with = "msgid")]
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{16}$")]
    after: Option<MessageId>,
    /// The most messages that the page has.
    #[serde(default)]
    #[param(inline, value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: PageLimit,
}

/// The conditions of a search.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchPage {
    /// Words that the text of a message contains, in any case: at most 32, and 300 characters.
    #[serde(deserialize_with = "words")]
    #[param(max_length = 300, pattern = r"^[ ]*[^\s]+([ ]+[^\s]+){0,31}[ ]*$")]
    text: String,
    /// Name of a channel that the account is in, with its #. Without it, all of these are searched.
    channel: Option<String>,
    /// Name of the sender.
    from: Option<String>,
    /// Messages before the one with this id.
    #[serde(default, deserialize_with = "msgid")]
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{16}$")]
    before: Option<MessageId>,
    /// The most messages that the page has.
    #[serde(default)]
    #[param(inline, value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: PageLimit,
}

fn msgid<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MessageId>, D::Error> {
    let text = String::deserialize(from)?;
    let id = text.parse().ok().filter(|id: &MessageId| id.to_string() == text);
    id.map(Some)
        .ok_or_else(|| D::Error::custom("it is no id of a message: 16 hexadecimal digits in lower case"))
}

fn words<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.trim().is_empty() {
        return Err(D::Error::custom("there are no words in it"));
    }
    if text.chars().count() > MAX_CHARACTERS || text.split_whitespace().count() > MAX_WORDS {
        let error = format!("at most {MAX_CHARACTERS} characters and {MAX_WORDS} words can be searched for");
        return Err(D::Error::custom(error));
    }
    Ok(text)
}

/// Reads messages of a channel that the account is in
#[utoipa::path(
    get,
    path = "/api/v1/channels/{channel}/messages",
    tag = "messages",
    params(
        ("channel" = String, Path, description = "Name of the channel, with its #", example = "#builds"),
        HistoryPage
    ),
    responses((status = 200, description = "A page of messages", body = Messages))
)]
pub(super) async fn list_messages(
    reader: Reader,
    PathParts(name): PathParts<String>,
    Parameters(page): Parameters<HistoryPage>,
    head: Parts,
) -> Result<Json<Messages>, Problem> {
    let channel = ReadableChannel::find(&reader, &name).await?;
    let HistoryPage { before, after, limit } = page;
    let window = Window {
        after: after.unwrap_or_default(),
        before: before.unwrap_or(MessageId::LAST),
        newest: after.is_none(),
        limit: limit.0,
    };
    let conversation = channel.conversation;
    let read = reader.service.store.read(reader.account(), move |conn| {
        history::read_page(conn, conversation, &window, KINDS, MAX_RESULT_BYTES)
    });
    let (found, is_last) = read.await?;
    let bound = if window.newest { found.first() } else { found.last() }.map(|found| found.message.id);
    let next = bound.filter(|_| !is_last).map(|bound| {
        let (bound, limit) = (bound.to_string(), limit.0.to_string());
        let mut parameters =
            vec![(if window.newest { "before" } else { "after" }, &*bound), ("limit", &limit)];
        let before = before.filter(|_| !window.newest).map(|before| before.to_string());
        parameters.extend(before.as_deref().map(|before| ("before", before)));
        next_page(&["channels", channel.name.as_str(), "messages"], &parameters)
    });
    let messages = found.into_iter().filter_map(|found| channel.describe(found, &head)).collect();
    Ok(Json(Messages { messages, next }))
}

/// Reads one message
#[utoipa::path(
    get,
    path = "/api/v1/channels/{channel}/messages/{msgid}",
    tag = "messages",
    params(
        ("channel" = String, Path, description = "Name of the channel, with its #", example = "#builds"),
        ("msgid" = String, Path, description = "Id of the message", example = "0006540f8a3c4000")
    ),
    responses((status = 200, description = "The message", body = Message))
)]
pub(super) async fn read_message(
    reader: Reader,
    PathParts((name, msgid)): PathParts<(String, String)>,
    head: Parts,
) -> Result<Json<Message>, Problem> {
    let channel = ReadableChannel::find(&reader, &name).await?;
    let unknown = || {
        Problem::new(StatusCode::NOT_FOUND, "There is no such message in this channel, or it was taken back.")
    };
    let id: MessageId = msgid.parse().map_err(|_| unknown())?;
    let window = Window { after: id.predecessor(), before: id.successor(), newest: true, limit: 1 };
    let conversation = channel.conversation;
    let read = reader.service.store.read(reader.account(), move |conn| {
        history::read(conn, conversation, &window, KINDS, MAX_RESULT_BYTES)
    });
    let found = read.await?.into_iter().find(|found| found.message.id == id);
    found.and_then(|found| channel.describe(found, &head)).map(Json).ok_or_else(unknown)
}

/// Searches the channels that the account is in
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "messages",
    params(SearchPage),
    responses((status = 200, description = "A page of messages", body = FoundMessages))
)]
pub(super) async fn search(
    reader: Reader,
    Parameters(page): Parameters<SearchPage>,
    head: Parts,
) -> Result<Json<FoundMessages>, Problem> {
    let SearchPage { text, channel, from, before, limit } = page;
    let account = reader.account();
    let one = channel.as_deref().map(parse_channel).transpose()?;
    let no_sender = || Problem::new(StatusCode::NOT_FOUND, "There is no account of the name in `from`.");
    let sender = from.as_deref().map(|name| Nick::parse(name).map_err(|_| no_sender())).transpose()?;
    let is_from_one = sender.is_some();
    let scope = move |core: &Core| {
        let readable = core.readable_channels(account);
        let one = one.map(|name| core.find_visible_channel(account, &name).ok_or_else(no_channel));
        let sender = sender.and_then(|name| core.account_id(&name));
        (readable, one.transpose(), sender, core.last_message(), core.message_times().clone())
    };
    let (channels, one, sender, last, times) = reader.service.hub.inspect(scope).await?;
    let one = one?;
    if one.as_ref().is_some_and(|channel| !channel.is_member) {
        return Err(not_a_member());
    }
    if is_from_one && sender.is_none() {
        return Err(no_sender());
    }
    let conversation = one.map(|channel| Conversation::Channel(channel.id));
    let before_or_all = before.unwrap_or_else(|| last.successor());
    let search = Search {
        account,
        includes_direct: false,
        channels: channels.clone(),
        conversation,
        from: sender,
        text: Some(Arc::from(&*text)),
        window: Window { after: MessageId::default(), before: before_or_all, newest: true, limit: limit.0 },
    };
    let SearchHits { hits, is_complete } = reader.service.store.search(search).await?;
    let first = hits.first().map(|(found, _)| found.message.id.to_string());
    let next = first.filter(|_| hits.len() >= limit.0).map(|first| {
        let limit = limit.0.to_string();
        let (channel, from) = (channel.unwrap_or_default(), from.unwrap_or_default());
        let all =
            [("text", &*text), ("channel", &channel), ("from", &from), ("before", &first), ("limit", &limit)];
        next_page(&["search"], &all)
    });
    let describe = |found: HistoryMessage| {
        let conversation = found.message.conversation;
        let (_, name) = channels.iter().find(|(id, _)| Conversation::Channel(*id) == conversation)?;
        ReadableChannel { name: name.clone(), conversation, times: times.clone() }.describe(found, &head)
    };
    let messages = hits.into_iter().filter_map(|(found, _)| describe(found)).collect();
    Ok(Json(FoundMessages { messages, next, is_complete }))
}

/// A channel whose history the account may read.
struct ReadableChannel {
    name: ChannelName,
    conversation: Conversation,
    times: MessageTimes,
}

impl ReadableChannel {
    /// Finds the channel of a name.
    ///
    /// # Errors
    /// There is none, or the account is not in it.
    async fn find(reader: &Reader, name: &str) -> Result<Self, Problem> {
        let (account, name) = (reader.account(), parse_channel(name)?);
        let find = move |core: &Core| {
            let found = core.find_visible_channel(account, &name)?;
            Some((found, core.message_times().clone()))
        };
        let (found, times) = reader.service.hub.inspect(find).await?.ok_or_else(no_channel)?;
        if !found.is_member {
            return Err(not_a_member());
        }
        Ok(Self { name: found.name, conversation: Conversation::Channel(found.id), times })
    }

    /// Describes a message; `None` for one that shows no text.
    fn describe(&self, found: HistoryMessage, head: &Parts) -> Option<Message> {
        let HistoryMessage { message, from, is_bot, files, .. } = found;
        let ShownText { kind, text } = ShownText::of(&message)?;
        Some(Message {
            msgid: message.id.to_string(),
            time: self.times.time_of(message.id).to_string(),
            channel: self.name.to_string(),
            from: from.to_string(),
            is_bot,
            kind,
            text,
            reply_to: message.parent().map(ToOwned::to_owned),
            files: files.iter().map(|file| describe_file(file, head)).collect(),
        })
    }
}

fn describe_file(file: &StoredFile, head: &Parts) -> File {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    File {
        url: format!("https://{host}{FILE_PATH}{}/{}", file.id, encode_name(&file.name)),
        name: file.name.to_string(),
        media_type: file.media_type.to_string(),
        bytes: file.size,
        width: file.dimensions.map(|dimensions| dimensions.width),
        height: file.dimensions.map(|dimensions| dimensions.height),
    }
}

fn not_a_member() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "The account of the token is not in this channel, so it may not read it.",
    )
}
