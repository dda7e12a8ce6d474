//! The ends of a server that are not failures.

/// Reason why a running server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// A signal or a request stops the server.
    ShutDown,
    /// Another server takes its place at once, with the same listening sockets.
    Restart,
}

impl StopReason {
    /// Returns the reason that sessions are told in their ERROR. Clients reconnect at once where it ends with
    /// `restarting`.
    pub fn text(self) -> &'static str {
        match self {
            Self::ShutDown => "Server is shutting down",
            Self::Restart => "Server is restarting",
        }
    }
}
