//! `parlour session`: lists and ends the sessions of the running server.

use anyhow::bail;
use clap::Subcommand;

use crate::cli::access;
use crate::cli::admin::Admin;
use crate::cli::folders::DataOptions;
use crate::cli::output::{format_minute, print, print_objects, print_table};
use crate::core::SessionId;
use crate::core::request::admin::Change;
use crate::server::admin::running::{RunningQuery, RunningReply, Session};
use crate::server::admin::{AdminQuery, AdminReply};
use crate::wire::Nick;

/// List and end the sessions of the running server.
///
/// A session is one connection that has logged in. Whoever is disconnected may log in again: parlour user disable
/// prevents that.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour session list
  parlour session list --account alice
  parlour session close 3.0
  parlour session close --account alice --reason 'please update your client'")]
pub struct Args {
    #[command(flatten)]
    folder: DataOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print the sessions, with the addresses of their clients.
    List {
        /// Only those of this account.
        #[arg(long, value_name = "NAME", value_parser = access::parse_nick)]
        account: Option<Nick>,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// End sessions by their numbers, or all of an account.
    Close {
        /// The numbers of sessions, as the list has them.
        #[arg(value_name = "SESSION", required_unless_present = "account")]
        ids: Vec<SessionId>,
        /// End all sessions of this account.
        #[arg(long, value_name = "NAME", value_parser = access::parse_nick, conflicts_with = "ids")]
        account: Option<Nick>,
        /// The reason, which the client and those who see the account quit are shown.
        #[arg(long, value_name = "TEXT", default_value = "Closed by an administrator")]
        reason: String,
    },
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folder, action } = args;
    let admin = Admin::open(folder.existing()?)?;
    match action {
        Action::List { account, json } => list(&sessions(&admin, account.as_ref())?, json),
        Action::Close { ids, account, reason } => {
            let ids = match &account {
                Some(name) => sessions(&admin, Some(name))?.iter().map(|session| session.id).collect(),
                None => ids,
            };
            if let (Some(name), true) = (&account, ids.is_empty()) {
                bail!("{name} has no session; `parlour session list` prints those that there are");
            }
            for id in ids {
                let reason = reason.as_str().into();
                admin.request_running_server(Change::SessionClose { id, reason })?;
                print(&format!("session {id} has ended\n"))?;
            }
            Ok(())
        }
    }
}

/// Returns the sessions, or those of one account, by querying page after page.
fn sessions(admin: &Admin, account: Option<&Nick>) -> anyhow::Result<Vec<Session>> {
    let mut sessions: Vec<Session> = Vec::new();
    loop {
        let after = sessions.last().map(|session| session.id);
        let query = AdminQuery::Running(RunningQuery::Sessions { after });
        let AdminReply::Running(RunningReply::Sessions(page)) = admin.request_running_server(query)? else {
            bail!("an unexpected answer")
        };
        if page.is_empty() {
            sessions.retain(|session| account.is_none_or(|account| session.account == *account));
            if let (true, Some(account)) = (sessions.is_empty(), account)
                && !admin.list_users()?.iter().any(|user| user.name == *account)
            {
                bail!("there is no account {account}; `parlour user list` prints those that there are");
            }
            return Ok(sessions);
        }
        sessions.extend(page);
    }
}

fn list(sessions: &[Session], json: bool) -> anyhow::Result<()> {
    if json {
        return print_objects(sessions);
    }
    let titles = ["SESSION", "ACCOUNT", "ADDRESS", "SINCE", "IDLE", "LOGIN", "KIND"];
    let mut rows = vec![titles.map(ToOwned::to_owned)];
    rows.extend(sessions.iter().map(|session| {
        [
            session.id.to_string(),
            session.account.to_string(),
            session.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
            format_minute(session.since),
            format_idle(session.idle_s),
            if session.device.is_some() { "device" } else { "password" }.to_owned(),
            describe_kind(session).to_owned(),
        ]
    }));
    print_table(&rows)
}

fn describe_kind(session: &Session) -> &'static str {
    match (session.web, session.invisible) {
        (_, true) => "script",
        (true, false) => "browser",
        (false, false) => "client",
    }
}

fn format_idle(seconds: u32) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_shown_in_its_largest_unit() {
        let shown = [0, 59, 60, 3599, 3600, 100_000].map(format_idle);
        assert_eq!(shown, ["0 s", "59 s", "1 min", "59 min", "1 h", "27 h"]);
    }
}
