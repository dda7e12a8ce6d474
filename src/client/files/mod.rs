//! Files of the client: the known servers, the keys of this device, the settings, the state between two runs.

pub mod devices;
pub mod page_state_file;
pub mod paths;
mod private_file;
pub mod server_renames;
pub mod servers;
pub mod settings_file;
pub mod state_file;
