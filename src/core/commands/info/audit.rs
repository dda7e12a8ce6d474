//! AUDIT: the latest actions of admins and moderators, for admins. The modern protocol does not specify it.
//!
//! The replies are `NOTE AUDIT ENTRY <time> <account or *> :<action, target and details>`, the newest first, and a last
//! `NOTE AUDIT AUDIT_LIST`.

use super::server_info::reply_not_admin;
use crate::core::commands::{Command, Spec};
use crate::core::effects::query::{AuditEntry, AuditQuery, Query};
use crate::core::record::Actor;
use crate::core::state::context::Context;
use crate::wire::{Message, Reply};

/// The AUDIT command: lists the latest entries of the audit.
pub const SPEC: Spec = Spec { name: "AUDIT", min_params: 0, parse };

/// Number of entries without a parameter.
const DEFAULT_ENTRIES: u32 = 50;

/// Largest number of entries.
const MAX_ENTRIES: u32 = 500;

/// A parsed AUDIT: the number of entries.
#[derive(Debug)]
pub struct Audit(u32);

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let entries = match message.param(0) {
        None => Some(DEFAULT_ENTRIES),
        Some(text) => text.parse().ok().filter(|entries| (1..=MAX_ENTRIES).contains(entries)),
    };
    let reply = || Reply::fail("AUDIT", "INVALID_PARAMS");
    let entries = entries
        .ok_or_else(|| reply().text(format!("The number of entries is between 1 and {MAX_ENTRIES}")))?;
    Ok(Command::Audit(Audit(entries)))
}

impl Audit {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if !cx.is_admin() {
            return reply_not_admin(cx);
        }
        cx.query(Query::Audit(AuditQuery { limit: self.0 }));
    }
}

/// Continues AUDIT when the entries are read, the newest first. The rights are those of this moment.
pub(in crate::core) fn complete_audit(cx: &mut Context<'_>, entries: &[AuditEntry]) {
    if !cx.is_admin() {
        return reply_not_admin(cx);
    }
    for AuditEntry { at, actor, action, target, detail } in entries {
        let by = match actor {
            Actor::Console => "*".to_owned(),
            Actor::Account(id) => {
                cx.core.account_name(*id).map_or_else(|| id.0.to_string(), ToString::to_string)
            }
        };
        let about = [action.as_str(), target.as_str()].join(" ");
        let about = about.trim_end();
        let text = if detail.is_empty() { about.to_owned() } else { format!("{about}: {detail}") };
        cx.reply(Reply::command("NOTE").arg("AUDIT").arg("ENTRY").arg(at.to_string()).arg(by).text(text));
    }
    let text = match entries.len() {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    cx.reply(Reply::command("NOTE").arg("AUDIT").arg("AUDIT_LIST").text(text));
}
