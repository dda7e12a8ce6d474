//! Durable state as text, in one form whatever it was made from.

use std::fmt::Write as _;

use crate::core::Core;
use crate::core::model::metadata::MetadataMap;
use crate::core::record::modes::ListKind;
use crate::core::record::secret::PasswordHash;
use crate::wire::{MessageId, Timestamp};

/// Time for which the store keeps send ids, in milliseconds.
const SEND_ID_RETENTION_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Returns the part of the core's state that is rebuilt from the database, as text. Two cores with the same text behave
/// the same for every account that logs in anew.
///
/// Left out is state that belongs to sessions and ends with the server: presence and real names, MONITOR, KNOCK,
/// subscriptions, admin roles from OPER, and the memory of redactions in progress.
pub fn durable_state_text(core: &Core) -> String {
    let mut text = format!("last message {}, channel {}\n", core.last_message, core.channels.last_id());
    let mut accounts: Vec<_> = core.accounts.iter().collect();
    accounts.sort_unstable_by_key(|account_state| account_state.account.id);
    for account_state in accounts {
        let mut markers: Vec<String> =
            account_state.markers.iter().map(|marker| format!("{marker:?}")).collect();
        markers.sort_unstable();
        let mut early: Vec<String> =
            account_state.early_markers.iter().map(|marker| format!("{marker:?}")).collect();
        early.sort_unstable();
        let noted = account_state.private_metadata.iter().filter(|(_, keys)| !keys.is_empty());
        let mut private: Vec<String> =
            noted.map(|(conversation, keys)| format!("{conversation:?}: {}", render_pairs(keys))).collect();
        private.sort_unstable();
        let _ = writeln!(
            text,
            "{:?} as {}\n  in {:?}\n  read {markers:?} early {early:?}\n  seen {:?} {:?} has {} notes {private:?} devices {:?}",
            account_state.account,
            account_state.source,
            account_state.channels,
            account_state.received,
            account_state.preferences,
            render_pairs(&account_state.metadata),
            account_state.devices,
        );
        let password = account_state.password.as_ref().map(PasswordHash::as_str);
        let _ = writeln!(
            text,
            "  password {password:?} made {} listed as {:?}",
            core.accounts.created(account_state.account.id),
            account_state.listed_name,
        );
    }
    for channel in core.channels.iter() {
        let lists: Vec<_> = ListKind::ALL
            .into_iter()
            .flat_map(|list| channel.lists.entries(list).map(move |entry| (list, entry)))
            .collect();
        let _ = writeln!(
            text,
            "{:?} {} of {}, topic {:?}\n  members {:?} spoken in {} made by {:?}\n  {:?} member statuses {:?} invited {:?}\n  lists {lists:?} has {} {:?} {:?}",
            channel.id,
            channel.name,
            channel.created,
            channel.topic,
            channel.members,
            channel.has_messages,
            channel.creator,
            channel.modes,
            channel.member_statuses,
            channel.invited,
            render_pairs(&channel.metadata),
            channel.retention,
            channel.archived,
        );
    }
    let mut reserved_names: Vec<_> = core.accounts.iter_reserved_names().collect();
    reserved_names.sort_unstable_by_key(|reserved| reserved.id);
    let reserved_names: Vec<_> =
        reserved_names.into_iter().map(|reserved| (reserved, core.accounts.created(reserved.id))).collect();
    let _ = writeln!(
        text,
        "reserved {reserved_names:?}, account {}, invite {}",
        core.accounts.last_id(),
        core.invites.last_id()
    );
    for invite in core.invites.iter() {
        let _ = writeln!(text, "{invite:?}");
    }
    let mut old: Vec<String> = core.channels.old_names().map(|old| format!("{old:?}")).collect();
    old.sort_unstable();
    let since =
        MessageId::first_at(Timestamp(core.last_message.time().0.saturating_sub(SEND_ID_RETENTION_MILLIS)));
    let sends: Vec<_> = core.send_ids.iter().filter(|(.., message)| *message >= since).collect();
    let _ = writeln!(text, "old names {old:?}\nsends {sends:?}\n{:?}", core.times);
    let _ = writeln!(text, "time {:?}, roots {:?}", core.noted_time, core.roots);
    let mut files: Vec<String> = core.files.iter().map(|state| format!("{state:?}")).collect();
    files.sort_unstable();
    let _ = writeln!(text, "files {files:?}");
    let _ = writeln!(text, "hooks {:?}", core.hooks.iter().collect::<Vec<_>>());
    for group in core.groups.iter() {
        let _ = writeln!(text, "{group:?}");
    }
    let _ = writeln!(text, "access tokens {:?}", core.access_tokens.iter().collect::<Vec<_>>());
    text
}

fn render_pairs(keys: &MetadataMap) -> String {
    keys.iter().fold(String::new(), |text, (key, value)| text + key + "=" + value + " ")
}
