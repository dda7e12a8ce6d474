//! Encryption of backups with age, to a passphrase or to recipients.

use std::io::{self, BufRead, Read, Write};
use std::iter;
use std::str::FromStr;

use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor, Identity, scrypt, x25519};
use zeroize::Zeroizing;

use super::BackupError;

/// Work of a guess at a passphrase, as a power of two: 128 MiB of memory and about half a second.
const WORK_FACTOR: u8 = if cfg!(test) { 8 } else { 17 };

/// Maximum work that a file may ask for: 1 GiB of memory.
const MAX_WORK_FACTOR: u8 = 20;

/// The first bytes of each file of age.
pub(super) const AGE_MAGIC: &[u8] = b"age-encryption.org/";

/// Maximum size of a file with identities, in bytes.
const MAX_IDENTITY_BYTES: u64 = 64 * 1024;

/// Encryption of a backup, which decides who can open it.
#[derive(Clone)]
pub enum Protection {
    /// Whoever knows the passphrase.
    Passphrase(SecretString),
    /// Whoever has the identity of one of the recipients.
    Recipients(Vec<Recipient>),
    /// Everybody; password hashes, keys and tokens are left out.
    NoSecrets,
}

/// The public key of somebody who can open a backup, `age1…`.
#[derive(Clone)]
pub struct Recipient(x25519::Recipient);

/// Secret that opens a backup.
#[derive(Clone)]
pub enum Key {
    /// Passphrase that the backup was encrypted with.
    Passphrase(SecretString),
    /// Identities of age, `AGE-SECRET-KEY-1…`.
    Identities(Vec<x25519::Identity>),
}

/// Kind of the [`Key`] that a backup needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The backup is encrypted with a passphrase.
    Passphrase,
    /// The backup is encrypted to recipients.
    Identity,
}

impl Protection {
    /// Makes the protection by a passphrase, which must not be empty.
    pub fn passphrase(text: &Zeroizing<String>) -> Option<Self> {
        secret(text).map(Self::Passphrase)
    }

    /// Returns whether the backup has password hashes, keys and tokens.
    pub fn has_secrets(&self) -> bool {
        !matches!(self, Self::NoSecrets)
    }

    /// Returns the encryption, if there is one, and the key by which the written file is verified.
    pub(super) fn encryptor(&self) -> (Option<Encryptor>, Option<Key>) {
        match self {
            Self::NoSecrets => (None, None),
            Self::Passphrase(secret) => {
                let mut recipient = scrypt::Recipient::new(secret.clone());
                recipient.set_work_factor(WORK_FACTOR);
                let encryptor = Encryptor::with_recipients(iter::once(&recipient as _)).ok();
                (encryptor, Some(Key::Passphrase(secret.clone())))
            }
            Self::Recipients(recipients) => {
                // One more recipient whose identity ends with this process: otherwise what was written could not be read
                // back here.
                let own = x25519::Identity::generate();
                let public = own.to_public();
                let all = recipients.iter().map(|one| &one.0).chain([&public]).map(|one| one as _);
                (Encryptor::with_recipients(all).ok(), Some(Key::Identities(vec![own])))
            }
        }
    }
}

impl Key {
    /// Makes a key of a passphrase, which must not be empty.
    pub fn passphrase(text: &Zeroizing<String>) -> Option<Self> {
        secret(text).map(Self::Passphrase)
    }
}

fn secret(text: &Zeroizing<String>) -> Option<SecretString> {
    (!text.is_empty()).then(|| SecretString::from(text.as_str()))
}

impl FromStr for Recipient {
    type Err = &'static str;

    /// The error does not quote the text, which could be a secret key by mistake.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "it is not a recipient of age, `age1` and 58 letters and digits")
    }
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Recipient {}

/// Reads a file of identities, as `age-keygen` writes it. Errors quote nothing of it.
pub fn read_identities(input: impl Read) -> io::Result<Key> {
    let mut text = Zeroizing::new(String::new());
    input.take(MAX_IDENTITY_BYTES).read_to_string(&mut text)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities = lines.map(str::parse::<x25519::Identity>).collect::<Result<Vec<_>, _>>();
    match identities {
        Ok(identities) if !identities.is_empty() => Ok(Key::Identities(identities)),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it does not hold secret keys of age, as `age-keygen` writes them",
        )),
    }
}

/// Opens an encrypted input.
pub(super) fn decrypt<'a, R: BufRead + 'a>(
    input: R,
    key: &mut dyn FnMut(KeyKind) -> Result<Key, BackupError>,
) -> Result<Box<dyn Read + 'a>, BackupError> {
    let decryptor = Decryptor::new_buffered(input).map_err(describe)?;
    let kind = if decryptor.is_scrypt() { KeyKind::Passphrase } else { KeyKind::Identity };
    let reader = match key(kind)? {
        Key::Passphrase(secret) => {
            let mut identity = scrypt::Identity::new(secret);
            identity.set_max_work_factor(MAX_WORK_FACTOR);
            decryptor.decrypt(iter::once(&identity as &dyn Identity))
        }
        Key::Identities(identities) => decryptor.decrypt(identities.iter().map(|one| one as &dyn Identity)),
    };
    Ok(Box::new(reader.map_err(describe)?))
}

fn describe(error: DecryptError) -> BackupError {
    match error {
        DecryptError::ExcessiveWork { .. } => BackupError::ExcessiveWork,
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed | DecryptError::NoMatchingKeys => {
            BackupError::WrongKey
        }
        DecryptError::Io(error) => BackupError::damaged(error.to_string()),
        _ => BackupError::damaged("the head of its encryption"),
    }
}

/// The output of a backup, encrypted or not.
pub(super) enum Output<W: Write> {
    Encrypted(Box<age::stream::StreamWriter<W>>),
    Plain(W),
}

impl<W: Write> Output<W> {
    pub fn new(output: W, encryptor: Option<Encryptor>) -> io::Result<Self> {
        match encryptor {
            Some(encryptor) => encryptor.wrap_output(output).map(|output| Self::Encrypted(Box::new(output))),
            None => Ok(Self::Plain(output)),
        }
    }

    /// Writes the end of the encryption, and returns the output.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Encrypted(output) => output.finish(),
            Self::Plain(output) => Ok(output),
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Encrypted(output) => output.write(bytes),
            Self::Plain(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Encrypted(output) => output.flush(),
            Self::Plain(output) => output.flush(),
        }
    }
}
