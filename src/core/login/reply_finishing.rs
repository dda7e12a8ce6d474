//! Post-processing of a reply before the login: line length and label.

use super::{LoginMachine, LoginStep};
use crate::core::effects::{label, line_splitting};
use crate::wire::splitting::MAX_LINE_BYTES;

impl LoginMachine {
    /// Turns the part of `out` from `start` on into the reply to the labelled command, if there was a label, and splits
    /// lines that are too long for the client.
    pub(super) fn finish_reply(&mut self, start: usize, out: &mut String) {
        if out.len() - start > MAX_LINE_BYTES && !self.caps.allows_long_lines() {
            let lines = out.split_off(start);
            out.push_str(&line_splitting::split_lines(&lines));
        }
        if let Some(label) = self.label.take() {
            let lines = out.split_off(start);
            out.push_str(&label::answer(&lines, &label, &self.settings.server_name));
        }
    }
}

impl LoginStep {
    /// Returns whether the reply depends on a check that is still to come.
    pub(super) fn awaits_verification(&self) -> bool {
        matches!(self, Self::CheckPassword(_) | Self::LookUpDevice(_) | Self::RedeemInvite(_))
    }
}
