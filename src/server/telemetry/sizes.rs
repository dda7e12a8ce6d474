//! Sizes of what a server keeps, and of the disk that it is on: measured for the metrics and for `parlour status`.

use std::fs;
use std::path::{Path, PathBuf};

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

use super::registration::gauge;
use crate::platform::files::disk_space;

/// Sizes of the data folder and of its file system, in bytes. 0 for a file that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Size of the database, in bytes.
    pub database_bytes: u64,
    /// Its write-ahead log.
    pub log_bytes: u64,
    /// The search index, with its log.
    pub search_bytes: u64,
    /// Size of the file system; `None` if that is not known.
    pub disk_bytes: Option<u64>,
    /// Bytes that the server may still write there.
    pub disk_free_bytes: Option<u64>,
}

impl Storage {
    /// Measures a data folder. It reads the sizes of files, so it may block.
    pub fn of(folder: &Path) -> Self {
        let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |found| found.len());
        let space = disk_space(folder).ok();
        Self {
            database_bytes: size("parlour.db"),
            log_bytes: size("parlour.db-wal"),
            search_bytes: size("search.db") + size("search.db-wal"),
            disk_bytes: space.map(|space| space.total),
            disk_free_bytes: space.map(|space| space.free),
        }
    }
}

/// Metrics of the sizes.
#[derive(Debug)]
pub(super) struct SizeMetrics {
    /// The data folder.
    folder: PathBuf,
    database: Gauge,
    search_index: Gauge,
    files: Gauge,
    file_bytes: Gauge,
    disk: Gauge,
    disk_free: Gauge,
}

impl SizeMetrics {
    pub fn new(registry: &mut Registry, folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            database: gauge(registry, "database_bytes", "Size of the database without its write-ahead log"),
            search_index: gauge(registry, "search_index_bytes", "Size of the search index, with its log"),
            files: gauge(registry, "files", "Files that accounts have uploaded"),
            file_bytes: gauge(registry, "files_bytes", "Size of these files, as they count for quotas"),
            disk: gauge(registry, "disk_bytes", "Size of the disk that has the data folder"),
            disk_free: gauge(registry, "disk_free_bytes", "Bytes that the server can still write there"),
        }
    }

    /// Sets the count and the size of the files that accounts have uploaded.
    pub fn set_files(&self, count: usize, bytes: u64) {
        self.files.set(i64::try_from(count).unwrap_or(i64::MAX));
        set(&self.file_bytes, bytes);
    }

    /// Measures what is on the disk. A disk that cannot be measured stays as it was.
    pub fn measure(&self) {
        let Storage { database_bytes, search_bytes, disk_bytes, disk_free_bytes, .. } =
            Storage::of(&self.folder);
        set(&self.database, database_bytes);
        set(&self.search_index, search_bytes);
        for (gauge, bytes) in [(&self.disk, disk_bytes), (&self.disk_free, disk_free_bytes)] {
            if let Some(bytes) = bytes {
                set(gauge, bytes);
            }
        }
    }
}

fn set(gauge: &Gauge, bytes: u64) {
    gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
}
