//! Sessions: capabilities, labels, several at once, and broken connections.

mod advertised;
mod grace;
mod labels;
mod sessions;
mod several_devices;
