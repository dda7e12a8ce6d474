//! The store and the listening sockets of a server, its own or those of the server that it takes over from.

use anyhow::anyhow;
use tokio::task::spawn_blocking;

use super::listeners::Listeners;
use super::takeover;
use crate::cli::folders::Folders;
use crate::platform::service_manager::{self, PassedSocket};
use crate::server::admin::control::Takeover;
use crate::server::config::Config;
use crate::store::{Store, StoreError};

/// The sockets that a server begins with.
pub struct Begin {
    /// Those that were passed to this process.
    pub passed: Vec<PassedSocket>,
    /// Those of a server of this process that has ended for another one.
    pub former: Vec<PassedSocket>,
    /// Set if the running server is asked for more.
    pub is_takeover: bool,
}

/// Store and sockets that a server opens before it serves.
pub struct Opened {
    pub store: Store,
    pub listeners: Listeners,
    /// The takeover that is completed once the server answers.
    pub takeover: Option<Takeover>,
}

/// Opens the store and the listening sockets. Where the running server is taken over, everything that can be checked is
/// checked before that ends.
pub async fn open(folders: &Folders, config: &Config, begin: Begin) -> anyhow::Result<Opened> {
    let Begin { passed, former, is_takeover } = begin;
    let data = folders.data.clone();
    let asked = if is_takeover { spawn_blocking(move || takeover::begin(&data)).await?? } else { None };
    let Some((takeover, sockets)) = asked else {
        // Opened before the port is taken, so the second of two servers on one folder stops here.
        let store = open_store(folders)?;
        let listeners = Listeners::open(config, passed, former)?;
        return Ok(Opened { store, listeners, takeover: None });
    };
    let listeners = Listeners::open(config, passed, sockets)?;
    Store::check_version(&folders.data)?;
    let data = folders.data.clone();
    let (store, takeover) = spawn_blocking(move || takeover::release(takeover, &data)).await??;
    Ok(Opened { store, listeners, takeover: Some(takeover) })
}

/// Opens the data folder. Where another server has it, says how to stop that one.
fn open_store(folders: &Folders) -> anyhow::Result<Store> {
    Store::open(&folders.data).map_err(|error| match error {
        StoreError::InUse { pid: Some(pid), .. } => {
            anyhow!("{error}; to stop that: {}", service_manager::stop_command(pid))
        }
        error => error.into(),
    })
}
