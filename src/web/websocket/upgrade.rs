//! The opening of a WebSocket ([RFC 6455, section 4.2](https://www.rfc-editor.org/rfc/rfc6455#section-4.2)).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use parking_lot::Mutex;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::server::create_response_with_body;

use super::codec::Subprotocol;
use crate::web::responses::text_response;

/// A WebSocket whose opening was accepted.
pub struct Accepted {
    /// Becomes the connection when the response is sent.
    pub on_upgrade: OnUpgrade,
    pub subprotocol: Subprotocol,
}

/// Place of a connection's accepted WebSocket.
#[derive(Clone, Default)]
pub struct Slot(Arc<Mutex<Option<Accepted>>>);

impl Slot {
    /// Takes the WebSocket, if one was accepted.
    pub fn take(&self) -> Option<Accepted> {
        self.0.lock().take()
    }
}

/// Answers a request for the WebSocket. Extensions, such as compression, are not offered.
pub async fn respond(mut request: Request) -> Response {
    let mut response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(Error::Protocol(ProtocolError::WrongHttpMethod)) => {
            return text_response(StatusCode::METHOD_NOT_ALLOWED, "A WebSocket is opened by GET.");
        }
        Err(_) => {
            let mut response =
                text_response(StatusCode::UPGRADE_REQUIRED, "This address is for a WebSocket, version 13.");
            response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            return response;
        }
    };
    let (on_upgrade, chosen) = (hyper::upgrade::on(&mut request), choose_subprotocol(request.headers()));
    if let Some(name) = chosen.map(Subprotocol::name) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    if let Some(slot) = request.extensions().get::<Slot>() {
        *slot.0.lock() = Some(Accepted { on_upgrade, subprotocol: chosen.unwrap_or(Subprotocol::Text) });
    }
    response
}

/// Returns the first of the client's subprotocols that is known. Clients older than the specification name none, and
/// exchange text.
fn choose_subprotocol(headers: &HeaderMap) -> Option<Subprotocol> {
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|names| names.split(',')).find_map(|name| Subprotocol::from_name(name.trim()))
}
