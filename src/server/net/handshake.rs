//! The TLS handshake of a connection, which tells clients of IRC from browsers, and the HTTP of the latter.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use rustls::ServerConfig;

use super::client_stream::ClientStream;
use super::socket::LimitedSocket;
use super::tls::{StartedHandshake, TlsStream, start_handshake};
use crate::server::config::Config;
use crate::trust::live_identity::LiveIdentity;
use crate::trust::tls::{self, ALPN, ALPN_HTTP, ALPN_HTTP_DEVICE};
use crate::trust::web_identity::WebIdentity;
use crate::trust::{certificate_hash, check_device_certificate};
use crate::web::phone::PhoneRoot;
use crate::web::{HostPolicy, Mode, Page, Peer, Site, serve};
use crate::wire::framing::LineFramer;

/// Clients of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum ListenerKind {
    /// Clients of IRC, and browsers if the page is enabled.
    All,
    /// Browsers, and no clients of IRC.
    Web,
}

/// TLS configurations of the server, and its page.
pub(in crate::server) struct Protocols {
    /// For clients of IRC, which may present a certificate.
    pub irc: Arc<ServerConfig>,
    /// `None` if the page is not enabled.
    pub web: Option<WebProtocol>,
}

/// HTTP for browsers.
pub(in crate::server) struct WebProtocol {
    pub config: Arc<ServerConfig>,
    /// For clients that offer the certificate of a device.
    pub device_config: Arc<ServerConfig>,
    pub site: Site,
    /// Origins of other web clients.
    pub origins: Arc<[String]>,
}

/// A connection after its handshake.
pub(in crate::server) enum Accepted<'a> {
    Irc(Box<TlsStream<LimitedSocket>>),
    Http {
        stream: Box<TlsStream<LimitedSocket>>,
        /// The name by which the client calls the server (SNI).
        server_name: Option<String>,
        web: &'a WebProtocol,
    },
}

impl Protocols {
    /// Returns what connections may speak: IRC, and HTTP if there is an identity for it.
    pub fn new(
        config: &Config,
        identity: Arc<LiveIdentity>,
        web: Option<Arc<WebIdentity>>,
        routes: &Router,
    ) -> Self {
        let web = web.map(|identity| {
            let page = config.web.enabled.then(|| {
                let (mode, phones) = (Mode::Server { name: config.name.clone() }, identity.clone());
                Page { mode, find_phone_root: Some(Arc::new(move || phone_root(&phones))) }
            });
            WebProtocol {
                config: tls::web_server_config(identity.clone()),
                device_config: tls::device_web_server_config(identity),
                site: Site::new(page, routes.clone()),
                origins: config.web.origins.clone().into(),
            }
        });
        Self { irc: tls::live_server_config(identity), web }
    }

    /// Performs the TLS handshake. A client that names `http/1.1` and not `irc` (ALPN) is a browser, and so is each client
    /// of a listener for HTTP alone.
    pub async fn accept(&self, socket: LimitedSocket, kind: ListenerKind) -> io::Result<Accepted<'_>> {
        let handshake = start_handshake(socket).await?;
        let web = self.web.as_ref().filter(|_| kind == ListenerKind::Web || is_browser(&handshake));
        match web {
            Some(web) => {
                let config =
                    if handshake.offers(ALPN_HTTP_DEVICE) { &web.device_config } else { &web.config };
                let server_name = handshake.server_name();
                let stream = Box::new(handshake.complete(config.clone()).await?);
                Ok(Accepted::Http { stream, server_name, web })
            }
            None => Ok(Accepted::Irc(Box::new(handshake.complete(self.irc.clone()).await?))),
        }
    }
}

impl Accepted<'_> {
    /// Returns the stream of lines: that of IRC at once; of HTTP the WebSocket that the connection becomes, or `None`
    /// if it ends before.
    pub async fn into_lines(self, peer: IpAddr, line_bytes: usize) -> io::Result<Option<ClientStream>> {
        match self {
            Self::Irc(stream) => Ok(Some(ClientStream::Tls(*stream))),
            Self::Http { mut stream, server_name, web } => {
                // Requests have limits of their own, in size and number.
                stream.socket_mut().set_limit(None);
                let policy = HostPolicy::Tls { server_name, origins: web.origins.clone() };
                // Of a line that is somewhat too long the client learns so, as elsewhere. A far longer one ends the
                // WebSocket before it is buffered.
                let limit = 2 * LineFramer::new(line_bytes).max_line_bytes();
                let certificate = stream.common_state().peer_certificates().and_then(<[_]>::first);
                let certificate = certificate.filter(|shown| check_device_certificate(shown).is_ok());
                let peer = Peer { address: peer, certificate: certificate.map(certificate_hash) };
                let socket = serve(*stream, (&web.site, &policy), Some(peer), limit).await?;
                Ok(socket.map(|socket| ClientStream::WebSocket(Box::new(socket))))
            }
        }
    }
}

/// Returns what the page for phones says of the web root, if there is one.
fn phone_root(identity: &WebIdentity) -> Option<PhoneRoot> {
    let certificates = identity.web_certificates()?;
    Some(PhoneRoot {
        der: certificates.root.to_vec(),
        fingerprint: certificates.fingerprint.to_colon_hex(),
        names: certificates.names.iter().map(ToString::to_string).collect(),
        until: certificates.root_validity.until_date(),
    })
}

fn is_browser(handshake: &StartedHandshake<LimitedSocket>) -> bool {
    handshake.offers(ALPN_HTTP) && !handshake.offers(ALPN)
}
