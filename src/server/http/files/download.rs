//! Sending of files, whole or a range of bytes ([RFC 9110, section 14](https://www.rfc-editor.org/rfc/rfc9110#section-14)).

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_core::Stream;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::folder::FileFolder;
use super::inspection::is_shown_inline;
use crate::core::record::file::StoredFile;
use crate::web::TransferProgress;
use crate::wire::file_name::disposition::disposition;

/// Policy of a file that is opened as a page: nothing runs, and nothing is loaded.
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// Bytes that are read at one time.
const PIECE_BYTES: usize = 64 * 1024;

/// Pieces of a file, each of which is noted as progress of the connection when it is taken.
struct Noted<S> {
    pieces: S,
    progress: TransferProgress,
}

impl<S: Stream + Unpin> Stream for Noted<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let piece = ready!(Pin::new(&mut self.pieces).poll_next(cx));
        self.progress.note_piece();
        Poll::Ready(piece)
    }
}

/// Range of the bytes that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Whole,
    /// The first and the last byte.
    Part(u64, u64),
    /// There are no such bytes.
    Unsatisfiable,
}

/// Answers a GET or a HEAD of a file.
///
/// # Errors
/// Its content cannot be read.
pub(in crate::server) async fn send(
    folder: &FileFolder,
    file: &StoredFile,
    request: &Parts,
) -> io::Result<Response> {
    let headers = &request.headers;
    let etag = etag(file);
    if headers.get_all(IF_NONE_MATCH).iter().any(|tags| tags.as_bytes() == etag.as_bytes()) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        describe(file, &etag, response.headers_mut());
        return Ok(response);
    }
    let (opening, hash) = (folder.clone(), file.hash);
    let opened =
        tokio::task::spawn_blocking(move || opening.open(&hash)).await.map_err(io::Error::other)??;
    let mut content = File::from_std(opened);
    let span = span(headers, file.size, &etag);
    let (status, first, length) = match span {
        Span::Whole => (StatusCode::OK, 0, file.size),
        Span::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last + 1 - first),
        Span::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0),
    };
    let body = if request.method == Method::HEAD || length == 0 {
        Body::empty()
    } else {
        content.seek(SeekFrom::Start(first)).await?;
        let progress = request.extensions.get::<TransferProgress>().cloned().unwrap_or_default();
        let pieces = ReaderStream::with_capacity(content.take(length), PIECE_BYTES);
        Body::from_stream(Noted { pieces, progress })
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    describe(file, &etag, headers);
    headers.insert(CONTENT_LENGTH, length.into());
    let range = match span {
        Span::Whole => None,
        Span::Part(first, last) => Some(format!("bytes {first}-{last}/{}", file.size)),
        Span::Unsatisfiable => Some(format!("bytes */{}", file.size)),
    };
    insert(headers, CONTENT_RANGE, range);
    Ok(response)
}

fn describe(file: &StoredFile, etag: &str, headers: &mut HeaderMap) {
    let is_inline = is_shown_inline(&file.media_type);
    let charset = if &*file.media_type == "text/plain" { "; charset=utf-8" } else { "" };
    insert(headers, CONTENT_TYPE, Some(format!("{}{charset}", file.media_type)));
    insert(headers, CONTENT_DISPOSITION, Some(disposition(&file.name, is_inline)));
    insert(headers, ETAG, Some(etag.to_owned()));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Asked for again each time: who may read it changes, and it ends.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
}

fn insert(headers: &mut HeaderMap, name: axum::http::HeaderName, value: Option<String>) {
    if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
        headers.insert(name, value);
    }
}

fn etag(file: &StoredFile) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.hash))
}

/// Returns the bytes that a request asks for. What is not one range of bytes is the whole, as the RFC allows.
fn span(headers: &HeaderMap, size: u64, etag: &str) -> Span {
    let is_current = headers.get(IF_RANGE).is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
    let asked = headers.get(RANGE).filter(|_| is_current).and_then(|range| range.to_str().ok());
    let Some((first, last)) =
        asked.and_then(|range| range.strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
    else {
        return Span::Whole;
    };
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.parse::<u64>().ok().map(Some) };
    match (number(first.trim()), number(last.trim())) {
        (Some(Some(first)), Some(last)) => {
            let last = last.unwrap_or(u64::MAX).min(size.saturating_sub(1));
            if first < size && first <= last { Span::Part(first, last) } else { Span::Unsatisfiable }
        }
        // The last so many bytes.
        (Some(None), Some(Some(count))) if count > 0 && size > 0 => {
            Span::Part(size.saturating_sub(count), size - 1)
        }
        (Some(None), Some(Some(_))) => Span::Unsatisfiable,
        _ => Span::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_anything_else_is_the_whole() {
        let asked = |range: &str, size| {
            let headers = HeaderMap::from_iter([(RANGE, range.parse().expect("a header"))]);
            span(&headers, size, "\"x\"")
        };
        for (range, expected) in [
            ("bytes=0-", Span::Part(0, 99)),
            ("bytes=0-0", Span::Part(0, 0)),
            ("bytes=10-19", Span::Part(10, 19)),
            ("bytes=90-500", Span::Part(90, 99)),
            ("bytes=-5", Span::Part(95, 99)),
            ("bytes=-500", Span::Part(0, 99)),
            ("bytes=100-", Span::Unsatisfiable),
            ("bytes=20-10", Span::Unsatisfiable),
            ("bytes=-0", Span::Unsatisfiable),
            ("bytes=0-1,5-6", Span::Whole),
            ("bytes=-", Span::Whole),
            ("bytes=a-b", Span::Whole),
            ("lines=1-2", Span::Whole),
            ("bytes=99999999999999999999-", Span::Whole),
        ] {
            assert_eq!(asked(range, 100), expected, "{range}");
        }
        assert_eq!(asked("bytes=0-", 0), Span::Unsatisfiable);
        assert_eq!(asked("bytes=-5", 0), Span::Unsatisfiable);
        let mut headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-1"))]);
        headers.insert(IF_RANGE, HeaderValue::from_static("\"old\""));
        assert_eq!(span(&headers, 100, "\"new\""), Span::Whole);
    }
}
