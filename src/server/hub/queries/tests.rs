use super::*;
use crate::server::reading::SEARCH_LIMITS;

#[tokio::test]
async fn queued_query_is_dropped_when_its_session_ends() {
    let outbox = Outbox::default();
    let turns = FairQueue::new(SEARCH_LIMITS);
    let held = turns.acquire_turn(AccountId(17)).await.expect("free");
    let mut waits =
        Box::pin(unless_session_ends(&outbox, async { Ok(turns.acquire_turn(AccountId(16)).await?) }));
    tokio::select! {
        biased;
        _ = &mut waits => panic!("it is somebody else's turn"),
        () = std::future::ready(()) => {}
    }
    outbox.discard_queue(&"gone".into());
    assert!(matches!(waits.await, Err(QueryError::SessionEnded)));
    drop(held);
    turns.acquire_turn(AccountId(18)).await.expect("no turn went to the one that is gone");
}
