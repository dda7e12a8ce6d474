//! Post-processing of a reply before the login: line length and label.

use super::{LoginMachine, Step};
use crate::core::effects::{fit, label};
use crate::wire::fit::LINE;

impl LoginMachine {
    /// Turns the part of `out` from `start` on into the reply to the labelled command, if there was a label, and splits
    /// lines that are too long for the client.
    pub(super) fn answer_label(&mut self, start: usize, out: &mut String) {
        if out.len() - start > LINE && !self.caps.takes_long_lines() {
            let lines = out.split_off(start);
            out.push_str(&fit::text(&lines));
        }
        if let Some(label) = self.label.take() {
            let lines = out.split_off(start);
            out.push_str(&label::answer(&lines, &label, &self.settings.server_name));
        }
    }
}

impl Step {
    /// Returns whether the reply depends on a check that is still to come.
    pub(super) fn is_check(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Prove(_) | Self::Register(_))
    }
}
