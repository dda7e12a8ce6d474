//! Links of invites, and what they need to know about the server.

use std::time::Duration;

use anyhow::bail;
use zeroize::Zeroizing;

use super::Admin;
use crate::cli::folders::Folders;
use crate::core::request::durations::{duration, lifetime};
use crate::server::admin::{AdminQuery, AdminReply, FailureKind};
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::trust::{Address, InviteLink, Pin, Token, certs};
use crate::wire::{ChannelName, Nick};

/// Makes the links of invites.
pub(super) struct LinkMaker {
    addresses: Vec<Address>,
    pin: Pin,
    /// Name of the server, for people.
    pub server_name: String,
}

impl LinkMaker {
    /// Finds out what the links need.
    ///
    /// # Errors
    /// No address is known, or there are no certificates.
    pub fn new(admin: &Admin, folders: &Folders) -> anyhow::Result<Self> {
        let (addresses, pin) = server_identity(admin, folders)?;
        Ok(Self { addresses, pin, server_name: folders.config()?.name })
    }

    /// Returns the link with a token, for the owner of an account if it resets one.
    pub fn link(&self, account: Option<&Nick>, token: Token) -> Zeroizing<String> {
        let (addresses, pin) = (self.addresses.clone(), self.pin);
        let account = account.map(ToString::to_string);
        Zeroizing::new(InviteLink { addresses, pin, account, token }.to_string())
    }
}

/// Returns the addresses and the pin for a link, from the running server or else from the configuration.
pub(super) fn server_identity(admin: &Admin, folders: &Folders) -> anyhow::Result<(Vec<Address>, Pin)> {
    match admin.try_request(AdminQuery::Server)? {
        Ok(AdminReply::Server { addresses, pin }) => Ok((addresses, pin)),
        Err(failure) if failure.kind == FailureKind::NoServer => {
            let config = folders.config()?;
            let addresses = AdvertisedAddresses::new(&config.advertise, &config.listen).read();
            if addresses.is_empty() {
                bail!(
                    "no address is known for the link; set `advertise` in parlour.toml, or start the server first"
                );
            }
            Ok((addresses, certs::inspect(&folders.certs)?.pin))
        }
        Ok(_) => bail!("an unexpected answer"),
        Err(failure) => bail!(failure),
    }
}

/// Parses the life of an invite, for clap.
pub(super) fn parse_lifetime(text: &str) -> Result<Duration, String> {
    lifetime(text).ok_or_else(|| match duration(text) {
        Some(_) => "an invite lasts up to ten years".to_owned(),
        None => "write it as 30min, 24h or 7d".to_owned(),
    })
}

/// Parses the name of a channel, for clap.
pub(super) fn parse_channel(text: &str) -> Result<ChannelName, String> {
    if !text.starts_with('#') {
        return Err("a channel's name starts with #; in a shell, in quotes: '#lobby'".to_owned());
    }
    ChannelName::parse(text).map_err(|why| format!("this cannot be a channel's name: {why}"))
}
