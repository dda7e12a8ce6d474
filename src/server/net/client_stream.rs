//! The encrypted stream of a client: lines over TLS, or over a WebSocket over TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket::LimitedSocket;
use super::tls::TlsStream;
use crate::server::sessions::line_form::LineForm;
use crate::web::WebSocketStream;

/// Stream of lines to and from a client. Login and session treat all kinds alike.
#[allow(clippy::large_enum_variant)] // The large one is that of most sessions, which are boxed as a whole.
pub(in crate::server) enum ClientStream {
    Tls(TlsStream<LimitedSocket>),
    /// Boxed, so that it costs the other sessions no memory.
    WebSocket(Box<WebSocketStream<TlsStream<LimitedSocket>>>),
}

impl ClientStream {
    /// Returns the socket below the encryption.
    pub fn socket_mut(&mut self) -> &mut LimitedSocket {
        match self {
            Self::Tls(stream) => stream.socket_mut(),
            Self::WebSocket(stream) => stream.get_mut().socket_mut(),
        }
    }

    /// Returns the certificate that the client has proven to have. A browser is not asked for one.
    pub fn client_certificate(&self) -> Option<&CertificateDer<'static>> {
        match self {
            Self::Tls(stream) => stream.common_state().peer_certificates()?.first(),
            Self::WebSocket(_) => None,
        }
    }
}

impl ClientStream {
    /// Returns the form of the blocks that [`Self::poll_write_blocks`] takes.
    pub fn line_form(&self) -> LineForm {
        match self {
            Self::Tls(_) => LineForm::Lines,
            Self::WebSocket(stream) => LineForm::Frames(stream.subprotocol()),
        }
    }

    /// Writes blocks in the client's form. Each slice is the rest of one.
    pub fn poll_write_blocks(
        &mut self,
        cx: &mut Context<'_>,
        blocks: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, blocks),
            Self::WebSocket(stream) => stream.poll_write_frames(cx, blocks),
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::WebSocket(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::WebSocket(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::WebSocket(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::WebSocket(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::WebSocket(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
