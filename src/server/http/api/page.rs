//! Pages of lists, and the parameters of requests.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::server::http::body::is_utf8_encoded;
use crate::server::http::problem::Problem;
use crate::wire::file_name::encode_name;

/// Entries of a page for which a request names no number.
const DEFAULT_LIMIT: usize = 100;

/// Limit of the entries of a page.
const MAX_LIMIT: usize = 1000;

/// Limit of the characters of a name in a parameter.
const MAX_NAME_CHARS: usize = 200;

/// The part of a list of names.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NamePage {
    /// The last name of the page before.
    #[serde(default, deserialize_with = "name")]
    #[param(max_length = 200)]
    pub after: String,
    /// The most entries that the page has.
    #[serde(default)]
    #[param(inline, value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    pub limit: PageLimit,
}

/// Number of the entries that a page has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct PageLimit(pub usize);

impl Default for PageLimit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl<'de> Deserialize<'de> for PageLimit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let number = text.parse().ok().filter(|number| is_number && (1..=MAX_LIMIT).contains(number));
        number.map(Self).ok_or_else(|| D::Error::custom(format!("it is a number from 1 to {MAX_LIMIT}")))
    }
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.chars().count() > MAX_NAME_CHARS {
        return Err(D::Error::custom(format!("it has at most {MAX_NAME_CHARS} characters")));
    }
    Ok(text)
}

/// The parameters of a request after `?`.
pub(super) struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !is_utf8_encoded(head.uri.query().unwrap_or_default()) {
            let text = "The parameters are wrong: they are not UTF-8, percent-encoded.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, text));
        }
        let parsed = Query::<T>::from_request_parts(head, state).await;
        parsed.map(|Query(parameters)| Self(parameters)).map_err(|rejection| {
            let what = match &rejection {
                QueryRejection::FailedToDeserializeQueryString(error) => {
                    std::error::Error::source(error).map(ToString::to_string)
                }
                _ => None,
            };
            let what = what.unwrap_or_else(|| rejection.to_string());
            Problem::new(StatusCode::BAD_REQUEST, format!("The parameters are wrong: {what}."))
        })
    }
}

/// The variable parts of a request's path, of which none names anything if they are not text.
pub(super) struct PathParts<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParts<T> {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parsed: Result<Path<T>, PathRejection> = Path::from_request_parts(head, state).await;
        parsed
            .map(|Path(parts)| Self(parts))
            .map_err(|_| Problem::new(StatusCode::NOT_FOUND, "There is nothing at this address."))
    }
}

/// Returns the address of the next page: the path, and its parameters.
pub(super) fn next_page(path: &[&str], parameters: &[(&str, &str)]) -> String {
    let mut address = super::API_PATH.trim_end_matches('/').to_owned();
    for part in path {
        address.push('/');
        address.push_str(&encode_name(part));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    address + "?" + &query.finish()
}
