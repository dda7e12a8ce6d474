//! Files and folders.

use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::fs::fchown;
use rustix::process::{Gid, Uid, geteuid};

pub use crate::platform::types::{OthersAccess, Restriction};

/// Owner of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(u32);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identity of a file on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
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
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file by these options. If that creates it, it is for its owner only.
pub fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o600).open(path)
}

/// Opens a file by these options. If that creates it, others may read it.
pub fn open_readable(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o644).open(path)
}

/// Gives a new file to the owner of the folder that it is in, if this process is root's: a server that runs as that owner
/// could not read it otherwise. Where that fails, the file stays as it is, which `parlour doctor` reports.
pub fn give_to_owner_of(file: &File, folder: &Path) {
    if geteuid().is_root()
        && let Ok(owner) = fs::metadata(folder)
        && owner.uid() != 0
    {
        let _ = fchown(file, Some(Uid::from_raw(owner.uid())), Some(Gid::from_raw(owner.gid())));
    }
}

/// Gives a new folder to the owner of another one, as [`give_to_owner_of`] does with a file.
pub fn give_folder_to_owner_of(folder: &Path, model: &Path) {
    if geteuid().is_root()
        && let Ok(open) = File::open(folder)
    {
        give_to_owner_of(&open, model);
    }
}

/// Takes all permissions from others.
pub fn make_private(path: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_mode(permissions.mode() & 0o700);
    fs::set_permissions(path, permissions)
}

/// Returns what others may do with the file or folder at a path.
pub fn others_access(path: &Path) -> io::Result<OthersAccess> {
    fs::metadata(path).map(|metadata| access_of(&metadata))
}

/// Returns what others may do with an open file, whatever its path names by now.
pub fn others_access_to_open(file: &File) -> io::Result<OthersAccess> {
    file.metadata().map(|metadata| access_of(&metadata))
}

fn access_of(metadata: &Metadata) -> OthersAccess {
    let mode = metadata.permissions().mode() & 0o7777;
    OthersAccess {
        any: mode & 0o077 != 0,
        write: mode & 0o022 != 0,
        sticky: metadata.is_dir() && mode & 0o1000 != 0,
        shown: format!("mode {mode:04o}"),
    }
}

/// Returns the command by which the owner restricts the access to a path.
pub fn restriction_command(restriction: Restriction, path: &Path) -> String {
    let mode = match restriction {
        Restriction::PrivateFile => "600",
        Restriction::PrivateFolder => "700",
        Restriction::OwnerWrites => "go-w",
    };
    format!("chmod {mode} {}", shell_quoted(path))
}

/// Returns the owner of the file or folder at a path.
pub fn owner(path: &Path) -> io::Result<Owner> {
    fs::metadata(path).map(|metadata| Owner(metadata.uid()))
}

/// Returns the command by which an administrator gives files to an owner.
pub fn ownership_command(owner: Owner, paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| shell_quoted(path)).collect();
    format!("chown {owner} {}", paths.join(" "))
}

/// Returns a path as a word of a shell command.
pub fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Characters of account names that the name of a file cannot have.
pub const FORBIDDEN_IN_NAMES: &[u8] = b"";

/// True: a file or a folder can be moved, replaced and removed while somebody has it open.
#[cfg(test)]
pub const OPEN_FILES_CAN_BE_MOVED: bool = true;

/// Opens a folder so that it can be locked. The lock is that of the open file.
pub fn open_for_lock(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

/// Returns true for a file that [`open_for_lock`] makes in the folder.
#[cfg(test)]
pub fn is_lock_file(_: &str) -> bool {
    false
}

/// Returns the file for the process id of a lock's holder, which other processes can read while the lock is held.
pub fn lock_holder_file(lock: &Path) -> PathBuf {
    lock.to_owned()
}

/// Makes the renames, creations and removals in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes all of the bytes at a position of a file.
pub fn write_all_at(file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
    file.write_all_at(bytes, position)
}

/// Returns the identity of a file, without the times of the file: once these were queried, Linux gives the next write a
/// time of its own, so that each commit would write the inode of the log too.
#[cfg(target_os = "linux")]
pub fn identity(path: &Path) -> io::Result<FileId> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::INO)?;
    Ok(FileId { device: makedev(found.stx_dev_major, found.stx_dev_minor), inode: found.stx_ino })
}

/// Returns the identity of a file.
#[cfg(not(target_os = "linux"))]
pub fn identity(path: &Path) -> io::Result<FileId> {
    let found = fs::metadata(path)?;
    Ok(FileId { device: found.dev(), inode: found.ino() })
}

/// Returns the space of the file system that a folder is on.
#[allow(clippy::unnecessary_cast, reason = "macOS counts blocks in 32 bits")]
pub fn disk_space(folder: &Path) -> io::Result<DiskSpace> {
    let found = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize as u64);
    Ok(DiskSpace {
        total: bytes(found.f_blocks as u64),
        free: bytes(found.f_bavail as u64),
        free_files: (found.f_files > 0).then_some(found.f_favail as u64),
    })
}

/// Gives others a permission, as somebody might by mistake.
#[cfg(test)]
pub fn give_to_others(path: &Path, may_write: bool) {
    let mode = if may_write { 0o022 } else { 0o044 };
    let mut permissions = fs::metadata(path).expect("is there").permissions();
    permissions.set_mode(permissions.mode() | mode);
    fs::set_permissions(path, permissions).expect("set");
}

/// Makes a symbolic link. Returns `true`, since every user may.
#[cfg(test)]
pub fn link(target: &Path, link: &Path) -> bool {
    std::os::unix::fs::symlink(target, link).expect("linked");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_group_and_others_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x");
        fs::write(&file, "").expect("written");
        let access = |path: &Path, mode: u32| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
            others_access(path).expect("is there")
        };
        for (mode, any, write) in [
            (0o600, false, false),
            (0o400, false, false),
            (0o640, true, false),
            (0o604, true, false),
            (0o601, true, false),
            (0o620, true, true),
            (0o602, true, true),
        ] {
            let shown = format!("mode {mode:04o}");
            assert_eq!(access(&file, mode), OthersAccess { any, write, sticky: false, shown });
            assert_eq!(others_access_to_open(&File::open(&file).expect("opens")).expect("known").any, any);
        }
        let sticky = access(folder.path(), 0o1777);
        assert!(sticky.sticky && sticky.write);
        assert!(access(folder.path(), 0o720).write);
    }

    #[test]
    fn what_root_makes_belongs_to_the_owner_of_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = File::open(folder.path()).expect("opens");
        if fchown(&open, Some(Uid::from_raw(7)), None).is_err() {
            // Only root may give files away.
            return;
        }
        let path = folder.path().join("key");
        let file = open_private(OpenOptions::new().write(true).create(true), &path).expect("made");
        assert_eq!(owner(&path).expect("known"), Owner(0));
        give_to_owner_of(&file, folder.path());
        assert_eq!(owner(&path).expect("known"), Owner(7));
    }

    #[test]
    fn commands_are_shell_quoted() {
        let command = |restriction, path| restriction_command(restriction, Path::new(path));
        assert_eq!(command(Restriction::PrivateFile, "/srv/x.key"), "chmod 600 /srv/x.key");
        assert_eq!(command(Restriction::PrivateFolder, "/srv/my chat's"), r"chmod 700 '/srv/my chat'\''s'");
        assert_eq!(command(Restriction::OwnerWrites, "x"), "chmod go-w x");
        let files = [PathBuf::from("a"), PathBuf::from("b c")];
        assert_eq!(ownership_command(Owner(7), &files), "chown 7 a 'b c'");
    }
}
