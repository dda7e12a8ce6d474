//! MODE (<https://modern.ircdocs.horse/#mode-message>): channel modes and user modes.

mod channel_modes;
mod user_modes;

use crate::core::commands::targets::{no_such_channel, no_such_nick};
use crate::core::commands::{Command, Spec};
use crate::core::request::target::Target;
use crate::core::state::context::Context;
use crate::wire::{Message, Reply};

/// The MODE command: queries and changes modes.
pub const SPEC: Spec = Spec { name: "MODE", min_params: 1, parse };

/// A parsed MODE: a query or a change.
#[derive(Debug)]
pub struct Mode {
    target: Target,
    /// The letters with their signs; `None` to query the modes.
    letters: Option<Box<str>>,
    values: Vec<Box<str>>,
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let values = message.params().iter().skip(2).map(|&value| value.into());
    Ok(Command::Mode(Mode {
        target: Target::parse(message.param(0).unwrap_or_default()),
        letters: message.param(1).filter(|letters| !letters.is_empty()).map(Into::into),
        values: values.collect(),
    }))
}

impl Mode {
    /// Returns whether it could change something.
    pub(in crate::core::commands) fn changes_state(&self) -> bool {
        match &self.target {
            Target::Channel(_) => self.letters.is_some() && !self.is_list_query(),
            // The bot mode of an account is stored.
            _ => self.letters.as_deref().is_some_and(|letters| letters.contains('B')),
        }
    }

    /// Returns whether it queries lists: their letters without a mask.
    fn is_list_query(&self) -> bool {
        let letters = self.letters.as_deref().unwrap_or_default();
        self.values.is_empty() && letters.chars().all(|c| "+-beI".contains(c))
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        match &self.target {
            Target::Channel(name) => match &self.letters {
                None => channel_modes::reply_with_modes(cx, name),
                Some(letters) => channel_modes::change_modes(cx, name, letters, &self.values),
            },
            Target::Nick(nick) => user_modes::run_user_mode(cx, nick, self.letters.as_deref()),
            Target::Invalid(text) if text.starts_with('#') => cx.reply(no_such_channel(text)),
            Target::Invalid(text) => cx.reply(no_such_nick(text)),
        }
    }
}
