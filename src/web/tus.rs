//! Paths, headers and values of uploads in one request or several
//! ([tus 1.0.0](https://tus.io/protocols/resumable-upload)).

use axum::http::{HeaderName, HeaderValue};

/// Path to which files are sent. Behind it, the key of an upload of several requests.
pub const UPLOAD_PATH: &str = "/upload";

/// Version of the protocol.
pub const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

/// Media type of the bytes that are appended to an upload.
pub const OFFSET_STREAM: HeaderValue = HeaderValue::from_static("application/offset+octet-stream");

/// Version of the protocol that a request or a response follows.
pub const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");

/// Versions that the server knows.
pub const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");

/// Extensions that the server has.
pub const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");

/// Maximum size of an upload, in bytes.
pub const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");

/// Size of an upload, in bytes.
pub const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// Pairs of keys and values in base64, of which `filename` is used.
pub const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");

/// Bytes of an upload that have come.
pub const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
