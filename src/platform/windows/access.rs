//! Access control lists: who may do what with a file, a folder or a pipe.
//!
//! Private means that the list names the owner, the user of this process, the system and the administrators, and nobody
//! else. The last two can get at every file of the machine anyway, as root can on Unix.

use std::io;
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use windows_permissions::constants::{AccessRights, AceFlags, AceType, SeObjectType, SecurityInformation};
use windows_permissions::utilities::current_process_sid;
use windows_permissions::wrappers::{
    ConvertSidToStringSid, GetNamedSecurityInfo, GetSecurityInfo, LookupAccountName, LookupAccountSid,
    SetNamedSecurityInfo, SetSecurityInfo,
};
use windows_permissions::{Acl, LocalBox, SecurityDescriptor, Sid};

/// Identifiers of the system, of the administrators, and of whoever owns a file at any time.
const TRUSTED: [&str; 4] = [SYSTEM, ADMINISTRATORS, "S-1-3-0", "S-1-3-4"];
const SYSTEM: &str = "S-1-5-18";
const ADMINISTRATORS: &str = "S-1-5-32-544";

/// Start of the identifiers of accounts that each belong to one service. Only administrators install services.
const SERVICES: &str = "S-1-5-80-";
/// The group of all services.
const ALL_SERVICES: &str = "S-1-5-80-0";

/// Rights to read a file or to list a folder.
const READ_RIGHTS: u32 = 0x8000_0000 | 0x1000_0000 | 0x1;
/// Rights to write, to append, to delete, and to change who has which rights.
const WRITE_RIGHTS: u32 =
    0x4000_0000 | 0x1000_0000 | 0x0001_0000 | 0x0004_0000 | 0x0008_0000 | 0x40 | 0x4 | 0x2;

/// What an entry of an access list gives to somebody who is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// Security identifier, such as `S-1-1-0`.
    pub sid: String,
    /// Name of the account or group, or the identifier again.
    pub name: String,
    /// May read.
    pub read: bool,
    /// May change.
    pub write: bool,
}

/// A list that gives everyone everything, or cannot be read as one.
pub(super) const NO_LIST: &str = "S-1-1-0";

/// Returns what the file or folder at a path gives to others.
pub(super) fn grants_by_path(path: &Path) -> io::Result<Vec<Grant>> {
    let descriptor = GetNamedSecurityInfo(path.as_os_str(), SeObjectType::SE_FILE_OBJECT, parts())?;
    grants(&descriptor)
}

/// Returns what an open file gives to others.
pub(super) fn grants_of_open(file: &impl AsRawHandle) -> io::Result<Vec<Grant>> {
    grants(&*GetSecurityInfo(file, SeObjectType::SE_FILE_OBJECT, parts())?)
}

/// Returns the owner of the file or folder at a path.
pub(super) fn owner_by_path(path: &Path) -> io::Result<String> {
    let descriptor =
        GetNamedSecurityInfo(path.as_os_str(), SeObjectType::SE_FILE_OBJECT, SecurityInformation::Owner)?;
    descriptor.owner().map(text).unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))
}

/// Gives the file or folder at a path to the owner alone, whatever the folder above it says. What is made in the folder
/// later gets the same list.
pub(super) fn restrict_path(path: &Path, is_folder: bool) -> io::Result<()> {
    set_list(path, &*private_list(is_folder)?)
}

fn set_list(path: &Path, descriptor: &SecurityDescriptor) -> io::Result<()> {
    SetNamedSecurityInfo(
        path.as_os_str(),
        SeObjectType::SE_FILE_OBJECT,
        SecurityInformation::Dacl | SecurityInformation::ProtectedDacl,
        None,
        None,
        descriptor.dacl(),
        None,
    )
}

/// Gives an account all rights in a folder, besides the owner, the system and the administrators.
pub(super) fn share_folder_with(folder: &Path, account: &str) -> io::Result<()> {
    let (sid, _, _) = LookupAccountName(None::<&str>, account)?;
    let entries: String = [SYSTEM.to_owned(), ADMINISTRATORS.to_owned(), text(&sid)?]
        .iter()
        .map(|sid| format!("(A;OICI;FA;;;{sid})"))
        .collect();
    let descriptor: LocalBox<SecurityDescriptor> = format!("D:P{entries}").parse()?;
    set_list(folder, &descriptor)
}

/// Gives an open pipe to the user of this process alone, and makes that user the owner: an administrator's would be the
/// group. The handle needs the rights to change the list and the owner.
pub(super) fn restrict_pipe(pipe: &mut impl AsRawHandle) -> io::Result<()> {
    let (descriptor, user) = (private_list(false)?, current_process_sid()?);
    SetSecurityInfo(
        pipe,
        SeObjectType::SE_KERNEL_OBJECT,
        SecurityInformation::Owner | SecurityInformation::Dacl | SecurityInformation::ProtectedDacl,
        Some(&user),
        None,
        descriptor.dacl(),
        None,
    )
}

/// Returns whether a pipe belongs to this user, the administrators, the system or a service.
pub(super) fn is_trusted_owner(pipe: &impl AsRawHandle) -> io::Result<bool> {
    let descriptor = GetSecurityInfo(pipe, SeObjectType::SE_KERNEL_OBJECT, SecurityInformation::Owner)?;
    let Some(owner) = descriptor.owner() else { return Ok(false) };
    let owner = text(owner)?;
    Ok(owner == current_user()? || TRUSTED.contains(&owner.as_str()) || is_service(&owner))
}

/// Returns true for the account of one service.
fn is_service(sid: &str) -> bool {
    sid.starts_with(SERVICES) && sid != ALL_SERVICES
}

/// Returns the identifiers that a private list has.
pub(super) fn private_identifiers() -> io::Result<[String; 3]> {
    Ok([current_user()?, SYSTEM.to_owned(), ADMINISTRATORS.to_owned()])
}

/// Returns the identifier of the user of this process.
fn current_user() -> io::Result<String> {
    text(&*current_process_sid()?)
}

/// The parts of a descriptor that tell who has access.
fn parts() -> SecurityInformation {
    SecurityInformation::Owner | SecurityInformation::Dacl
}

fn private_list(is_folder: bool) -> io::Result<LocalBox<SecurityDescriptor>> {
    let inheritance = if is_folder { "OICI" } else { "" };
    let entries: String =
        private_identifiers()?.iter().map(|sid| format!("(A;{inheritance};FA;;;{sid})")).collect();
    format!("D:P{entries}").parse()
}

fn grants(descriptor: &SecurityDescriptor) -> io::Result<Vec<Grant>> {
    let Some(list) = descriptor.dacl() else {
        // Without a list everyone has all rights.
        let (sid, name) = (NO_LIST.to_owned(), "everyone, as there is no access list".to_owned());
        return Ok(vec![Grant { sid, name, read: true, write: true }]);
    };
    let owner = descriptor.owner().map(text).transpose()?;
    let user = current_user()?;
    let is_trusted = |sid: &str| {
        is_service(sid) || TRUSTED.contains(&sid) || *sid == user || owner.as_deref() == Some(sid)
    };
    let mut found: Vec<Grant> = Vec::new();
    for (sid, rights) in allowed(list) {
        let name = name(sid);
        let sid = text(sid)?;
        let (read, write) = (rights.bits() & READ_RIGHTS != 0, rights.bits() & WRITE_RIGHTS != 0);
        if is_trusted(&sid) || !(read || write) {
            continue;
        }
        match found.iter_mut().find(|grant| grant.sid == sid) {
            Some(grant) => (grant.read, grant.write) = (grant.read || read, grant.write || write),
            None => found.push(Grant { name: name.unwrap_or_else(|| sid.clone()), sid, read, write }),
        }
    }
    Ok(found)
}

/// Returns the entries that give rights on the object itself.
fn allowed(list: &Acl) -> impl Iterator<Item = (&Sid, AccessRights)> {
    let kinds = [
        AceType::ACCESS_ALLOWED_ACE_TYPE,
        AceType::ACCESS_ALLOWED_OBJECT_ACE_TYPE,
        AceType::ACCESS_ALLOWED_CALLBACK_ACE_TYPE,
        AceType::ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE,
    ];
    let entries = (0..list.len()).filter_map(|index| list.get_ace(index));
    entries
        .filter(move |entry| {
            kinds.contains(&entry.ace_type()) && !entry.flags().contains(AceFlags::InheritOnly)
        })
        .filter_map(|entry| Some((entry.sid()?, entry.mask())))
}

fn text(sid: &Sid) -> io::Result<String> {
    ConvertSidToStringSid(sid).map(|text| text.to_string_lossy().into_owned())
}

fn name(sid: &Sid) -> Option<String> {
    let (name, domain) = LookupAccountSid(sid).ok()?;
    let (name, domain) = (name.to_string_lossy(), domain.to_string_lossy());
    Some(if domain.is_empty() { name.into_owned() } else { format!("{domain}\\{name}") })
}

/// Adds rights of everyone to those of the owner.
#[cfg(test)]
pub(super) fn give_to_everyone(path: &Path, may_write: bool) -> io::Result<()> {
    let rights = if may_write { "FRFW" } else { "FR" };
    let user = current_user()?;
    let descriptor: LocalBox<SecurityDescriptor> =
        format!("D:P(A;OICI;FA;;;{user})(A;OICI;{rights};;;WD)").parse()?;
    set_list(path, &descriptor)
}
