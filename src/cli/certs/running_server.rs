//! The running server, as seen by the `certs` commands.

use std::path::Path;

use anyhow::bail;

use crate::cli::admin::Admin;
use crate::cli::folders::Folders;
use crate::server::admin::{AdminQuery, AdminReply, FailureKind};
use crate::server::config::Config;
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::trust::Address;
use crate::trust::certs::CertificateInfo;

/// Makes the running server present the new certificates, and reports the result.
pub fn reload_running_server(data: &Path, new_certificates: &CertificateInfo) -> anyhow::Result<()> {
    let none = || note!("No server runs on {}: one takes it when it starts.", data.display());
    let Ok(admin) = Admin::open(data.to_owned()) else {
        none();
        return Ok(());
    };
    match admin.try_request(AdminQuery::Certificates)? {
        Ok(AdminReply::Certificates(shown))
            if shown == new_certificates.leaf_fingerprints.certificate.to_hex() =>
        {
            note!("The running server shows it from now on; nobody was disconnected.");
        }
        Ok(AdminReply::Certificates(_)) => bail!(
            "the server that runs on {} has its certificates in another folder: name that with --certs, or the server's \
             data folder with --data",
            data.display()
        ),
        Ok(_) => bail!("an unexpected answer"),
        Err(failure) if failure.kind == FailureKind::NoServer => none(),
        Err(failure) => bail!("{failure}; mend that, then: kill -HUP the server, or run this again"),
    }
    Ok(())
}

/// Returns the server's addresses, from the running server or else from the configuration.
pub fn server_addresses(folders: &Folders, config: &Config) -> anyhow::Result<Vec<Address>> {
    if let Ok(admin) = Admin::open(folders.data.clone())
        && let Ok(AdminReply::Server { addresses, .. }) = admin.try_request(AdminQuery::Server)?
    {
        return Ok(addresses);
    }
    Ok(AdvertisedAddresses::new(&config.advertise, &config.listen).read())
}
