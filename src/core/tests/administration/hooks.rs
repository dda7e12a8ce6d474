//! Hooks: their presence, what they may post, and what others can do to them.

use crate::core::SessionId;
use crate::core::record::hook::HookKey;
use crate::core::record::{Record, SendId};
use crate::core::request::admin::{
    AccountError, Change, ChangeRequest, NewInvite, Purpose, RequestError, RequestOutcome, UserChange,
};
use crate::core::request::hooks::{HookChange, HookError, HookPost, NewHook, NewHookKind};
use crate::core::tests::driver::Driver;
use crate::wire::{ChannelName, MessageId, Nick};

const TOKEN: [u8; 32] = [7; 32];

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect("a nick")
}

fn create(
    d: &mut Driver,
    name: &str,
    channel: &str,
    token: [u8; 32],
) -> Result<RequestOutcome, RequestError> {
    let channel = ChannelName::parse(channel).expect("a channel");
    let kind = NewHookKind::Incoming(token);
    d.apply_change(Change::HookCreate(NewHook { name: nick(name), channel, kind }))
}

fn post(d: &mut Driver, text: &str, key: Option<&str>) -> Result<MessageId, RequestError> {
    let send_id = key.map(|key| SendId(key.into()));
    let post = HookPost { token: TOKEN, text: text.into(), send_id };
    match d.request(ChangeRequest::Hooks(HookChange::Post(post)))? {
        RequestOutcome::Posted(id) => Ok(id),
        other => panic!("{other:?}"),
    }
}

/// A channel of `al` with a hook.
fn with_hook() -> (Driver, SessionId) {
    let mut d = Driver::new();
    let al = d.open("al", "message-tags");
    d.send_line(al, "JOIN #builds");
    create(&mut d, "ci", "#Builds", TOKEN).expect("a hook");
    (d, al)
}

#[test]
fn a_hook_is_a_member_with_voice_that_posts() {
    let (mut d, al) = with_hook();
    let seen = d.take_output(al);
    assert!(seen.contains(":ci!ci@parlour JOIN #builds\r\n"), "{seen}");
    assert!(seen.contains(" MODE #builds +v ci\r\n"), "{seen}");
    let id = post(&mut d, "build 1 passed", None).expect("posted");
    let seen = d.take_output(al);
    assert!(
        seen.ends_with(&format!("msgid={id};bot :ci!ci@parlour PRIVMSG #builds :build 1 passed\r\n")),
        "{seen}"
    );
    let names = d.send_line(al, "NAMES #builds");
    assert!(names.contains(":~al +ci\r\n"), "{names}");
    let whois = d.send_line(al, "WHOIS ci");
    assert!(whois.contains(" 311 al ci ci parlour * :Webhook") && whois.contains("is a hook"), "{whois}");
    assert!(d.send_line(al, "PRIVMSG ci :hello").contains(" 531 al ci :"));
}

#[test]
fn the_modes_of_the_channel_apply() {
    let (mut d, al) = with_hook();
    d.send_line(al, "MODE #builds +m");
    post(&mut d, "with voice", None).expect("posted");
    d.send_line(al, "MODE #builds -v ci");
    let refused = post(&mut d, "without", None);
    assert!(matches!(refused, Err(RequestError::Hook(HookError::Silenced(_)))), "{refused:?}");
    d.send_line(al, "MODE #builds -m");
    post(&mut d, "as all", None).expect("posted");
    d.send_line(al, "RENAME #builds #ci");
    d.take_output(al);
    post(&mut d, "renamed", None).expect("posted");
    assert!(d.take_output(al).contains("PRIVMSG #ci :renamed"));
    d.send_line(al, "KICK #ci ci :enough");
    let refused = post(&mut d, "kicked", None);
    assert!(matches!(refused, Err(RequestError::Hook(HookError::NotMember(..)))), "{refused:?}");
}

#[test]
fn a_ban_or_a_mute_silences_a_hook_with_voice() {
    let (mut d, al) = with_hook();
    for mask in ["ci", "m:ci", "ci!*@*"] {
        d.send_line(al, &format!("MODE #builds +b {mask}"));
        let refused = post(&mut d, "banned", None);
        assert!(matches!(refused, Err(RequestError::Hook(HookError::Silenced(_)))), "{mask}: {refused:?}");
        d.send_line(al, &format!("MODE #builds -b {mask}"));
        post(&mut d, "again", None).expect("posted");
    }
    d.send_line(al, "MODE #builds +be *!*@* ci!*@*");
    post(&mut d, "exempt", None).expect("posted");
}

#[test]
fn whois_says_which_messages_a_hook_is_sent() {
    let (mut d, al) = with_hook();
    let bo = d.open("bo", "message-tags");
    for (name, pattern) in [("out", None), ("some", Some("deploy".into()))] {
        let key = HookKey([1; 32]);
        let kind = NewHookKind::Outgoing { url: "http://localhost/secret".into(), pattern, key };
        let channel = ChannelName::parse("#builds").expect("a channel");
        d.apply_change(Change::HookCreate(NewHook { name: nick(name), channel, kind })).expect("a hook");
    }
    let mut whois = |from, name| d.send_line(from, &format!("WHOIS {name}"));
    let seen = whois(al, "out");
    assert!(seen.contains("lets have all messages of #builds\r\n") && !seen.contains("secret"), "{seen}");
    let seen = whois(al, "some");
    assert!(seen.contains("those messages of #builds that have a certain text\r\n"), "{seen}");
    assert!(whois(bo, "ci").contains("lets post\r\n"));
    d.send_line(al, "MODE #builds +s");
    let seen = d.send_line(bo, "WHOIS out");
    assert!(seen.contains("all messages of a channel\r\n") && !seen.contains("#builds"), "{seen}");
    d.send_line(al, "KICK #builds out");
    assert!(d.send_line(al, "WHOIS out").contains("is sent no messages any more\r\n"));
}

#[test]
fn a_removed_channel_takes_no_posts() {
    let (mut d, al) = with_hook();
    d.send_line(al, "KICK #builds ci");
    d.send_line(al, "PART #builds");
    assert_eq!(post(&mut d, "x", None), Err(HookError::ChannelGone.into()));
    assert_eq!(d.core.list_hooks(None, 10)[0].channel, None);
}

#[test]
fn a_repeated_key_is_one_message() {
    let (mut d, al) = with_hook();
    let id = post(&mut d, "once", Some("k")).expect("posted");
    d.take_output(al);
    assert_eq!(post(&mut d, "once", Some("k")), Ok(id));
    assert_eq!(d.take_output(al), "");
    assert_eq!(post(&mut d, "other", Some("k")), Err(HookError::KeyReused.into()));
    // One that could not be stored may be repeated.
    let Some(Record::Message(stored)) =
        d.records.iter().rev().find(|r| matches!(r, Record::Message(_))).cloned()
    else {
        panic!("no message")
    };
    d.input(crate::core::InputKind::PostsNotStored(vec![stored]));
    assert_ne!(post(&mut d, "once", Some("k")).expect("posted"), id);
}

#[test]
fn names_are_for_one_alone() {
    let (mut d, _) = with_hook();
    let taken = |refused| matches!(refused, Err(RequestError::Account(AccountError::Taken(_))));
    assert!(taken(create(&mut d, "CI", "#builds", [8; 32])));
    assert!(taken(create(&mut d, "al", "#builds", [8; 32])));
    let reserved = create(&mut d, "NickServ", "#builds", [8; 32]);
    assert!(matches!(reserved, Err(RequestError::Account(AccountError::Reserved(..)))));
    assert_eq!(create(&mut d, "cd", "#builds", TOKEN), Err(HookError::TokenTaken.into()));
    let unknown = create(&mut d, "cd", "#none", [8; 32]);
    assert!(matches!(unknown, Err(RequestError::Hook(HookError::UnknownChannel(_)))));
    d.change_user("bo", UserChange::Remove);
    let removed = create(&mut d, "bo", "#builds", [8; 32]);
    assert!(matches!(removed, Err(RequestError::Account(AccountError::Removed(_)))));
}

#[test]
fn nobody_logs_in_as_a_hook() {
    let (mut d, _) = with_hook();
    assert!(d.core.login_credentials(&nick("ci")).is_none_or(|(_, password)| password.is_none()));
    let is_hook = |refused: Result<RequestOutcome, RequestError>| {
        assert!(matches!(refused, Err(RequestError::Account(AccountError::Hook(_)))), "{refused:?}");
    };
    let password = crate::core::tests::driver::password();
    let change = UserChange::Password(password);
    is_hook(d.apply_change(Change::account(nick("ci"), change)));
    let purpose = Purpose::Reset(nick("ci"));
    is_hook(d.apply_change(Change::InviteCreate(NewInvite { token: [9; 32], purpose, lasts_ms: 1000 })));
    assert!(d.core.list_accounts(None, 10).iter().all(|listed| listed.account.name != nick("ci")));
}

#[test]
fn a_revoked_hook_ends_and_its_name_is_for_hooks() {
    let (mut d, al) = with_hook();
    d.take_output(al);
    d.apply_change(Change::HookRevoke { name: nick("ci") }).expect("revoked");
    assert_eq!(d.take_output(al), "@bot :ci!ci@parlour QUIT :This hook was revoked\r\n");
    assert_eq!(post(&mut d, "x", None), Err(HookError::WrongToken.into()));
    let again = d.apply_change(Change::HookRevoke { name: nick("ci") });
    assert!(matches!(again, Err(RequestError::Hook(HookError::Unknown(_)))));
    let unknown = d.apply_change(Change::HookRevoke { name: nick("bo") });
    assert!(matches!(unknown, Err(RequestError::Hook(HookError::Unknown(_)))), "bo is no hook");
    let user = crate::core::request::people::NewUser {
        name: nick("ci"),
        password: crate::core::tests::driver::password(),
        role: crate::core::record::Role::Member,
    };
    for again in [false, true] {
        let refused = d.apply_change(Change::UserAdd { user: user.clone(), again });
        assert!(matches!(refused, Err(RequestError::Account(AccountError::Hook(_)))), "{refused:?}");
    }
    create(&mut d, "ci", "#builds", [8; 32]).expect("a hook again");
    assert!(d.take_output(al).starts_with("@bot :ci!ci@parlour JOIN #builds\r\n"));
    assert_eq!(post(&mut d, "x", None), Err(HookError::WrongToken.into()), "the old token stays revoked");
}
