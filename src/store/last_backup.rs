//! The note of the last backup, in the data folder: for its age, and for a migration that wants one.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::database::position::Position;
use crate::platform::files;
use crate::wire::Timestamp;

/// Name of the note.
const FILE_NAME: &str = "backup.last";

/// The last backup of a data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// Time at which it was begun, in milliseconds since the Unix epoch.
    at: u64,
    /// Path of the file, for people.
    pub to: String,
    /// Size, in bytes.
    pub bytes: u64,
    /// False if password hashes, keys and tokens were left out.
    pub secrets: bool,
    lineage: i64,
    message: i64,
    changes: u64,
}

impl LastBackup {
    /// Makes the note of a backup with a copy of the database at this position.
    pub(in crate::store) fn new(
        at: Timestamp,
        to: String,
        bytes: u64,
        secrets: bool,
        position: Position,
    ) -> Self {
        let Position { lineage, message, changes } = position;
        Self { at: at.0, to, bytes, secrets, lineage, message: message.as_i64(), changes }
    }

    /// Returns the time at which the backup was begun.
    pub fn at(&self) -> Timestamp {
        Timestamp(self.at)
    }

    /// Writes the note into a data folder, as a whole.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(FILE_NAME);
        let draft = path.with_added_extension("new");
        let mut options = OpenOptions::new();
        let mut file = files::open_private(options.write(true).create(true).truncate(true), &draft)?;
        files::give_to_owner_of(&file, folder);
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        drop(file);
        std::fs::rename(draft, path)
    }

    /// Returns whether the backup has everything of a database at this position.
    pub(in crate::store) fn is_of(&self, position: &Position) -> bool {
        self.secrets
            && self.lineage == position.lineage
            && self.message == position.message.as_i64()
            && self.changes == position.changes
    }
}

/// Reads the note of a data folder; `None` if there is none that can be read.
pub fn read(folder: &Path) -> Option<LastBackup> {
    serde_json::from_str(&std::fs::read_to_string(folder.join(FILE_NAME)).ok()?).ok()
}
