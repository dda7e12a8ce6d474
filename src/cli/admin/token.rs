//! `parlour token`: makes, lists and revokes access tokens, with which programs read over HTTP.

use std::time::Duration;

use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::Admin;
use super::links::server_identity;
use crate::cli::access;
use crate::cli::folders::{FolderOptions, Folders};
use crate::cli::output::{format_minute, format_table, print};
use crate::core::record::access_token::AccessScope;
use crate::core::request::access_tokens::NewAccessToken;
use crate::core::request::admin::Change;
use crate::core::request::durations::lifetime;
use crate::server::admin::{AdminQuery, AdminReply, Token, TokenState};
use crate::server::http::API_PATH;
use crate::trust::AccessToken;
use crate::wire::Nick;

/// Make, list and revoke tokens, with which programs read channels, messages and people over HTTP.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour token create dashboard --as alice --scope read
  parlour token list
  parlour token revoke dashboard")]
pub struct Args {
    #[command(flatten)]
    folders: FolderOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a token. It is the last line on standard output, a secret, and is not printed again.
    #[command(after_help = "\
Examples:
  token=$(parlour token create dashboard --as alice --scope read --expires 90d)
  curl --cacert certs/root.pem --oauth2-bearer \"$token\" https://localhost:6697/api/v1/channels")]
    Create(Create),
    /// Print all tokens by their names. The tokens themselves are not stored and cannot be printed again.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token.
    Revoke {
        /// The name of the token.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
    },
}

#[derive(clap::Args)]
struct Create {
    /// The name of the token, by which you recognize and revoke it.
    #[arg(value_parser = access::parse_nick)]
    name: Nick,
    /// The account as which programs use it: they read the channels that it is in, and no direct messages.
    #[arg(long = "as", value_name = "ACCOUNT", value_parser = access::parse_nick)]
    account: Nick,
    /// The requests that it permits.
    #[arg(long)]
    scope: Scope,
    /// Time until it expires: 30min, 24h, 90d. By default it lasts until it is revoked.
    #[arg(long, value_name = "TIME", value_parser = parse_lifetime)]
    expires: Option<Duration>,
}

/// Requests that a token permits.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Reading of channels, messages and people
    Read,
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    lifetime(text).ok_or_else(|| "write it as 30min, 24h or 90d, up to ten years".to_owned())
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folders, action } = args;
    let folders = folders.existing()?;
    match action {
        Action::Create(wanted) => create(&folders, wanted),
        Action::List { json } => list(&Admin::open(folders.data)?, json),
        Action::Revoke { name } => {
            Admin::open(folders.data)?.request(Change::TokenRevoke { name: name.clone() })?;
            print(&format!("the token {name} is revoked\n"))
        }
    }
}

fn create(folders: &Folders, options: Create) -> anyhow::Result<()> {
    let Create { name, account, scope: Scope::Read, expires } = options;
    let admin = Admin::open(folders.data.clone())?;
    let token = AccessToken::random();
    let lasts_ms = expires.map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
    let new = NewAccessToken {
        hash: token.hash(),
        name,
        account: account.clone(),
        scope: AccessScope::Read,
        lasts_ms,
    };
    admin.request(Change::TokenCreate(new))?;
    note!("Whoever has this token can read what {account} may read in channels.");
    if let Ok((addresses, _)) = server_identity(&admin, folders)
        && let Some(address) = addresses.first()
    {
        note!("Programs send it to https://{address}{API_PATH} in the header `Authorization: Bearer TOKEN`.");
    }
    if !folders.config()?.api.enabled {
        note!(
            "The server answers there once `enabled = true` is in [api] of parlour.toml and it was restarted."
        );
    }
    print(&Zeroizing::new(format!("{token}\n")))
}

fn list(admin: &Admin, json: bool) -> anyhow::Result<()> {
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        let after = tokens.last().map(|token| token.name.clone());
        let AdminReply::Tokens(page) = admin.request(AdminQuery::TokenList { after })? else {
            bail!("an unexpected answer")
        };
        if page.is_empty() {
            break;
        }
        tokens.extend(page);
    }
    if json {
        return tokens.iter().try_for_each(|token| print(&(serde_json::to_string(token)? + "\n")));
    }
    let titles = ["NAME", "ACCOUNT", "SCOPE", "STATE", "CREATED", "EXPIRES"];
    let mut rows = vec![titles.map(ToOwned::to_owned)];
    rows.extend(tokens.iter().map(token_row));
    print(&format_table(&rows))
}

fn token_row(token: &Token) -> [String; 6] {
    let state = match token.state {
        TokenState::Valid => "valid",
        TokenState::Expired => "expired",
        TokenState::Disabled => "its account is disabled",
    };
    [
        token.name.to_string(),
        token.account.to_string(),
        token.scope.as_str().to_owned(),
        state.to_owned(),
        format_minute(token.created),
        token.expires.map_or_else(|| "never".to_owned(), format_minute),
    ]
}
