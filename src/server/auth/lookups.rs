//! Lookups in the core's state for connections before their login, many in one message to the hub.

use tokio::sync::oneshot;

use crate::core::Core;
use crate::server::limits::fair_queue::{FairQueue, QueueLimits};
use crate::server::limits::subject::Subject;
use crate::server::sessions::hub_handle::{HubHandle, Inspection};
use crate::server::tasks::gathering::Gathering;

/// Lookups at one time, each of which takes the hub a microsecond or two, so that they do not crowd out its other messages;
/// and the lookups of one subject that wait.
const LIMITS: QueueLimits = QueueLimits { total_turns: 32, turns_per_key: 32, waiting_per_key: 4096 };

/// The lookups that wait, by subject.
pub(super) struct Lookups {
    queue: FairQueue<Subject>,
    gathering: Gathering<Inspection>,
    hub: HubHandle,
}

/// Error of a lookup that is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LookupError {
    #[error("too many lookups wait")]
    Busy,
    #[error("the server is shutting down")]
    HubStopped,
}

impl Lookups {
    pub fn new(hub: HubHandle) -> Self {
        Self { queue: FairQueue::new(LIMITS), gathering: Gathering::default(), hub }
    }

    /// Returns the result of `look` on the core's state, once it is the subject's turn. The turn ends with the look, whenever
    /// the caller runs again: that may have to wait for others of its subject.
    pub async fn look_up<T: Send + 'static>(
        &self,
        subject: Subject,
        look: impl FnOnce(&Core) -> T + Send + 'static,
    ) -> Result<T, LookupError> {
        let turn = self.queue.acquire_turn(subject).await.map_err(|_| LookupError::Busy)?;
        let (done, found) = oneshot::channel();
        let inspection: Inspection = Box::new(move |core, _| {
            drop(done.send(look(core)));
            drop(turn);
        });
        let hub = self.hub.clone();
        let pass = async move |inspections| hub.start_inspections(inspections).await;
        self.gathering.pass_together(inspection, pass).await;
        found.await.map_err(|_| LookupError::HubStopped)
    }
}
