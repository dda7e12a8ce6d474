//! `[web]`, `[files]`, `[hooks]` and `[api]`: what is answered over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::values;
use crate::trust::web_identity::PublicCertificate;

/// `[api]`: reading by programs (docs/api.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Api {
    /// Enables reading with access tokens, over HTTP on the addresses of `listen` above. Default: false.
    pub enabled: bool,
}

/// `[hooks]`: posts of programs, and messages for them (docs/api.md).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Hooks {
    /// Enables posts to hooks, over HTTP on the addresses of `listen` above. Default: false.
    pub enabled: bool,
    /// Host names that hooks may send messages to beside this machine, and private addresses of theirs. Default: none.
    pub allow: Vec<String>,
}

/// `[files]`: files that people share (docs/files.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Files {
    /// Enables uploads, over HTTP on the addresses of `listen` above. Default: false.
    pub enabled: bool,
    /// Maximum size of a file in MiB, 1 to 1,048,576. Default: 50, a photo or a long recording.
    #[serde(deserialize_with = "values::between::<1, 1_048_576, _, _>")]
    pub max_mib: u32,
    /// Maximum size of all files of an account in MiB, 1 to 1,048,576. Default: 1024, a thousand photos.
    #[serde(deserialize_with = "values::between::<1, 1_048_576, _, _>")]
    pub quota_mib: u32,
    /// Maximum count of files of an account, 1 to 1,000,000. Default: 10,000. Together with the quota it bounds what an
    /// account takes in memory and on disk, however small its files are.
    #[serde(deserialize_with = "values::between::<1, 1_000_000, _, _>")]
    pub max_count: u32,
}

/// `[web]`: the page and IRC over WebSocket, for browsers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Web {
    /// Enables HTTP on the addresses of `listen` above: a client that asks for `http/1.1` in the TLS handshake (ALPN)
    /// gets the page. Default: false.
    pub enabled: bool,
    /// Further addresses, for HTTP alone, such as `0.0.0.0:443`. Default: none.
    #[serde(deserialize_with = "values::optional_listen")]
    pub listen: Vec<SocketAddr>,
    /// File of a certificate for a public name, and of those that lead to its authority, as PEM. It is shown to
    /// browsers that ask for one of its names. Default: none.
    pub certificate: PathBuf,
    /// File of its key, as PEM. Default: none.
    pub key: PathBuf,
    /// Origins of other web clients, `https://HOST[:PORT]`, whose pages may open a WebSocket. Default: none.
    #[serde(deserialize_with = "values::origins")]
    pub origins: Vec<String>,
}

impl Web {
    /// Returns the files of the operator's certificate, if there is one.
    pub fn public_certificate(&self) -> Option<PublicCertificate<'_>> {
        let is_given = !self.certificate.as_os_str().is_empty();
        is_given.then_some(PublicCertificate { chain: &self.certificate, key: &self.key })
    }
}

impl Default for Files {
    fn default() -> Self {
        Self { enabled: false, max_mib: 50, quota_mib: 1024, max_count: 10_000 }
    }
}
