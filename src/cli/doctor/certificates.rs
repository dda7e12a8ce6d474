//! Checks of the certificates: consistency, expiry, names.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::UnixTime;

use super::report::Finding;
use crate::client::text::count::counted;
use crate::server::config::Config;
use crate::trust::certs::{self, CertError, CertificateInfo, SubjectAltName, Validity};

/// Time before the end from which a certificate should be renewed. A server with the root's key renews it earlier by
/// itself.
const LEAF_WARNING: Duration = Duration::from_hours(30 * 24);

/// Time before the end from which the root should be rotated, enough for all clients to learn the new one.
const ROOT_WARNING: Duration = Duration::from_hours(365 * 24);

/// Checks whether a server starts with the certificates.
pub fn check_files(folder: &Path, now: UnixTime) -> Finding {
    match certs::load(folder, now) {
        Ok(identity) => Finding::ok("certificates", format!("the pin is {}", identity.pin())),
        // The checks of permissions and of expiry report these.
        Err(
            CertError::InsecureKeyFile { .. } | CertError::Expired { .. } | CertError::NotYetValid { .. },
        ) => Finding::ok(
            "certificates",
            format!("those in {} belong together as far as is known", folder.display()),
        ),
        Err(error) => Finding::from_error("certificates", error, &[". "]),
    }
}

/// Checks the validity periods.
pub fn check_expiry(folder: &Path, certificates: &CertificateInfo, now: UnixTime) -> Vec<Finding> {
    let renew = format!("parlour certs renew --certs {}", folder.display());
    let again =
        "make a new root while everybody can learn it from the old one: parlour certs rotate".to_owned();
    vec![
        expiry_finding("server.pem", certificates.leaf_validity, now, LEAF_WARNING, renew),
        expiry_finding("root.pem", certificates.root_validity, now, ROOT_WARNING, again),
    ]
}

fn expiry_finding(file: &str, life: Validity, now: UnixTime, soon: Duration, remedy: String) -> Finding {
    let left = life.until.as_secs().saturating_sub(now.as_secs());
    let days = left / 86_400;
    if life.until.as_secs() < now.as_secs() {
        let remedy = format!("check this machine's clock; if it is right: {remedy}");
        return Finding::problem("expiry", format!("{file} has expired; it was valid from {life}"), remedy);
    }
    if life.from.as_secs() > now.as_secs() {
        let summary = format!("{file} is not valid yet; it is from {life}");
        return Finding::problem("expiry", summary, "set this machine's clock");
    }
    if left < soon.as_secs() {
        return Finding::warning(
            "expiry",
            format!("{file} expires in {}; it is valid from {life}", counted(days, "day")),
            remedy,
        );
    }
    Finding::ok("expiry", format!("{file} is valid from {life}"))
}

/// Checks whether the certificate has all names and addresses of this machine.
pub fn check_names(certificates: &CertificateInfo, config: &Config) -> Finding {
    missing_names_finding(
        certificates,
        config,
        certs::host_name(),
        certs::machine_addresses().into_iter().map(SubjectAltName::Ip).collect(),
    )
}

fn missing_names_finding(
    certificates: &CertificateInfo,
    config: &Config,
    host: Option<String>,
    own: Vec<SubjectAltName>,
) -> Finding {
    let advertised = config.advertise.iter().filter_map(|address| address.host().parse().ok());
    let wanted: BTreeSet<SubjectAltName> = own
        .into_iter()
        .chain(host.map(SubjectAltName::Dns))
        .chain(advertised)
        .chain(config.tls.names.iter().cloned())
        .collect();
    let missing: Vec<&SubjectAltName> =
        wanted.iter().filter(|name| !certificates.leaf_names.contains(name)).collect();
    if missing.is_empty() {
        return Finding::ok("names", "the certificate names all names and addresses of this machine");
    }
    let list = missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let options = missing.iter().map(|name| format!("--name {name}")).collect::<Vec<_>>().join(" ");
    Finding::warning(
        "names",
        format!(
            "the certificate does not name {list}; our own clients go by the pin, others may refuse the server there"
        ),
        format!("parlour certs renew {options}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Level;
    use crate::trust::certs::generate;

    const DAY: u64 = 86_400;
    const MADE: u64 = 1_700_000_000;

    fn day_time(days: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(MADE + days * DAY))
    }

    fn certificates_fixture() -> (tempfile::TempDir, CertificateInfo) {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = generate(folder.path(), &[], false, day_time(0)).expect("made");
        let certificates = identity.certificates().clone();
        (folder, certificates)
    }

    #[test]
    fn upcoming_expiry_is_reported() {
        let (folder, certificates) = certificates_fixture();
        let levels = |days| {
            let all = check_expiry(folder.path(), &certificates, day_time(days));
            (all[0].level, all[1].level)
        };
        assert_eq!(levels(0), (Level::Ok, Level::Ok));
        assert_eq!(levels(364), (Level::Ok, Level::Ok));
        assert_eq!(levels(370), (Level::Warning, Level::Ok));
        assert_eq!(levels(400), (Level::Problem, Level::Ok));
        assert_eq!(levels(30 * 365 - 10), (Level::Problem, Level::Warning));
        assert_eq!(levels(31 * 365), (Level::Problem, Level::Problem));
        let early = UnixTime::since_unix_epoch(Duration::from_secs(MADE - 3 * DAY));
        assert_eq!(check_expiry(folder.path(), &certificates, early)[0].level, Level::Problem);
        let finding = &check_expiry(folder.path(), &certificates, day_time(400))[0];
        assert!(
            finding.summary.starts_with("server.pem has expired; it was valid from 2023-11-13 to 2024-"),
            "{finding:?}"
        );
        assert!(
            finding.remedy.as_ref().is_some_and(|remedy| remedy.contains("parlour certs renew")),
            "{finding:?}"
        );
    }

    #[test]
    fn mismatched_files_are_a_problem() {
        let (folder, _) = certificates_fixture();
        let (other, _) = certificates_fixture();
        assert_eq!(check_files(folder.path(), day_time(0)).level, Level::Ok);
        std::fs::copy(other.path().join("server.key"), folder.path().join("server.key")).expect("copied");
        let finding = check_files(folder.path(), day_time(0));
        assert_eq!(finding.level, Level::Problem);
        assert!(finding.summary.contains("is not the key of"), "{finding:?}");
        assert!(finding.remedy.is_some_and(|remedy| remedy.starts_with("put the right one back")));
    }

    #[test]
    fn missing_name_is_reported() {
        let (_folder, certificates) = certificates_fixture();
        let config =
            Config { advertise: vec!["chat.example:7000".parse().expect("an address")], ..Config::default() };
        let own = vec!["192.0.2.77".parse().expect("a name")];
        let finding = missing_names_finding(&certificates, &config, Some("localhost".to_owned()), own);
        assert_eq!(finding.level, Level::Warning);
        assert!(finding.summary.contains("does not name chat.example, 192.0.2.77;"), "{finding:?}");
        assert!(
            finding.remedy.is_some_and(|remedy| remedy.contains("--name chat.example --name 192.0.2.77"))
        );
        let own = vec!["127.0.0.1".parse().expect("a name")];
        assert_eq!(
            missing_names_finding(&certificates, &Config::default(), Some("localhost".to_owned()), own).level,
            Level::Ok
        );
    }
}
