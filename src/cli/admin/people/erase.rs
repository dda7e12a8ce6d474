//! `parlour user erase`: removes what is kept of people, and says what remains.

use anyhow::{Context as _, bail};

use super::messages;
use super::selection::{Accounts, enumerate};
use crate::cli::admin::Admin;
use crate::cli::confirm::Confirmation;
use crate::cli::folders::Folders;
use crate::cli::output::{note, print};
use crate::core::request::admin::Change;
use crate::core::request::people::ErasedAccount;
use crate::server::admin::AdminReply;

/// Number of messages that are erased at once.
const BATCH: usize = 500;

/// Sentences for the administrator about data that remains, with the reasons.
const REMAINS: &str = "\
What remains:
- the rows of the messages, without text, under the pseudonym, so that answers and the order of the history stay right;
- entries of the audit, under the pseudonym, because they say who may do what on this server;
- numbers and times of invites, and the memberships of channels in the history of others;
- what others wrote, also about the person: it is theirs; `parlour search` finds it, and they or an admin take it back;
- the contents of files, where no server runs: one removes them within an hour of its start;
- backups, copies of the data folder, and what clients have stored: the server does not have them.
The name is free for others now.
";

/// Erases accounts with their messages and files, after a question.
pub fn run(folders: &Folders, accounts: &Accounts, confirmation: Confirmation) -> anyhow::Result<()> {
    let admin = Admin::open(folders.data.clone())?;
    let names = accounts.select_with_removed(&admin)?;
    confirmation.ask(
        &format!("Erase {}, with all messages and files, for good?", enumerate(&names)),
        "`parlour user export NAME` shows what is kept of a person",
    )?;
    for name in &names {
        let AdminReply::Erased(ErasedAccount { id, pseudonym }) =
            admin.request(Change::UserErase { name: name.clone() })?
        else {
            bail!("an unexpected answer")
        };
        let mut count = 0;
        messages::for_each_page(&admin, id, "erased", |page| {
            for batch in page.chunks(BATCH) {
                let ids = batch.iter().map(|message| (message.conversation, message.id)).collect();
                admin.request(Change::MessagesErase(ids))?;
                count += batch.len();
            }
            Ok(())
        })
        .with_context(|| {
            format!("stopped after {count} messages; `parlour user erase {pseudonym}` goes on")
        })?;
        print(&format!("{name} is erased, with {count} messages and events; {pseudonym} stands for it\n"))?;
    }
    note(REMAINS);
    Ok(())
}
