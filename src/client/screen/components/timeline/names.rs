//! Names of senders: in a column of their own, with an avatar where there is room, or before the text.

use ratatui::style::{Modifier, Style};

use super::columns::Columns;
use crate::client::model::MessageKind;
use crate::client::screen::text::wrap::{Run, row_width, truncate_to_width, visual_text};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::entry::Message;
use crate::wire::Nick;

/// Returns the runs before the text: the name where it has no column of its own, or the sender of an action.
pub fn lead_runs(workspace: &Workspace, message: &Message, same_sender: bool, columns: Columns) -> Vec<Run> {
    let style = || workspace.display.theme.nick_style(message.from.as_str());
    let from = || visual_text(workspace.short_name(&message.from));
    let text = match (columns.name, message.kind) {
        // The bare view is for copying: names in it are nicks.
        (0, MessageKind::Action) if columns.messages_only => format!("* {} ", message.from),
        (0, _) if columns.messages_only => format!("<{}> ", message.from),
        (0, MessageKind::Action) => format!("* {} ", from()),
        (_, MessageKind::Action) => format!("{} ", from()),
        (0, _) if !same_sender => {
            let mut runs = name_runs(workspace, &message.from);
            runs.push(Run::new("  ", style()));
            return runs;
        }
        _ => return Vec::new(),
    };
    vec![Run::new(text, style())]
}

/// Returns the display name of an account with its nick behind it, or the nick alone, also where the name could be taken
/// for somebody else's.
fn name_runs(workspace: &Workspace, nick: &Nick) -> Vec<Run> {
    let theme = workspace.display.theme;
    let style = theme.nick_style(nick.as_str());
    match workspace.display_names().and_then(|names| names.trusted_name_beside_nick(nick)) {
        Some(name) => {
            vec![Run::new(visual_text(name), style), Run::new(format!(" ({nick})"), theme.style(Role::Dim))]
        }
        None => vec![Run::new(workspace.short_name(nick), style)],
    }
}

/// Returns the name of a sender for the column of the names, with an avatar on wide screens. It has the nick as well if
/// there is room.
pub fn head_runs(workspace: &Workspace, nick: &Nick, columns: Columns) -> Vec<Run> {
    let style = workspace.display.theme.nick_style(nick.as_str());
    let mut runs = Vec::new();
    if columns.has_avatars() {
        let initials = workspace.display_names().map(|names| names.initials(nick)).unwrap_or_default();
        runs.push(Run::new(visual_text(&initials), style.add_modifier(Modifier::REVERSED)));
        runs.push(Run::new(" ", Style::new()));
    }
    let room = columns.name.saturating_sub(row_width(&runs));
    let full = name_runs(workspace, nick);
    if row_width(&full) <= room {
        runs.extend(full);
    } else {
        let name = truncate_to_width(workspace.name_for_width(nick, room), room);
        runs.push(Run::new(visual_text(&name), style));
    }
    runs
}
