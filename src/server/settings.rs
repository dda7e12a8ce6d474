//! The part of the configuration that the rules of the core depend on.

use std::time::Duration;

use super::config::Config;
use crate::core::Settings;
use crate::web::tus::UPLOAD_PATH;
use crate::wire::Timestamp;

/// Returns the part of the configuration that the core uses.
pub(super) fn settings_from_config(config: &Config, started: Timestamp, http_url: Option<&str>) -> Settings {
    let http_url = http_url.filter(|_| config.files.enabled);
    Settings {
        server_name: config.server_name.clone(),
        network: config.name.as_str().into(),
        icon: Some(config.icon.as_str()).filter(|icon| !icon.is_empty()).map(Into::into),
        motd: config.motd_lines(),
        channels_per_account: as_usize(config.limits.channels_per_account),
        line_bytes: as_usize(config.limits.line_bytes),
        sessions_per_account: as_usize(config.limits.sessions_per_account),
        started,
        grace: Duration::from_secs(config.sessions.grace_s.into()),
        replay: as_usize(config.history.replay),
        upload_url: http_url.map(|url| format!("{url}{UPLOAD_PATH}").into()),
        max_file_bytes: u64::from(config.files.max_mib) << 20,
        file_quota_bytes: u64::from(config.files.quota_mib) << 20,
        max_files: as_usize(config.files.max_count),
        messages_per_day: config.limits.messages_per_day.into(),
        bytes_per_day: u64::from(config.limits.mib_per_day) << 20,
        certificate: None,
    }
}

/// Converts a number of the configuration.
pub(super) fn as_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
