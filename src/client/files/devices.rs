//! Key files of this device, one for each account on each server, readable by the user only.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::private_file;
use crate::platform::files::{self, Restriction, restriction_command};
use crate::trust::Pin;
use crate::trust::device::{DeviceIdentity, DeviceIdentityError};
use crate::wire::Nick;

/// The key file of an account on a server.
#[derive(Clone, Debug)]
pub struct DeviceFile(PathBuf);

/// The error of a key file. Each message states the remedy.
#[derive(Debug, thiserror::Error)]
pub enum DeviceFileError {
    /// The file cannot be read or written.
    #[error("cannot {0} {path}: {2}", path = .1.display())]
    Io(&'static str, PathBuf, io::Error),
    /// The file is readable by others.
    #[error("others can read {path}, and so log in as you: `{command}`, and if they may have, remove it", path = .0.display(), command = restriction_command(Restriction::PrivateFile, .0))]
    ReadableByOthers(PathBuf),
    /// The file is not valid.
    #[error("{path}: {1}; remove it, and log in with your password", path = .0.display())]
    Damaged(PathBuf, DeviceIdentityError),
}

/// A key file that has its new name in addition to the old one.
#[derive(Debug)]
#[must_use]
pub(in crate::client) struct RenamedKey(PathBuf);

impl RenamedKey {
    /// Removes the old name, once nothing uses it any more.
    pub fn remove_old(self) {
        // A remaining old name does no harm.
        let _ = fs::remove_file(self.0);
    }
}

impl DeviceFile {
    /// Returns the file for an account on the server with this pin. It is in a folder beside `servers.toml`.
    pub fn for_account(servers: &Path, pin: Pin, account: &Nick) -> Self {
        let folder = servers.parent().unwrap_or(Path::new(".")).join("devices");
        Self(folder.join(format!("{}@{pin}.pem", encode_file_name(account.as_str()))))
    }

    /// Gives a key file the name that matches the server's new pin. Both names exist until [`RenamedKey::remove_old`],
    /// so a crash loses neither. An existing file with the new name stays as it is.
    pub(in crate::client) fn rename_for_pin(
        servers: &Path,
        account: &Nick,
        old: Pin,
        new: Pin,
    ) -> Result<RenamedKey, DeviceFileError> {
        let [old, new] = [old, new].map(|pin| Self::for_account(servers, pin, account).0);
        match fs::hard_link(&old, &new) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(DeviceFileError::Io("write", new, error)),
        }
        Ok(RenamedKey(old))
    }

    /// Loads the key, if the file exists.
    pub fn load(&self) -> Result<Option<DeviceIdentity>, DeviceFileError> {
        let failed = |error| DeviceFileError::Io("read", self.0.clone(), error);
        let access = match files::others_access(&self.0) {
            Ok(access) => access,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if access.any {
            return Err(DeviceFileError::ReadableByOthers(self.0.clone()));
        }
        let pem = Zeroizing::new(fs::read_to_string(&self.0).map_err(failed)?);
        let device = DeviceIdentity::from_pem(&pem);
        device.map(Some).map_err(|error| DeviceFileError::Damaged(self.0.clone(), error))
    }

    /// Loads the key, or makes a new one and stores it before it is used.
    pub fn load_or_generate(&self) -> Result<DeviceIdentity, DeviceFileError> {
        if let Some(device) = self.load()? {
            return Ok(device);
        }
        let (device, pem) = self.generate()?;
        self.store(&pem)?;
        Ok(device)
    }

    /// Makes a new key without storing it: an existing file stays until [`store`](Self::store).
    pub fn generate(&self) -> Result<(DeviceIdentity, Zeroizing<String>), DeviceFileError> {
        DeviceIdentity::generate().map_err(|error| DeviceFileError::Damaged(self.0.clone(), error))
    }

    /// Stores a key from [`generate`](Self::generate), in place of an existing one.
    pub fn store(&self, pem: &str) -> Result<(), DeviceFileError> {
        self.write(pem).map_err(|error| DeviceFileError::Io("write", self.0.clone(), error))
    }

    /// Removes the key file. The server still accepts the device until it is revoked there.
    pub fn remove(&self) -> Result<(), DeviceFileError> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DeviceFileError::Io("remove", self.0.clone(), error))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, pem: &str) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            files::create_private_folder(folder)?;
        }
        private_file::write(&self.0, pem)
    }
}

/// Encodes an account name as a single component of a file name: in lower case, with `%XX` for characters that account
/// names cannot have, or names of files.
fn encode_file_name(name: &str) -> String {
    let mut text = String::new();
    for byte in name.to_ascii_lowercase().bytes() {
        match byte {
            // Writing to a string cannot fail.
            _ if files::FORBIDDEN_IN_NAMES.contains(&byte) => drop(write!(text, "%{byte:02X}")),
            b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'['
            | b']'
            | b'\\'
            | b'`'
            | b'^'
            | b'{'
            | b'|'
            | b'}' => {
                text.push(char::from(byte));
            }
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_account_name_gives_file_inside_folder(name in "\\PC{1,64}|[./\\\\%a-z]{1,64}") {
            prop_assert_eq!(Path::new(&encode_file_name(&name)).components().count(), 1);
            if let Ok(nick) = Nick::parse_foreign(&name) {
                let path = DeviceFile::for_account(Path::new("/config/servers.toml"), Pin::new([7; 32]), &nick).0;
                prop_assert_eq!(path.parent(), Some(Path::new("/config/devices")));
                prop_assert!(!path.to_string_lossy().contains(".."));
            }
        }
    }

    #[test]
    fn key_file_is_readable_by_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let servers = folder.path().join("parlour/servers.toml");
        let nick = |name| Nick::parse(name).expect(name);
        let file = DeviceFile::for_account(&servers, Pin::new([7; 32]), &nick("Alice"));
        assert!(file.load().expect("no file").is_none());
        let made = file.load_or_generate().expect("made");
        assert!(!files::others_access(&file.0).expect("a file").any);
        // All characters that are special in a nick.
        let special = DeviceFile::for_account(&servers, Pin::new([7; 32]), &nick("[]\\`_^{|}"));
        let generated = special.load_or_generate().expect("made");
        let loaded = special.load().expect("reads").expect("is there");
        assert_eq!(loaded.certificate_hash(), generated.certificate_hash());
        let again = DeviceFile::for_account(&servers, Pin::new([7; 32]), &nick("alice"));
        assert_eq!(
            again.load().expect("reads").expect("is there").certificate_hash(),
            made.certificate_hash()
        );
        assert_eq!(again.load_or_generate().expect("the same").certificate_hash(), made.certificate_hash());
        for (pin, name) in [(8, "alice"), (7, "bob")] {
            let other = DeviceFile::for_account(&servers, Pin::new([pin; 32]), &nick(name));
            assert!(other.load().expect("no file").is_none());
        }
        files::give_to_others(&file.0, false);
        assert!(matches!(file.load(), Err(DeviceFileError::ReadableByOthers(_))));
        file.store("x").expect("writes");
        assert!(matches!(file.load_or_generate(), Err(DeviceFileError::Damaged(..))));
    }
}
