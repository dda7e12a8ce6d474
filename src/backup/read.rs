//! Reading of a backup: everything that comes is compared with the manifest before it counts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read};

use sha2::{Digest as _, Sha256};

use super::manifest::{self, Manifest, Part, digest_of_hashes, hex};
use super::protection::{self, AGE_MAGIC, Key, KeyKind};
use super::seal::SealReader;
use super::{BackupError, Progress, Step};
use crate::core::record::file::FileHash;
use crate::trust::certs::FILE_NAMES;

/// The first bytes of a frame of zstd (RFC 8878, section 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Largest window of a frame, as a power of two: 128 MiB, which is the default of zstd's own program.
const MAX_WINDOW: u32 = 27;

/// Bytes that are copied at once.
const PIECE_BYTES: usize = 128 * 1024;

/// A part of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// `parlour.toml`.
    Config,
    /// A certificate or key, by the name of its file.
    Certificate(&'static str),
    /// `parlour.db`.
    Database,
    /// The content of shared files.
    Content(FileHash),
}

/// Receiver of the parts of a backup. What it has received counts once the reading has succeeded.
pub(super) trait Sink {
    /// Begins, with a manifest that nothing was compared with yet.
    fn begin(&mut self, manifest: &Manifest) -> Result<(), BackupError>;
    /// Begins a part.
    fn open(&mut self, item: Item) -> Result<(), BackupError>;
    /// Takes bytes of the part.
    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError>;
    /// Ends the part.
    fn close(&mut self) -> Result<(), BackupError>;
}

/// Verifies a backup: its seal, and the size and checksum of each part. `key` returns what opens it.
pub fn verify(
    input: impl Read,
    key: &mut dyn FnMut(KeyKind) -> Result<Key, BackupError>,
    progress: &dyn Progress,
) -> Result<Manifest, BackupError> {
    read(input, key, &mut Nowhere, progress)
}

/// Reads a backup into a sink.
pub(super) fn read(
    input: impl Read,
    key: &mut dyn FnMut(KeyKind) -> Result<Key, BackupError>,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
) -> Result<Manifest, BackupError> {
    let mut input = BufReader::with_capacity(PIECE_BYTES, input);
    let start = input.fill_buf().map_err(|error| BackupError::damaged(error.to_string()))?;
    if start.starts_with(&ZSTD_MAGIC) {
        return read_sealed(input, sink, progress);
    }
    if !start.starts_with(AGE_MAGIC) {
        let is_part = !start.is_empty() && (AGE_MAGIC.starts_with(start) || ZSTD_MAGIC.starts_with(start));
        return Err(if is_part { BackupError::damaged("it ends early") } else { BackupError::NotABackup });
    }
    let decrypted = protection::decrypt(input, key)?;
    read_sealed(decrypted, sink, progress)
}

fn read_sealed(
    input: impl Read,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
) -> Result<Manifest, BackupError> {
    let sealed = BufReader::with_capacity(PIECE_BYTES, SealReader::new(input));
    let mut plain = zstd::Decoder::with_buffer(sealed).map_err(broken)?;
    plain.window_log_max(MAX_WINDOW).map_err(broken)?;
    let mut archive = tar::Archive::new(plain);
    let manifest = read_entries(&mut archive, sink, progress)?;
    // The rest of the archive is zeros, up to the seal.
    let mut rest = archive.into_inner();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = rest.read(&mut piece).map_err(broken)?;
        if read == 0 {
            break;
        }
        if piece.get(..read).unwrap_or_default().iter().any(|byte| *byte != 0) {
            return Err(BackupError::damaged("there is more behind its end"));
        }
    }
    let mut sealed = rest.finish();
    // The decoder may leave an end that it does not need.
    match io::copy(&mut sealed, &mut io::sink()).map_err(broken)? {
        0 => Ok(manifest),
        _ => Err(BackupError::damaged("there is more behind its end")),
    }
}

fn read_entries<R: Read>(
    archive: &mut tar::Archive<R>,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
) -> Result<Manifest, BackupError> {
    // Raw: the extensions of tar, which Parlour does not write, could be of any size.
    let mut entries = archive.entries().map_err(broken)?.raw(true);
    let mut first = entries.next().ok_or(BackupError::NotABackup)?.map_err(not_ours)?;
    if *first.path_bytes() != *manifest::NAME.as_bytes() || first.size() > manifest::MAX_BYTES {
        return Err(BackupError::NotABackup);
    }
    let mut text = Vec::new();
    first.read_to_end(&mut text).map_err(broken)?;
    let manifest = Manifest::parse(&text)?;
    let mut expected = Expected::new(&manifest)?;
    progress.begin(Step::Verify, manifest.total_bytes());
    sink.begin(&manifest)?;
    let mut done = 0;
    for entry in entries {
        let mut entry = entry.map_err(broken)?;
        if !entry.header().entry_type().is_file() {
            return Err(BackupError::damaged("an entry that is not a file"));
        }
        let item =
            item_of(&entry.path_bytes()).ok_or_else(|| BackupError::damaged("an entry of another kind"))?;
        let limit = expected.size_limit(item, entry.size())?;
        sink.open(item)?;
        let part = copy(&mut entry.by_ref().take(limit), sink, &mut done, progress)?;
        sink.close()?;
        expected.check(item, &part)?;
    }
    expected.finish()?;
    Ok(manifest)
}

/// Copies an entry into the sink.
fn copy(
    input: &mut dyn Read,
    sink: &mut dyn Sink,
    done: &mut u64,
    progress: &dyn Progress,
) -> Result<Part, BackupError> {
    let (mut hasher, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
    loop {
        let read = input.read(&mut piece).map_err(broken)?;
        if progress.is_cancelled() {
            return Err(BackupError::Cancelled);
        }
        if read == 0 {
            return Ok(Part { bytes, sha256: hex(&hasher.finalize()) });
        }
        let got = piece.get(..read).unwrap_or_default();
        hasher.update(got);
        sink.write(got)?;
        bytes += read as u64;
        *done += read as u64;
        progress.set(*done);
    }
}

/// Parts of the manifest that were not read yet.
struct Expected<'a> {
    manifest: &'a Manifest,
    parts: BTreeMap<Item, &'a Part>,
    contents: BTreeSet<FileHash>,
    content_bytes: u64,
}

impl<'a> Expected<'a> {
    fn new(manifest: &'a Manifest) -> Result<Self, BackupError> {
        let mut parts = BTreeMap::from([(Item::Database, &manifest.database)]);
        parts.extend(manifest.config.iter().map(|part| (Item::Config, part)));
        for (name, part) in &manifest.certs {
            let known = FILE_NAMES.into_iter().find(|known| known == name);
            let name = known.ok_or_else(|| BackupError::damaged("a certificate of another name"))?;
            parts.insert(Item::Certificate(name), part);
        }
        let are_small = parts
            .iter()
            .all(|(item, part)| *item == Item::Database || part.bytes <= manifest::MAX_TEXT_BYTES);
        if !are_small {
            return Err(BackupError::damaged("a part that is too large"));
        }
        Ok(Self { manifest, parts, contents: BTreeSet::new(), content_bytes: 0 })
    }

    /// Returns the count of bytes to read of an entry, which is refused if it is larger than the manifest says.
    fn size_limit(&self, item: Item, size: u64) -> Result<u64, BackupError> {
        let expected = match (self.parts.get(&item), item) {
            (Some(part), _) => part.bytes,
            (None, Item::Content(_)) => self.manifest.files.bytes.saturating_sub(self.content_bytes),
            (None, _) => return Err(BackupError::damaged("an entry that its manifest does not have")),
        };
        if size > expected {
            return Err(BackupError::damaged("an entry that is larger than its manifest says"));
        }
        Ok(size)
    }

    fn check(&mut self, item: Item, found: &Part) -> Result<(), BackupError> {
        let is_right = match item {
            Item::Content(hash) => {
                self.content_bytes += found.bytes;
                self.contents.insert(hash) && found.sha256 == hex(&hash)
            }
            item => self.parts.remove(&item).is_some_and(|part| part == found),
        };
        if is_right { Ok(()) } else { Err(BackupError::damaged("a part differs from its checksum")) }
    }

    fn finish(self) -> Result<(), BackupError> {
        let files = &self.manifest.files;
        let is_complete = self.parts.is_empty()
            && self.contents.len() as u64 == files.count
            && self.content_bytes == files.bytes
            && digest_of_hashes(self.contents.iter()) == files.sha256;
        if is_complete { Ok(()) } else { Err(BackupError::damaged("parts are missing")) }
    }
}

/// Returns the part that an entry holds, by its name; nothing else is ever written.
fn item_of(name: &[u8]) -> Option<Item> {
    let name = std::str::from_utf8(name).ok()?;
    if name == manifest::DATABASE {
        return Some(Item::Database);
    }
    if name == manifest::CONFIG {
        return Some(Item::Config);
    }
    if let Some(file) = name.strip_prefix(manifest::CERTS) {
        return FILE_NAMES.into_iter().find(|known| *known == file).map(Item::Certificate);
    }
    hash_of(name.strip_prefix(manifest::FILES)?).map(Item::Content)
}

/// Parses a hash in lowercase hexadecimal digits.
fn hash_of(text: &str) -> Option<FileHash> {
    let mut hash = FileHash::default();
    if text.len() != 2 * hash.len()
        || !text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// Describes an error that a damaged archive causes.
#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(error: io::Error) -> BackupError {
    BackupError::damaged(error.to_string())
}

/// Describes an error before anything shows that the file is Parlour's.
fn not_ours(error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::Other => BackupError::NotABackup,
        _ => broken(error),
    }
}

/// A sink that keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn begin(&mut self, _: &Manifest) -> Result<(), BackupError> {
        Ok(())
    }

    fn open(&mut self, _: Item) -> Result<(), BackupError> {
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), BackupError> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), BackupError> {
        Ok(())
    }
}
