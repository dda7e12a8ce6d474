//! Durable state as text, in one form whatever it was made from.

use std::fmt::Write as _;

use crate::core::Chat;
use crate::core::model::metadata::Keys;
use crate::core::record::modes::ListKind;
use crate::core::record::secret::PasswordHash;
use crate::wire::{MessageId, Millis};

/// Time for which the store keeps send ids, in milliseconds.
const SENDS_KEPT: u64 = 24 * 60 * 60 * 1000;

/// Returns the part of the core's state that is rebuilt from the database, as text. Two cores with the same text behave
/// the same for every account that logs in anew.
///
/// Left out is state that belongs to sessions and ends with the server: presence and real names, MONITOR, KNOCK,
/// subscriptions, admin roles from OPER, and the memory of redactions in progress.
pub fn kept(chat: &Chat) -> String {
    let mut text = format!("last message {}, channel {}\n", chat.last_message, chat.channels.last());
    let mut people: Vec<_> = chat.people.iter().collect();
    people.sort_unstable_by_key(|person| person.account.id);
    for person in people {
        let mut markers: Vec<String> = person.markers.iter().map(|marker| format!("{marker:?}")).collect();
        markers.sort_unstable();
        let mut early: Vec<String> =
            person.early_markers.iter().map(|marker| format!("{marker:?}")).collect();
        early.sort_unstable();
        let noted = person.private.iter().filter(|(_, keys)| !keys.is_empty());
        let mut private: Vec<String> =
            noted.map(|(place, keys)| format!("{place:?}: {}", pairs(keys))).collect();
        private.sort_unstable();
        let _ = writeln!(
            text,
            "{:?} as {}\n  in {:?}\n  read {markers:?} early {early:?}\n  seen {:?} {:?} has {} notes {private:?} devices {:?}",
            person.account,
            person.source,
            person.channels,
            person.seen,
            person.preferences,
            pairs(&person.metadata),
            person.devices,
        );
        let _ = writeln!(text, "  password {:?}", person.password.as_ref().map(PasswordHash::as_str));
    }
    for channel in chat.channels.iter() {
        let lists: Vec<_> = ListKind::ALL
            .into_iter()
            .flat_map(|list| channel.lists.of(list).map(move |entry| (list, entry)))
            .collect();
        let _ = writeln!(
            text,
            "{:?} {} of {}, topic {:?}\n  members {:?} spoken in {} made by {:?}\n  {:?} ranks {:?} invited {:?}\n  lists {lists:?} has {}",
            channel.id,
            channel.name,
            channel.created,
            channel.topic,
            channel.members,
            channel.spoken_in,
            channel.maker,
            channel.modes,
            channel.ranks,
            channel.invited,
            pairs(&channel.metadata)
        );
    }
    let mut former: Vec<_> = chat.people.iter_former().collect();
    former.sort_unstable_by_key(|former| former.id);
    let _ =
        writeln!(text, "former {former:?}, account {}, invite {}", chat.people.last(), chat.invites.last());
    for invite in chat.invites.iter() {
        let _ = writeln!(text, "{invite:?}");
    }
    let mut old: Vec<String> = chat.channels.old_names().map(|old| format!("{old:?}")).collect();
    old.sort_unstable();
    let since = MessageId::first_at(Millis(chat.last_message.time().0.saturating_sub(SENDS_KEPT)));
    let sends: Vec<_> = chat.sends.iter().filter(|(.., message)| *message >= since).collect();
    let _ = writeln!(text, "old names {old:?}\nsends {sends:?}\n{:?}", chat.times);
    text
}

fn pairs(keys: &Keys) -> String {
    keys.iter().fold(String::new(), |text, (key, value)| text + key + "=" + value + " ")
}
