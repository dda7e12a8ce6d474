//! Tests of transfers against a server that breaks off where it is told to, over real TLS.

use std::collections::VecDeque;

use axum::extract::Request as HttpRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio_rustls::TlsAcceptor;

use super::download::Download;
use super::target::Target;
use super::upload::{OutgoingFile, upload};
use super::*;
use crate::client::connect::fake_server::FakeServer;
use crate::trust::tls::ALPN_HTTP;

const ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// Fault of a server during a request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It ends after this many bytes of the body.
    Breaks(usize),
    /// It takes all, and ends without an answer.
    LosesAnswer,
    /// It forgets the upload.
    Forgets,
}

/// State of a server of files.
#[derive(Debug, Default)]
struct Files {
    is_resumable: bool,
    content: Vec<u8>,
    length: Option<usize>,
    /// Faults of the requests with a body, one after the other.
    faults: VecDeque<Fault>,
    requests: Vec<String>,
    /// Refusal of all requests.
    refusal: Option<(u16, &'static str)>,
}

struct FakeFileServer {
    server: FileServer,
    files: Arc<Mutex<Files>>,
    _task: tokio_util::task::AbortOnDropHandle<()>,
}

async fn start(files: Files) -> FakeFileServer {
    let fake = FakeServer::start().await;
    let server = FileServer::new(&fake.endpoint());
    let files = Arc::new(Mutex::new(files));
    let mut config = (**fake.acceptor.config()).clone();
    config.alpn_protocols = vec![ALPN_HTTP.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let shared = files.clone();
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let (stream, _) = fake.listener.accept().await.expect("accepted");
            let (acceptor, files) = (acceptor.clone(), shared.clone());
            connections.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| answer(files.clone(), request));
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    FakeFileServer { server, files, _task: tokio_util::task::AbortOnDropHandle::new(task) }
}

/// Answers a request. The error ends the connection.
async fn answer(
    files: Arc<Mutex<Files>>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Body>, &'static str> {
    let request: HttpRequest = request.map(Body::new);
    let (head, body) = request.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let line = format!("{} {}", head.method, head.uri.path());
    let fault = {
        let mut files = files.lock();
        files.requests.push(line.clone());
        if let Some((status, text)) = files.refusal {
            return Ok(response(status, &[], text.into()));
        }
        let takes_fault = matches!(head.method, Method::PATCH | Method::GET)
            || line == "POST /upload" && !files.is_resumable;
        if takes_fault { files.faults.pop_front() } else { None }
    };
    match (&*line, header("tus-resumable")) {
        ("OPTIONS /upload", _) if files.lock().is_resumable => {
            Ok(response(204, &[("tus-version", "1.0.0".into())], Body::empty()))
        }
        ("OPTIONS /upload", _) => Ok(response(204, &[], Body::empty())),
        ("POST /upload", Some(_)) => {
            assert!(header("authorization").is_some_and(|value| value.starts_with("Basic ")));
            let mut files = files.lock();
            files.content.clear();
            files.length = header("upload-length").and_then(|length| length.parse().ok());
            Ok(response(201, &[("location", "https://a/upload/KEY".into())], Body::empty()))
        }
        ("POST /upload", None) => {
            files.lock().content.clear();
            receive(&files, body, fault).await?;
            Ok(response(201, &[("location", format!("https://a/f/{ID}/a.bin"))], Body::empty()))
        }
        ("HEAD /upload/KEY" | "PATCH /upload/KEY", _) if files.lock().length.is_none() => {
            Ok(response(404, &[], Body::empty()))
        }
        ("HEAD /upload/KEY", _) => Ok(offset(&files.lock(), 200)),
        ("PATCH /upload/KEY", _) => {
            assert!(header("authorization").is_none(), "the key is the proof");
            if header("upload-offset") != Some(files.lock().content.len().to_string()) {
                return Ok(response(409, &[], "wrong offset".into()));
            }
            receive(&files, body, fault).await?;
            let files = files.lock();
            Ok(offset(&files, 204))
        }
        _ => {
            let from = header("range")
                .and_then(|range| range["bytes=".len()..range.len() - 1].parse::<usize>().ok());
            let content = files.lock().content.clone();
            let (size, first) = (content.len(), from.unwrap_or(0));
            let end = match fault {
                Some(Fault::Breaks(bytes)) => (first + bytes).min(size),
                _ => size,
            };
            let rest = (content[first..end].to_vec(), end < size);
            let stream = Pieces(Some(rest.0), rest.1);
            let range = format!("bytes {first}-{}/{size}", size.saturating_sub(1));
            let status = if from.is_some() { 206 } else { 200 };
            let headers = [
                ("content-length", (size - first).to_string()),
                ("content-range", range),
                ("content-type", "text/plain".into()),
                ("etag", "\"x\"".into()),
            ];
            Ok(response(status, &headers, Body::from_stream(stream)))
        }
    }
}

/// One piece, and then an error if the connection is to break.
struct Pieces(Option<Vec<u8>>, bool);

impl futures_core::Stream for Pieces {
    type Item = Result<Vec<u8>, io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let failing = self.1.then(|| Err(io::ErrorKind::ConnectionReset.into()));
        std::task::Poll::Ready(self.0.take().map(Ok).or(failing))
    }
}

async fn receive(files: &Mutex<Files>, body: Body, fault: Option<Fault>) -> Result<(), &'static str> {
    let limit = match fault {
        Some(Fault::Breaks(bytes)) => bytes,
        _ => usize::MAX,
    };
    let mut pieces = body.into_data_stream();
    let mut received = 0;
    while let Some(piece) =
        std::future::poll_fn(|cx| futures_core::Stream::poll_next(std::pin::Pin::new(&mut pieces), cx)).await
    {
        let Ok(piece) = piece else { return Err("the client broke off") };
        let taken = piece.len().min(limit - received);
        received += taken;
        files.lock().content.extend_from_slice(&piece[..taken]);
        if received == limit {
            return Err("as it was told");
        }
    }
    match fault {
        Some(Fault::LosesAnswer) => Err("as it was told"),
        Some(Fault::Forgets) => {
            files.lock().length = None;
            Err("as it was told")
        }
        _ => Ok(()),
    }
}

fn offset(files: &Files, status: u16) -> Response<Body> {
    let mut headers = vec![("upload-offset", files.content.len().to_string())];
    if files.length == Some(files.content.len()) {
        headers.push(("content-location", format!("https://a/f/{ID}/a.bin")));
    }
    response(status, &headers, Body::empty())
}

fn response(status: u16, headers: &[(&'static str, String)], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().expect("a value"));
    }
    response
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at % 251).expect("small")).collect()
}

async fn file_with(bytes: &[u8]) -> OutgoingFile {
    OutgoingFile::copy(bytes, "a.bin").await.expect("copied")
}

#[tokio::test]
async fn an_upload_goes_on_where_it_broke_off() {
    let bytes = content(500_000);
    for faults in [
        vec![],
        vec![Fault::Breaks(1), Fault::Breaks(200_000), Fault::Breaks(1)],
        vec![Fault::LosesAnswer],
        vec![Fault::Breaks(100_000), Fault::Forgets],
    ] {
        let faults = VecDeque::from(faults);
        let fake = start(Files { is_resumable: true, faults: faults.clone(), ..Files::default() }).await;
        let progress = Progress::default();
        let file = file_with(&bytes).await;
        let path = upload(fake.server.clone(), &file, &progress).await.expect("uploaded");
        assert_eq!(path, format!("/f/{ID}/a.bin"), "{faults:?}");
        assert!(fake.files.lock().content == bytes, "{faults:?}: not the same bytes");
    }
}

#[tokio::test]
async fn nothing_is_sent_twice_when_an_answer_was_lost() {
    let faults = VecDeque::from([Fault::LosesAnswer]);
    let fake = start(Files { is_resumable: true, faults, ..Files::default() }).await;
    let file = file_with(b"hello").await;
    upload(fake.server.clone(), &file, &Progress::default()).await.expect("uploaded");
    let requests = fake.files.lock().requests.clone();
    assert_eq!(requests, ["OPTIONS /upload", "POST /upload", "PATCH /upload/KEY", "HEAD /upload/KEY"]);
}

#[tokio::test]
async fn a_server_without_resumable_uploads_gets_the_whole_again() {
    let bytes = content(300_000);
    let faults = VecDeque::from([Fault::Breaks(100_000)]);
    let fake = start(Files { faults, ..Files::default() }).await;
    let (file, progress) = (file_with(&bytes).await, Progress::default());
    upload(fake.server.clone(), &file, &progress).await.expect("uploaded");
    assert!(fake.files.lock().content == bytes);
    assert_eq!(progress.bytes(), 300_000);
}

#[tokio::test]
async fn a_refusal_is_final_and_has_the_sentence_of_the_server() {
    let refusal = Some((413, "A file may have at most 5 bytes.\u{1b}[2J\n"));
    let fake = start(Files { refusal, ..Files::default() }).await;
    let file = file_with(b"hello!").await;
    let error = upload(fake.server.clone(), &file, &Progress::default()).await.expect_err("refused");
    assert_eq!(error.to_string(), "the server refused it: A file may have at most 5 bytes");
    fake.files.lock().refusal = Some((401, "Files are for members: log in."));
    let error = Download::open(fake.server.clone(), "/f/x", &Progress::default()).await.expect_err("refused");
    assert!(matches!(error, TransferError::Login(_)), "{error}");
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_not_taken_for_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    std::fs::write(&path, content(300_000)).expect("written");
    let file = OutgoingFile::open(&path).await.expect("a file");
    std::fs::write(&path, b"shorter").expect("written");
    let fake = start(Files { is_resumable: true, ..Files::default() }).await;
    let error = upload(fake.server.clone(), &file, &Progress::default()).await.expect_err("another file");
    assert!(matches!(error, TransferError::Changed), "{error}");
    let error = OutgoingFile::open(folder.path()).await.expect_err("a folder");
    assert!(matches!(error, TransferError::NotAFile(_)), "{error}");
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke_off_and_is_named_when_it_is_whole() {
    let bytes = content(400_000);
    let faults = VecDeque::from([Fault::Breaks(1), Fault::Breaks(250_000), Fault::Breaks(1)]);
    let fake = start(Files { content: bytes.clone(), faults, ..Files::default() }).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut download =
        Download::open(fake.server.clone(), "/f/x", &Progress::default()).await.expect("there");
    assert_eq!((download.size, &*download.media_type), (400_000, "text/plain"));
    let path = folder.path().join("a.txt");
    let target = Target::create(&path, false).expect("a file");
    assert!(!path.exists());
    assert_eq!(target.fill(&mut download).await.expect("whole"), path);
    assert!(std::fs::read(&path).expect("read") == bytes);
    // What is there is not written over, unless that is asked for.
    assert!(matches!(Target::create(&path, false), Err(TransferError::Exists(_))));
    let again = Target::create_in(folder.path(), "a.txt").expect("a file");
    let mut download =
        Download::open(fake.server.clone(), "/f/x", &Progress::default()).await.expect("there");
    assert_eq!(again.fill(&mut download).await.expect("whole"), folder.path().join("a (2).txt"));
    drop(Target::create(&path, true).expect("a file"));
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["a (2).txt", "a.txt"], "nothing temporary stays");
}
