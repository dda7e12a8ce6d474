//! Files of the client: the known servers, and the keys of this device.

pub mod devices;
pub mod servers;
