//! The list of sessions, and their end by the command line.

use super::channels::one_line;
use crate::core::effects::{Effects, Output};
use crate::core::model::audience::SessionId;
use crate::core::request::admin::RequestError;
use crate::core::request::listing::ListedSession;
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::{Attribution, AuditedAction, Core, SessionState};

impl Core {
    /// Returns up to `most` sessions in the order of their ids, beginning after the id `after`.
    pub fn list_sessions(&self, after: Option<SessionId>, most: usize) -> Vec<ListedSession> {
        let mut ids: Vec<SessionId> =
            self.sessions.keys().copied().filter(|id| after.is_none_or(|after| *id > after)).collect();
        ids.sort_unstable();
        ids.truncate(most);
        let listed = |id| {
            let SessionState { account, opened, device, is_visible, away, .. } = &**self.sessions.get(&id)?;
            Some(ListedSession {
                id,
                account: self.account_name(*account)?.clone(),
                opened: *opened,
                device: *device,
                is_visible: *is_visible,
                is_away: away.is_some(),
            })
        };
        ids.into_iter().filter_map(listed).collect()
    }

    /// Ends one session. Its account may log in again.
    pub(super) fn close_session_by_request(
        &mut self,
        id: SessionId,
        reason: &str,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let known = self.sessions.get(&id).ok_or(RequestError::UnknownSession(id))?;
        let account = self.account_name(known.account).map(ToString::to_string).unwrap_or_default();
        let reason = one_line(reason);
        let reason = truncate_str(&reason, Settings::MAX_REASON_BYTES);
        let action = AuditedAction { action: "session close", target: &account, detail: reason };
        Self::record_audit(attribution, action, fx);
        fx.push(Output::Close(id, reason.into()));
        self.close_session(id, reason, false, attribution.at, fx);
        Ok(())
    }
}
