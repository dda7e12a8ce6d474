//! Channels and their members.

use axum::Json;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Reader;
use super::page::{NamePage, Parameters, PathParts, next_page};
use super::people::{People, Person};
use crate::core::request::listing::VisibleChannel;
use crate::server::http::problem::Problem;
use crate::wire::ChannelName;

/// A channel, as the account of the token may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Channel {
    name: String,
    topic: Option<Topic>,
    /// RFC 3339, in UTC.
    #[schema(format = DateTime)]
    created: String,
    /// Number of the members, online or not.
    members: usize,
    /// True if the account of the token is a member, and so may read the messages.
    is_member: bool,
}

/// Topic of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Topic {
    text: String,
    /// Name of the account that set it.
    by: String,
    #[schema(format = DateTime)]
    at: String,
}

/// A page of channels, in the order of their names.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Channels {
    channels: Vec<Channel>,
    /// Address of the next page, if there may be one.
    next: Option<String>,
}

impl From<VisibleChannel> for Channel {
    fn from(channel: VisibleChannel) -> Self {
        let topic = channel.topic.map(|topic| Topic {
            text: topic.text.to_string(),
            by: topic.by.to_string(),
            at: topic.at.to_string(),
        });
        Self {
            name: channel.name.to_string(),
            topic,
            created: channel.created.to_string(),
            members: channel.members,
            is_member: channel.is_member,
        }
    }
}

/// Lists the channels that the account may see
#[utoipa::path(
    get,
    path = "/api/v1/channels",
    tag = "channels",
    params(NamePage),
    responses((status = 200, description = "A page of channels", body = Channels))
)]
pub(super) async fn list_channels(
    reader: Reader,
    Parameters(page): Parameters<NamePage>,
) -> Result<Json<Channels>, Problem> {
    let (account, NamePage { after, limit }) = (reader.account(), page);
    let found =
        reader.service.hub.inspect(move |core| core.list_visible_channels(account, &after, limit.0)).await?;
    let last = found.get(limit.0 - 1).map(|channel| channel.name.to_string());
    let next =
        last.map(|last| next_page(&["channels"], &[("after", &last), ("limit", &limit.0.to_string())]));
    Ok(Json(Channels { channels: found.into_iter().map(Channel::from).collect(), next }))
}

/// Reads a channel
#[utoipa::path(
    get,
    path = "/api/v1/channels/{channel}",
    tag = "channels",
    params(("channel" = String, Path, description = "Name of the channel, with its #", example = "#builds")),
    responses((status = 200, description = "The channel", body = Channel))
)]
pub(super) async fn read_channel(
    reader: Reader,
    PathParts(name): PathParts<String>,
) -> Result<Json<Channel>, Problem> {
    let (account, name) = (reader.account(), parse_channel(&name)?);
    let found = reader.service.hub.inspect(move |core| core.find_visible_channel(account, &name)).await?;
    found.map(|channel| Json(channel.into())).ok_or_else(no_channel)
}

/// Lists the members of a channel
#[utoipa::path(
    get,
    path = "/api/v1/channels/{channel}/members",
    tag = "channels",
    params(
        ("channel" = String, Path, description = "Name of the channel, with its #", example = "#builds"),
        NamePage
    ),
    responses((status = 200, description = "A page of members", body = People))
)]
pub(super) async fn list_members(
    reader: Reader,
    PathParts(name): PathParts<String>,
    Parameters(page): Parameters<NamePage>,
) -> Result<Json<People>, Problem> {
    let (account, NamePage { after, limit }) = (reader.account(), page);
    let channel = parse_channel(&name)?;
    let list = move |core: &crate::core::Core| core.list_visible_members(account, &channel, &after, limit.0);
    let found = reader.service.hub.inspect(list).await?.ok_or_else(no_channel)?;
    let people: Vec<Person> = found.into_iter().map(Person::from).collect();
    Ok(Json(People::page(people, &["channels", &name, "members"], limit)))
}

/// Parses the name of a channel in a path. A text that cannot be one names none.
pub(super) fn parse_channel(name: &str) -> Result<ChannelName, Problem> {
    ChannelName::parse(name).map_err(|_| no_channel())
}

/// The refusal for a channel that there is not, or that the account may not see.
pub(super) fn no_channel() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is no such channel, or it is hidden. Its name begins with #, written %23 in an address.",
    )
}
