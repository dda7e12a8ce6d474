//! Retention: removal of messages that exceed the configured age or count. By default nothing is removed.
//!
//! It goes through all conversations once an hour and removes a few messages at a time, so that commits do not wait for
//! it. The search index removes them too.

use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::core::record::{ForgottenAudit, ForgottenHistory};
use crate::core::request::admin::{ChangeRequest, RequestError, RequestOutcome};
use crate::core::request::maintenance::Maintenance;
use crate::server::config::{History, Retention};
use crate::server::sessions::hub_handle::HubHandle;
use crate::store::history::KeptConversation;
use crate::store::tables::{audit, retention};
use crate::store::{Store, StoreError, history};
use crate::wire::Timestamp;

/// Interval of the rounds.
const RUN_INTERVAL: Duration = Duration::from_hours(1);

/// Delay after a round that failed: a full disk may have had no room, which the removal makes.
const RETRY_DELAY: Duration = Duration::from_mins(5);

/// Count of messages removed in one transaction, which takes the writer a few milliseconds.
const BATCH_MESSAGES: u32 = 500;

/// Pause between two transactions, for other users of the writer.
const BATCH_PAUSE: Duration = Duration::from_millis(20);

/// Removes messages and audit entries that exceed their limits, at once, once an hour and when the configuration
/// changes. Ages are by [`Clock::removal_time`](crate::server::clock::Clock::removal_time): a clock that jumped removes nothing.
pub(in crate::server) async fn run(store: Store, mut config: watch::Receiver<History>, hub: HubHandle) {
    let carry_out = |maintenance| hub.request(ChangeRequest::Maintenance(maintenance));
    loop {
        let policy = config.borrow_and_update().clone();
        let mut wait = RUN_INTERVAL;
        match prune_audit(&store, policy.keep_audit_days, hub.clock.removal_time(), carry_out).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "entries of the audit are older than they are kept"),
            Err(error) => {
                warn!(%error, "cannot remove old entries of the audit");
                wait = RETRY_DELAY;
            }
        }
        match prune(&store, &policy, hub.clock.removal_time(), carry_out).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "messages are older than they are kept"),
            Err(error) => {
                warn!(%error, "cannot remove old messages");
                wait = RETRY_DELAY;
            }
        }
        // Without a sender the server stops, and this task with it.
        if let Ok(Err(_)) = tokio::time::timeout(wait, config.changed()).await {
            return;
        }
    }
}

/// Reason why old messages or entries cannot be removed.
#[derive(Debug, thiserror::Error)]
pub(in crate::server) enum RetentionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// Removes once the messages that the policy does not keep. `carry_out` has the core record a removal, and returns when
/// that is durable. Returns the count of messages and events.
pub(in crate::server) async fn prune<F, Fut>(
    store: &Store,
    policy: &History,
    now: Timestamp,
    carry_out: F,
) -> Result<u64, RetentionError>
where
    F: Fn(Maintenance) -> Fut,
    Fut: Future<Output = Result<RequestOutcome, RequestError>>,
{
    let mut removed = 0;
    for forgotten in due(store, policy, now).await? {
        loop {
            let old = move |conn: &Connection| Ok::<_, StoreError>(retention::old(conn, &forgotten)?);
            let count = store.read(old).await?;
            if count > 0 {
                carry_out(Maintenance::ForgetHistory(forgotten)).await?;
            }
            removed += u64::from(count);
            if count < BATCH_MESSAGES {
                break;
            }
            tokio::time::sleep(BATCH_PAUSE).await;
        }
    }
    Ok(removed)
}

/// Returns the removals by the policy, one for each conversation.
pub(in crate::server) async fn due(
    store: &Store,
    policy: &History,
    now: Timestamp,
) -> Result<Vec<ForgottenHistory>, StoreError> {
    let mut all = Vec::new();
    for kept in store.read(|conn| Ok::<_, StoreError>(history::conversations(conn)?)).await? {
        let KeptConversation { conversation, channel, limits } = kept;
        let retention = policy.retention_for(channel.as_ref()).replaced_by(limits);
        let Retention { keep_days, keep_messages } = retention;
        if retention.keeps_everything() {
            continue;
        }
        let oldest_kept = keep_days.map(|days| days_before(now, days));
        let kept = store.read(move |conn| {
            Ok::<_, StoreError>(history::kept_from(conn, conversation, (oldest_kept, keep_messages))?)
        });
        all.push(ForgottenHistory { conversation, kept: kept.await?, most: BATCH_MESSAGES });
    }
    Ok(all)
}

/// Removes once the audit entries that are too old, as [`prune`] does. Returns their count.
async fn prune_audit<F, Fut>(
    store: &Store,
    days: u32,
    now: Timestamp,
    carry_out: F,
) -> Result<u64, RetentionError>
where
    F: Fn(Maintenance) -> Fut,
    Fut: Future<Output = Result<RequestOutcome, RequestError>>,
{
    let Some(before) = Some(days).filter(|&days| days > 0).map(|days| days_before(now, days)) else {
        return Ok(0);
    };
    let forgotten = ForgottenAudit { before, most: BATCH_MESSAGES };
    let mut removed = 0;
    loop {
        let count = store.read(move |conn| Ok::<_, StoreError>(audit::old(conn, &forgotten)?)).await?;
        if count > 0 {
            carry_out(Maintenance::ForgetAudit(forgotten)).await?;
        }
        removed += u64::from(count);
        if count < BATCH_MESSAGES {
            return Ok(removed);
        }
        tokio::time::sleep(BATCH_PAUSE).await;
    }
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    Timestamp(now.0.saturating_sub(u64::from(days) * 24 * 60 * 60 * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::{
        AccountId, Actor, ChannelId, Conversation, MessageKind, Record, ShownRoot, StoredMessage,
    };
    use crate::server::admin;
    use crate::wire::{ChannelName, MessageId};

    const DAY: u64 = 24 * 60 * 60 * 1000;
    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    async fn prune(store: &Store, policy: &History, now: Timestamp) -> Result<u64, RetentionError> {
        let carry_out = |maintenance| admin::tests::carried_out(store, maintenance, now);
        super::prune(store, policy, now, carry_out).await
    }

    async fn prune_audit(store: &Store, days: u32, now: Timestamp) -> Result<u64, RetentionError> {
        let carry_out = |maintenance| admin::tests::carried_out(store, maintenance, now);
        super::prune_audit(store, days, now, carry_out).await
    }

    fn policy(text: &str) -> History {
        toml::from_str(text).expect(text)
    }

    fn message_record(days_ago: u64, n: u64, conversation: Conversation, kind: MessageKind) -> Record {
        let id = MessageId::first_at(Timestamp(NOW.0 - days_ago * DAY + n));
        let (from, tags) = (AccountId(0), "".into());
        let text = format!("{days_ago} days").into();
        Record::Message(StoredMessage { id, conversation, from, kind, text, tags, send_id: None })
    }

    async fn commit(store: &Store, records: Vec<Record>) {
        let (done, result) = tokio::sync::oneshot::channel();
        store.commit(records.into(), Box::new(move |r| done.send(r).expect("waited for")));
        result.await.expect("answered").expect("kept");
    }

    async fn store_with_messages() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let name = |text| ChannelName::parse(text).expect(text);
        let created = |id, text| Record::ChannelCreated {
            id: ChannelId(id),
            name: name(text),
            creator: AccountId(0),
            at: NOW,
        };
        let mut records = vec![created(1, "#a"), created(2, "#b")];
        let conversations = [
            Conversation::Channel(ChannelId(1)),
            Conversation::Channel(ChannelId(2)),
            Conversation::direct(AccountId(0), AccountId(0)),
        ];
        // Message ids only grow, so the oldest come first.
        for days in (0..10).rev() {
            for (n, conversation) in (0..).step_by(2).zip(conversations) {
                records.push(message_record(days, n, conversation, MessageKind::Privmsg));
                records.push(message_record(days, n + 1, conversation, MessageKind::Join));
            }
        }
        commit(&store, records).await;
        (folder, store)
    }

    /// Returns the count of messages and of events left in each conversation.
    async fn remaining_messages(store: &Store) -> Vec<(i64, i64, i64)> {
        let sql =
            "SELECT place, sum(class = 0), sum(class = 1) FROM messages GROUP BY place ORDER BY place DESC";
        let read = |conn: &rusqlite::Connection| {
            let rows = conn
                .prepare(sql)?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            Ok::<_, StoreError>(rows)
        };
        store.read(read).await.expect("reads")
    }

    #[tokio::test]
    async fn default_policy_removes_nothing() {
        let (_folder, store) = store_with_messages().await;
        assert_eq!(prune(&store, &History::default(), NOW).await.expect("prunes"), 0);
        assert_eq!(remaining_messages(&store).await, [(2, 10, 10), (1, 10, 10), (0, 10, 10)]);
    }

    #[tokio::test]
    async fn age_and_count_limits_apply_per_channel() {
        let (_folder, store) = store_with_messages().await;
        let policy = policy("keep_days = 5\n[channels.\"#B\"]\nkeep_messages = 3\nkeep_days = 0");
        let removed = prune(&store, &policy, Timestamp(NOW.0 + 100)).await.expect("prunes");
        assert_eq!(remaining_messages(&store).await, [(2, 3, 3), (1, 5, 5), (0, 5, 5)]);
        assert_eq!(removed, 14 + 10 + 10);
        assert_eq!(prune(&store, &policy, Timestamp(NOW.0 + 100)).await.expect("prunes"), 0, "nothing twice");
        let forgotten = store.read(|conn| {
            let count = conn.query_row("SELECT count(*) FROM forgotten", [], |row| row.get::<_, i64>(0));
            Ok::<_, StoreError>(count?)
        });
        assert_eq!(forgotten.await.expect("reads"), 7 + 5 + 5, "the index has what was said to unlearn");
    }

    #[tokio::test]
    async fn audit_retention_always_keeps_root_entries() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let shown = ShownRoot { pin: "pin".into(), at: Timestamp(NOW.0 - 9 * DAY) };
        let entry = |n: u64| Record::Audit {
            at: Timestamp(NOW.0 - (1200 - n) / 100 * DAY),
            actor: Actor::Console,
            action: "user add".into(),
            target: n.to_string().into(),
            detail: "".into(),
        };
        commit(&store, [Record::RootShown(shown)].into_iter().chain((0..1200).map(entry)).collect()).await;
        assert_eq!(prune_audit(&store, 0, NOW).await.expect("prunes"), 0);
        assert_eq!(prune_audit(&store, 5, NOW).await.expect("prunes"), 601);
        assert_eq!(prune_audit(&store, 5, NOW).await.expect("prunes"), 0, "nothing twice");
        let left = store.read(|conn| Ok::<_, StoreError>(audit::latest(conn, 2000)?)).await.expect("reads");
        let targets = |n: usize| left.get(n).map(|entry| entry.target.as_str());
        assert_eq!((left.len(), targets(0), targets(598)), (600, Some("1199"), Some("601")));
        assert_eq!(targets(599), Some("pin"), "retire asks since when a root is shown");
        assert_eq!(prune_audit(&store, 1, Timestamp(NOW.0 + 9 * DAY)).await.expect("prunes"), 599);
    }
}
