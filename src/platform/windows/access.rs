//! Access control lists: who may do what with a file, a folder or a pipe.
//!
//! Private means that the list names the owner, the user of this process, the system and the administrators, and nobody
//! else. The last two can get at every file of the machine anyway, as root can on Unix.

use std::io;
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use windows_permissions::constants::{AccessRights, SeObjectType, SecurityInformation};
use windows_permissions::utilities::current_process_sid;
use windows_permissions::wrappers::{
    ConvertSecurityDescriptorToStringSecurityDescriptor, ConvertSidToStringSid, GetNamedSecurityInfo,
    GetSecurityInfo, LookupAccountSid, SetNamedSecurityInfo, SetSecurityInfo,
};
use windows_permissions::{Ace, LocalBox, SecurityDescriptor, Sid};

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

/// Flag of an entry that is only for what a folder contains.
const INHERIT_ONLY: &str = "IO";

/// Rights that an entry of an access list gives to somebody who is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// Security identifier, such as `S-1-1-0`.
    pub sid: String,
    /// Name of the account or group, or the identifier again.
    pub name: String,
    /// Set if it allows reading.
    pub read: bool,
    /// Set if it allows changes.
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

/// Gives an account all rights in a folder, besides the system and the administrators.
pub(super) fn share_folder_with(folder: &Path, sid: &str) -> io::Result<()> {
    let entries: String =
        [SYSTEM, ADMINISTRATORS, sid].iter().map(|sid| format!("(A;OICI;FA;;;{sid})")).collect();
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
    if descriptor.dacl().is_none() {
        // Without a list everyone has all rights.
        let (sid, name) = (NO_LIST.to_owned(), "everyone, as there is no access list".to_owned());
        return Ok(vec![Grant { sid, name, read: true, write: true }]);
    }
    let owner = descriptor.owner().map(text).transpose()?;
    let user = current_user()?;
    let is_trusted = |sid: &str| {
        is_service(sid) || TRUSTED.contains(&sid) || *sid == user || owner.as_deref() == Some(sid)
    };
    let mut found: Vec<Grant> = Vec::new();
    for (sid, rights) in allowed(descriptor)? {
        let name = name(&sid);
        let sid = text(&sid)?;
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

/// Returns who has which rights on the object itself, by the entries of the descriptor's list.
///
/// The entries are read as text, in which Windows writes every kind of them: windows-permissions panics at a kind that it
/// does not know.
fn allowed(descriptor: &SecurityDescriptor) -> io::Result<Vec<(LocalBox<Sid>, AccessRights)>> {
    let text = ConvertSecurityDescriptorToStringSecurityDescriptor(descriptor, SecurityInformation::Dacl)?;
    let text = text.to_str().ok_or_else(|| unreadable("it is not text"))?;
    let mut found = Vec::new();
    for entry in entries(text) {
        let mut fields = entry.split(';').map(str::trim);
        let mut field = || fields.next().unwrap_or_default();
        let (kind, flags, rights, _, _, sid) = (field(), field(), field(), field(), field(), field());
        if !gives_rights(kind)? || has_flag(flags, INHERIT_ONLY) {
            continue;
        }
        // An entry of the simplest kind, with the same rights, which windows-permissions knows how to read.
        let simple: LocalBox<SecurityDescriptor> = format!("D:(A;;{rights};;;{sid})").parse()?;
        let rights = simple.dacl().and_then(|list| list.get_ace(0)).map(Ace::mask);
        found.push((sid.parse()?, rights.ok_or_else(|| unreadable("an entry gives nothing"))?));
    }
    Ok(found)
}

/// Returns the entries of a list that is written as text, `D:P(A;OICI;FA;;;SY)(XA;;FR;;;WD;(@User.x == "(y)"))`, without
/// their outer parentheses.
fn entries(list: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start, mut is_quoted) = (Vec::new(), 0_usize, 0, false);
    for (at, c) in list.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => {
                if depth == 0 {
                    start = at + 1;
                }
                depth += 1;
            }
            ')' if !is_quoted && depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.push(list.get(start..at).unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns whether entries of this kind give rights; conditional ones count as if the condition held.
fn gives_rights(kind: &str) -> io::Result<bool> {
    match kind {
        "A" | "OA" | "XA" | "ZA" => Ok(true),
        "D" | "OD" | "XD" | "ZD" | "AU" | "OU" | "XU" | "AL" | "OL" | "ML" | "RA" | "SP" | "TL" | "FL" => {
            Ok(false)
        }
        _ => Err(unreadable("it has an entry of an unknown kind")),
    }
}

/// Returns whether flags, of two letters each, have one.
fn has_flag(flags: &str, flag: &str) -> bool {
    flags.as_bytes().chunks(2).any(|it| it == flag.as_bytes())
}

fn unreadable(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the access list cannot be read: {reason}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart_whatever_their_conditions_contain() {
        let list =
            r#"D:PAI(A;OICI;FA;;;SY)(XA;;FR;;;WD;(@User.a == "x) (y" && (Member_of {SID(BA)})))(D;;FW;;;WD)"#;
        let found = entries(list);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!((found[0], found[2]), ("A;OICI;FA;;;SY", "D;;FW;;;WD"));
        assert!(found[1].starts_with("XA;;FR;;;WD;(@User.a"), "{found:?}");
        assert!(entries("D:P").is_empty() && entries("D:)(").is_empty());
        assert!(gives_rights("ZA").expect("known") && !gives_rights("AL").expect("known"));
        gives_rights("ZZ").expect_err("unknown");
        assert!(has_flag("OICIIO", "IO") && !has_flag("CIOI", "IO"));
    }

    #[test]
    fn grants_are_those_of_others_on_the_object_itself() {
        let grants = |list: &str| {
            let descriptor: LocalBox<SecurityDescriptor> = list.parse().expect("a list");
            grants(&descriptor).expect("readable")
        };
        assert_eq!(grants("D:P(A;;FA;;;SY)(A;;FA;;;BA)(D;;FA;;;WD)(A;OICIIO;FA;;;WD)"), []);
        let found = grants("O:SYD:P(A;;FR;;;WD)(A;;0x2;;;WD)(A;;FR;;;BU)");
        let found: Vec<_> = found.iter().map(|it| (it.sid.as_str(), it.read, it.write)).collect();
        assert_eq!(found, [("S-1-1-0", true, true), ("S-1-5-32-545", true, false)]);
    }

    #[test]
    fn an_entry_of_a_foreign_kind_does_not_end_the_program() {
        // Not every Windows takes each of them: an alarm, a label, a condition, one for a kind of objects.
        let kinds = [
            "(AL;;FA;;;WD)",
            "(ML;;NW;;;LW)",
            r#"(XA;;FR;;;WD;(@User.x == "y"))"#,
            "(OA;;CC;c434c045-9b91-4504-a2a0-aea9e781ec69;;WD)",
        ];
        for kind in kinds {
            if let Ok(descriptor) = format!("D:P{kind}(A;;FA;;;SY)").parse::<LocalBox<SecurityDescriptor>>() {
                // An error, or what the entry gives: never silence about an entry that gives something.
                let gives_nothing = kind.starts_with("(AL") || kind.starts_with("(ML");
                if let Ok(grants) = grants(&descriptor) {
                    assert!(gives_nothing || !grants.is_empty(), "{kind}: {grants:?}");
                }
            }
        }
    }
}
