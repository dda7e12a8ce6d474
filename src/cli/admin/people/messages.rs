//! The messages of an account, page by page.

use std::io::{self, IsTerminal as _};

use anyhow::bail;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::cli::admin::Admin;
use crate::core::record::AccountId;
use crate::core::request::people::personal_data::{AccountMessage, MessagePage};
use crate::server::admin::{AdminQuery, AdminReply};
use crate::wire::MessageId;

/// Calls a function for each page of an account's messages, with the progress on standard error if that is a terminal.
/// `done` says what happens to them.
pub fn for_each_page(
    admin: &Admin,
    account: AccountId,
    done: &str,
    mut handle: impl FnMut(&[AccountMessage]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let bar = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}")?);
    let (mut after, mut count) = (MessageId::default(), 0);
    loop {
        let query = AdminQuery::AccountMessages { account, after };
        let AdminReply::AccountMessages(MessagePage { messages, looked_up_to }) = admin.request(query)?
        else {
            bail!("an unexpected answer")
        };
        handle(&messages)?;
        count += messages.len() as u64;
        bar.set_message(format!("{} messages {done}", HumanCount(count)));
        bar.tick();
        let Some(last) = looked_up_to else {
            bar.finish_and_clear();
            return Ok(());
        };
        after = last;
    }
}
