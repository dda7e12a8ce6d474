//! Every refusal of the certificate folder: one line that says what is wrong and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::UnixTime;

use crate::trust::verifier::date;

/// Why certificates were not made or not taken. Each message ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// The folder holds none of the four files, or does not exist.
    #[error("there are no certificates in {}. Make them: {}", .0.display(), command(.0, "generate"))]
    NoneYet(PathBuf),
    /// One file that must be there is not.
    #[error("{} is missing. Put it back from a backup, or {}", file.display(), remake(folder, *.renewable))]
    Missing {
        /// The file.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
        /// Renewal makes the file anew.
        renewable: bool,
    },
    /// `generate` found a file and was not told to overwrite.
    #[error(
        "{} exists already, and a new root means that every client must be invited again. For a new server certificate under the same root: {}. To start over all the same: {}",
        file.display(), command(folder, "renew"), command(folder, "generate --force")
    )]
    Exists {
        /// The file.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {verb} {}: {reason}. Run this as the user who owns the folder", file.display())]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system says. Not a `source`, which would be printed twice.
        reason: io::Error,
    },
    /// Somebody else can read (or write) a private key.
    #[error("others can read the private key {} (mode {mode:04o}). Keep it to yourself: chmod 600 {}", file.display(), quoted(file))]
    Loose {
        /// The key.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what its name says.
    #[error("{} holds no {what} that can be read. Put it back from a backup, or {}", file.display(), remake(folder, *.renewable))]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
        /// The certificate folder.
        folder: PathBuf,
        /// Renewal makes the file anew.
        renewable: bool,
    },
    /// The key is not the certificate's.
    #[error("{} is not the key of {}. Put the right one back, or {}", key.display(), certificate.display(), remake(folder, *.renewable))]
    KeyMismatch {
        /// The key.
        key: PathBuf,
        /// The certificate.
        certificate: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
        /// Renewal makes the pair anew.
        renewable: bool,
    },
    /// The chain in `server.pem` does not lead to `root.pem`, so every client would refuse it.
    #[error("{} does not lead to {}: {reason}. Make a new server certificate under that root: {}", server.display(), root.display(), command(folder, "renew"))]
    BrokenChain {
        /// The server's chain.
        server: PathBuf,
        /// The root.
        root: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
        /// What the verifier says.
        reason: String,
    },
    /// The server's certificate or the root is too old.
    #[error("the certificate {} expired on {}, and this machine's clock says {}. Check the clock, or {}", file.display(), date(*.until), date(*.clock), remake(folder, *.renewable))]
    Expired {
        /// The certificate.
        file: PathBuf,
        /// Its last second.
        until: UnixTime,
        /// What time it is here.
        clock: UnixTime,
        /// The certificate folder.
        folder: PathBuf,
        /// Renewal helps.
        renewable: bool,
    },
    /// A certificate is of the future.
    #[error("the certificate {} is valid only from {} on, and this machine's clock says {}. Check the clock: date", file.display(), date(*.from), date(*.clock))]
    NotYetValid {
        /// The certificate.
        file: PathBuf,
        /// Its first second.
        from: UnixTime,
        /// What time it is here.
        clock: UnixTime,
    },
    /// What is to be done needs the root's key, which is not where it was looked for.
    #[error(
        "the root's key is needed for this, and {} is not there. If it is kept elsewhere, say where: --offline-root DIR. If it is lost, start over with a new root, which every client must be invited to again: {}",
        file.display(), command(folder, "generate --force")
    )]
    NoRootKey {
        /// Where it was looked for.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// `rotate` while the roots change already.
    #[error("the root has been changing since {}. End that first: {}", date(*.since), command(folder, "retire"))]
    Rotating {
        /// Since when.
        since: UnixTime,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// `retire` where no root is on its way out.
    #[error("there is no old root in {} to end. A new one is made with: {}", .0.display(), command(.0, "rotate"))]
    NotRotating(PathBuf),
    /// `old-root.pem` is not what it was.
    #[error("{} holds no old root that can be read. Put it back from a backup, or end the old root, which clients that have not been back since then do not survive: {}", file.display(), command(folder, "retire"))]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The certificate folder.
        folder: PathBuf,
    },
    /// The cryptography failed.
    #[error("cannot make certificates: {0}. This is a bug or a broken random source: please report it")]
    Crypto(rcgen::Error),
}

impl From<rcgen::Error> for CertError {
    fn from(error: rcgen::Error) -> Self {
        Self::Crypto(error)
    }
}

/// The command line that does something with the certificates of that folder.
fn command(folder: &Path, action: &str) -> String {
    if folder == Path::new("certs") {
        format!("parlour certs {action}")
    } else {
        format!("parlour certs {action} --certs {}", quoted(folder))
    }
}

/// What to run to make a file anew, and what that costs.
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

/// A path as it is typed in a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_can_be_pasted() {
        assert_eq!(command(Path::new("certs"), "renew"), "parlour certs renew");
        assert_eq!(
            command(Path::new("/srv/my chat's"), "renew"),
            r"parlour certs renew --certs '/srv/my chat'\''s'"
        );
    }
}
