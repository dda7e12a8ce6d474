//! Atomic writes of files that only their owner can read.

use std::io::{self, Write as _};
use std::path::Path;

use crate::platform::files;

/// Writes a file for its owner only, in place of an existing one. A crash leaves the old file or the new one, and so do two
/// programs that write at the same moment. After a return without an error the new one survives a power cut.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile removes a file that is not persisted.
    let mut new = tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(folder)?;
    files::make_private(new.path())?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    files::sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_write_replaces_the_file_or_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        let names = || fs::read_dir(folder.path()).expect("a folder").count();
        fs::write(&path, "old").expect("writes");
        files::give_to_others(&path, false);
        write(&path, "new").expect("writes");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "new");
        assert!(!files::others_access(&path).expect("a file").any);
        assert_eq!(names(), 1);
        // A file cannot replace a folder.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).expect("a folder");
        write(&taken, "new").expect_err("refused");
        assert_eq!(names(), 2);
    }
}
