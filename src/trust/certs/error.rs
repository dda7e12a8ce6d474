//! Errors of the certificate folder. Each message is one line that says what is wrong and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::UnixTime;

use crate::platform::files::{Restriction, restriction_command, shell_quoted};
use crate::trust::verifier::date;

/// Error of making, changing or loading certificates. Each message ends with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// The folder holds none of the four files, or does not exist.
    #[error("there are no certificates in {}. Make them: {}", .0.display(), command(.0, "generate"))]
    NoCertificates(PathBuf),
    /// A required file is missing.
    #[error("{} is missing. Put it back from a backup, or {}", file.display(), remake(folder, *.renewable))]
    Missing {
        /// The missing file.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
        /// True if renewal makes the file anew.
        renewable: bool,
    },
    /// `generate` found a file without the option to overwrite it.
    #[error(
        "{} exists already, and a new root means that every client must be invited again. For a new server certificate under the same root: {}. To start over all the same: {}",
        file.display(), command(folder, "renew"), command(folder, "generate --force")
    )]
    Exists {
        /// The file that exists.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {verb} {}: {reason}. Run this as the user who owns the folder", file.display())]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file that cannot be read or written.
        file: PathBuf,
        /// The system's error. Not a `source`, because it would be printed twice.
        reason: io::Error,
    },
    /// Users other than the owner can read or write a private key.
    #[error("others can read the private key {} ({shown}). Keep it to yourself: {}", file.display(), restriction_command(Restriction::PrivateFile, file))]
    InsecureKeyFile {
        /// The key's file.
        file: PathBuf,
        /// The permissions of the file, as the system shows them.
        shown: String,
    },
    /// A file does not hold what its name says.
    #[error("{} holds no {what} that can be read. Put it back from a backup, or {}", file.display(), remake(folder, *.renewable))]
    Unreadable {
        /// The unreadable file.
        file: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
        /// The certificate folder.
        folder: PathBuf,
        /// True if renewal makes the file anew.
        renewable: bool,
    },
    /// A key does not belong to its certificate.
    #[error("{} is not the key of {}. Put the right one back, or {}", key.display(), certificate.display(), remake(folder, *.renewable))]
    KeyMismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
        /// True if renewal makes the pair anew.
        renewable: bool,
    },
    /// The chain in `server.pem` does not lead to `root.pem`, so every client would refuse it.
    #[error("{} does not lead to {}: {reason}. Make a new server certificate under that root: {}", server.display(), root.display(), command(folder, "renew"))]
    BrokenChain {
        /// File of the server's chain.
        server: PathBuf,
        /// File of the root.
        root: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
        /// Reason given by the verifier.
        reason: String,
    },
    /// The validity of the server's certificate or of the root has ended.
    #[error("the certificate {} expired on {}, and this machine's clock says {}. Check the clock, or {}", file.display(), date(*.until), date(*.clock), remake(folder, *.renewable))]
    Expired {
        /// File of the certificate.
        file: PathBuf,
        /// Last second of its validity.
        until: UnixTime,
        /// Local time of the check.
        clock: UnixTime,
        /// The certificate folder.
        folder: PathBuf,
        /// True if renewal helps.
        renewable: bool,
    },
    /// The validity of a certificate has not begun.
    #[error("the certificate {} is valid only from {} on, and this machine's clock says {}. Check the clock: date", file.display(), date(*.from), date(*.clock))]
    NotYetValid {
        /// File of the certificate.
        file: PathBuf,
        /// First second of its validity.
        from: UnixTime,
        /// Local time of the check.
        clock: UnixTime,
    },
    /// The root's key is needed, and is not where it was looked for.
    #[error(
        "the root's key is needed for this, and {} is not there. If it is kept elsewhere, say where: --offline-root DIR. If it is lost, start over with a new root, which every client must be invited to again: {}",
        file.display(), command(folder, "generate --force")
    )]
    NoRootKey {
        /// Path where the key was looked for.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// `rotate` was called during a rotation.
    #[error("the root has been changing since {}. End that first: {}", date(*.since), command(folder, "retire"))]
    Rotating {
        /// Start of the rotation.
        since: UnixTime,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// `retire` was called without a rotation in progress.
    #[error("there is no old root in {} to end. A new one is made with: {}", .0.display(), command(.0, "rotate"))]
    NotRotating(PathBuf),
    /// `old-root.pem` does not hold the two certificates that it should.
    #[error("{} holds no old root that can be read. Put it back from a backup, or end the old root, which clients that have not been back since then do not survive: {}", file.display(), command(folder, "retire"))]
    DamagedOldRoot {
        /// The damaged file.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// No name is known that a phone can use.
    #[error("no name with a dot and no address of this server is known by which a phone could reach it. Name one: {}", command(.0, "web-root --name chat.example.org"))]
    NoWebNames(PathBuf),
    /// There is a web root already.
    #[error("{} exists already, and a new web root must be installed again on every phone. To make one all the same: {}", file.display(), command(folder, "web-root --force"))]
    WebRootExists {
        /// File of the web root.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// The web root or a file that belongs to it cannot be used.
    #[error("{} cannot be used for browsers: {reason}. Put it back from a backup, or make a new web root, which must be installed again on every phone: {}", file.display(), command(folder, "web-root --force"))]
    UnusableWebRoot {
        /// Path of the file.
        file: PathBuf,
        /// Reason, as a part of a sentence.
        reason: String,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// A cryptographic operation failed.
    #[error("cannot make certificates: {0}. This is a bug or a broken random source: please report it")]
    Crypto(rcgen::Error),
}

impl From<rcgen::Error> for CertError {
    fn from(error: rcgen::Error) -> Self {
        Self::Crypto(error)
    }
}

/// Returns the command line that does `action` to the certificates of that folder.
fn command(folder: &Path, action: &str) -> String {
    if folder == Path::new("certs") {
        format!("parlour certs {action}")
    } else {
        format!("parlour certs {action} --certs {}", shell_quoted(folder))
    }
}

/// Returns the command that makes a file anew, and its cost.
fn remake(folder: &Path, renewable: bool) -> String {
    if renewable {
        format!("make a new one under the same root: {}", command(folder, "renew"))
    } else {
        format!(
            "start over with a new root, which every client must be invited to again: {}",
            command(folder, "generate --force")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_commands_are_shell_quoted() {
        assert_eq!(command(Path::new("certs"), "renew"), "parlour certs renew");
        let folder = Path::new("/srv/my chat's");
        let expected = format!("parlour certs renew --certs {}", shell_quoted(folder));
        assert_eq!(command(folder, "renew"), expected);
    }
}
