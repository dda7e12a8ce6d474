//! Replies that list accounts, invites and devices.

use super::{
    AdminReply, Hook, HookDirection, HookState, Invite, LeftBehindDevice, PAGE_SIZE, Token, TokenState, User,
};
use crate::core::Core;
use crate::core::record::InviteId;
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::hook::HookKind;
use crate::core::request::access_tokens::ListedAccessToken;
use crate::core::request::hooks::ListedHook;
use crate::core::request::listing::{ListedAccount, ListedInvite};
use crate::trust::Pin;
use crate::wire::{Nick, Timestamp};

pub(super) fn users(core: &Core, after: Option<&Nick>) -> AdminReply {
    let user = |listed: ListedAccount| User {
        name: listed.account.name,
        role: listed.account.role,
        disabled: listed.account.disabled,
        created: listed.created,
        replay: listed.preferences.replay,
        bot: listed.preferences.bot,
        display_name: listed.display_name.map(|name| name.to_string()),
        listed_name: listed.listed_name.map(|name| name.to_string()),
        groups: listed.groups,
        files: listed.files,
        file_bytes: listed.file_bytes,
    };
    AdminReply::Users(core.list_accounts(after, PAGE_SIZE).into_iter().map(user).collect())
}

pub(super) fn invites(core: &Core, after: i64, now: Timestamp) -> AdminReply {
    let invite = |ListedInvite { invite, created_by, resets }| Invite {
        id: invite.id.0,
        role: invite.role,
        state: invite.state(now),
        channel: invite.channel,
        uses: invite.uses,
        spent: invite.spent,
        expires: invite.expires,
        created_by,
        resets,
    };
    AdminReply::Invites(core.list_invites(InviteId(after), PAGE_SIZE).into_iter().map(invite).collect())
}

pub(super) fn hooks(core: &Core, after: Option<&Nick>) -> AdminReply {
    let listed = |ListedHook { hook, name, channel, is_member, failure }| {
        let state = match &channel {
            None => HookState::Homeless,
            Some(_) if is_member && failure.is_some() => HookState::Failing,
            Some(_) if is_member => HookState::Active,
            Some(_) => HookState::Kicked,
        };
        let outgoing = match hook.kind {
            HookKind::Outgoing(outgoing) => Some(outgoing),
            HookKind::Incoming(_) | HookKind::Revoked => None,
        };
        Hook {
            name,
            direction: if outgoing.is_some() { HookDirection::Outgoing } else { HookDirection::Incoming },
            channel,
            state,
            created: hook.created,
            url: outgoing.as_ref().map(|outgoing| outgoing.url.to_string()),
            pattern: outgoing.and_then(|outgoing| outgoing.pattern).map(|pattern| pattern.to_string()),
            failing_since: failure.as_ref().map(|failure| failure.since),
            failing_reason: failure.map(|failure| failure.reason.to_string()),
        }
    };
    AdminReply::Hooks(core.list_hooks(after, PAGE_SIZE).into_iter().map(listed).collect())
}

pub(super) fn tokens(core: &Core, after: Option<&Nick>, now: Timestamp) -> AdminReply {
    let listed = |ListedAccessToken { token, account, is_disabled }| Token {
        state: match token.expires {
            _ if is_disabled => TokenState::Disabled,
            Some(expires) if expires <= now => TokenState::Expired,
            _ => TokenState::Valid,
        },
        name: token.name,
        account,
        scope: token.scope,
        created: token.created,
        expires: token.expires,
    };
    AdminReply::Tokens(core.list_access_tokens(after, PAGE_SIZE).into_iter().map(listed).collect())
}

/// Lists what a rotation would leave behind: devices that were not used since the present root was shown, and invites
/// that were made before.
pub(super) fn left_behind(
    core: &Core,
    pin: Pin,
    after: Option<CertificateFingerprint>,
    now: Timestamp,
) -> AdminReply {
    let left_behind = core.list_left_behind(&pin.to_string(), after, PAGE_SIZE, now);
    let device = |(account, device): (Nick, Device)| LeftBehindDevice {
        account,
        key: device.fingerprint,
        last: device.last_login.unwrap_or(device.added_at),
    };
    let invites = u32::try_from(left_behind.invites).unwrap_or(u32::MAX);
    AdminReply::LeftBehindByRotation {
        devices: left_behind.devices.into_iter().map(device).collect(),
        invites,
    }
}
