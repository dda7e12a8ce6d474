//! The files of a source: a file, the files of a folder, or those of a zip archive.
//!
//! Nothing here trusts them. Only regular files are read, and of a folder only those inside of it; an archive is never
//! unpacked to the disk; lines, files and their count are bounded.

use std::borrow::Cow;
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use indicatif::HumanBytes;
use serde::de::{DeserializeOwned, Deserializer as _, Error as _, SeqAccess, Visitor};
use zip::ZipArchive;
use zip::result::ZipError;

/// Maximum count of files of a source. A channel of Slack has one for each day.
const MAX_FILES: usize = 500_000;

/// Maximum depth of folders.
const MAX_DEPTH: usize = 8;

/// Maximum size of a file with one JSON value, in bytes, unpacked; a larger one ends there. Those of Slack have a day of
/// one channel.
const MAX_JSON_BYTES: u64 = 256 << 20;

/// Maximum size of an element of such a file, in bytes. It is held in memory, where it takes several times as much. A long
/// message has some kilobytes, a channel with a hundred thousand members two megabytes.
const MAX_ELEMENT_BYTES: u64 = 8 << 20;

/// Maximum size of an archive's files together, in bytes, unpacked.
const MAX_UNPACKED_BYTES: u64 = 64 << 30;

/// Maximum size of an archive's files together in relation to the archive, unless it is less than [`SMALL_BYTES`]. Exports
/// shrink to a tenth, seldom to a fiftieth; an archive that is made to waste time to a thousandth.
const MAX_RATIO: u64 = 100;

/// Size of files that any archive may have, in bytes.
const SMALL_BYTES: u64 = 256 << 20;

/// Maximum length of a line, in bytes. A message with its JSON is far shorter.
const MAX_LINE_BYTES: usize = 1 << 20;

/// The files of a source, by their names relative to it, with `/` between folders.
pub enum Source {
    /// A folder, or the folder of a single file.
    Folder {
        /// Path of the folder.
        root: PathBuf,
        /// The names, in order.
        names: Vec<String>,
    },
    /// A zip archive.
    Zip {
        /// Reader of the archive, which is never unpacked to the disk.
        archive: ZipArchive<BufReader<File>>,
        /// The names, in order.
        names: Vec<String>,
    },
}

impl Source {
    /// Opens a source. The list of its files is read, and nothing else.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() {
            let mut names = Vec::new();
            list_folder(path, "", MAX_DEPTH, &mut names)
                .with_context(|| format!("cannot read {}", path.display()))?;
            names.sort_unstable();
            return Ok(Self::Folder { root: path.to_owned(), names });
        }
        if !metadata.is_file() {
            bail!("{} is neither a file nor a folder; name an export", path.display());
        }
        let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut start = [0; 4];
        let is_zip = file.read_exact(&mut start).is_ok() && start == *b"PK\x03\x04";
        if !is_zip {
            let name = path.file_name().and_then(|name| name.to_str());
            let name =
                name.with_context(|| format!("the name of {} is not UTF-8; rename it", path.display()))?;
            let root = path.parent().map_or_else(PathBuf::new, ToOwned::to_owned);
            return Ok(Self::Folder { root, names: vec![name.to_owned()] });
        }
        let archive = File::open(path)
            .map_err(anyhow::Error::from)
            .and_then(|file| Ok(ZipArchive::new(BufReader::new(file))?));
        let archive = archive
            .with_context(|| format!("{} is a damaged zip archive; download it again", path.display()))?;
        if archive.len() > MAX_FILES {
            bail!("{} has more than {MAX_FILES} files; unpack it and import parts of it", path.display());
        }
        let sizes = (0..archive.len()).map(|index| Ok(archive.by_index_data(index)?.size()));
        let sizes: Result<Vec<u64>, ZipError> = sizes.collect();
        let sizes = sizes
            .with_context(|| format!("{} is a damaged zip archive; download it again", path.display()))?;
        check_unpacked(metadata.len(), &sizes).map_err(|why| anyhow!("{}: {why}", path.display()))?;
        let mut names: Vec<String> = archive
            .file_names()
            .filter_map(Result::ok)
            .filter(|name| !name.ends_with('/'))
            .map(Cow::into_owned)
            .collect();
        names.sort_unstable();
        Ok(Self::Zip { archive, names })
    }

    /// The names of its files, in order.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Folder { names, .. } | Self::Zip { names, .. } => names,
        }
    }

    /// Returns the folder, if it is one: `""`, or that in which this file is, as archives often have a folder in them.
    pub fn folder_of(&self, file: &str) -> Option<String> {
        let found = self.names().iter().filter_map(|name| name.strip_suffix(file));
        let mut found: Vec<&str> =
            found.filter(|folder| folder.is_empty() || folder.ends_with('/')).collect();
        found.sort_by_key(|folder| folder.len());
        found.first().map(|folder| (*folder).to_owned())
    }

    /// Opens a file for reading; `None` if there is none of that name.
    pub fn read(&mut self, name: &str) -> io::Result<Option<Box<dyn BufRead + '_>>> {
        match self {
            Self::Folder { root, names } => {
                if names.binary_search_by(|known| known.as_str().cmp(name)).is_err() {
                    return Ok(None);
                }
                let path = root.join(name);
                // It may have become a pipe or a link since it was listed; then nothing is read.
                if !fs::symlink_metadata(&path)?.is_file() && names.len() > 1 {
                    return Ok(None);
                }
                Ok(Some(Box::new(BufReader::new(File::open(path)?))))
            }
            Self::Zip { archive, .. } => match archive.by_name(name) {
                Ok(entry) => {
                    let left = entry.size();
                    Ok(Some(Box::new(BufReader::new(Limited { reader: entry, left }))))
                }
                Err(ZipError::FileNotFound) => Ok(None),
                Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            },
        }
    }

    /// Reads the elements of a file with one JSON array. Returns why it ends early, if it does.
    pub fn each_element<T: DeserializeOwned>(
        &mut self,
        name: &str,
        mut take: impl FnMut(Result<T, String>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Option<String>> {
        let Some(reader) = self.read(name).with_context(|| format!("cannot read {name}"))? else {
            return Ok(Some(format!("{name} is missing")));
        };
        let (mut failed, spent) = (None, Cell::new(0));
        let reader = Metered { reader: reader.take(MAX_JSON_BYTES), spent: &spent };
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(reader));
        let each =
            Elements { take: &mut |value| take(parse_element(value)), failed: &mut failed, spent: &spent };
        let read = json.deserialize_seq(each);
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, Ok(())) => Ok(None),
            (None, Err(error)) => Ok(Some(format!("{name} is damaged: {}", describe(&error)))),
        }
    }
}

/// A file of an archive, which is not longer than the archive says.
struct Limited<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it is longer than its archive says")
        })?;
        Ok(read)
    }
}

/// A file with JSON whose elements are not larger than [`MAX_ELEMENT_BYTES`].
struct Metered<'a, R> {
    reader: R,
    /// Bytes that were read since the last element.
    spent: &'a Cell<u64>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.spent.set(self.spent.get().saturating_add(read as u64));
        if self.spent.get() > MAX_ELEMENT_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an entry is larger than 8 MiB"));
        }
        Ok(read)
    }
}

/// Returns why an archive of this size may not have files of these sizes.
fn check_unpacked(packed: u64, sizes: &[u64]) -> Result<(), String> {
    let unpacked = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
    let limit = packed.saturating_mul(MAX_RATIO).clamp(SMALL_BYTES, MAX_UNPACKED_BYTES);
    if unpacked <= limit {
        return Ok(());
    }
    Err(format!(
        "unpacked, this archive would have {}, more than the {} that one of its size may have; if you trust it, unpack it \
         and import the folder",
        HumanBytes(unpacked),
        HumanBytes(limit)
    ))
}

/// Describes an error of JSON without the text that it is about.
fn describe(error: &serde_json::Error) -> String {
    if error.is_io() {
        return error.to_string();
    }
    let what = if error.is_eof() { "it ends early" } else { "it is not the JSON of an export" };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

fn list_folder(root: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(root.join(prefix))? {
        let entry = entry?;
        // Names that are not UTF-8 are not those of an export.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            list_folder(root, &name, depth - 1, names)?;
        } else if kind.is_file() {
            names.push(name);
        }
        if names.len() > MAX_FILES {
            bail!("it has more than {MAX_FILES} files; import parts of it");
        }
    }
    Ok(())
}

fn parse_element<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|_| "an entry has another form".to_owned())
}

/// Passes on the elements of an array, one after the other.
struct Elements<'a> {
    take: &'a mut dyn FnMut(serde_json::Value) -> anyhow::Result<()>,
    failed: &'a mut Option<anyhow::Error>,
    /// Bytes that were read since the last element.
    spent: &'a Cell<u64>,
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element()? {
            if let Err(error) = (self.take)(value) {
                *self.failed = Some(error);
                return Err(A::Error::custom("the import ended"));
            }
            self.spent.set(0);
        }
        Ok(())
    }
}

/// Returns whether a file's name has this extension, in any case.
pub fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own.eq_ignore_ascii_case(extension))
}

/// A line of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its text, without the line end.
    Text(&'a str),
    /// It is longer than a megabyte.
    TooLong,
}

/// Lines of bounded length.
pub struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    text: String,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from a file.
    pub fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), text: String::new() }
    }

    /// Reads the next line. What is not UTF-8 is taken for Latin-1's neighbour, Windows-1252, as old logs have it.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut is_too_long = false;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                if self.line.is_empty() && !is_too_long {
                    return Ok(None);
                }
                break;
            }
            let end = memchr::memchr(b'\n', available);
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            is_too_long |= self.line.len() + part.len() > MAX_LINE_BYTES;
            if !is_too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if is_too_long {
            return Ok(Some(Line::TooLong));
        }
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        self.text = match std::str::from_utf8(line) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252.decode(line).0.into_owned(),
        };
        Ok(Some(Line::Text(self.text.strip_prefix('\u{feff}').unwrap_or(&self.text))))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_are_bounded_and_read_in_any_encoding() {
        let mut bytes = "\u{feff}a\r\n\nüb\n".as_bytes().to_vec();
        bytes.extend_from_slice(b"\xfcb\n");
        bytes.extend(std::iter::repeat_n(b'x', MAX_LINE_BYTES + 1));
        bytes.extend_from_slice(b"\nlast");
        let mut lines = Lines::new(BufReader::with_capacity(7, &*bytes));
        for expected in ["a", "", "üb", "üb"] {
            assert_eq!(lines.next_line().expect("reads"), Some(Line::Text(expected)));
        }
        assert_eq!(lines.next_line().expect("reads"), Some(Line::TooLong));
        assert_eq!(lines.next_line().expect("reads"), Some(Line::Text("last")));
        assert_eq!(lines.next_line().expect("reads"), None);
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begins");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("finished").into_inner()
    }

    #[test]
    fn archives_and_folders_have_the_same_files() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("general")).expect("made");
        fs::write(folder.path().join("users.json"), "[]").expect("written");
        fs::write(folder.path().join("general/2026-01-01.json"), "[1]").expect("written");
        let packed = tempfile::NamedTempFile::new().expect("a file");
        fs::write(&packed, zipped(&[("users.json", b"[]"), ("general/2026-01-01.json", b"[1]")]))
            .expect("written");
        let archive = Source::open(packed.path()).expect("opens");
        assert_eq!(archive.names(), ["general/2026-01-01.json", "users.json"]);
        let unpacked = Source::open(folder.path()).expect("opens");
        assert_eq!(unpacked.names(), archive.names());
        for mut source in [archive, unpacked] {
            let mut found = Vec::new();
            let take = |element: Result<u32, String>| {
                found.push(element);
                Ok(())
            };
            let ended = source.each_element("general/2026-01-01.json", take).expect("reads");
            assert_eq!((found, ended), (vec![Ok(1)], None));
            assert!(source.read("../secret").expect("no file").is_none());
        }
    }

    #[test]
    fn archives_unpack_to_a_hundredfold_at_most() {
        let (mib, gib) = (1 << 20, 1 << 30);
        assert!(check_unpacked(8 * mib, &[200 * mib; 30]).is_err(), "a bomb");
        assert_eq!(check_unpacked(1000, &[200 * mib]), Ok(()), "small ones may");
        assert_eq!(check_unpacked(100 * mib, &[gib, gib]), Ok(()));
        assert!(check_unpacked(10 * gib, &[60 * gib, 5 * gib]).is_err());
        assert!(check_unpacked(10 * gib, &[u64::MAX, u64::MAX]).is_err());
        // Sizes in the archive's directory are bounded before anything is read, and hold for what is read.
        let text = format!("[\"{}\"]", "x".repeat(100_000));
        let bytes = zipped(&[("x.json", text.as_bytes())]);
        let directory = memchr::memmem::rfind(&bytes, b"PK\x01\x02").expect("a directory");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.zip");
        let with_size = |size: u32| {
            let mut bytes = bytes.clone();
            bytes[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
            fs::write(&path, bytes).expect("written");
            Source::open(&path)
        };
        let error = with_size(u32::MAX - 1).err().expect("refused").to_string();
        assert!(error.contains("4.00 GiB") && error.contains("unpack it"), "{error}");
        let mut source = with_size(10).expect("opens");
        let ended = source.each_element("x.json", |_: Result<String, String>| Ok(())).expect("reads");
        assert!(ended.is_some_and(|why| why.contains("x.json is damaged")));
    }

    #[test]
    fn elements_are_bounded_each() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.json");
        let element = format!("\"{}\"", "x".repeat(5 << 20));
        fs::write(&path, format!("[{element},{element},[{element},{element}],1]")).expect("written");
        let mut source = Source::open(&path).expect("opens");
        let mut found = 0;
        let ended = source.each_element("x.json", |_: Result<String, String>| {
            found += 1;
            Ok(())
        });
        let ended = ended.expect("reads").expect("it ends early");
        assert!(ended.contains("an entry is larger than 8 MiB"), "{ended}");
        assert_eq!(found, 2);
    }

    #[test]
    fn damaged_json_ends_a_file_and_not_the_import() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.json");
        let deep = "[".repeat(10_000);
        for (text, count, ends) in
            [("[1,2", 2, true), ("[1,\"x\",3]", 3, false), ("{}", 0, true), ("", 0, true), (&deep, 0, true)]
        {
            fs::write(&path, text).expect("written");
            let mut source = Source::open(&path).expect("opens");
            let mut found = 0;
            let ended = source.each_element("x.json", |_: Result<u32, String>| {
                found += 1;
                Ok(())
            });
            assert_eq!((found, ended.expect("reads").is_some()), (count, ends), "{text:.20}");
        }
    }

    #[test]
    fn links_and_names_that_leave_are_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("secret.json"), "[]").expect("written");
        let export = folder.path().join("export");
        fs::create_dir(&export).expect("made");
        if crate::platform::files::link(&folder.path().join("secret.json"), &export.join("users.json")) {
            assert_eq!(Source::open(&export).expect("opens").names(), [""; 0]);
        }
        let packed = folder.path().join("x.zip");
        fs::write(&packed, zipped(&[("../../secret.json", b"[]")])).expect("written");
        let archive = Source::open(&packed).expect("opens");
        // Its name is never a path on the disk.
        assert_eq!(archive.folder_of("users.json"), None);
    }
}
