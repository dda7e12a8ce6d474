//! People, the server, and the token itself.

use axum::Json;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Reader;
use super::page::{NamePage, PageLimit, Parameters, PathParts, next_page};
use crate::core::record::Role;
use crate::core::request::listing::VisiblePerson;
use crate::server::http::problem::Problem;
use crate::wire::Nick;

/// A person, or a program, that has an account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Person {
    /// Name of the account.
    name: String,
    /// The name that they chose to be shown. It may be that of another account: compare it before you show it alone.
    display_name: Option<String>,
    role: PersonRole,
    /// True for a program.
    is_bot: bool,
    is_online: bool,
    /// The away message, while they are away.
    away: Option<String>,
}

/// Role on the server.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PersonRole {
    Member,
    Admin,
}

/// A page of people, in the order of their names.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct People {
    people: Vec<Person>,
    /// Address of the next page, if there may be one.
    next: Option<String>,
}

impl People {
    /// Makes a page of the list at a path.
    pub fn page(people: Vec<Person>, path: &[&str], limit: PageLimit) -> Self {
        let next = people
            .get(limit.0 - 1)
            .map(|last| next_page(path, &[("after", &last.name), ("limit", &limit.0.to_string())]));
        Self { people, next }
    }
}

impl From<VisiblePerson> for Person {
    fn from(person: VisiblePerson) -> Self {
        Self {
            name: person.name.to_string(),
            display_name: person.display_name.map(|name| name.to_string()),
            role: match person.role {
                Role::Member => PersonRole::Member,
                Role::Admin => PersonRole::Admin,
            },
            is_bot: person.is_bot,
            is_online: person.is_online,
            away: person.away.map(|away| away.to_string()),
        }
    }
}

/// Name, version and time of the server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Server {
    /// Name of the network, for people.
    name: String,
    /// Version of Parlour.
    version: &'static str,
    /// The server's time.
    #[schema(format = DateTime)]
    time: String,
    /// Time at which it was started.
    #[schema(format = DateTime)]
    started: String,
}

/// The access token of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenDescription {
    /// Name of the token.
    name: String,
    /// The account as which it reads.
    account: String,
    /// Requests that it permits.
    #[schema(example = "read")]
    scope: &'static str,
    #[schema(format = DateTime)]
    created: String,
    /// Time from which it is not valid any more; null if it lasts until it is revoked.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// Reads name, version and time of the server
#[utoipa::path(
    get,
    path = "/api/v1/server",
    tag = "server",
    responses((status = 200, description = "The server", body = Server))
)]
pub(super) async fn read_server(reader: Reader) -> Json<Server> {
    let settings = reader.service.settings.borrow();
    Json(Server {
        name: settings.network.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        time: reader.service.hub.clock.now().to_string(),
        started: settings.started.to_string(),
    })
}

/// Reads what is known of the token
#[utoipa::path(
    get,
    path = "/api/v1/token",
    tag = "server",
    responses((status = 200, description = "The token of the request", body = TokenDescription))
)]
pub(super) async fn read_token(reader: Reader) -> Json<TokenDescription> {
    let token = &reader.holder.token;
    Json(TokenDescription {
        name: token.name.to_string(),
        account: reader.holder.account.to_string(),
        scope: token.scope.as_str(),
        created: token.created.to_string(),
        expires: token.expires.map(|expires| expires.to_string()),
    })
}

/// Lists the people that have an account
#[utoipa::path(
    get,
    path = "/api/v1/people",
    tag = "people",
    params(NamePage),
    responses((status = 200, description = "A page of people", body = People))
)]
pub(super) async fn list_people(
    reader: Reader,
    Parameters(page): Parameters<NamePage>,
) -> Result<Json<People>, Problem> {
    let NamePage { after, limit } = page;
    let found = reader.service.hub.inspect(move |core| core.list_visible_people(&after, limit.0)).await?;
    let people: Vec<Person> = found.into_iter().map(Person::from).collect();
    Ok(Json(People::page(people, &["people"], limit)))
}

/// Reads a person
#[utoipa::path(
    get,
    path = "/api/v1/people/{name}",
    tag = "people",
    params(("name" = String, Path, description = "Name of the account", example = "alice")),
    responses((status = 200, description = "The person", body = Person))
)]
pub(super) async fn read_person(
    reader: Reader,
    PathParts(name): PathParts<String>,
) -> Result<Json<Person>, Problem> {
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "There is no account of this name.");
    let name = Nick::parse(&name).map_err(|_| unknown())?;
    let found = reader.service.hub.inspect(move |core| core.find_visible_person(&name)).await?;
    found.map(|person| Json(person.into())).ok_or_else(unknown)
}
