//! Columns of the messages: time, name, text.

/// Widths of the columns, in cells.
#[derive(Clone, Copy)]
pub struct Columns {
    /// Width of all columns.
    pub width: usize,
    /// Time, with the space behind it.
    pub time: usize,
    /// Nick; 0 where it precedes the text instead.
    pub name: usize,
    /// Set while the screen shows nothing but the messages.
    pub messages_only: bool,
}

impl Columns {
    /// Returns the columns for a width of the messages.
    pub fn new(all: u16, messages_only: bool, extra_time_width: usize) -> Self {
        let all = usize::from(all);
        let clock = 6 + extra_time_width;
        let (time, name) = match all {
            _ if messages_only => (0, 0),
            0..56 => (clock, 0),
            56..100 => (clock, (all / 6).clamp(9, 14)),
            _ => (clock, (all / 6).clamp(17, 24)),
        };
        Self { width: all, time, name, messages_only }
    }

    /// Returns whether the column of the names has room for avatars.
    pub fn has_avatars(self) -> bool {
        self.name >= 17
    }

    /// Returns the column of the text.
    fn text_column(self) -> usize {
        match self.name {
            0 => self.time,
            name => self.time + name + 2,
        }
    }

    /// Returns the width of the text.
    pub fn text_width(self) -> usize {
        self.width.saturating_sub(self.text_column()).max(8)
    }
}
