//! Regular work: backups, certificates, reloading the configuration, retention.

pub mod backups;
pub mod certificates;
pub(super) mod disk_reserve;
pub mod reload;
pub(super) mod retention;
pub(super) mod service_reports;
