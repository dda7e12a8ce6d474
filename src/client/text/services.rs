//! Names of the services of other servers, such as `NickServ`.

/// Returns whether the name is that of a service, as opposed to a nick whose presence is of interest.
pub fn is_service_name(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("serv")
}
