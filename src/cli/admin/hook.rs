//! `parlour hook`: makes, lists and revokes hooks, by which programs post to channels and are sent what is posted there.

use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use zeroize::Zeroizing;

use super::Admin;
use super::links::{parse_channel, server_identity};
use crate::cli::access;
use crate::cli::folders::{FolderOptions, Folders};
use crate::cli::output::{format_minute, format_table, print};
use crate::client::text::clean::clean;
use crate::core::record::hook::HookKey;
use crate::core::request::admin::Change;
use crate::core::request::hooks::{NewHook, NewHookKind, origin_of};
use crate::server::admin::{AdminQuery, AdminReply, Hook, HookDirection, HookState};
use crate::server::http::HOOK_PATH;
use crate::server::http::outgoing::target::HookTarget;
use crate::trust::AccessToken;
use crate::wire::{ChannelName, Nick};

/// Make, list and revoke hooks, by which programs post to channels and are sent what is posted there.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour hook create '#builds' --name ci
  parlour hook create '#builds' --name bot --post-to http://localhost:8000/ --match deploy
  parlour hook list
  parlour hook revoke ci")]
pub struct Args {
    #[command(flatten)]
    folders: FolderOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a hook. The last line on standard output is the address that programs post to, or the key of a hook that sends.
    /// It is a secret, and is not printed again.
    #[command(after_help = "\
Examples:
  url=$(parlour hook create '#builds' --name ci)
  curl --cacert certs/root.pem --json '{\"text\": \"build 17 passed\"}' \"$url\"")]
    Create(Create),
    /// Print all hooks.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a hook. Its messages stay, and a new hook may have its name.
    Revoke {
        /// The name of the hook.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
    },
}

#[derive(clap::Args)]
struct Create {
    /// The channel of the hook, which exists.
    #[arg(value_parser = parse_channel)]
    channel: ChannelName,
    /// The name of the hook, under which its messages are shown. It is not the name of an account.
    #[arg(long, value_parser = parse_name)]
    name: Nick,
    /// Send the messages of the channel to this URL, instead of posting to it: over TLS to a host that `allow` in [hooks] of
    /// parlour.toml names, or to a program on this machine. The last line on standard output is then the key of the
    /// signatures.
    #[arg(long, value_name = "URL")]
    post_to: Option<String>,
    /// Send only messages with this text in them, whatever its case.
    #[arg(long = "match", value_name = "TEXT", requires = "post_to")]
    pattern: Option<String>,
}

/// Parses the name of a hook, for clap.
fn parse_name(text: &str) -> Result<Nick, String> {
    Nick::parse(text).map_err(|why| format!("this cannot be a hook's name: {why}"))
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folders, action } = args;
    let folders = folders.existing()?;
    match action {
        Action::Create(wanted) => create(&folders, wanted),
        Action::List { json } => list(&Admin::open(folders.data)?, json),
        Action::Revoke { name } => {
            Admin::open(folders.data)?.request(Change::HookRevoke { name: name.clone() })?;
            print(&format!("the hook {name} is revoked\n"))
        }
    }
}

fn create(folders: &Folders, options: Create) -> anyhow::Result<()> {
    let Create { channel, name, post_to, pattern } = options;
    let admin = Admin::open(folders.data.clone())?;
    if let Some(url) = post_to {
        return create_outgoing(&admin, folders, NewOutgoing { channel, name, url, pattern });
    }
    // Checked first, so that no hook is made whose address cannot be printed.
    let (addresses, _) = server_identity(&admin, folders)?;
    let Some(address) = addresses.first() else {
        bail!("no address is known for the hook; set `advertise` in parlour.toml")
    };
    let token = AccessToken::random();
    let kind = NewHookKind::Incoming(token.hash());
    admin.request(Change::HookCreate(NewHook { name: name.clone(), channel: channel.clone(), kind }))?;
    note!("Whoever has this address can post to {channel} as {name}.");
    if !folders.config()?.hooks.enabled {
        note!(
            "The server answers there once `enabled = true` is in [hooks] of parlour.toml and it was restarted."
        );
    }
    print(&Zeroizing::new(format!("https://{address}{HOOK_PATH}{token}\n")))
}

/// A hook that sends to a program.
struct NewOutgoing {
    channel: ChannelName,
    name: Nick,
    url: String,
    pattern: Option<String>,
}

fn create_outgoing(admin: &Admin, folders: &Folders, new: NewOutgoing) -> anyhow::Result<()> {
    let NewOutgoing { channel, name, url, pattern } = new;
    let target = HookTarget::parse(&url)?;
    target.check_host(&folders.config()?.hooks.allow)?;
    let key = HookKey(rand::random());
    let printed = Zeroizing::new(format!("whsec_{}\n", STANDARD.encode(key.0)));
    let kind = NewHookKind::Outgoing { url: url.into(), pattern: pattern.map(Into::into), key };
    admin.request(Change::HookCreate(NewHook { name: name.clone(), channel: channel.clone(), kind }))?;
    note!("Messages of {channel} are sent to {}, signed with this key.", target.authority);
    print(&printed)
}

fn list(admin: &Admin, json: bool) -> anyhow::Result<()> {
    let hooks = list_hooks(|query| admin.request(query))?;
    if json {
        return hooks.iter().try_for_each(|hook| print(&(serde_json::to_string(hook)? + "\n")));
    }
    let titles = ["NAME", "DIRECTION", "CHANNEL", "STATE", "CREATED", "TARGET", "MATCH"];
    let mut rows = vec![titles.map(ToOwned::to_owned)];
    rows.extend(hooks.iter().map(hook_row));
    print(&format_table(&rows))?;
    for hook in &hooks {
        if let Some(reason) = &hook.failing_reason {
            note!("The hook {} fails: {reason}.", hook.name);
        }
    }
    Ok(())
}

/// Lists all hooks, page after page.
pub fn list_hooks(
    mut request: impl FnMut(AdminQuery) -> anyhow::Result<AdminReply>,
) -> anyhow::Result<Vec<Hook>> {
    let mut hooks: Vec<Hook> = Vec::new();
    loop {
        let after = hooks.last().map(|hook| hook.name.clone());
        let AdminReply::Hooks(page) = request(AdminQuery::HookList { after })? else {
            bail!("an unexpected answer")
        };
        if page.is_empty() {
            return Ok(hooks);
        }
        hooks.extend(page);
    }
}

fn hook_row(hook: &Hook) -> [String; 7] {
    let direction = match hook.direction {
        HookDirection::Incoming => "incoming",
        HookDirection::Outgoing => "outgoing",
    };
    let state = match hook.state {
        HookState::Active => "active",
        HookState::Kicked => "removed from its channel",
        HookState::Homeless => "its channel was removed",
        HookState::Failing => "failing",
    };
    [
        hook.name.to_string(),
        direction.to_owned(),
        hook.channel.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        match hook.failing_since {
            Some(since) => format!("{state} since {}", format_minute(since)),
            None => state.to_owned(),
        },
        format_minute(hook.created),
        // Its path may be a secret, and is in --json only.
        hook.url.as_deref().map_or("-", origin_of).to_owned(),
        hook.pattern.as_deref().map_or_else(|| "-".to_owned(), clean),
    ]
}
