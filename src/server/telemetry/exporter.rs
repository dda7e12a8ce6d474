//! The metrics over HTTP, for Prometheus on the same machine.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::web::{HostPolicy, Site, serve};

/// Maximum count of connections at one time, each of which has time limits. A Prometheus keeps one; further ones wait.
const MAX_CONNECTIONS: usize = 16;

/// Pause after an error, such as a lack of file descriptors.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// Media type of Prometheus' text format.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Address of the metrics, which Prometheus expects there.
const PATH: &str = "/metrics";

/// Returns the metrics in Prometheus' text format. It reads the sizes of files, so it may block.
pub type ReadMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Answers requests for the metrics, which `text` returns. Never returns.
pub async fn run(listener: TcpListener, text: ReadMetrics) {
    let answer = move || {
        // It reads the sizes of files.
        let reading = spawn_blocking({
            let text = text.clone();
            move || text()
        });
        async move {
            match reading.await {
                Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    };
    let site = Arc::new(Site::new(None, Router::new().route(PATH, get(answer))));
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = connections.clone().acquire_owned().await else { return };
        let accepted = async {
            let (stream, _) = listener.accept().await?;
            let port = stream.local_addr()?.port();
            io::Result::Ok((stream, port))
        };
        match accepted.await {
            Ok((stream, port)) => {
                let site = site.clone();
                tokio::spawn(async move {
                    let _place = place;
                    let policy = HostPolicy::Machine { port };
                    // Whoever sends what is not HTTP gets no answer.
                    let _ = serve(stream, (&*site, &policy), None, 0).await;
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept connections for the metrics");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silent_connections_make_room_after_a_while() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("its address");
        let answering = tokio::spawn(run(listener, Arc::new(|| "the metrics".to_owned())));
        let mut silent = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            silent.push(TcpStream::connect(address).await.expect("a connection"));
        }
        let mut last = TcpStream::connect(address).await.expect("a connection");
        let request = format!("GET {PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        last.write_all(request.as_bytes()).await.expect("sent");
        let mut response = String::new();
        last.read_to_string(&mut response).await.expect("a response");
        assert!(response.starts_with("HTTP/1.1 200 ") && response.ends_with("the metrics"), "{response}");
        answering.abort();
    }
}
