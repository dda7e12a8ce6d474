//! User modes: `B` for a bot ([bot mode](https://ircv3.net/specs/extensions/bot-mode)) and `o` for an admin.

use crate::core::commands::targets::no_such_nick;
use crate::core::model::accounts::AccountState;
use crate::core::record::Preference;
use crate::core::state::context::Context;
use crate::wire::numeric::{ERR_UMODEUNKNOWNFLAG, ERR_USERSDONTMATCH, RPL_UMODEIS};
use crate::wire::{Nick, Reply};

pub(super) fn run_user_mode(cx: &mut Context<'_>, nick: &Nick, letters: Option<&str>) {
    if *nick != cx.sender.nick {
        let reply = match cx.core.accounts.get_enabled_by_name(nick) {
            Some(_) => Reply::numeric(ERR_USERSDONTMATCH).text("Can't change mode for other users"),
            None => no_such_nick(nick.as_str()),
        };
        return cx.reply(reply);
    }
    let Some(letters) = letters else {
        let modes = cx.sender_account().map(user_mode_letters).unwrap_or_default();
        return cx.reply(Reply::numeric(RPL_UMODEIS).arg(format!("+{modes}")));
    };
    let (mut on, mut bot, mut unknown) = (true, None, false);
    for letter in letters.chars() {
        match letter {
            '+' => on = true,
            '-' => on = false,
            'B' => bot = Some(on),
            // Many clients set +i (invisible) or +w (wallops) at login. Only logged-in sessions see lists, and every
            // session gets wallops, so both are accepted without effect. The account's role decides +o.
            'i' | 'w' | 'o' => {}
            _ => unknown = true,
        }
    }
    // The last sign decides, so that toggling is one change at most.
    if let Some(on) = bot {
        let (account, session) = (cx.sender.account, cx.sender.session);
        cx.core.set_preference(account, Preference::Bot(on), Some(session), cx.at, cx.fx);
    }
    if unknown {
        cx.reply(Reply::numeric(ERR_UMODEUNKNOWNFLAG).text("Unknown MODE flag"));
    }
}

/// Returns the letters of an account's user modes.
pub(super) fn user_mode_letters(account_state: &AccountState) -> String {
    let modes = [(account_state.is_bot(), 'B'), (account_state.is_admin(), 'o')];
    modes.into_iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect()
}
