//! The invite for the first admin: one at a time, and none once there is an admin.

use crate::core::record::{InviteId, Role};
use crate::core::request::admin::{
    Change, ChangeRequest, NewInvite, Purpose, RedeemError, Redemption, RequestError, RequestOutcome,
    UserChange,
};
use crate::core::request::people::NewUser;
use crate::core::tests::driver::{Driver, password};
use crate::wire::{ChannelName, Nick};

/// An hour, in milliseconds.
const HOUR: u64 = 60 * 60 * 1000;

fn first_invite(d: &mut Driver, token: u8) -> Result<RequestOutcome, RequestError> {
    let channel = ChannelName::parse("#lobby").expect("a name");
    let purpose = Purpose::Accounts { role: Role::Admin, channel, uses: 1 };
    d.apply_change(Change::FirstInviteCreate(NewInvite { token: [token; 32], purpose, lasts_ms: HOUR }))
}

fn redeem(d: &mut Driver, token: u8, name: &str) -> Result<RequestOutcome, RequestError> {
    let name = Nick::parse(name).expect("a nick");
    d.request(ChangeRequest::Redeem(Redemption { token: [token; 32], name, password: password() }))
}

#[test]
fn later_start_revokes_the_link_of_an_earlier_one() {
    let mut d = Driver::with_accounts(&[]);
    assert_eq!(first_invite(&mut d, 1), Ok(RequestOutcome::InviteCreated(InviteId(1))));
    assert_eq!(first_invite(&mut d, 2), Ok(RequestOutcome::InviteCreated(InviteId(2))));
    assert_eq!(redeem(&mut d, 1, "mallory"), Err(RedeemError::Revoked.into()));
    assert!(matches!(redeem(&mut d, 2, "root"), Ok(RequestOutcome::Redeemed { .. })));
    assert_eq!(first_invite(&mut d, 3), Err(RequestError::HasAdmin));
}

#[test]
fn no_link_is_open_once_there_is_an_admin() {
    let mut d = Driver::with_accounts(&[]);
    // One that somebody made on the command line is none of the server.
    let channel = ChannelName::parse("#lobby").expect("a name");
    let purpose = Purpose::Accounts { role: Role::Admin, channel, uses: 1 };
    let own = NewInvite { token: [9; 32], purpose, lasts_ms: HOUR };
    d.apply_change(Change::InviteCreate(own)).expect("made");

    first_invite(&mut d, 1).expect("made");
    let user = NewUser { name: Nick::parse("al").expect("a nick"), password: password(), role: Role::Admin };
    d.apply_change(Change::UserAdd { user, again: false }).expect("added");
    assert_eq!(redeem(&mut d, 1, "mallory"), Err(RedeemError::Revoked.into()));

    let mut d = Driver::with_accounts(&[("al", Role::Member)]);
    first_invite(&mut d, 1).expect("made");
    d.change_user("al", UserChange::Role(Role::Admin));
    assert_eq!(redeem(&mut d, 1, "mallory"), Err(RedeemError::Revoked.into()));
    assert!(d.core.list_invites(InviteId(0), 9)[0].created_by.is_none());
}
