//! `parlour join`: redeems an invite for a new account, or for a new password.

use std::io::{self, BufRead as _};

use anyhow::{Context as _, anyhow, bail};
use zeroize::Zeroizing;

use super::chat;
use super::web::{self, PageOptions};
use crate::cli::access::{self, Access, ask_password, describe_connect_error};
use crate::cli::output::{note, print};
use crate::client::connect::connection::{ConnectError, Endpoint};
use crate::client::connect::discover;
use crate::client::connect::login::{Credentials, LoginError};
use crate::client::connect::password::Password;
use crate::client::connect::search::probe_or_search;
use crate::client::connect::session::Session;
use crate::client::files::devices::DeviceFile;
use crate::client::files::servers::Servers;
use crate::trust::InviteLink;
use crate::wire::Nick;

/// Make an account with an invite, and add the server to the known ones.
///
/// The link has the server's addresses and its pin, and is good for one account. A link that an admin made for your own
/// account lets you choose a new password, revokes its devices and ends its sessions. In a terminal the chat opens
/// afterwards, or with --web the page in the browser; with --password-stdin alone the command ends once the account is
/// made. Without a link it prompts for one, because others on this machine can see command lines.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour join \"parlour://192.0.2.7:6697/?pin=…&token=…\"
  parlour join                         asks for the link, and does not show it
  parlour join \"parlour://…\" --name alice --password-stdin < password
  cat link password | parlour join --name alice --password-stdin

Put the link in quotes: it has characters that mean something to the shell.")]
pub struct Args {
    /// The invite link: parlour://… Without it, the command prompts for one; with --password-stdin it is the first line
    /// of standard input.
    link: Option<InviteLink>,
    /// The name of the account; by default the name you are logged in with on this machine.
    #[arg(long, value_parser = access::parse_nick)]
    name: Option<Nick>,
    /// Read the password from the first line of standard input, after the link if that is there too, instead of
    /// prompting for it.
    #[arg(long)]
    password_stdin: bool,
    /// Open the page in the browser afterwards instead of the chat in the terminal, as `parlour web` does.
    #[arg(long)]
    web: bool,
    #[command(flatten)]
    page: PageOptions,
}

/// Limit of a link read from standard input, in bytes: sixteen addresses with the longest names.
const MAX_LINK_BYTES: u16 = 8192;

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { link, name, password_stdin, web: opens_page, page } = args;
    anyhow::ensure!(
        opens_page || page == PageOptions::default(),
        "--no-open and --keep are about the page: add --web, or leave them out"
    );
    let link = link.map_or_else(|| ask_link(password_stdin), Ok)?;
    let resets = account_of_link(&link, name.as_ref())?;
    access::run_client(async {
        // Checked first, because after a failed write the account would exist without a way to reach it.
        let path = Servers::default_path()?;
        Servers::check(&path)?;
        let (session, account) = if password_stdin {
            let account = resets.clone().or(name).map_or_else(default_name, Ok)?;
            let password = access::password_from_stdin()?;
            (
                redeem(&link, &account, password).await?.map_err(|error| describe_connect_error(&error))?,
                account,
            )
        } else {
            prompt_and_redeem(&link, resets.clone().or(name)).await?
        };
        // The server's spelling of the name may differ in case. Any other nick that it gives is not the account's name.
        let account = session.model.me().filter(|me| **me == account).cloned().unwrap_or(account);
        let called = Servers::store_server(&path, &session.endpoint().addresses, session.pins(), &account)?;
        let done = if resets.is_some() {
            format!("{account} has a new password on {called} now, and nothing else is logged in any more")
        } else {
            format!("{account} is a member of {called} now")
        };
        if opens_page {
            session.close("").await;
            note!("-- {done}; `parlour web` brings you back here");
            return web::open_page(&Access::for_known_server(None), Some(&called), &page).await;
        }
        if password_stdin {
            session.close("").await;
            return print(&format!("{done}; `parlour chat` opens the chat\n"));
        }
        note!("-- {done}; `parlour chat` brings you back here");
        Box::pin(chat::run_chat(session, called, account)).await
    })
}

/// Reads a link that is not on the command line.
fn ask_link(stdin: bool) -> anyhow::Result<InviteLink> {
    let mut text = Zeroizing::new(String::with_capacity(2 * usize::from(MAX_LINK_BYTES)));
    loop {
        let piece = if stdin {
            access::line_from_stdin(MAX_LINK_BYTES)
                .context("cannot read the invite link from standard input")?
        } else {
            let prompt =
                if text.is_empty() { "Invite link (it is not shown): " } else { "The rest of the link: " };
            access::ask_secret(prompt).map_err(|_| {
                anyhow!(
                    "there is no terminal to ask for the invite link at; with --password-stdin it is read from standard \
                     input, and the password from the line behind it"
                )
            })?
        };
        text.push_str(&piece);
        match text.parse::<InviteLink>() {
            Ok(link) => return Ok(link),
            // The link may be wrapped and continue on the next line.
            Err(error)
                if error.may_be_incomplete()
                    && !piece.is_empty()
                    && text.len() < usize::from(MAX_LINK_BYTES) =>
            {
                text.push('\n');
            }
            // The error contains its remedy and quotes no secret.
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns the account that the link resets the password of, if it is for one.
fn account_of_link(link: &InviteLink, requested: Option<&Nick>) -> anyhow::Result<Option<Nick>> {
    let Some(account) = &link.account else { return Ok(None) };
    let account = Nick::parse(account).map_err(|why| {
        anyhow!("the invite is for {account:?}, which cannot be an account: {why}; ask for a new invite")
    })?;
    match requested {
        Some(asked) if *asked != account => {
            bail!(
                "this invite is for the account {account}; leave --name out, or ask for an invite of your own"
            )
        }
        _ => Ok(Some(account)),
    }
}

/// Redeems the invite: makes the account or sets its password, and adds this device to it, whose certificate logs in
/// from then on.
async fn redeem(
    link: &InviteLink,
    account: &Nick,
    password: Password,
) -> anyhow::Result<Result<Session, ConnectError>> {
    let file = DeviceFile::for_account(&Servers::default_path()?, link.pin, account);
    // The key may have been lost together with the password. So a reset makes a new key, and keeps the old one until it
    // has succeeded.
    let (device, made) = if link.account.is_some() {
        let (device, pem) = file.generate()?;
        (device, Some(pem))
    } else {
        (file.load_or_generate()?, None)
    };
    let token = Zeroizing::new(link.token.to_string());
    let credentials = Credentials::Invite { token, password };
    let endpoint = Endpoint {
        addresses: link.addresses.clone(),
        pins: link.pin.into(),
        servers: Some(Servers::default_path()?),
        account: account.clone(),
        credentials,
        device: Some(device),
        enrols_device: true,
        read_by_user: true,
        extra_caps: chat::capabilities(false),
        allows_discovery: discover::is_allowed(),
    };
    let opened = Session::open(endpoint, None).await;
    if let (Ok(_), Some(pem)) = (&opened, made) {
        file.store(&pem)?;
    }
    Ok(opened)
}

/// Prompts for missing values, and again for refused ones.
async fn prompt_and_redeem(link: &InviteLink, given: Option<Nick>) -> anyhow::Result<(Session, Nick)> {
    // The server is verified before the user chooses a password.
    probe_or_search(&link.addresses, link.pin.into(), discover::is_allowed())
        .await
        .map_err(|error| describe_connect_error(&error))?;
    if link.account.is_some()
        && let Some(name) = &given
    {
        note!("-- a new password for {name}");
    }
    let mut name = given;
    let mut password = None;
    loop {
        let account = match name.clone() {
            Some(name) => name,
            None => ask_name()?,
        };
        let chosen = match password.clone() {
            Some(password) => password,
            None => ask_new_password()?,
        };
        match redeem(link, &account, chosen.clone()).await? {
            Ok(session) => return Ok((session, account)),
            Err(ConnectError::Login(error @ (LoginError::NameTaken(_) | LoginError::BadName(_)))) => {
                note!("-- {error}");
                (name, password) = (None, Some(chosen));
            }
            Err(ConnectError::Login(error @ LoginError::BadPassword(_))) => {
                note!("-- {error}");
                (name, password) = (Some(account), None);
            }
            Err(error) => return Err(describe_connect_error(&error)),
        }
    }
}

fn ask_name() -> anyhow::Result<Nick> {
    let default = default_name().ok();
    let offer = default.as_ref().map_or(String::new(), |name| format!(" [{name}]"));
    loop {
        note(&format!("Name{offer}: "));
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line).context("cannot read the name")? == 0 {
            bail!("no name was given: use --name");
        }
        match (line.trim(), &default) {
            ("", Some(default)) => return Ok(default.clone()),
            (text, _) => match Nick::parse(text) {
                Ok(name) => return Ok(name),
                Err(why) => note!("-- this cannot be a name: {why}"),
            },
        }
    }
}

fn ask_new_password() -> anyhow::Result<Password> {
    loop {
        let first = ask_password("New password: ")?;
        if first == ask_password("Again: ")? {
            return Ok(first);
        }
        note!("-- they differ");
    }
}

/// Returns a valid nick made of the login name on this machine, or of the home folder's name.
fn default_name() -> anyhow::Result<Nick> {
    let login = ["USER", "LOGNAME"].iter().find_map(|name| valid_name(&std::env::var(name).ok()?));
    let home = || valid_name(directories::BaseDirs::new()?.home_dir().file_name()?.to_str()?);
    login.or_else(home).context("no name can be made of your login name here: use --name")
}

/// Reduces a name to a valid nick.
fn valid_name(login: &str) -> Option<Nick> {
    let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let start = |c: char| !c.is_ascii_alphabetic() && c != '_';
    let name: String =
        login.split(['@', '\\']).next()?.replace(['.', ' '], "_").chars().filter(kept).collect();
    let name = name.trim_start_matches(start);
    Nick::parse(name.get(..name.len().min(Nick::MAX))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_names_become_nicks() {
        let name = |login: &str| valid_name(login).map(|nick| nick.to_string());
        assert_eq!(name("alice").as_deref(), Some("alice"));
        assert_eq!(name("bob.jones@example.org").as_deref(), Some("bob_jones"));
        assert_eq!(name("0zoë").as_deref(), Some("zo"));
        assert_eq!(name(&"x".repeat(40)).map(|name| name.len()), Some(24));
        assert_eq!(name(""), None);
        assert_eq!(name("дима"), None);
    }
}
