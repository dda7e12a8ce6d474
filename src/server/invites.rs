//! Requests of admins about invites in a session: the same as at the command line, by another actor.

use zeroize::Zeroizing;

use super::admin::{self, Failure, FailureKind, InviteOrder, Reply, Request};
use crate::chat::account::Outcome;
use crate::chat::invites::{InviteOutcome, InviteRequest, OpenInvite, Purpose, Wish};
use crate::chat::record::AccountId;
use crate::chat::secret::Secret;
use crate::store::Store;
use crate::store::audit::Actor;
use crate::store::invites::State;
use crate::trust::{Address, InviteLink, Pin, Token};
use crate::wire::Millis;

/// Addresses and pin of the server, for an invite link.
pub(super) type Reach<'a> = (&'a [Address], Pin);

/// Carries out a request of `account` with the rights of `admin`, which is mostly the same account.
pub(super) async fn run(
    store: &Store,
    reach: Reach<'_>,
    (account, admin): (AccountId, AccountId),
    (request, now): (InviteRequest, Millis),
) -> Outcome {
    let outcome = match request {
        InviteRequest::Create(wish) => create(store, reach, (account, admin), (wish, now)).await,
        InviteRequest::List => list(store, account, now).await,
        InviteRequest::Revoke(id) => {
            take_back(store, account, id, now).await.map(|()| InviteOutcome::Revoked(id))
        }
    };
    outcome.map_or_else(|failure| Outcome::Refused(code(failure.kind), failure.text), Outcome::Invites)
}

/// Revokes an invite.
pub(super) async fn take_back(
    store: &Store,
    account: AccountId,
    id: i64,
    now: Millis,
) -> Result<(), Failure> {
    ask(store, account, Request::InviteRevoke { id }, now).await.map(drop)
}

async fn ask(store: &Store, account: AccountId, request: Request, now: Millis) -> Result<Reply, Failure> {
    Ok(admin::run(store, request, Actor::Account(account), now).await?.reply)
}

async fn create(
    store: &Store,
    (addresses, pin): Reach<'_>,
    (account, admin): (AccountId, AccountId),
    (wish, now): (Wish, Millis),
) -> Result<InviteOutcome, Failure> {
    let token = Token::random();
    let (purpose, resets) = match wish.purpose.clone() {
        Purpose::Accounts { role, channel, uses } => (admin::Purpose::Accounts { role, channel, uses }, None),
        Purpose::Reset(name) => (admin::Purpose::Reset(name.clone()), Some(name.to_string())),
    };
    let order = InviteOrder { token: token.hash(), purpose, lasts_ms: wish.lasts.0 };
    let expires = Millis(now.0.saturating_add(wish.lasts.0));
    let by = (now, Actor::Account(account));
    let number =
        admin::create_invite(store, order, by, Some(admin).filter(|&admin| admin != account)).await?;
    let link = InviteLink { addresses: addresses.to_vec(), pin, account: resets, token };
    let link = Secret(Zeroizing::new(link.to_string()));
    Ok(InviteOutcome::Made { number, purpose: wish.purpose, expires, link })
}

async fn list(store: &Store, account: AccountId, now: Millis) -> Result<InviteOutcome, Failure> {
    let (mut open, mut closed, mut after) = (Vec::new(), 0, 0);
    loop {
        let Reply::Invites(page) = ask(store, account, Request::InviteList { after }, now).await? else {
            return Err(Failure::invalid("an unexpected answer"));
        };
        let Some(last) = page.last() else { return Ok(InviteOutcome::Open(open, closed)) };
        after = last.id;
        for invite in page {
            if invite.state != State::Open {
                closed += 1;
                continue;
            }
            open.push(OpenInvite {
                number: invite.id,
                spent: (invite.spent, invite.uses),
                expires: invite.expires,
                role: invite.role,
                channel: invite.channel,
                resets: invite.resets,
                by: invite.created_by,
            });
        }
    }
}

/// Returns the code of the FAIL ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
fn code(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::UnknownUser => "NO_SUCH_ACCOUNT",
        FailureKind::Removed => "ACCOUNT_REMOVED",
        FailureKind::Disabled => "ACCOUNT_DISABLED",
        FailureKind::UnknownInvite => "NO_SUCH_INVITE",
        FailureKind::NotAdmin => "ACCESS_DENIED",
        FailureKind::Store => "TEMPORARILY_UNAVAILABLE",
        _ => "INVALID_PARAMS",
    }
}
