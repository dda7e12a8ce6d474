//! One delivery: the request with its signature, and its response
//! ([Standard Webhooks](https://www.standardwebhooks.com)).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::target::{HookTarget, TargetError};
use crate::core::effects::history::HistoryMessage;
use crate::core::record::hook::HookKey;
use crate::core::settings::VERSION;
use crate::server::http::shown_text::{ShownKind, ShownText};
use crate::wire::Timestamp;

/// Time limit of a delivery, from the lookup of the name to the response.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// A message as programs are sent it.
#[derive(Debug, Serialize)]
pub(super) struct Payload<'a> {
    /// Always `message`; programs ignore what they do not know.
    pub r#type: &'static str,
    /// Name of the hook.
    pub hook: &'a str,
    /// Name of the channel.
    pub channel: &'a str,
    pub msgid: String,
    /// RFC 3339, in UTC.
    pub time: String,
    /// Name of the sender.
    pub from: &'a str,
    pub kind: ShownKind,
    pub text: String,
}

/// Reason why a message was not delivered. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    #[error("no response: {0}")]
    Http(#[from] hyper::Error),
    #[error("no response within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    #[error("the system's certificates cannot be read")]
    NoRoots,
    #[error("the response is {0}, and redirects are not followed")]
    Redirect(StatusCode),
    #[error("the response is {0}")]
    Status(StatusCode),
}

impl DeliveryError {
    /// Returns whether the program refuses this message and would refuse it again.
    pub fn is_final(&self) -> bool {
        let refusals =
            [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
        matches!(self, Self::Status(status) if refusals.contains(status))
    }
}

impl<'a> Payload<'a> {
    /// Makes the payload of a message; `None` for one that shows no text, such as a CTCP request.
    pub fn new(
        message: &'a HistoryMessage,
        time: Timestamp,
        hook: &'a str,
        channel: &'a str,
    ) -> Option<Self> {
        let ShownText { kind, text } = ShownText::of(&message.message)?;
        let (msgid, time) = (message.message.id.to_string(), time.to_string());
        let from = message.from.as_str();
        Some(Self { r#type: "message", hook, channel, msgid, time, from, kind, text })
    }
}

/// Signs the id, the time and the body of a request, as the header `webhook-signature` has it.
pub(super) fn signature(key: &HookKey, id: &str, seconds: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.0);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{seconds}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

/// A request that is sent to a program.
#[derive(Debug)]
pub(super) struct Delivery {
    pub target: HookTarget,
    pub key: HookKey,
    /// By it the program recognizes a repetition.
    pub id: String,
    pub body: Vec<u8>,
}

/// TLS configuration and allowed hosts of all deliveries.
#[derive(Clone)]
pub(super) struct Connector {
    /// TLS of the system's authorities, if they can be read.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Hosts and addresses that the operator allows.
    pub allow: Arc<[String]>,
}

impl Connector {
    /// Sends a request, once.
    ///
    /// # Errors
    /// There is no response of the 2xx within the time limit.
    pub async fn send(&self, delivery: &Delivery, now: Timestamp) -> Result<(), DeliveryError> {
        timeout(TIMEOUT, self.exchange(delivery, now)).await.unwrap_or(Err(DeliveryError::Timeout))
    }

    async fn exchange(&self, delivery: &Delivery, now: Timestamp) -> Result<(), DeliveryError> {
        let target = &delivery.target;
        let addresses = target.addresses(&self.allow).await?;
        let mut connected = Err(DeliveryError::Target(TargetError::NoAddress(target.host.clone())));
        for address in addresses {
            connected = TcpStream::connect(address).await.map_err(DeliveryError::Connect);
            if connected.is_ok() {
                break;
            }
        }
        let stream = connected?;
        if !target.is_https {
            return exchange_over(stream, delivery, now).await;
        }
        let config = self.tls.clone().ok_or(DeliveryError::NoRoots)?;
        let name = ServerName::try_from(target.host.clone()).map_err(|_| TargetError::NotAUrl)?;
        let stream =
            TlsConnector::from(config).connect(name, stream).await.map_err(DeliveryError::Connect)?;
        exchange_over(stream, delivery, now).await
    }
}

async fn exchange_over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), DeliveryError> {
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(16 * 1024)
        .handshake(TokioIo::new(stream))
        .await?;
    let seconds = now.as_seconds();
    let request = Request::post(&delivery.target.path)
        .header(HOST, &delivery.target.authority)
        .header(USER_AGENT, VERSION)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &delivery.id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature(&delivery.key, &delivery.id, seconds, &delivery.body))
        .body(Body::from(delivery.body.clone()))
        .map_err(|_| TargetError::NotAUrl)?;
    // The body of the response is not read: the connection ends with its head. It may have ended when the head is there.
    let mut response = pin!(sender.send_request(request));
    let status = tokio::select! {
        biased;
        response = &mut response => response?.status(),
        _ = connection => response.await?.status(),
    };
    match status {
        status if status.is_success() => Ok(()),
        status if status.is_redirection() => Err(DeliveryError::Redirect(status)),
        status => Err(DeliveryError::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_that_of_standard_webhooks() {
        // printf 'msg_1.1614265330.{"test": 2432232314}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101… -binary | base64
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&HookKey([1; 32]), "msg_1", 1_614_265_330, body);
        assert_eq!(signed, "v1,YUNsouczJ3RNIJXIS6xNtnOnTODDfbH01V6yB8kWgZc=");
        assert_ne!(signature(&HookKey([2; 32]), "msg_1", 1_614_265_330, body), signed);
        assert_ne!(signature(&HookKey([1; 32]), "msg_1", 1_614_265_331, body), signed);
    }
}
