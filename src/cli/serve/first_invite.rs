//! The invite for the first admin.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::info;

use super::LOG_FLUSH_TIMEOUT;
use crate::cli::output;
use crate::core::record::Role;
use crate::core::request::admin::{Change, ChangeRequest, NewInvite, Purpose};
use crate::platform::service_manager;
use crate::server::Server;
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::server::telemetry::log::Log;
use crate::store::Store;
use crate::trust::{InviteLink, Pin, Token};
use crate::wire::ChannelName;

/// Life of the link.
const FIRST_INVITE: Duration = Duration::from_hours(7 * 24);

/// Prints an invite for the first admin, at every start in a terminal while there is no account. The one of an earlier
/// start ends.
pub async fn print(
    server: &mut Server,
    store: &Store,
    (addresses, pin): (AdvertisedAddresses, Pin),
    log: &Log,
) -> anyhow::Result<()> {
    if !store.snapshot().await?.accounts.is_empty() {
        return Ok(());
    }
    if service_manager::is_present() {
        // Nobody would see the link, and the system's log is no place for it.
        info!(
            "nobody has an account yet: `parlour invite create --role admin` makes the link for the first one"
        );
        return Ok(());
    }
    let token = Token::random();
    let invite = NewInvite {
        token: token.hash(),
        purpose: Purpose::Accounts { role: Role::Admin, channel: ChannelName::parse("#lobby")?, uses: 1 },
        lasts_ms: u64::try_from(FIRST_INVITE.as_millis())?,
    };
    server.request(ChangeRequest::Admin(Change::FirstInviteCreate(invite))).await?;
    let link = InviteLink { addresses: addresses.current().await, pin, account: None, token };
    log.write_note(
        "\nNobody has an account yet. This link makes the first one, an admin's; it holds for a week:\n\n",
    );
    log.flush(LOG_FLUSH_TIMEOUT);
    // A stopped terminal or a full pipe may take the line later.
    let printing = spawn_blocking(move || output::write_stdout(&format!("{link}\n")));
    if let Ok(printed) = timeout(LOG_FLUSH_TIMEOUT, printing).await {
        printed?.context("cannot write the invite link to standard output")?;
    }
    log.write_note("\nOpen it with:  parlour join \"LINK\"\n\n");
    Ok(())
}
