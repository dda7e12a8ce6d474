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

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::client::screen::view::theme::{Background, Depth, Theme};
    use crate::wire::{CapSet, Nick, Timestamp};

    #[test]
    fn servers_without_a_connection_are_named_where_there_are_several() {
        let (mut home, mut work) = (Model::new("run".into()), Model::new("run".into()));
        home.connected(Nick::parse("alice").expect("a nick"), CapSet::EMPTY);
        assert_eq!(offline_servers(&[&mut home, &mut work]), [1]);
        let workspace = |names: &[&str]| {
            let theme = Theme::new(Depth::NoColour, Background::Dark);
            Workspace::new(names.iter().map(|&name| name.to_owned()), theme, TimeZone::UTC, Timestamp(1))
        };
        let both = workspace(&["home", "work"]);
        assert_eq!(both.describe_offline(&[]), None);
        assert_eq!(both.describe_offline(&[1]).as_deref(), Some("no connection to work"));
        assert_eq!(both.describe_offline(&[0, 1]).as_deref(), Some("no connection to home, work"));
        assert_eq!(workspace(&["home"]).describe_offline(&[0]).as_deref(), Some("no connection"));
    }
}
