//! The file folder: the contents of files, each once, under the name of its hash.
//!
//! A content is written to a temporary file, synced and only then renamed, so that whatever has the name of a hash is
//! complete. What no file has is removed: at once when the last file that has it ends, and by a look at the whole
//! folder for what a crash left behind.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::core::record::file::FileHash;
use crate::platform::files;

/// Folder of the contents, in the data folder.
const CONTENTS: &str = "files";

/// Folder of what is still being written, in that of the contents.
const INCOMING: &str = "incoming";

/// Bytes that are collected before they are written.
const WRITE_BYTES: usize = 256 * 1024;

/// Age from which a content that no file has is removed: by then its file was added, or never will be.
pub(in crate::server) const ORPHAN_AGE: Duration = Duration::from_hours(1);

/// Age from which an uploaded file is removed that no message shares.
pub(super) const UNSHARED_LIFETIME: Duration = Duration::from_hours(24);

/// The folder of the contents. Clones share it.
#[derive(Clone, Debug)]
pub struct FileFolder {
    path: Arc<Path>,
    /// Contents that are being added, each with the number of uploads: they are not removed meanwhile.
    claims: Arc<Mutex<HashMap<FileHash, usize>>>,
}

/// A content that is being written. Dropping it removes what was written.
#[derive(Debug)]
pub struct Incoming {
    file: NamedTempFile,
    hasher: Sha256,
    /// Count of the bytes, with those that wait.
    size: u64,
    /// Bytes that wait to be written.
    waiting: BytesMut,
}

/// A content that is in the folder and is not removed as long as this lives. Held until its file was added.
#[derive(Debug)]
pub struct StoredContent {
    /// Hash of the content, its name in the folder.
    pub hash: FileHash,
    /// Size of the content, in bytes.
    pub size: u64,
    folder: FileFolder,
}

impl FileFolder {
    /// Opens the folder of a data folder. It is made when the first content is written.
    pub fn of_data_folder(data: &Path) -> Self {
        Self { path: data.join(CONTENTS).into(), claims: Arc::default() }
    }

    /// Begins a content. Blocks.
    pub fn begin(&self) -> io::Result<Incoming> {
        let folder = self.path.join(INCOMING);
        self.create_folder(&folder)?;
        let file = NamedTempFile::new_in(&folder)?;
        files::make_private(file.path())?;
        files::give_to_owner_of(file.as_file(), self.data_folder());
        Ok(Incoming { file, hasher: Sha256::new(), size: 0, waiting: BytesMut::new() })
    }

    /// Syncs a content and gives it its name. Blocks.
    pub fn finish(&self, mut incoming: Incoming) -> io::Result<StoredContent> {
        incoming.write_waiting()?;
        let Incoming { file, hasher, size, .. } = incoming;
        file.as_file().sync_all()?;
        let hash: FileHash = hasher.finalize().into();
        *self.claims.lock().entry(hash).or_default() += 1;
        let stored = StoredContent { hash, size, folder: self.clone() };
        let path = self.path_of(&hash);
        let folder = path.parent().unwrap_or(&self.path);
        let is_new_folder = !folder.exists();
        self.create_folder(folder)?;
        if is_new_folder {
            files::sync_folder(&self.path)?;
        }
        // The same content may be there, and open in a download, in which case Windows does not replace it.
        if fs::metadata(&path).is_ok_and(|known| known.len() == size) {
            return Ok(stored);
        }
        file.persist(&path)?;
        files::sync_folder(folder)?;
        Ok(stored)
    }

    /// Opens a content for reading. Blocks.
    pub fn open(&self, hash: &FileHash) -> io::Result<File> {
        File::open(self.path_of(hash))
    }

    /// Takes a content that no file has out of the folder, unless it is being added again. Blocks for a moment only,
    /// whatever its size. Returns where it is now, to be removed there. An error leaves it to the next
    /// [`Self::remove_orphans`].
    pub fn take_out(&self, hash: &FileHash) -> io::Result<Option<PathBuf>> {
        let claims = self.claims.lock();
        if claims.contains_key(hash) {
            return Ok(None);
        }
        let path = self.path_of(hash);
        let taken = self.path.join(INCOMING).join(path.file_name().unwrap_or_default());
        match fs::rename(&path, &taken) {
            Ok(()) => Ok(Some(taken)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what a crash has left in the folder. Returns the count. Blocks.
    pub fn remove_orphans(&self, used: &HashSet<FileHash>, now: SystemTime) -> io::Result<usize> {
        let mut removed = 0;
        for path in self.old_orphans(used, now)? {
            let claims = self.claims.lock();
            let is_claimed = hash_of_name(&path).is_some_and(|hash| claims.contains_key(&hash));
            if !is_claimed {
                fs::remove_file(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Returns the paths of what no file has and nothing adds any more, because it is an hour old. Blocks.
    pub fn old_orphans(&self, used: &HashSet<FileHash>, now: SystemTime) -> io::Result<Vec<PathBuf>> {
        let is_old = |path: &PathBuf| {
            let written = fs::metadata(path).and_then(|metadata| metadata.modified());
            written.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age >= ORPHAN_AGE))
        };
        Ok(self.orphans(used)?.into_iter().filter(is_old).collect())
    }

    /// Returns the paths of what no file has: contents that are not among `used`, and what was half written. Blocks.
    fn orphans(&self, used: &HashSet<FileHash>) -> io::Result<Vec<PathBuf>> {
        let mut orphans = Vec::new();
        for folder in list(&self.path)? {
            if !folder.is_dir() {
                continue;
            }
            for path in list(&folder)? {
                let is_content = !folder.ends_with(INCOMING);
                if !is_content || hash_of_name(&path).is_none_or(|hash| !used.contains(&hash)) {
                    orphans.push(path);
                }
            }
        }
        Ok(orphans)
    }

    /// Returns the hashes among `used` whose contents are missing. Blocks.
    pub fn missing<'a>(&self, used: &'a HashSet<FileHash>) -> Vec<&'a FileHash> {
        used.iter().filter(|hash| !self.path_of(hash).is_file()).collect()
    }

    /// Makes a folder, and that of the contents, if they are missing. They belong to the owner of the data folder, also if
    /// the administrator of the machine makes them by an import.
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        for folder in [&*self.path, folder] {
            if folder.exists() {
                continue;
            }
            files::create_private_folder(folder)?;
            // Windows opens no folders so, and needs none to be given.
            if let Ok(made) = File::open(folder) {
                files::give_to_owner_of(&made, self.data_folder());
            }
        }
        Ok(())
    }

    fn data_folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Returns the path of a content: a folder for its first byte, so that none has too many entries.
    fn path_of(&self, hash: &FileHash) -> PathBuf {
        let name = hash.iter().fold(String::with_capacity(64), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        });
        self.path.join(name.get(..2).unwrap_or_default()).join(name)
    }
}

impl Incoming {
    /// Appends bytes to the content. They wait in memory for [`Self::write_waiting`].
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        self.size += bytes.len() as u64;
    }

    /// Returns whether enough bytes wait to be written.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WRITE_BYTES
    }

    /// Writes the bytes that wait. Blocks.
    ///
    /// # Errors
    /// They cannot be written, and the content is of no use any more.
    pub fn write_waiting(&mut self) -> io::Result<()> {
        let bytes = self.waiting.split();
        self.file.write_all(&bytes)?;
        self.hasher.update(&bytes);
        Ok(())
    }

    /// Returns the hash of what was written so far.
    pub fn hash(&self) -> FileHash {
        self.hasher.clone().finalize().into()
    }

    /// Returns the count of bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Drop for StoredContent {
    fn drop(&mut self) {
        let mut claims = self.folder.claims.lock();
        if let Some(count) = claims.get_mut(&self.hash) {
            *count -= 1;
            if *count == 0 {
                claims.remove(&self.hash);
            }
        }
    }
}

/// Returns the entries of a folder; none of one that does not exist.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Returns the hash that is a content's name.
fn hash_of_name(path: &Path) -> Option<FileHash> {
    let name = path.file_name()?.to_str()?.as_bytes();
    let mut hash = FileHash::default();
    if name.len() != 2 * hash.len() {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(name.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &FileFolder, bytes: &[u8]) -> StoredContent {
        let mut incoming = folder.begin().expect("begins");
        incoming.push(bytes);
        folder.finish(incoming).expect("finished")
    }

    fn read(folder: &FileFolder, hash: &FileHash) -> io::Result<String> {
        folder.open(hash).and_then(io::read_to_string)
    }

    #[test]
    fn a_content_is_there_once_under_its_hash_until_it_is_removed() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = FileFolder::of_data_folder(data.path());
        let content = write(&folder, b"hello");
        assert_eq!((content.hash, content.size), (Sha256::digest(b"hello").into(), 5));
        let again = write(&folder, b"hello");
        let hash = content.hash;
        drop(content);
        // Another upload of the same bytes has still to be added.
        assert_eq!(folder.take_out(&hash).expect("left alone"), None);
        assert_eq!(read(&folder, &hash).expect("there"), "hello");
        drop(again);
        let taken = folder.take_out(&hash).expect("taken").expect("it was there");
        fs::remove_file(taken).expect("removed");
        assert_eq!(read(&folder, &hash).expect_err("gone").kind(), io::ErrorKind::NotFound);
        assert_eq!(folder.take_out(&hash).expect("nothing there"), None);
        assert_eq!(folder.orphans(&HashSet::new()).expect("lists"), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_a_crash_left_is_found_and_removed_when_it_is_old() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = FileFolder::of_data_folder(data.path());
        assert_eq!(folder.orphans(&HashSet::new()).expect("no folder yet"), Vec::<PathBuf>::new());
        let (used, unused) = (write(&folder, b"used").hash, write(&folder, b"unused").hash);
        let half_written = folder.begin().expect("begins").file.into_temp_path().keep().expect("kept");
        let known = HashSet::from([used, [7; 32]]);
        let mut orphans = folder.orphans(&known).expect("lists");
        orphans.sort();
        let mut expected = vec![folder.path_of(&unused), half_written];
        expected.sort();
        assert_eq!(orphans, expected);
        assert_eq!(folder.missing(&known), [&[7; 32]]);
        assert_eq!(folder.remove_orphans(&known, SystemTime::now()).expect("too new"), 0);
        let later = SystemTime::now() + 2 * ORPHAN_AGE;
        assert_eq!(folder.remove_orphans(&known, later).expect("removed"), 2);
        assert_eq!(read(&folder, &used).expect("there"), "used");
        assert_eq!(folder.orphans(&known).expect("lists"), Vec::<PathBuf>::new());
    }
}
