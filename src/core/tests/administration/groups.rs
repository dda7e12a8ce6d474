//! Groups of accounts, and the channels that they are in.

use crate::core::record::group::GroupName;
use crate::core::request::admin::{AccountError, Change, RequestError, UserChange};
use crate::core::request::channels::ChannelChange;
use crate::core::request::people::groups::{GroupAction, GroupChange, GroupError};
use crate::core::tests::driver::Driver;
use crate::wire::{ChannelName, Nick};

fn group(name: &str) -> GroupName {
    GroupName::parse(name).expect("a name")
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).expect("a name")
}

fn nicks(names: &[&str]) -> Vec<Nick> {
    names.iter().map(|name| Nick::parse(name).expect("a nick")).collect()
}

fn try_change(d: &mut Driver, name: &str, action: GroupAction) -> Result<(), RequestError> {
    d.apply_change(Change::Group(GroupChange { group: group(name), action })).map(drop)
}

fn change(d: &mut Driver, name: &str, action: GroupAction) {
    try_change(d, name, action).expect("changed");
}

/// Returns the members of a channel, online or not.
fn members(d: &Driver, name: &str) -> Vec<String> {
    let channel = d.core.channels.get_by_name(&channel(name)).expect("a channel");
    let names = channel.members.iter().filter_map(|&id| d.core.account_name(id));
    names.map(ToString::to_string).collect()
}

#[test]
fn members_of_a_group_are_in_its_channels() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", ""));
    change(&mut d, "3b", GroupAction::Create);
    change(&mut d, "3b", GroupAction::Add(nicks(&["al"])));
    change(&mut d, "3b", GroupAction::Join(channel("#class")));
    let seen = d.take_output(al);
    assert!(
        seen.starts_with(":al!al@parlour JOIN #class\r\n") && seen.contains(" 353 al = #class :al\r\n"),
        "{seen}"
    );
    // The channel belongs to nobody of the class.
    assert!(!d.send_line(al, "MODE #class +m").contains(" MODE "), "no operator");

    change(&mut d, "3B", GroupAction::Add(nicks(&["bo", "cy", "al"])));
    assert_eq!(d.take_output(al), ":bo!bo@parlour JOIN #class\r\n", "cy is offline");
    assert!(d.take_output(bo).contains(" 366 bo #class "));
    assert_eq!(members(&d, "#class"), ["al", "bo", "cy"]);

    change(&mut d, "3b", GroupAction::Remove(nicks(&["bo", "cy"])));
    let left = ":bo!bo@parlour PART #class :No longer in the group of this channel\r\n";
    assert_eq!([d.take_output(al), d.take_output(bo)], [left, left]);
    assert_eq!(members(&d, "#class"), ["al"]);
}

#[test]
fn another_group_keeps_a_member_in_the_channel() {
    let mut d = Driver::new();
    for name in ["3b", "choir"] {
        change(&mut d, name, GroupAction::Create);
        change(&mut d, name, GroupAction::Join(channel("#school")));
        change(&mut d, name, GroupAction::Add(nicks(&["al", "bo"])));
    }
    change(&mut d, "3b", GroupAction::Remove(nicks(&["al"])));
    change(&mut d, "choir", GroupAction::Remove(nicks(&["bo"])));
    assert_eq!(members(&d, "#school"), ["al", "bo"]);
    change(&mut d, "3b", GroupAction::Part(channel("#school")));
    assert_eq!(members(&d, "#school"), ["al"]);
    // A deleted group leaves its members where they are.
    change(&mut d, "choir", GroupAction::Delete);
    assert_eq!(members(&d, "#school"), ["al"]);
}

#[test]
fn channel_of_a_group_outlasts_its_members() {
    let mut d = Driver::new();
    let al = d.open("al", "");
    change(&mut d, "3b", GroupAction::Create);
    change(&mut d, "3b", GroupAction::Add(nicks(&["al"])));
    d.send_line(al, "JOIN #class");
    change(&mut d, "3b", GroupAction::Join(channel("#class")));
    d.send_line(al, "PART #class");
    assert_eq!(members(&d, "#class"), [""; 0]);
    // Who left comes back when they are added again, not before.
    change(&mut d, "3b", GroupAction::Add(nicks(&["al"])));
    assert_eq!(members(&d, "#class"), [""; 0]);
    change(&mut d, "3b", GroupAction::Delete);
    assert!(d.core.channels.get_by_name(&channel("#class")).is_none(), "nothing keeps it any more");
}

#[test]
fn deleted_channel_is_one_of_no_group() {
    let mut d = Driver::new();
    change(&mut d, "3b", GroupAction::Create);
    change(&mut d, "3b", GroupAction::Add(nicks(&["al"])));
    change(&mut d, "3b", GroupAction::Join(channel("#class")));
    d.apply_change(Change::Channel { name: channel("#class"), change: ChannelChange::Delete })
        .expect("deleted");
    assert_eq!(d.core.find_group(&group("3b")).expect("a group").channels, []);
    // A later one of that name has nothing in common with it.
    d.apply_change(Change::Channel {
        name: channel("#class"),
        change: ChannelChange::Create { founder: None },
    })
    .expect("made");
    change(&mut d, "3b", GroupAction::Add(nicks(&["bo"])));
    assert_eq!(members(&d, "#class"), [""; 0]);
}

#[test]
fn refused_changes_of_groups_say_why() {
    let mut d = Driver::new();
    let refused = |d: &mut Driver, name, action| try_change(d, name, action).expect_err("refused");
    let unknown = GroupError::Unknown(group("3b"));
    assert_eq!(refused(&mut d, "3b", GroupAction::Delete), unknown.into());
    change(&mut d, "3b", GroupAction::Create);
    assert_eq!(refused(&mut d, "3B", GroupAction::Create), GroupError::Taken(group("3b")).into());
    let nobody = AccountError::Unknown(nicks(&["nobody"]).remove(0));
    let some = GroupAction::Add(nicks(&["al", "nobody"]));
    assert_eq!(refused(&mut d, "3b", some), nobody.into());
    assert!(d.core.find_group(&group("3b")).expect("a group").members.is_empty(), "none of them was added");
    let part = GroupAction::Part(channel("#x"));
    assert_eq!(refused(&mut d, "3b", part), GroupError::NotInChannel(group("3b"), channel("#x")).into());
}

#[test]
fn removed_account_is_in_no_group() {
    let mut d = Driver::new();
    change(&mut d, "3b", GroupAction::Create);
    change(&mut d, "3b", GroupAction::Add(nicks(&["al", "bo"])));
    d.change_user("al", UserChange::Remove);
    assert_eq!(d.core.find_group(&group("3b")).expect("a group").members, nicks(&["bo"]));
}
