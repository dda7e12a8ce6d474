//! Files of the client: the known servers, and the keys of this device.

pub mod devices;
mod private_file;
pub mod servers;
