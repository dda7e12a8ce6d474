//! [IRC over WebSocket](https://ircv3.net/specs/extensions/websocket): each message is one line, without its line end.

mod codec;
mod stream;
pub(super) mod upgrade;

pub use codec::Subprotocol;
pub use stream::{CloseReason, WebSocketStream};
