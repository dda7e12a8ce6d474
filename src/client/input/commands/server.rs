//! Commands about the server and the connection.

use super::{Command, Group};
use crate::client::input::Input;

pub(super) const GROUP: Group = Group {
    title: "Server",
    commands: &[Command {
        name: "quit",
        aliases: &["exit"],
        usage: "[MESSAGE]",
        description: "quit, with a message for the others",
        arguments: &[],
        screen_only: false,
        parse: |text| Ok(Input::Quit(text.to_owned())),
    }],
};
