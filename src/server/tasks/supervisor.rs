//! Supervision of the long-lived tasks of a server: none may end while it runs.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// Tasks that run as long as the server does, with their names. Dropping it ends them.
#[derive(Debug, Default)]
pub struct SupervisedTasks {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// A task that has ended while the server ran. A server without it would be half alive, so the process ends and its
/// supervisor can restart it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {}, without which the server cannot go on", if *.panicked { "has failed (see above)" } else { "has ended" })]
pub struct TaskEnded {
    name: &'static str,
    panicked: bool,
}

impl TaskEnded {
    /// Describes the end of a task of this name.
    pub fn from_result(name: &'static str, result: &Result<(), JoinError>) -> Self {
        Self { name, panicked: result.as_ref().is_err_and(JoinError::is_panic) }
    }
}

impl SupervisedTasks {
    /// Starts a task that runs as long as the server does. The name is a noun with its article, for messages.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// Waits until a task ends. Cancel safe.
    pub async fn next_ended(&mut self) -> TaskEnded {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => TaskEnded::from_result(self.name(id), &Ok(())),
            Some(Err(error)) => TaskEnded::from_result(self.name(error.id()), &Err(error)),
            None => std::future::pending().await,
        }
    }

    /// Ends all tasks and waits until they have freed their resources.
    pub async fn shut_down(&mut self) {
        self.tasks.shutdown().await;
    }

    fn name(&self, id: Id) -> &'static str {
        self.names.get(&id).copied().unwrap_or("a task")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ended_task_is_reported_by_name_and_cause() {
        let mut tasks = SupervisedTasks::default();
        tasks.spawn("the clock", std::future::pending());
        tasks.spawn("the bell", async {});
        let bell = tasks.next_ended().await;
        assert_eq!(bell, TaskEnded { name: "the bell", panicked: false });
        tasks.spawn("the door", async { panic!("on purpose") });
        let door = tasks.next_ended().await;
        assert_eq!(door, TaskEnded { name: "the door", panicked: true });
        assert_eq!(
            door.to_string(),
            "the door has failed (see above), without which the server cannot go on"
        );
        tasks.shut_down().await;
    }
}
