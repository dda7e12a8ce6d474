//! Spans of time without notifications (`/dnd`).

use crate::wire::Timestamp;

/// Span of time without notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoNotDisturb {
    /// Until the user ends it.
    On,
    /// Until a time stamp.
    Until(Timestamp),
}

/// Change of the span without notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoNotDisturbChange {
    /// From now on.
    On,
    /// For this many milliseconds.
    For(u64),
    /// End of the span without notifications.
    Off,
}

impl DoNotDisturb {
    /// Returns the span that a change begins; `None` if it ends one.
    pub fn begin(change: DoNotDisturbChange, now: Timestamp) -> Option<Self> {
        match change {
            DoNotDisturbChange::On => Some(Self::On),
            DoNotDisturbChange::For(span) => Some(Self::Until(Timestamp(now.0.saturating_add(span)))),
            DoNotDisturbChange::Off => None,
        }
    }

    /// Converts the number that the state file has: the end of the span in milliseconds, `u64::MAX` for none.
    pub fn from_end(end: u64) -> Self {
        if end == u64::MAX { Self::On } else { Self::Until(Timestamp(end)) }
    }

    /// Converts to the number of [`from_end`](Self::from_end).
    pub fn end(self) -> u64 {
        match self {
            Self::On => u64::MAX,
            Self::Until(end) => end.0,
        }
    }

    /// Returns whether the span has ended.
    pub fn is_over(self, now: Timestamp) -> bool {
        matches!(self, Self::Until(end) if end <= now)
    }

    /// Describes the span, as for a status line.
    pub fn describe(self, format_time: impl FnOnce(Timestamp) -> String) -> String {
        match self {
            Self::On => "do not disturb".to_owned(),
            Self::Until(end) => format!("do not disturb until {}", format_time(end)),
        }
    }
}

/// Describes what holds after a change, as an answer to the user.
pub fn describe_change(span: Option<DoNotDisturb>, format_time: impl FnOnce(Timestamp) -> String) -> String {
    match span {
        None => "notifications are on".to_owned(),
        Some(span) => {
            format!("{}: no bell and no notifications; /dnd off ends it", span.describe(format_time))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_ends_by_time_or_by_the_user() {
        let now = Timestamp(1000);
        let hour = DoNotDisturb::begin(DoNotDisturbChange::For(60), now).expect("a span");
        assert!(!hour.is_over(Timestamp(1059)) && hour.is_over(Timestamp(1060)));
        let on = DoNotDisturb::begin(DoNotDisturbChange::On, now).expect("a span");
        assert!(!on.is_over(Timestamp(u64::MAX)));
        assert_eq!(DoNotDisturb::begin(DoNotDisturbChange::Off, now), None);
        for span in [hour, on] {
            assert_eq!(DoNotDisturb::from_end(span.end()), span);
        }
        let text = describe_change(Some(hour), |end| end.0.to_string());
        assert_eq!(text, "do not disturb until 1060: no bell and no notifications; /dnd off ends it");
        assert_eq!(describe_change(None, |_| String::new()), "notifications are on");
    }
}
