//! Files of the client: the known servers, the keys of this device, the state between two runs.

pub mod devices;
mod private_file;
pub mod servers;
pub mod state_file;
