//! Tags by which a client finds the command that a line replies to: labels
//! ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)) and batches
//! ([batch](https://ircv3.net/specs/extensions/batch)).

use std::sync::Arc;

use crate::wire::{Message, Tags};

/// Label of a command, escaped as on the wire. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(Arc<str>);

impl Label {
    /// Limit of a label, in bytes, from the specification. Longer labels are ignored.
    const MAX: usize = 64;

    /// Returns the label of a command.
    pub fn of(message: &Message<'_>) -> Option<Self> {
        Self::in_tags(message.tags)
    }

    /// Returns the label among the tags of a line. Works even if other parts of the line did not parse.
    pub fn in_tags(tags: Tags<'_>) -> Option<Self> {
        if tags.is_empty() {
            return None;
        }
        let last = tags.iter().filter(|(key, _)| *key == "label").last().map(|(_, value)| value);
        last.filter(|label| !label.is_empty() && label.len() <= Self::MAX).map(|label| Self(label.into()))
    }

    /// Returns the label as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reference of a batch that the server opens.
///
/// References are unique on a connection while their batches are open. Commands are replied to one after the other, so
/// a reference need only differ from that of an enclosing batch, and one for each type is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRef(&'static str);

impl BatchRef {
    /// Reference of the batch around several replies to a labelled command.
    pub const RESPONSE: Self = Self("r");
    /// Reference of a batch of metadata.
    pub const METADATA: Self = Self("m");
    /// Reference of a batch of `RPL_ISUPPORT`.
    pub const ISUPPORT: Self = Self("i");
    /// Reference of a batch of messages or conversations from the history.
    pub const HISTORY: Self = Self("h");

    /// Returns the reference as text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// Tag of a line that relates it to a command or a batch. It is the first of the line's tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tagging {
    /// No such tag.
    #[default]
    None,
    /// The line is the whole reply to the command with this label, or opens the batch of the replies to it.
    Label(Label),
    /// The line is in this batch.
    Batch(BatchRef),
}

impl Tagging {
    /// Returns the label, or nothing without one.
    pub fn label(label: Option<&Label>) -> Self {
        label.cloned().map_or(Self::None, Self::Label)
    }

    /// Returns whether there is no tag.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_label_counts_unless_it_is_empty_or_too_long() {
        let label = |tags: &str| Label::in_tags(Tags(tags)).map(|label| label.as_str().to_owned());
        assert_eq!(label("label=a;x=1;label=b\\s").as_deref(), Some("b\\s"));
        assert_eq!(label("label=a;label="), None);
        assert_eq!(label("x=1"), None);
        assert_eq!(label(&format!("label={}", "l".repeat(64))).map(|label| label.len()), Some(64));
        assert_eq!(label(&format!("label={}", "l".repeat(65))), None);
    }
}
