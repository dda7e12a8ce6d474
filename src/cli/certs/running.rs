//! The server that runs beside the command, if one does.

use std::path::Path;

use anyhow::bail;

use crate::cli::admin::Admin;
use crate::cli::folders::Folders;
use crate::server::admin::{FailureKind, Reply, Request};
use crate::server::advertise;
use crate::server::config::Config;
use crate::trust::Address;
use crate::trust::certs::Certificates;

/// Has the server that runs on this data folder show the certificates that were made, and says what came of it.
pub fn take(data: &Path, made: &Certificates) -> anyhow::Result<()> {
    let none = || note!("No server runs on {}: one takes it when it starts.", data.display());
    let Ok(admin) = Admin::of(data.to_owned()) else {
        none();
        return Ok(());
    };
    match admin.try_ask(&Request::Certificates)? {
        Ok(Reply::Certificates(shown)) if shown == made.fingerprints.certificate.digits() => {
            note!("The running server shows it from now on; nobody was disconnected.");
        }
        Ok(Reply::Certificates(_)) => bail!(
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

/// Where clients reach the server: what the running one says, or what the configuration says that it will be.
pub fn addresses(folders: &Folders, config: &Config) -> anyhow::Result<Vec<Address>> {
    if let Ok(admin) = Admin::of(folders.data.clone())
        && let Ok(Reply::Server { addresses, .. }) = admin.try_ask(&Request::Server)?
    {
        return Ok(addresses);
    }
    Ok(advertise::addresses(&config.advertise, &config.listen))
}
