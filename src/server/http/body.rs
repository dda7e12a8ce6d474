//! Reading of small bodies, within limits of size and time.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use futures_core::Stream as _;
use percent_encoding::percent_decode_str;
use tokio::time::timeout;

use super::problem::Problem;
use crate::wire::file_name::file_size;

/// Time limit for a whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns whether a percent-encoded text, such as that of a form or behind the `?` of an address, is UTF-8.
pub(in crate::server) fn is_utf8_encoded(text: &str) -> bool {
    percent_decode_str(text).decode_utf8().is_ok()
}

/// Reads a body of at most so many bytes.
///
/// # Errors
/// It is larger, takes too long or ends early.
pub(in crate::server) async fn read(
    headers: &HeaderMap,
    body: Body,
    max_bytes: usize,
) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("The body has more than {}.", file_size(max_bytes as u64));
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > max_bytes as u64) {
        return Err(too_large());
    }
    let collect = async {
        let (mut pieces, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut pieces).poll_next(cx)).await {
            let piece = piece.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body broke off."))?;
            if bytes.len() + piece.len() > max_bytes {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    };
    timeout(BODY_TIMEOUT, collect).await.unwrap_or_else(|_| {
        let detail = format!("The body did not come within {} seconds.", BODY_TIMEOUT.as_secs());
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::{Context, Poll};

    use axum::http::HeaderValue;

    use super::*;

    /// A body of which a piece comes, and then nothing.
    struct Stalled(bool);

    impl futures_core::Stream for Stalled {
        type Item = Result<&'static str, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            if std::mem::replace(&mut self.0, true) { Poll::Pending } else { Poll::Ready(Some(Ok("{"))) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_limited_in_size_and_time() {
        let none = HeaderMap::new();
        assert_eq!(read(&none, Body::from("1234"), 4).await.expect("read"), b"1234");
        let status = |result: Result<Vec<u8>, Problem>| result.expect_err("refused").status;
        assert_eq!(status(read(&none, Body::from("12345"), 4).await), StatusCode::PAYLOAD_TOO_LARGE);
        let announced = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("5"))]);
        assert_eq!(status(read(&announced, Body::empty(), 4).await), StatusCode::PAYLOAD_TOO_LARGE);
        let stalled = Body::from_stream(Stalled(false));
        assert_eq!(status(read(&none, stalled, 4).await), StatusCode::REQUEST_TIMEOUT);
    }
}
