//! The page and its HTTP: what `parlour web` on a person's own machine and a server's own page have in common.
//!
//! | module | content |
//! | --- | --- |
//! | [`site`] | the answers to requests: the files of the page, `mode.json`, the WebSocket |
//! | [`policy`] | which hosts and origins a request may name |
//! | [`serve()`] | one HTTP connection, until its end or until it becomes a WebSocket |
//! | [`tus`] | paths, headers and values of uploads |
//! | [`websocket`] | IRC over WebSocket: frames to lines and back |
//! | [`lingering`] | streams whose last bytes arrive, although the other side still sends |
//! | [`phone`] | the page that offers the web root to phones |
//! | [`ports`] | ports that browsers refuse |
//! | `cors` | pages of other origins that the operator allows |
//! | `responses` | responses of a line of text |
//! | `assets` | the files of `web/`, embedded in the binary |

mod assets;
mod cors;
pub mod lingering;
pub mod phone;
pub mod policy;
pub mod ports;
mod responses;
pub mod serve;
pub mod site;
pub mod tus;
pub mod websocket;

pub use cors::FromElsewhere;
pub use lingering::Lingering;
pub use policy::HostPolicy;
pub use responses::{refuse_other_methods, text_response};
pub use serve::{Peer, TransferProgress, serve};
pub use site::{Mode, Page, Site, refuse_bodies};
pub use websocket::{Subprotocol, WebSocketStream};
