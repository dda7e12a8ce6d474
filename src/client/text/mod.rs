//! Texts: those from others made harmless, those for the server built and split.
//!
//! | module | content |
//! | --- | --- |
//! | [`clean`] | removal of terminal control from received text |
//! | [`count`](mod@count) | counts with their nouns, sizes of files |
//! | [`emoji`] | search for emojis |
//! | [`file_address`] | addresses of files, and their names on this machine |
//! | [`fold`](mod@fold) | line breaks between words |
//! | [`line`](mod@line) | lines for the server |
//! | [`paths`] | paths as they are typed and pasted |
//! | [`services`] | names of services |
//! | [`split`] | splitting of long texts into lines |
//! | [`words`] | boundaries of words beside text of any script, for mentions and links |

pub mod clean;
pub mod count;
pub mod emoji;
pub mod file_address;
pub mod fold;
pub mod line;
pub mod paths;
pub mod services;
pub mod split;
pub mod words;
