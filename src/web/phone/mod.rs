//! `/phone`: the page that offers the server's web root to the browsers of phones, and explains it.
//!
//! It is made without a script and is the same for everybody, in the language that the browser prefers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::any;

use super::responses::{refuse_other_methods, text_response};

/// Facts about the web root for the page, and the root itself.
#[derive(Clone, Debug)]
pub struct PhoneRoot {
    /// The certificate as DER.
    pub der: Vec<u8>,
    /// SHA-256 of the certificate, in pairs of capitals.
    pub fingerprint: String,
    /// The names and addresses that it may vouch for. They are plain ASCII without markup.
    pub names: Vec<String>,
    /// Last day of its validity, as `YYYY-MM-DD`.
    pub until: String,
}

/// Returns the present web root, if there is one.
pub type FindPhoneRoot = Arc<dyn Fn() -> Option<PhoneRoot> + Send + Sync>;

/// A language of the page.
struct Language {
    tag: &'static str,
    text: &'static str,
}

/// The languages, the first of which is for those who prefer another.
const LANGUAGES: [Language; 4] = [
    Language { tag: "en", text: include_str!("en.html") },
    Language { tag: "de", text: include_str!("de.html") },
    Language { tag: "fr", text: include_str!("fr.html") },
    Language { tag: "es", text: include_str!("es.html") },
];

const STYLE: &str = include_str!("style.css");

/// Path of the page.
pub const PATH: &str = "/phone";

/// Returns the routes of the page.
pub(super) fn routes(find_root: FindPhoneRoot) -> Router {
    let mut router = Router::new().route(
        "/phone/style.css",
        any(|request: Request| async move {
            refuse_other_methods(&request).unwrap_or_else(|| response("text/css; charset=utf-8", STYLE))
        }),
    );
    // Systems take the file for a certificate to install by this type.
    let find = find_root.clone();
    let download = move |request: Request| async move {
        reading(&request, &find, |root| response("application/x-x509-ca-cert", root.der))
    };
    router = router.route("/phone/parlour-web-root.crt", any(download));
    for language in &LANGUAGES {
        let find = find_root.clone();
        let page = move |request: Request| async move {
            reading(&request, &find, |root| page_response(language, &root))
        };
        router = router.route(&format!("{PATH}/{}", language.tag), any(page));
    }
    let page = move |request: Request| async move {
        let language = preferred_language(request.headers());
        reading(&request, &find_root, |root| page_response(language, &root))
    };
    router.route(PATH, any(page))
}

/// Answers a request that reads something about the web root.
fn reading(
    request: &Request,
    find_root: &FindPhoneRoot,
    respond: impl FnOnce(PhoneRoot) -> Response,
) -> Response {
    if let Some(refused) = refuse_other_methods(request) {
        return refused;
    }
    match find_root() {
        Some(root) => respond(root),
        None => text_response(
            StatusCode::NOT_FOUND,
            "This server has no web root. An administrator makes one with: parlour certs web-root",
        ),
    }
}

fn page_response(language: &'static Language, root: &PhoneRoot) -> Response {
    let text = language
        .text
        .replace("{{fingerprint}}", &root.fingerprint)
        .replace("{{names}}", &root.names.join(", "))
        .replace("{{until}}", &root.until);
    let mut response = response("text/html; charset=utf-8", text);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag));
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
    response
}

fn response(content_type: &'static str, content: impl Into<Body>) -> Response {
    let mut response = Response::new(content.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Returns the first language of the browser's list that the page has. Browsers list them in the order of preference.
fn preferred_language(headers: &HeaderMap) -> &'static Language {
    let [default, ..] = &LANGUAGES;
    let wanted = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let find = |wanted: &str| {
        let tag = wanted.split([';', '-']).next().unwrap_or_default().trim();
        LANGUAGES.iter().find(|language| tag.eq_ignore_ascii_case(language.tag))
    };
    wanted.flat_map(|list| list.split(',')).find_map(find).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_the_first_that_the_page_has() {
        for (header, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("nl, FR;q=0.5", "fr"),
            ("es-419", "es"),
            ("deutsch", "en"),
            ("", "en"),
            ("*", "en"),
        ] {
            let value = header.parse().expect("a header's value");
            let headers: HeaderMap = [(ACCEPT_LANGUAGE, value)].into_iter().collect();
            assert_eq!(preferred_language(&headers).tag, expected, "{header}");
        }
        assert_eq!(preferred_language(&HeaderMap::new()).tag, "en");
    }

    /// Returns the parts of a page that do not depend on its language: the names of its elements, and its links.
    fn structure(text: &str) -> Vec<&str> {
        let tags = text.split('<').skip(1).filter_map(|rest| rest.split('>').next());
        let is_named = |tag: &&str| !tag.starts_with("a href=\"/phone/") && !tag.starts_with("html");
        tags.filter(is_named).collect()
    }

    #[test]
    fn languages_say_the_same_without_a_script() {
        let [first, others @ ..] = &LANGUAGES;
        for language in &LANGUAGES {
            let text = language.text;
            assert!(text.contains(&format!("<html lang=\"{}\">", language.tag)));
            assert!(text.contains(&format!("<a href=\"/phone/{}\" aria-current=\"true\">", language.tag)));
            for value in ["{{fingerprint}}", "{{names}}", "{{until}}"] {
                assert_eq!(text.matches(value).count(), 1, "{value} in {}", language.tag);
            }
            assert!(!text.contains("<script") && !text.contains("style=") && !text.contains("://"));
        }
        for other in others {
            assert_eq!(structure(other.text), structure(first.text), "{}", other.tag);
        }
    }
}
