//! Invites: links, and connections that redeem them.

use super::{ALL_CAPABILITIES, Client, Line, Server};

/// Returns the token in a link.
#[track_caller]
pub fn link_token(link: &str) -> &str {
    let (_, token) = link.split_once("token=").unwrap_or_else(|| panic!("no token in {link:?}"));
    token.split('&').next().expect("a first part")
}

/// Connects up to the point where REGISTER is possible, with this nick and this token.
#[track_caller]
pub fn connect_as_guest(server: &Server, token: Option<&str>, nick: &str) -> Client {
    let mut client = Client::connect(server);
    client.send("CAP LS 302");
    if let Some(token) = token {
        client.send(&format!("PASS {token}"));
    }
    client.send_nick_and_user(nick);
    client.request_capabilities(&format!("sasl draft/account-registration {ALL_CAPABILITIES}"));
    client
}

/// Registers an account. Returns the reply: `REGISTER SUCCESS …` or `FAIL REGISTER …`.
#[track_caller]
pub fn register_account(client: &mut Client, name: &str, password: &str) -> Line {
    client.send(&format!("REGISTER {name} * {password}"));
    client.wait_for_line("the result of REGISTER", |l| {
        l.starts_with("REGISTER") || l.starts_with("FAIL REGISTER") || l.command == "461"
    })
}

/// Registers an account by a link. Returns the reply without tags.
#[track_caller]
pub fn redeem(server: &Server, link: &str, name: &str, password: &str) -> String {
    register_account(&mut connect_as_guest(server, Some(link_token(link)), name), "*", password).to_string()
}
