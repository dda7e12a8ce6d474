//! Servers that a list cannot ask, because there is no connection to them.

use crate::client::model::Model;
use crate::client::screen::workspace::Workspace;

/// Returns the servers that have no connection.
pub fn offline_servers(models: &[&mut Model]) -> Vec<usize> {
    let offline = models.iter().enumerate().filter(|(_, model)| !model.is_online());
    offline.map(|(server, _)| server).collect()
}

impl Workspace {
    /// Says that there is no connection to these servers. `None` for none of them.
    pub fn describe_offline(&self, servers: &[usize]) -> Option<String> {
        if servers.is_empty() {
            return None;
        }
        if self.servers.len() == 1 {
            return Some("no connection".to_owned());
        }
        let named: Vec<&str> =
            servers.iter().filter_map(|server| self.servers.get(*server)).map(|state| &*state.name).collect();
        Some(format!("no connection to {}", named.join(", ")))
    }
}
