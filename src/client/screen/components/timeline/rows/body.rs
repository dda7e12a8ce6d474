//! Rows of the text of a message: formatted, or as written.

use ratatui::style::Style;

use crate::client::screen::components::timeline::columns::Columns;
use crate::client::screen::text::markup::{Segment, SegmentKind};
use crate::client::screen::text::wrap::{Row, Run, row_width, wrap_code, wrap_message};
use crate::client::screen::view::colours::format_style;
use crate::client::screen::view::theme::{Role, Theme};
use crate::client::screen::workspace::Workspace;

/// Sign before each row of a block of code.
const CODE_MARGIN: &str = "│ ";

/// Breaks a text with its markup into rows, behind the runs that name its sender.
pub fn text_rows(
    workspace: &Workspace,
    (text, markup): (&str, &[Segment]),
    style: Style,
    lead: Vec<Run>,
    columns: Columns,
) -> Vec<Row> {
    // The bare view is for copying.
    let as_written = workspace.display.raw_text || columns.messages_only;
    let mut body = Body {
        theme: workspace.display.theme,
        columns,
        lead: lead.len(),
        runs: lead,
        code: Vec::new(),
        rows: Vec::new(),
    };
    if markup.is_empty() {
        body.runs.push(Run::new(text, style));
    }
    let mut start = 0;
    for segment in markup {
        let text = text.get(start..segment.end).unwrap_or_default();
        start = segment.end;
        let look = if as_written { style } else { format_style(body.theme, style, segment.format) };
        match &segment.kind {
            SegmentKind::Mark if !as_written => {}
            SegmentKind::Fence if !as_written => body.flush(),
            SegmentKind::Block if !as_written => {
                if body.runs.len() > body.lead {
                    body.flush();
                }
                body.code.push(Run::new(text, look.patch(body.theme.style(Role::Code))));
            }
            SegmentKind::Link(target) => body.runs.push(Run {
                link: Some(target.clone()),
                ..Run::new(text, look.patch(body.theme.style(Role::Link)))
            }),
            SegmentKind::File(file) if !as_written => {
                body.runs.push(Run::new(&file.label, look.patch(body.theme.style(Role::Link))));
            }
            SegmentKind::Mention => {
                body.runs.push(Run::new(text, look.patch(body.theme.style(Role::Alert))));
            }
            SegmentKind::Text
            | SegmentKind::Mark
            | SegmentKind::Fence
            | SegmentKind::Block
            | SegmentKind::File(_) => {
                body.runs.push(Run::new(text, look));
            }
        }
    }
    body.flush();
    if body.rows.is_empty() {
        body.rows.push(Row::new());
    }
    body.rows
}

/// Rows under construction.
struct Body {
    theme: Theme,
    columns: Columns,
    /// Count of the first runs that name the sender.
    lead: usize,
    /// Runs of text that are not rows yet.
    runs: Vec<Run>,
    /// Runs of a block of code that are not rows yet.
    code: Vec<Run>,
    rows: Vec<Row>,
}

impl Body {
    /// Breaks the runs so far into rows. A sender is named before a block of code as well.
    fn flush(&mut self) {
        if !self.runs.is_empty() {
            let runs = std::mem::take(&mut self.runs);
            let lead = std::mem::take(&mut self.lead);
            // In the bare view, alignment would add spaces to the text.
            let align = !self.columns.messages_only;
            self.rows.extend(wrap_message(runs, lead, self.columns.text_width(), align));
        }
        if !self.code.is_empty() {
            let room = self.columns.text_width().saturating_sub(2).max(1);
            let style = self.theme.style(Role::Code);
            let margin = Run::new(CODE_MARGIN, self.theme.style(Role::Line));
            for mut row in wrap_code(std::mem::take(&mut self.code), room) {
                let gap = room.saturating_sub(row_width(&row));
                row.insert(0, margin.clone());
                row.push(Run::new(" ".repeat(gap), style));
                self.rows.push(row);
            }
        }
    }
}
