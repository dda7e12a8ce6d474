//! Hooks that send the messages of a channel to programs.
//!
//! The history is the queue: a hook notes durably up to which message it has sent, so that nothing is lost by a crash, and
//! a message that was taken back meanwhile is not sent. A message may be sent twice; its id tells. One message of a hook
//! is on its way at a time, so that a program gets them in order.

mod delivery;
pub mod target;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tracing::{error, warn};

use crate::core::Core;
use crate::core::effects::history::{HistoryMessage, MessageFilter, Window};
use crate::core::record::hook::OutgoingHook;
use crate::core::record::{AccountId, ChannelId, Conversation};
use crate::core::request::admin::ChangeRequest;
use crate::core::request::hooks::{HookChange, HookFailure};
use crate::server::config;
use crate::server::sessions::hub_handle::HubHandle;
use crate::store::{Store, StoreError, history};
use crate::trust::tls;
use crate::wire::ids::MessageTimes;
use crate::wire::{ChannelName, MessageId, Nick};
use delivery::{Connector, Delivery, DeliveryError, Payload};
use target::HookTarget;

/// Limit of the messages of a hook that wait. Older ones are not sent.
const MAX_WAITING: u32 = 1000;

/// Age from which a message is not sent any more.
const MAX_AGE: Duration = Duration::from_hours(24);

/// Messages of a hook that are read at one time, and about how many bytes of them.
const PAGE_MESSAGES: usize = 50;
const PAGE_BYTES: usize = 256 * 1024;

/// Pause after the first failed delivery of a message. It doubles with each further one, up to the maximum.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_mins(5);

/// Failures in a row after which the log says so: about half a minute.
const FAILURES_LOGGED: u32 = 5;

/// Requests to programs at one time, of all hooks.
const MAX_REQUESTS: usize = 16;

/// Pause between two looks for new messages, in which more of them come together.
const ROUND_PAUSE: Duration = Duration::from_millis(50);

/// The task that sends the messages of hooks. Clones share its services.
#[derive(Clone)]
pub(in crate::server) struct Outgoing {
    hub: HubHandle,
    store: Store,
    connector: Connector,
    requests: Arc<Semaphore>,
}

/// A hook with what a round needs to know.
struct Due {
    account: AccountId,
    name: Nick,
    channel: (ChannelId, ChannelName),
    hook: OutgoingHook,
    /// `parlour hook list` says that it fails.
    is_failing: bool,
    times: MessageTimes,
    /// Accounts of all hooks. Their messages are not sent, so that two programs do not answer each other without end.
    hooks: HashSet<AccountId>,
}

/// Result of the attempts to deliver one message.
enum Attempts {
    Delivered,
    /// It was refused, or became too old.
    GivenUp,
    /// The hook was revoked, or the server shuts down.
    Ended,
}

impl Outgoing {
    /// Makes the deliveries.
    pub fn new(hub: HubHandle, store: Store, config: &config::Hooks) -> Self {
        let allow = config.allow.clone().into();
        let connector = Connector { tls: tls::system_client_config(), allow };
        Self { hub, store, connector, requests: Arc::new(Semaphore::new(MAX_REQUESTS)) }
    }

    /// Sends what is due whenever messages were stored, as `stored` says, until the server shuts down.
    pub async fn run(self, stored: Arc<Notify>) {
        let mut running: JoinSet<AccountId> = JoinSet::new();
        // Hooks that are being drained, and those of them for which a message was stored since.
        let (mut busy, mut missed) = (HashSet::new(), HashSet::new());
        loop {
            let Ok(hooks) = self.hub.inspect(Core::outgoing_hooks).await else { return };
            for account in hooks {
                if busy.insert(account) {
                    running.spawn(self.clone().drain(account));
                } else {
                    missed.insert(account);
                }
            }
            loop {
                tokio::select! {
                    () = stored.notified() => break,
                    Some(ended) = running.join_next(), if !running.is_empty() => match ended {
                        Ok(account) if missed.remove(&account) => {
                            running.spawn(self.clone().drain(account));
                        }
                        Ok(account) => {
                            busy.remove(&account);
                        }
                        Err(error) => {
                            error!(%error, "a task that sends the messages of a hook failed");
                            return;
                        }
                    },
                }
            }
            tokio::time::sleep(ROUND_PAUSE).await;
        }
    }

    async fn drain(self, account: AccountId) -> AccountId {
        self.send_due(account).await;
        account
    }

    /// Sends what a hook has not sent yet.
    async fn send_due(&self, account: AccountId) {
        while let Some(mut due) = self.due(account).await {
            let mut waiting = match self.read(&due).await {
                Ok(waiting) => waiting,
                Err(error) => return warn!(%error, hook = %due.name, "cannot read what a hook sends"),
            };
            if waiting.is_empty() {
                return;
            }
            while let Some(message) = waiting.pop_front() {
                let id = message.message.id;
                if due.wants(&message) {
                    let result = self.attempt(&mut due, &message).await;
                    if matches!(result, Attempts::Ended) {
                        return;
                    }
                    if due.is_failing && matches!(result, Attempts::Delivered) {
                        self.note_failing(&mut due, None).await;
                    }
                } else if !waiting.is_empty() {
                    // What is not sent needs no note of its own.
                    continue;
                }
                let note = HookChange::NoteDelivered { hook: account, up_to: id };
                if let Err(error) = self.hub.request(ChangeRequest::Hooks(note)).await {
                    return warn!(%error, hook = %due.name, "cannot note what a hook has sent");
                }
            }
        }
    }

    async fn due(&self, account: AccountId) -> Option<Due> {
        self.hub
            .inspect(move |core| {
                let (hook, name, channel) = core.outgoing_hook(account)?;
                let is_failing = core.is_hook_failing(account);
                let (times, hooks) = (core.message_times().clone(), core.hook_accounts());
                Some(Due { account, name, channel, hook, is_failing, times, hooks })
            })
            .await
            .ok()
            .flatten()
    }

    /// Reads the next messages of a hook, without those that are too many or too old.
    async fn read(&self, due: &Due) -> Result<VecDeque<HistoryMessage>, StoreError> {
        let conversation = Conversation::Channel(due.channel.0);
        let oldest = due.times.first_at(self.hub.clock.now() - MAX_AGE);
        let delivered = due.hook.delivered;
        self.store
            .read(move |conn| {
                let many = history::nth_latest_message_id(conn, conversation, MAX_WAITING)?;
                let oldest = many.map_or(oldest, |many| many.max(oldest));
                let after = delivered.max(oldest.predecessor());
                let window = Window { after, before: MessageId::LAST, newest: false, limit: PAGE_MESSAGES };
                let kinds = MessageFilter { events: false, redactions: false };
                let page = history::read(conn, conversation, &window, kinds, PAGE_BYTES)?;
                Ok::<_, StoreError>(page.into())
            })
            .await
    }

    /// Tries to deliver a message until that works, or has no point any more.
    async fn attempt(&self, due: &mut Due, message: &HistoryMessage) -> Attempts {
        let time = due.times.time_of(message.message.id);
        let Some(payload) = Payload::new(message, time, due.name.as_str(), due.channel.1.as_str()) else {
            return Attempts::GivenUp;
        };
        let Ok(target) = HookTarget::parse(&due.hook.url) else { return Attempts::GivenUp };
        let delivery = Delivery {
            target,
            key: due.hook.key.clone(),
            id: format!("{}-{}", due.name, payload.msgid),
            body: serde_json::to_vec(&payload).unwrap_or_default(),
        };
        let mut pause = FIRST_PAUSE;
        for failures in 1.. {
            let error = {
                let Ok(_permit) = self.requests.acquire().await else { return Attempts::Ended };
                match self.connector.send(&delivery, self.hub.clock.now()).await {
                    Ok(()) => return Attempts::Delivered,
                    Err(error) => error,
                }
            };
            if self.is_over(due, message, &error) {
                return Attempts::GivenUp;
            }
            let failure = HookFailure { since: time, reason: error.to_string().into() };
            self.note_failing(due, Some(failure)).await;
            if failures == FAILURES_LOGGED {
                warn!(%error, hook = %due.name, "a hook cannot send; it is tried again");
            }
            // Somewhat earlier or later, so that hooks which failed together are not tried together.
            let jitter = rand::rng().random_range(0.8..1.2);
            tokio::time::sleep(pause.mul_f64(jitter)).await;
            pause = (2 * pause).min(MAX_PAUSE);
            match self.due(due.account).await {
                // Another hook may have its name by now.
                Some(now) if now.hook.key == due.hook.key => {}
                _ => return Attempts::Ended,
            }
        }
        Attempts::Ended
    }

    fn is_over(&self, due: &Due, message: &HistoryMessage, error: &DeliveryError) -> bool {
        let age = self.hub.clock.now().since(due.times.time_of(message.message.id));
        let is_over = error.is_final() || age >= MAX_AGE;
        if is_over {
            warn!(%error, hook = %due.name, msgid = %message.message.id, "a hook gives up on a message");
        }
        is_over
    }

    /// Notes for `parlour hook list` whether a hook fails.
    async fn note_failing(&self, due: &mut Due, failure: Option<HookFailure>) {
        due.is_failing = failure.is_some();
        let note = HookChange::NoteFailing { hook: due.account, failure };
        // The server is shutting down, or cannot store anything: the next attempt notes it again.
        let _ = self.hub.request(ChangeRequest::Hooks(note)).await;
    }
}

impl Due {
    /// Returns whether the hook sends a message.
    fn wants(&self, message: &HistoryMessage) -> bool {
        let stored = &message.message;
        let matches = |pattern: &Arc<str>| stored.text.to_lowercase().contains(&pattern.to_lowercase());
        stored.kind.is_text_message()
            && !self.hooks.contains(&stored.from)
            && self.hook.pattern.as_ref().is_none_or(matches)
    }
}
