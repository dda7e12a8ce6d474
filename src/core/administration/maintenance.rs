//! Regular changes of the server itself: the noted time, the root that clients were shown, the removal of old messages.

use crate::core::effects::Effects;
use crate::core::effects::query::Reread;
use crate::core::record::{AccountId, Actor, Record, ShownRoot};
use crate::core::request::maintenance::Maintenance;
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::wire::Timestamp;

impl Core {
    /// Carries out a request of the server itself.
    pub(super) fn apply_maintenance(&mut self, maintenance: Maintenance, at: Timestamp, fx: &mut Effects) {
        match maintenance {
            Maintenance::NoteTime(settled) => self.note_time(settled, fx),
            Maintenance::ShowRoot(pin) => {
                // Devices that logged in before have not seen a root that is new.
                if self.roots.last().is_none_or(|shown| shown.pin != pin) {
                    let root = ShownRoot { pin, at };
                    self.roots.push(root.clone());
                    fx.records.push(Record::RootShown(root));
                }
            }
            // The core holds neither the history nor the audit log.
            Maintenance::ForgetHistory(forgotten) => {
                self.unshare_old_files(forgotten.conversation, forgotten.kept.messages, fx);
                fx.records.push(Record::HistoryForgotten(forgotten));
            }
            Maintenance::ForgetAudit(forgotten) => fx.records.push(Record::AuditForgotten(forgotten)),
            Maintenance::NoteReload(changes) => {
                let audited = AuditedAction { action: "server reload", target: "", detail: &changes };
                Self::record_audit(Attribution { at, actor: Actor::Console }, audited, fx);
            }
            Maintenance::AcceptLoss => {
                let (action, detail) = ("server accept-loss", "went on without what was lost");
                let audited = AuditedAction { action, target: "database", detail };
                Self::record_audit(Attribution { at, actor: Actor::Console }, audited, fx);
            }
        }
    }

    /// Accepts the clock for an admin. Returns its time, which is that of the input.
    pub(super) fn accept_clock(&mut self, attribution: Attribution, fx: &mut Effects) -> Timestamp {
        let now = attribution.at;
        self.note_time(now, fx);
        Self::record_audit(
            attribution,
            AuditedAction { action: "clock accept", target: &now.to_string(), detail: "" },
            fx,
        );
        now
    }

    /// Puts the settings in force that an admin had read again with REHASH.
    pub(in crate::core) fn apply_rehash(
        &mut self,
        admin: AccountId,
        Reread { settings, changes }: Reread,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        Self::record_audit(
            Attribution { at, actor: Actor::Account(admin) },
            AuditedAction { action: "server rehash", target: "", detail: &changes },
            fx,
        );
        self.settings = settings;
    }

    fn note_time(&mut self, settled: Timestamp, fx: &mut Effects) {
        self.noted_time = Some(settled);
        fx.records.push(Record::TimeNoted(settled));
    }
}
