//! The answer to a command as a whole: in lines that the client takes, with the label of the command.

use super::{LoginMachine, Step};
use crate::chat::{fit, label};
use crate::wire::fit::LINE;

impl LoginMachine {
    /// Makes what was appended to `out` from `start` on the answer to the labelled command, if it was one, in lines that
    /// the client takes.
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
    /// Is the answer to the command still to be found out?
    pub(super) fn is_check(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Prove(_) | Self::Register(_))
    }
}
