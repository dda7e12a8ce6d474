//! Files and folders.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::access::{self, Grant};

pub use crate::platform::types::{OthersAccess, Restriction};

/// Owner of a file, by the security identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(String);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identity of a file on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    volume: u64,
    index: u64,
}

/// Space of a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Size of the file system.
    pub total: u64,
    /// Bytes that this user may still write.
    pub free: u64,
    /// Number of files that can still be made, if the file system has such a limit.
    pub free_files: Option<u64>,
}

/// Creates a folder for its owner only, with the folders above it. Existing ones stay as they are.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        create_private_folder(above)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => access::restrict_path(folder, true),
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens a file by these options. If that creates it, it is for its owner only, before anything is written to it.
pub fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.open(path)?;
    // An empty file is new, or has nothing to read yet.
    if file.metadata()?.len() == 0 {
        access::restrict_path(path, false)?;
    }
    Ok(file)
}

/// Opens a file by these options. If that creates it, it has the permissions of its folder.
pub fn open_readable(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

/// Does nothing: on Windows, commands run as the user who owns the files, not as root for that user.
pub fn give_to_owner_of(_: &File, _: &Path) {}

/// Does nothing, as [`give_to_owner_of`].
pub fn give_folder_to_owner_of(_: &Path, _: &Path) {}

/// Takes all permissions from others.
pub fn make_private(path: &Path) -> io::Result<()> {
    access::restrict_path(path, path.is_dir())
}

/// Returns what others may do with the file or folder at a path.
pub fn others_access(path: &Path) -> io::Result<OthersAccess> {
    access::grants_by_path(path).map(|grants| access_of(&grants))
}

/// Returns what others may do with an open file, whatever its path names by now.
pub fn others_access_to_open(file: &File) -> io::Result<OthersAccess> {
    access::grants_of_open(file).map(|grants| access_of(&grants))
}

fn access_of(grants: &[Grant]) -> OthersAccess {
    let names: Vec<&str> = grants.iter().map(|grant| grant.name.as_str()).collect();
    let shown =
        if names.is_empty() { "private".to_owned() } else { format!("access for {}", names.join(", ")) };
    let write = grants.iter().any(|grant| grant.write);
    OthersAccess { any: !grants.is_empty(), write, sticky: false, shown }
}

/// Returns the command by which the owner restricts the access to a path.
pub fn restriction_command(restriction: Restriction, path: &Path) -> String {
    let rights = if restriction == Restriction::PrivateFolder { "(OI)(CI)F" } else { "F" };
    let private = access::private_identifiers().unwrap_or_default();
    let grants: Vec<String> =
        private.iter().filter(|sid| !sid.is_empty()).map(|sid| format!("*{sid}:{rights}")).collect();
    let mut command = format!("icacls {} /inheritance:r /grant:r {}", shell_quoted(path), grants.join(" "));
    let others = access::grants_by_path(path).unwrap_or_default();
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|grant| format!("*{}", grant.sid)).collect();
        command += &format!(" /remove:g {}", others.join(" "));
    }
    command
}

/// Returns the owner of the file or folder at a path.
pub fn owner(path: &Path) -> io::Result<Owner> {
    access::owner_by_path(path).map(Owner)
}

/// Returns the commands by which an administrator gives files to an owner.
pub fn ownership_command(owner: Owner, paths: &[PathBuf]) -> String {
    let commands: Vec<String> =
        paths.iter().map(|path| format!("icacls {} /setowner *{owner}", shell_quoted(path))).collect();
    commands.join("; ")
}

/// Returns a path as a word of a command line.
pub fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || r"\/._-+@:~".contains(c);
    // A path has no quotation marks.
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("\"{text}\"") }
}

/// Characters of account names that the name of a file cannot have.
pub const FORBIDDEN_IN_NAMES: &[u8] = br"\|";

/// False: a file that SQLite has open cannot be moved, replaced or removed.
#[cfg(test)]
pub const OPEN_FILES_CAN_BE_MOVED: bool = false;

/// Name of the file that stands for a folder in locks, because Windows locks no folders.
const LOCK_FILE: &str = ".lock";

/// Opens a folder so that it can be locked. The lock is that of the open file.
pub fn open_for_lock(folder: &Path) -> io::Result<File> {
    fs::metadata(folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).open(folder.join(LOCK_FILE))
}

/// Returns true for a file that [`open_for_lock`] makes in the folder.
#[cfg(test)]
pub fn is_lock_file(name: &str) -> bool {
    name == LOCK_FILE
}

/// Returns the file for the process id of a lock's holder, which other processes can read while the lock is held. A locked
/// file cannot be read.
pub fn lock_holder_file(lock: &Path) -> PathBuf {
    lock.with_extension("pid")
}

/// Flushes what is known of a folder's files, which makes renames, creations and removals durable. Where the file system
/// cannot flush a folder, as over a network, only their order is kept.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Only a folder that is opened for adding files can be flushed.
    let opened = OpenOptions::new().write(true).custom_flags(OPEN_FOLDERS).open(folder);
    match opened.and_then(|folder| folder.sync_all()) {
        Err(error) if CANNOT_FLUSH.contains(&error.kind()) => Ok(()),
        result => result,
    }
}

/// `FILE_FLAG_BACKUP_SEMANTICS`, without which folders cannot be opened.
const OPEN_FOLDERS: u32 = 0x0200_0000;

/// Errors of a file system that has no flush of folders.
const CANNOT_FLUSH: [io::ErrorKind; 3] =
    [io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidInput, io::ErrorKind::Unsupported];

/// Writes all of the bytes at a position of a file.
pub fn write_all_at(file: &File, mut bytes: &[u8], mut position: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.seek_write(bytes, position) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                position += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns the identity of a file.
pub fn identity(path: &Path) -> io::Result<FileId> {
    let found = winapi_util::file::information(&File::open(path)?)?;
    Ok(FileId { volume: found.volume_serial_number(), index: found.file_index() })
}

/// Returns the space of the file system that a folder is on.
pub fn disk_space(folder: &Path) -> io::Result<DiskSpace> {
    // Of a folder that does not exist Windows tells the space of its drive.
    fs::metadata(folder)?;
    let found = fs4::statvfs(folder)?;
    Ok(DiskSpace { total: found.total_space(), free: found.available_space(), free_files: None })
}

/// Gives others a permission, as somebody might by mistake.
#[cfg(test)]
pub fn give_to_others(path: &Path, may_write: bool) {
    access::give_to_everyone(path, may_write).expect("set");
}

/// Makes a symbolic link. Returns `false` where this user may not, which is the rule, and under Wine, which makes none.
#[cfg(test)]
pub fn link(target: &Path, link: &Path) -> bool {
    std::os::windows::fs::symlink_file(target, link).is_ok() && link.is_symlink()
}
