//! Items that tasks of one runtime pass to another together, so that its thread is woken once for many of them.

use std::sync::Arc;

use parking_lot::Mutex;

/// Items that wait to be passed on.
#[derive(Debug)]
pub(in crate::server) struct Gathering<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Gathering<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Send + 'static> Gathering<T> {
    /// Adds an item. The first one starts a task of the calling runtime that lets the others that are ready run, and then
    /// calls `pass` with the items of all. Not the caller itself: that may be cancelled, or have to wait for a turn.
    ///
    /// Waits for that task only where it started it.
    pub async fn pass_together<F>(&self, item: T, pass: impl FnOnce(Vec<T>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let is_first = {
            let mut items = self.0.lock();
            items.push(item);
            items.len() == 1
        };
        if is_first {
            let items = self.0.clone();
            let passing = tokio::spawn(async move {
                tokio::task::yield_now().await;
                let items = std::mem::take(&mut *items.lock());
                pass(items).await;
            });
            // It is not aborted, so an error means that the runtime ends.
            let _ = passing.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_that_are_ready_pass_their_items_together() {
        let (gathering, batches) = (Arc::new(Gathering::default()), Arc::new(Mutex::new(Vec::new())));
        let tasks: Vec<_> = (0..10)
            .map(|item| {
                let (gathering, batches) = (gathering.clone(), batches.clone());
                tokio::spawn(async move {
                    let pass = async move |items: Vec<i32>| batches.lock().push(items);
                    gathering.pass_together(item, pass).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("it ran");
        }
        assert_eq!(*batches.lock(), [(0..10).collect::<Vec<i32>>()]);
        let later = batches.clone();
        gathering.pass_together(10, async move |items: Vec<i32>| later.lock().push(items)).await;
        assert_eq!(batches.lock().last(), Some(&vec![10]));
    }

    #[tokio::test]
    async fn items_are_passed_whatever_becomes_of_the_first_caller() {
        let (gathering, (sender, mut batches)) =
            (Gathering::default(), tokio::sync::mpsc::unbounded_channel::<Vec<i32>>());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        {
            let pass = async move |items| sender.send(items).expect("the test waits");
            let first = std::pin::pin!(gathering.pass_together(1, pass));
            assert!(first.poll(&mut cx).is_pending());
        }
        gathering.pass_together(2, async |_| panic!("the first one's task passes it")).await;
        assert_eq!(batches.recv().await, Some(vec![1, 2]));
    }
}
