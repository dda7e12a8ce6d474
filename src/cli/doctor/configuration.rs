//! Check of the configuration file.

use super::report::Finding;
use crate::cli::folders::Folders;
use crate::server::config::Config;

/// Reads the configuration. An invalid one is replaced by the default for the other checks.
pub fn check(folders: &Folders) -> (Config, Vec<Finding>) {
    let file = folders.config_file.display();
    match folders.config() {
        Ok(config) => {
            let origin = if folders.config_file.exists() {
                format!("{file} can be used")
            } else {
                format!("there is no {file}; everything is as by default")
            };
            let findings = [Some(Finding::ok("configuration", origin)), loopback_warning(&config)];
            (config, findings.into_iter().flatten().collect())
        }
        Err(error) => {
            let remedy = format!("correct {file}; docs/configuration.md has a table of all keys");
            (Config::default(), vec![Finding::problem("configuration", error.to_string(), remedy)])
        }
    }
}

/// Warns about a server that listens on loopback only.
fn loopback_warning(config: &Config) -> Option<Finding> {
    if !config.listen.iter().all(|address| address.ip().is_loopback()) {
        return None;
    }
    let remedy = "set `listen` to an address of the network, or leave it out for all of them";
    let summary = "`listen` has loopback addresses alone: only this machine can reach the server";
    let also = if config.announce { ", and `announce` does nothing" } else { "" };
    Some(Finding::warning("configuration", format!("{summary}{also}"), remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_only_server_is_reported() {
        let mut config = Config::default();
        assert_eq!(loopback_warning(&config), None);
        config.listen =
            vec!["127.0.0.1:6697".parse().expect("an address"), "[::1]:6697".parse().expect("an address")];
        config.announce = true;
        let finding = loopback_warning(&config).expect("told");
        assert!(finding.summary.ends_with("and `announce` does nothing"), "{finding:?}");
        config.listen.push("192.0.2.7:6697".parse().expect("an address"));
        assert_eq!(loopback_warning(&config), None);
    }
}
