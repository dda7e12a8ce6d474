//! The command line where it works without a session: administration, certificates, golden files.

mod admin_cli;
mod audit_cli;
mod certs_cli;
mod certs_for;
mod channel_cli;
mod device_cli;
mod doctor;
mod golden;
mod moving;
mod people;
mod progress;
mod running_cli;
mod secrets;
