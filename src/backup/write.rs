//! Writing of a backup.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};
use tempfile::NamedTempFile;

use super::manifest::{self, Contents, Manifest, Part, digest_of_hashes, hex};
use super::protection::{Output, Protection};
use super::read::verify;
use super::seal::SealWriter;
use super::streams::{CountedReader, CountedWriter, Watched};
use super::workspace::Workspace;
use super::{BackupError, Places, Progress, Step};
use crate::core::record::file::FileHash;
use crate::platform::files;
use crate::store::copy;
use crate::store::last_backup::LastBackup;
use crate::trust::certs::{self, CertificateFile};
use crate::wire::Timestamp;

/// Level of zstd: fast, and about a third of the size of a database.
const COMPRESSION_LEVEL: i32 = 3;

/// Bytes that are copied at once.
const PIECE_BYTES: usize = 128 * 1024;

/// A backup that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Manifest, as it is in the file.
    pub manifest: Manifest,
    /// Size, in bytes.
    pub bytes: u64,
    /// The note about it for the data folder, which the caller writes.
    pub note: LastBackup,
}

/// Everything that goes into a backup, held as it is at one moment.
struct Prepared {
    workspace: Workspace,
    manifest: Manifest,
    copied: copy::CopiedDatabase,
    config: Option<Vec<u8>>,
    certs: Vec<CertificateFile>,
    contents: BTreeMap<FileHash, (PathBuf, u64)>,
}

/// Writes a backup of a server into a new file, reads it back and gives it its name. The server may be running.
/// `network` is the server's name.
///
/// # Errors
/// [`BackupError::Exists`] if there is such a file.
pub fn write_file(
    places: &Places,
    network: &str,
    protection: &Protection,
    now: Timestamp,
    target: &Path,
    progress: &dyn Progress,
) -> Result<Written, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    remove_partial(folder);
    let prepared = prepare(places, network, protection, now, progress)?;
    let mut draft = tempfile::Builder::new()
        .prefix(PARTIAL_PREFIX)
        .suffix(PARTIAL_SUFFIX)
        .tempfile_in(folder)
        .map_err(BackupError::writing(folder))?;
    // A file system without locks only delays the removal of what a killed process leaves.
    let _ = draft.as_file().try_lock();
    files::make_private(draft.path()).map_err(BackupError::writing(folder))?;
    let (encryptor, key) = protection.encryptor();
    let output = BufWriter::new(draft.as_file_mut());
    let output = Output::new(output, encryptor).map_err(BackupError::writing(target))?;
    let mut output = write_archive(&prepared, output, progress, target)?;
    output.flush().map_err(BackupError::writing(target))?;
    drop(output);
    draft.as_file().sync_all().map_err(BackupError::writing(target))?;
    let bytes = verify_written(&mut draft, &prepared.manifest, key, progress, target)?;
    files::give_to_owner_of(draft.as_file(), folder);
    draft.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => BackupError::writing(target)(error.error),
    })?;
    files::sync_folder(folder).map_err(BackupError::writing(folder))?;
    // For people who read it in another folder.
    let path = std::path::absolute(target).unwrap_or_else(|_| target.to_owned());
    Ok(prepared.written(now, &path.display().to_string(), bytes))
}

/// Writes a backup of a server to an output that cannot be read back.
pub fn write_to(
    places: &Places,
    network: &str,
    protection: &Protection,
    now: Timestamp,
    output: impl Write,
    progress: &dyn Progress,
) -> Result<Written, BackupError> {
    let prepared = prepare(places, network, protection, now, progress)?;
    let target = Path::new("standard output");
    let (encryptor, _) = protection.encryptor();
    let counted = CountedWriter { output: BufWriter::new(output), bytes: 0 };
    let output = Output::new(counted, encryptor).map_err(BackupError::writing(target))?;
    let mut output = write_archive(&prepared, output, progress, target)?;
    output.flush().map_err(BackupError::writing(target))?;
    let bytes = output.bytes;
    Ok(prepared.written(now, "standard output", bytes))
}

/// Checks that a folder has the certificates and the key that make a server the same one after a restore. The root's key may
/// be kept elsewhere.
///
/// # Errors
/// [`BackupError::NoCertificates`].
pub fn require_certificates(folder: &Path) -> Result<(), BackupError> {
    match ["root.pem", "server.pem", "server.key"].into_iter().find(|file| !folder.join(file).exists()) {
        Some(file) => Err(BackupError::NoCertificates { folder: folder.to_owned(), file }),
        None => Ok(()),
    }
}

/// Beginning and end of the name of a file that is being written.
const PARTIAL_PREFIX: &str = ".parlour-backup-";
const PARTIAL_SUFFIX: &str = ".partial";

/// Age from which a file that was being written and that nobody has locked is nobody's: its writer locks it at once.
const PARTIAL_AGE: Duration = Duration::from_mins(1);

/// The same where the file system has no locks.
const PARTIAL_AGE_WITHOUT_LOCKS: Duration = Duration::from_hours(24);

/// Removes from a folder what processes that were killed while they wrote a backup have left.
pub fn remove_partial(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_partial = name
            .to_str()
            .is_some_and(|name| name.starts_with(PARTIAL_PREFIX) && name.ends_with(PARTIAL_SUFFIX));
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|at| at.elapsed().ok());
        let Some(age) = age.filter(|age| is_partial && *age >= PARTIAL_AGE) else { continue };
        let lock = File::options().write(true).open(entry.path()).map(|file| file.try_lock());
        let is_unused = match lock {
            Ok(Ok(())) => true,
            Ok(Err(TryLockError::WouldBlock)) => false,
            Ok(Err(TryLockError::Error(_))) | Err(_) => age >= PARTIAL_AGE_WITHOUT_LOCKS,
        };
        if is_unused {
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Prepared {
    fn written(self, now: Timestamp, to: &str, bytes: u64) -> Written {
        let note = self.copied.note(now, to.to_owned(), bytes, self.manifest.secrets);
        Written { manifest: self.manifest, bytes, note }
    }
}

/// Copies and checks the database, and collects the rest.
fn prepare(
    places: &Places,
    network: &str,
    protection: &Protection,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Prepared, BackupError> {
    let (data, secrets) = (&places.data, protection.has_secrets());
    if secrets {
        require_certificates(&places.certs)?;
    }
    progress.begin(Step::Copy, 0);
    let size = |name: &str| fs::metadata(data.join(name)).map_or(0, |file| file.len());
    let workspace = Workspace::new(data, size(copy::DATABASE) + size("parlour.db-wal"))?;
    // What is removed from now on was in the database or not; what was removed before is not in it.
    workspace.hold_contents()?;
    copy_database(data, &workspace, progress)?;
    let database = workspace.database();
    if !secrets {
        copy::remove_secrets(&database, now)?;
    }
    let (copied, health) = copy::check(&database)?;
    if !health.faults.is_empty() {
        return Err(BackupError::DamagedDatabase(health.faults.join("; ")));
    }
    let used = health.file_contents.unwrap_or_default();
    let contents = workspace.contents(&used);
    let config = read_optional(&places.config_file)?;
    // A certificate without its key is of no use, and keeps a server from making its own.
    let certs = if secrets { certs::read_files(&places.certs)? } else { Vec::new() };
    let pin = certs::inspect(&places.certs).ok().map(|info| info.pin.to_string());
    let manifest = Manifest {
        format: manifest::FORMAT,
        parlour: env!("CARGO_PKG_VERSION").to_owned(),
        schema: copied.schema,
        created: now.to_string(),
        name: network.to_owned(),
        pin,
        secrets,
        counts: copied.counts,
        database: describe_file(&database)?,
        files: Contents {
            count: contents.len() as u64,
            bytes: contents.values().map(|(_, size)| size).sum(),
            sha256: digest_of_hashes(contents.keys()),
            missing: (used.len() - contents.len()) as u64,
        },
        config: config.as_deref().map(Part::of),
        certs: certs.iter().map(|file| (file.name.to_owned(), Part::of(&file.text))).collect(),
    };
    Ok(Prepared { workspace, manifest, copied, config, certs, contents })
}

fn copy_database(data: &Path, workspace: &Workspace, progress: &dyn Progress) -> Result<(), BackupError> {
    let mut begun = false;
    let mut report = |done, total| {
        if !begun {
            progress.begin(Step::Copy, total);
            begun = true;
        }
        progress.set(done);
        !progress.is_cancelled()
    };
    match copy::copy(data, &workspace.database(), &mut report) {
        Err(_) if progress.is_cancelled() => Err(BackupError::Cancelled),
        result => result.map(drop).map_err(Into::into),
    }
}

fn write_archive<W: Write>(
    prepared: &Prepared,
    output: Output<W>,
    progress: &dyn Progress,
    target: &Path,
) -> Result<W, BackupError> {
    progress.begin(Step::Write, prepared.manifest.total_bytes());
    let written = write_entries(prepared, output, progress);
    if progress.is_cancelled() {
        return Err(BackupError::Cancelled);
    }
    written.map_err(BackupError::writing(target))
}

fn write_entries<W: Write>(prepared: &Prepared, output: Output<W>, progress: &dyn Progress) -> io::Result<W> {
    let mut compressed = zstd::Encoder::new(SealWriter::new(output), COMPRESSION_LEVEL)?;
    compressed.include_checksum(true)?;
    let mut archive = tar::Builder::new(compressed);
    let text = serde_json::to_vec_pretty(&prepared.manifest)?;
    append(&mut archive, manifest::NAME, &mut &text[..], text.len() as u64)?;
    let mut done = 0;
    let mut append_part = |name: &str, input: &mut dyn Read, size: u64| {
        let mut watched = Watched { input, done: &mut done, progress };
        append(&mut archive, name, &mut watched, size)
    };
    if let Some(config) = &prepared.config {
        append_part(manifest::CONFIG, &mut &config[..], config.len() as u64)?;
    }
    for CertificateFile { name, text } in &prepared.certs {
        let name = format!("{}{name}", manifest::CERTS);
        append_part(&name, &mut &text[..], text.len() as u64)?;
    }
    let database = File::open(prepared.workspace.database())?;
    append_part(manifest::DATABASE, &mut BufReader::new(database), prepared.manifest.database.bytes)?;
    for (hash, (path, size)) in &prepared.contents {
        let name = format!("{}{}", manifest::FILES, hex(hash));
        append_part(&name, &mut BufReader::new(File::open(path)?), *size)?;
    }
    let output = archive.into_inner()?.finish()?.finish()?;
    output.finish()
}

/// Appends an entry of exactly `size` bytes.
fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    input: &mut dyn Read,
    size: u64,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(size);
    header.set_path(name)?;
    header.set_cksum();
    let mut counted = CountedReader { input: input.take(size), bytes: 0 };
    archive.append(&header, &mut counted)?;
    if counted.bytes == size {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} became shorter while it was read")))
}

/// Reads a written backup back and compares it with its manifest. Returns its size.
fn verify_written(
    draft: &mut NamedTempFile,
    manifest: &Manifest,
    key: Option<super::Key>,
    progress: &dyn Progress,
    target: &Path,
) -> Result<u64, BackupError> {
    let file = draft.as_file_mut();
    file.rewind().map_err(BackupError::reading(target))?;
    let mut key = key;
    let found = verify(file, &mut |_| key.take().ok_or(BackupError::WrongKey), progress)?;
    if found != *manifest {
        return Err(BackupError::damaged("what was written differs from what was read"));
    }
    draft.as_file().metadata().map(|metadata| metadata.len()).map_err(BackupError::reading(target))
}

fn describe_file(path: &Path) -> Result<Part, BackupError> {
    let mut file = File::open(path).map_err(BackupError::reading(path))?;
    let (mut hasher, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
    loop {
        let read = file.read(&mut piece).map_err(BackupError::reading(path))?;
        if read == 0 {
            return Ok(Part { bytes, sha256: hex(&hasher.finalize()) });
        }
        hasher.update(piece.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}

fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, BackupError> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BackupError::reading(path)(error)),
    }
}
