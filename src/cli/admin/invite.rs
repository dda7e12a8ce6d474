//! `parlour invite`: makes, lists and revokes invites for accounts and password resets.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Subcommand;

use super::Admin;
use super::links::{LinkMaker, parse_channel, parse_lifetime};
use super::people::cards::{Card, CardFile, CardOptions, CardPage};
use super::people::selection::{Accounts, Role, enumerate, parse_group};
use super::qr::{self, ImageFile, QrMatrix};
use crate::cli::access;
use crate::cli::folders::{FolderOptions, Folders};
use crate::cli::output::{format_minute, format_table, print};
use crate::client::text::count::counted;
use crate::core::record;
use crate::core::record::group::GroupName;
use crate::core::request::admin::{Change, NewInvite, Purpose};
use crate::server::admin::{AdminQuery, AdminReply, Invite, User};
use crate::server::now;
use crate::trust::Token;
use crate::wire::{ChannelName, Nick, Timestamp};

/// Make, list and revoke invites, with or without a running server.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour invite create
  parlour invite create --uses 30 --expires 7d --channel '#class-3b'
  parlour invite create --for alice
  parlour invite create --group 3b --cards cards.html
  parlour invite revoke 3")]
pub struct Args {
    #[command(flatten)]
    folders: FolderOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make an invite. The link is the last line on standard output.
    #[command(after_help = "\
Examples:
  parlour invite create
  parlour invite create --uses 30 --expires 7d --channel '#class-3b'
  parlour invite create --qr
  parlour invite create --for alice --qr-file alice.png
  link=$(parlour invite create --role admin)")]
    Create(Create),
    /// Print all invites with their numbers. The links are not stored and cannot be printed again.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Revoke an invite. Accounts already made with it stay.
    Revoke {
        /// The number of the invite in `parlour invite list`.
        number: i64,
    },
}

#[derive(clap::Args)]
struct Create {
    /// Number of accounts that it can make.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    uses: u32,
    /// Time until it expires: 30min, 24h, 7d.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_lifetime)]
    expires: Duration,
    /// The role of its accounts.
    #[arg(long, default_value = "member")]
    role: Role,
    /// The channel that its accounts join first.
    #[arg(long, value_name = "CHANNEL", default_value = "#lobby", value_parser = parse_channel)]
    channel: ChannelName,
    /// Make no account, but let the owner of this one choose a new password. All its devices are revoked and its
    /// sessions end when the link is opened.
    #[arg(long = "for", value_name = "NAME", value_parser = access::parse_nick, conflicts_with_all = ["uses", "role", "channel"])]
    account: Option<Nick>,
    /// Make no account, but a link for each member of this group, by which they choose new passwords as with --for.
    /// Prints a line with the name, a tab and the link for each; with --cards, writes a page to print instead.
    #[arg(long, value_name = "GROUP", value_parser = parse_group, conflicts_with_all = ["uses", "role", "channel", "account", "qr", "qr_file"])]
    group: Option<GroupName>,
    #[command(flatten)]
    page: CardOptions,
    /// Show the link as a QR code, on standard error.
    #[arg(long)]
    qr: bool,
    /// Write the QR code to a new file that only you can read: FILE.png or FILE.svg.
    #[arg(long, value_name = "FILE", value_parser = qr::parse_image_path)]
    qr_file: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folders, action } = args;
    let folders = match action {
        Action::Create(_) => folders.existing_or_new(),
        _ => folders.existing()?,
    };
    match action {
        Action::Create(wanted) => create(&folders, wanted),
        Action::List { json } => list(&Admin::open(folders.data)?, json),
        Action::Revoke { number } => {
            Admin::open(folders.data)?.request(Change::InviteRevoke { id: number })?;
            print(&format!("invite {number} is revoked\n"))
        }
    }
}

fn create(folders: &Folders, options: Create) -> anyhow::Result<()> {
    let Create { uses, expires, role, channel, account, group, page, qr, qr_file } = options;
    let admin = Admin::open_or_create(folders.data.clone());
    if let Some(group) = group {
        return invite_group(&Admin::open(folders.data.clone())?, folders, &group, &page, expires);
    }
    // Checked first, so that no invite is made whose link or image cannot be written.
    let links = LinkMaker::new(&admin, folders)?;
    let image = qr_file.as_deref().map(ImageFile::create).transpose()?;
    let token = Token::random();
    let lasts_ms = milliseconds(expires);
    let role = record::Role::from(role);
    let does = match &account {
        Some(name) => format!("lets {name} choose a new password, once"),
        None if uses == 1 => format!("makes one {role} account"),
        None => format!("makes {uses} {role} accounts"),
    };
    let then = match &account {
        Some(_) => "and ends all its devices and sessions".to_owned(),
        None => format!("landing in {channel}"),
    };
    let purpose = match &account {
        Some(name) => Purpose::Reset(name.clone()),
        None => Purpose::Accounts { role, channel, uses },
    };
    let invite = NewInvite { token: token.hash(), purpose, lasts_ms };
    let AdminReply::InviteCreated(number) = admin.request(Change::InviteCreate(invite))? else {
        bail!("an unexpected answer")
    };
    let end = format_minute(Timestamp(now().0.saturating_add(lasts_ms)));
    let link = links.link(account.as_ref(), token);
    note!("Invite {number} {does} until {end}, {then}.");
    note!("Whoever has this link can use it. It opens with:  parlour join \"LINK\"");
    if qr || image.is_some() {
        let code = QrMatrix::encode(&link)?;
        if qr {
            qr::show(&code, "make the invite again, or use --qr-file");
        }
        if let Some(image) = image {
            image.write(&code)?;
        }
    }
    print(&format!("{}\n", *link))
}

/// Makes a link for each member of a group.
fn invite_group(
    admin: &Admin,
    folders: &Folders,
    group: &GroupName,
    page: &CardOptions,
    expires: Duration,
) -> anyhow::Result<()> {
    let users = Accounts::of_group(group.clone()).select(admin)?;
    let (disabled, users): (Vec<User>, Vec<User>) = users.into_iter().partition(|user| user.disabled);
    if !disabled.is_empty() {
        let names: Vec<Nick> = disabled.into_iter().map(|user| user.name).collect();
        note!("There is no link for {}: disabled accounts cannot log in.", enumerate(&names));
    }
    // Checked first, so that no invite is made that cannot be written.
    let links = LinkMaker::new(admin, folders)?;
    let file = page.cards.as_deref().map(CardFile::create).transpose()?;
    let lasts_ms = milliseconds(expires);
    let (mut invites, mut made) = (Vec::new(), Vec::new());
    for user in &users {
        let token = Token::random();
        let purpose = Purpose::Reset(user.name.clone());
        invites.push(NewInvite { token: token.hash(), purpose, lasts_ms });
        made.push((user, links.link(Some(&user.name), token)));
    }
    for batch in invites.chunks(INVITE_BATCH) {
        admin.request(Change::InvitesCreate(batch.to_vec()))?;
    }
    let end = format_minute(Timestamp(now().0.saturating_add(lasts_ms)));
    note!(
        "{} for {group} let their owners choose new passwords until {end}, once, and end all their devices and sessions.",
        counted(made.len(), "link")
    );
    match file {
        Some(file) => {
            let groups = [group.clone()];
            let cards = made.iter().map(|(user, link)| Card {
                name: &user.name,
                display_name: user.shown_name(),
                groups: &groups,
                password: None,
                link: link.as_str(),
            });
            let page = CardPage { server_name: &links.server_name, language: page.language, expires };
            file.write(&page, &cards.collect::<Vec<_>>())
        }
        None => made.iter().try_for_each(|(user, link)| print(&format!("{}\t{}\n", user.name, **link))),
    }
}

/// Number of invites that are made at once.
const INVITE_BATCH: usize = 500;

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn list(admin: &Admin, json: bool) -> anyhow::Result<()> {
    let mut invites = Vec::new();
    loop {
        let after = invites.last().map_or(0, |invite: &Invite| invite.id);
        let AdminReply::Invites(page) = admin.request(AdminQuery::InviteList { after })? else {
            bail!("an unexpected answer")
        };
        if page.is_empty() {
            break;
        }
        invites.extend(page);
    }
    if json {
        return invites.iter().try_for_each(|invite| print(&(serde_json::to_string(invite)? + "\n")));
    }
    let titles = ["NUMBER", "STATE", "USED", "ROLE", "CHANNEL", "FOR", "EXPIRES", "BY"];
    let mut rows = vec![titles.map(ToOwned::to_owned)];
    rows.extend(invites.into_iter().map(invite_row));
    print(&format_table(&rows))
}

fn invite_row(invite: Invite) -> [String; 8] {
    let Invite { id, role, channel, uses, spent, expires, state, created_by, resets } = invite;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        id.to_string(),
        state.to_string(),
        format!("{spent}/{uses}"),
        or_dash(resets.is_none().then(|| role.to_string())),
        or_dash(channel.map(|channel| channel.to_string())),
        or_dash(resets.map(|name| name.to_string())),
        format_minute(expires),
        or_dash(created_by.map(|name| name.to_string())),
    ]
}
