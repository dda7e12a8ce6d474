//! Restoring of a backup: all of it is written beside its place and verified before anything gets its name.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::manifest::{DATABASE, Manifest};
use super::protection::{Key, KeyKind};
use super::read::{Item, Sink, read};
use super::workspace::{content_path, lock_folder, remove_unlocked};
use super::{BackupError, Places, Progress};
use crate::core::record::file::FileHash;
use crate::platform::files;
use crate::store::copy;
use crate::trust::certs::{self, FILE_NAMES};

/// Beginning of the names of the folders in which a restore is prepared.
const PREFIX: &str = ".parlour-restore-";

/// Age from which such a folder without a lock, of an earlier version of the program, is nobody's.
const STALE_AGE: Duration = Duration::from_hours(24);

/// Name of a restored configuration beside one that was there.
const CONFIG_BESIDE: &str = "parlour.toml.restored";

/// Room that is left free, in bytes.
const RESERVE: u64 = 32 << 20;

/// Result of a restore.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The manifest of the backup.
    pub manifest: Manifest,
    /// Path of the backup's configuration, if another one was in its place.
    pub config_beside: Option<PathBuf>,
}

/// Restores a backup as a new server in these places. `key` returns what opens it.
///
/// # Errors
/// [`BackupError::Occupied`] if there is a server. On any error nothing is visible in its place.
pub fn restore(
    input: impl Read,
    places: &Places,
    key: &mut dyn FnMut(KeyKind) -> Result<Key, BackupError>,
    progress: &dyn Progress,
) -> Result<Restored, BackupError> {
    refuse_occupied(places)?;
    let mut restoring = Restoring { places, staged: None };
    let manifest = read(input, key, &mut restoring, progress)?;
    let staged = restoring.staged.take().ok_or_else(|| BackupError::damaged("it is empty"))?;
    check_content(&staged, &manifest)?;
    // Somebody may have started a server meanwhile.
    refuse_occupied(places)?;
    let config_beside = staged.publish(places, manifest.secrets)?;
    Ok(Restored { manifest, config_beside })
}

/// Refuses places that have anything of a server but a configuration.
fn refuse_occupied(places: &Places) -> Result<(), BackupError> {
    let of_data = [DATABASE, "parlour.db-wal", "parlour.position", "search.db", "files"];
    let of_data = of_data.iter().map(|name| places.data.join(name));
    let of_certs = FILE_NAMES.iter().map(|name| places.certs.join(name));
    match of_data.chain(of_certs).find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(BackupError::Occupied(path)),
        None => Ok(()),
    }
}

/// Compares the restored files with what the database and the manifest say.
fn check_content(staged: &Staged, manifest: &Manifest) -> Result<(), BackupError> {
    let (copied, health) = copy::check(&staged.data.path().join(DATABASE))?;
    if !health.faults.is_empty() {
        return Err(BackupError::damaged(health.faults.join("; ")));
    }
    let used = health.file_contents.unwrap_or_default();
    let missing = used.difference(&staged.contents).count() as u64;
    if copied.counts != manifest.counts
        || copied.schema != manifest.schema
        || missing != manifest.files.missing
    {
        return Err(BackupError::damaged("its database is not what its manifest says"));
    }
    let pin = certs::inspect(staged.certs.path()).ok().map(|info| info.pin.to_string());
    if manifest.secrets && pin != manifest.pin {
        return Err(BackupError::damaged("its certificates are not those that its manifest names"));
    }
    Ok(())
}

/// The parts of a backup, beside their places.
struct Staged {
    data: StagedFolder,
    certs: StagedFolder,
    config: Option<Vec<u8>>,
    contents: HashSet<FileHash>,
    /// The part that is being written.
    open: Option<Open>,
    /// Dropped after the staged folders, which may be in them.
    _made: MadeFolders,
}

/// A folder in which a restore is prepared. Dropping it removes it.
struct StagedFolder {
    /// Closed before the folder is removed, as Windows wants it.
    _lock: File,
    folder: TempDir,
}

/// Folders that did not exist before, the deepest first. Dropping it removes those that are empty: a restore that was
/// refused leaves nothing behind.
#[derive(Default)]
struct MadeFolders(Vec<PathBuf>);

enum Open {
    File { file: File, path: PathBuf },
    Config(Vec<u8>),
}

impl Staged {
    fn new(places: &Places) -> Result<Self, BackupError> {
        let mut made = MadeFolders::default();
        let data = StagedFolder::beside(&places.data, &mut made)?;
        let certs = StagedFolder::beside(&places.certs, &mut made)?;
        Ok(Self { data, certs, config: None, contents: HashSet::new(), open: None, _made: made })
    }

    /// Moves everything to its place, the database last: without it there is no server. Returns where the configuration
    /// went if one was there. Certificates stay behind unless `with_certs`: an earlier version of the program put them
    /// into backups without secrets, and without their keys the server would not start.
    fn publish(self, places: &Places, with_certs: bool) -> Result<Option<PathBuf>, BackupError> {
        // First, because it is the only part that may fail for a reason of its own.
        let beside = match &self.config {
            Some(text) => write_config(text, places)?,
            None => None,
        };
        for folder in [&places.certs, &places.data] {
            if !folder.exists() {
                files::create_private_folder(folder).map_err(BackupError::writing(folder))?;
                give_folder_to_owner_of(folder, folder.parent().unwrap_or(folder));
            }
        }
        let names = FILE_NAMES.iter().filter(|name| with_certs && self.certs.path().join(name).exists());
        for name in names {
            move_into(&self.certs.path().join(name), &places.certs)?;
        }
        files::sync_folder(&places.certs).map_err(BackupError::writing(&places.certs))?;
        let contents = self.data.path().join("files");
        if contents.exists() {
            move_into(&contents, &places.data)?;
        }
        move_into(&self.data.path().join(DATABASE), &places.data)?;
        files::sync_folder(&places.data).map_err(BackupError::writing(&places.data))?;
        Ok(beside)
    }

    fn path_of(&self, item: Item) -> Result<PathBuf, BackupError> {
        match item {
            Item::Certificate(name) => Ok(self.certs.path().join(name)),
            Item::Content(hash) => {
                let path = content_path(self.data.path(), &hash);
                let folder = path.parent().unwrap_or(self.data.path());
                if !folder.exists() {
                    files::create_private_folder(folder).map_err(BackupError::writing(folder))?;
                    give_folder_to_owner_of(&self.data.path().join("files"), self.data.path());
                    give_folder_to_owner_of(folder, self.data.path());
                }
                Ok(path)
            }
            Item::Database | Item::Config => Ok(self.data.path().join(DATABASE)),
        }
    }
}

/// Receives the parts of a backup; nothing is written before its manifest was read.
struct Restoring<'a> {
    places: &'a Places,
    staged: Option<Staged>,
}

impl Sink for Restoring<'_> {
    fn begin(&mut self, manifest: &Manifest) -> Result<(), BackupError> {
        if manifest.schema > copy::latest_schema() {
            return Err(BackupError::Newer { version: manifest.parlour.clone() });
        }
        let staged = Staged::new(self.places)?;
        let needed = manifest.total_bytes().saturating_add(RESERVE);
        if files::disk_space(staged.data.path()).is_ok_and(|space| space.free < needed) {
            let folder = self.places.data.clone();
            return Err(BackupError::NoRoom { folder, mib: needed.div_ceil(1 << 20) });
        }
        self.staged = Some(staged);
        Ok(())
    }

    fn open(&mut self, item: Item) -> Result<(), BackupError> {
        self.staged.as_mut().map_or(Ok(()), |staged| staged.open(item))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.staged.as_mut().map_or(Ok(()), |staged| staged.write(bytes))
    }

    fn close(&mut self) -> Result<(), BackupError> {
        self.staged.as_mut().map_or(Ok(()), Staged::close)
    }
}

impl Staged {
    fn open(&mut self, item: Item) -> Result<(), BackupError> {
        if item == Item::Config {
            self.open = Some(Open::Config(Vec::new()));
            return Ok(());
        }
        if let Item::Content(hash) = item {
            self.contents.insert(hash);
        }
        let path = self.path_of(item)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // What is public of the certificates may be read, as `certs generate` makes them.
        let is_public = matches!(item, Item::Certificate(name) if !certs::is_secret_file(name));
        let open = if is_public { files::open_readable } else { files::open_private };
        let file = open(&mut options, &path).map_err(BackupError::writing(&path))?;
        files::give_to_owner_of(&file, path.parent().unwrap_or(&path));
        self.open = Some(Open::File { file, path });
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        match &mut self.open {
            Some(Open::File { file, path }) => file.write_all(bytes).map_err(BackupError::writing(&*path)),
            Some(Open::Config(text)) => {
                text.extend_from_slice(bytes);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), BackupError> {
        match self.open.take() {
            Some(Open::File { file, path }) => file.sync_all().map_err(BackupError::writing(&path)),
            Some(Open::Config(text)) => {
                self.config = Some(text);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl StagedFolder {
    /// Makes a private folder on the file system of `place`: in it if it exists, because it may be the root of a file
    /// system, else beside it. It belongs to the owner of the folder above. Those that killed processes have left there
    /// are removed, because they have private keys.
    fn beside(place: &Path, made: &mut MadeFolders) -> Result<Self, BackupError> {
        let above = if place.is_dir() { Some(place) } else { place.parent() };
        let above = above.filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        made.make(above)?;
        remove_unlocked(above, PREFIX, STALE_AGE);
        let folder =
            tempfile::Builder::new().prefix(PREFIX).tempdir_in(above).map_err(BackupError::writing(above))?;
        let lock = lock_folder(folder.path())?;
        files::make_private(folder.path()).map_err(BackupError::writing(folder.path()))?;
        give_folder_to_owner_of(folder.path(), above);
        Ok(Self { _lock: lock, folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl MadeFolders {
    fn make(&mut self, folder: &Path) -> Result<(), BackupError> {
        let missing = folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        self.0.splice(0..0, missing.map(Path::to_owned));
        files::create_private_folder(folder).map_err(BackupError::writing(folder))
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Fails for one that is not empty.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Gives a folder to the owner of another, if this process is root's.
fn give_folder_to_owner_of(folder: &Path, model: &Path) {
    let model = if model.as_os_str().is_empty() { Path::new(".") } else { model };
    files::give_folder_to_owner_of(folder, model);
}

/// Moves a file or folder into another folder, which has none of its name.
fn move_into(path: &Path, folder: &Path) -> Result<(), BackupError> {
    let target = folder.join(path.file_name().unwrap_or_default());
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Occupied(target));
    }
    fs::rename(path, &target).map_err(BackupError::writing(&target))
}

/// Writes the configuration to its place; beside the data where another one is there. Returns the path in that case.
fn write_config(text: &[u8], places: &Places) -> Result<Option<PathBuf>, BackupError> {
    match fs::read(&places.config_file) {
        Ok(own) if own == text => return Ok(None),
        Ok(_) => {
            let above = places.data.parent().unwrap_or(&places.data);
            let beside = above.join(CONFIG_BESIDE);
            write_private(text, &beside)?;
            return Ok(Some(beside));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(BackupError::reading(&places.config_file)(error)),
    }
    write_private(text, &places.config_file)?;
    Ok(None)
}

fn write_private(text: &[u8], path: &Path) -> Result<(), BackupError> {
    let write = || {
        let mut file = files::open_private(OpenOptions::new().write(true).create(true).truncate(true), path)?;
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        files::give_to_owner_of(&file, above);
        file.write_all(text)?;
        file.sync_all()
    };
    write().map_err(BackupError::writing(path))
}
