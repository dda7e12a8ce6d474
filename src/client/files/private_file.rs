//! Atomic writes of files that only their owner can read.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file with mode 0600, in place of an existing one. A crash leaves the old file or the new one, and so do two
/// programs that write at the same moment. After a return without an error the new one survives a power cut.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile creates its files with mode 0600, and removes one that is not persisted.
    let mut new = tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_write_replaces_the_file_or_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        let names = || fs::read_dir(folder.path()).expect("a folder").count();
        fs::write(&path, "old").expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("sets");
        write(&path, "new").expect("writes");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "new");
        assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(names(), 1);
        // A file cannot replace a folder.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).expect("a folder");
        write(&taken, "new").expect_err("refused");
        assert_eq!(names(), 2);
    }
}
