//! WHO (<https://modern.ircdocs.horse/#who-message>) and [WHOX](https://ircv3.net/specs/extensions/whox), by channel,
//! nick or mask.

use crate::core::commands::{Command, Spec};
use crate::core::model::accounts::AccountState;
use crate::core::model::channel::Channel;
use crate::core::request::target::Target;
use crate::core::settings::USER_HOST;
use crate::core::state::context::Context;
use crate::wire::mask::Glob;
use crate::wire::numeric::{RPL_ENDOFWHO, RPL_WHOREPLY, RPL_WHOSPCRPL};
use crate::wire::{Cap, ChannelName, Message, Reply, Timestamp};

/// The WHO command: lists accounts that are online, or with the flag `a` all accounts.
pub const SPEC: Spec = Spec { name: "WHO", min_params: 1, parse };

/// Maximum number of accounts in the reply to a mask. A WHO for a channel has no such limit.
const MAX_ACCOUNTS: usize = 500;

/// A parsed WHO: the channel or mask, and the fields.
#[derive(Debug)]
pub struct Who {
    mask: Box<str>,
    admins_only: bool,
    /// Lists accounts that are offline, too. They have the flag `D` (disconnected) in place of `H` and `G`.
    includes_offline: bool,
    fields: Option<Fields>,
}

/// The fields of WHOX and the token of the reply.
#[derive(Debug)]
struct Fields {
    letters: Box<str>,
    token: Box<str>,
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let options = message.param(1).unwrap_or_default();
    let (flags, fields) = match options.split_once('%') {
        Some((flags, fields)) => {
            let (letters, token) = fields.split_once(',').unwrap_or((fields, ""));
            let digits = token.len() <= 3 && token.bytes().all(|b| b.is_ascii_digit()) && !token.is_empty();
            let token = if digits { token } else { "0" };
            (flags, Some(Fields { letters: letters.into(), token: token.into() }))
        }
        None => (options, None),
    };
    Ok(Command::Who(Who {
        mask: message.param(0).unwrap_or_default().into(),
        admins_only: flags.contains('o'),
        includes_offline: flags.contains('a'),
        fields,
    }))
}

impl Who {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let replies: Vec<Reply> = match Target::parse(&self.mask) {
            Target::Channel(name) => self.channel_replies(cx, &name),
            _ => self.mask_replies(cx),
        };
        for reply in replies {
            cx.reply(reply);
        }
        cx.reply(Reply::numeric(RPL_ENDOFWHO).arg(&*self.mask).text("End of WHO list"));
    }

    fn channel_replies(&self, cx: &Context<'_>, name: &ChannelName) -> Vec<Reply> {
        let Some(channel) = cx.visible_channel(name) else { return Vec::new() };
        cx.core.count_scanned_rows(channel.members.len());
        let members = channel.members.iter().filter_map(|&id| cx.core.accounts.get(id));
        members
            .filter(|p| self.is_listed(p))
            .map(|account_state| self.who_reply(cx, Some(channel), account_state))
            .collect()
    }

    fn mask_replies(&self, cx: &Context<'_>) -> Vec<Reply> {
        // The cost of a mask is its length times that of the text.
        let glob = Glob::new(if &*self.mask == "0" { "*" } else { &self.mask });
        cx.core.count_scanned_rows(cx.core.accounts.iter().len() * glob.match_cost());
        let matches = |p: &&AccountState| {
            self.is_listed(p) && (glob.matches(p.nick().as_str()) || glob.matches(&p.realname))
        };
        let mut found: Vec<&AccountState> = cx.core.accounts.iter().filter(matches).collect();
        found.sort_unstable_by_key(|account_state| account_state.account.id);
        found.truncate(MAX_ACCOUNTS);
        let shared = |account_state: &AccountState| {
            let ids = account_state.channels.iter();
            ids.filter_map(|&id| cx.core.channels.get(id)).find(|channel| cx.can_see(channel))
        };
        found
            .into_iter()
            .map(|account_state| self.who_reply(cx, shared(account_state), account_state))
            .collect()
    }

    fn is_listed(&self, account_state: &AccountState) -> bool {
        let is_shown = account_state.is_online() || self.includes_offline && !account_state.account.disabled;
        is_shown && (!self.admins_only || account_state.is_admin())
    }

    fn who_reply(&self, cx: &Context<'_>, channel: Option<&Channel>, account_state: &AccountState) -> Reply {
        let nick = account_state.nick().as_str();
        let away_flag = match () {
            () if !account_state.is_online() => "D",
            () if account_state.away.is_some() => "G",
            () => "H",
        };
        let admin = if account_state.is_admin() { "*" } else { "" };
        let bot = if account_state.is_bot() { "B" } else { "" };
        let all = cx.sender.caps.has(Cap::MultiPrefix);
        let status =
            channel.map(|channel| channel.member_status(account_state.account.id)).unwrap_or_default();
        let flags = format!("{away_flag}{admin}{}{bot}", status.prefixes(all).collect::<String>());
        let name = channel.map_or("*", |channel| channel.name.as_str());
        let Some(fields) = &self.fields else {
            return Reply::numeric(RPL_WHOREPLY)
                .arg(name)
                .arg(nick)
                .arg(USER_HOST)
                .arg(cx.core.settings.server_name.as_str())
                .arg(nick)
                .arg(flags)
                .text(format!("0 {}", account_state.realname));
        };
        let mut reply = Reply::numeric(RPL_WHOSPCRPL);
        let idle = || if account_state.is_online() { idle_seconds(cx.at, account_state) } else { 0 };
        let idle_text = || idle().to_string();
        // The order of the fields is fixed, whatever that of the letters.
        for letter in "tcuihsnfdlaor".chars().filter(|&letter| fields.letters.contains(letter)) {
            reply = match letter {
                't' => reply.arg(&*fields.token),
                'c' => reply.arg(name),
                'u' | 'n' | 'a' => reply.arg(nick),
                // Addresses are never shown.
                'i' => reply.arg("255.255.255.255"),
                'h' => reply.arg(USER_HOST),
                's' => reply.arg(cx.core.settings.server_name.as_str()),
                'f' => reply.arg(&flags),
                'd' => reply.arg("0"),
                'l' => reply.arg(idle_text()),
                'o' => reply.arg("n/a"),
                _ => reply.text(&*account_state.realname),
            };
        }
        reply
    }
}

/// Returns the idle time of an account, in seconds.
pub(in crate::core::commands) fn idle_seconds(now: Timestamp, account_state: &AccountState) -> u64 {
    now.as_seconds().saturating_sub(account_state.last_active.as_seconds())
}
