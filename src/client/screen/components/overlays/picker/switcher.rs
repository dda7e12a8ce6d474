//! Items of the quick switcher: open conversations, channels, accounts and commands.

use super::item::{Kind, PickerItem, Target};
use crate::client::input::commands::commands;
use crate::client::model::{Conversation, Model};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::{BufferKey, Workspace};
use crate::wire::Nick;

/// Weight of the conversation on the screen, below that of everything else.
const CURRENT_WEIGHT: i64 = -8;

/// Returns everything that the user can go to, the most likely first: conversations with mentions, unread ones, the
/// previous one, then by use. The one on the screen is the last, for whoever searches it.
pub fn items(workspace: &Workspace, models: &[&mut Model]) -> Vec<PickerItem> {
    let mut items: Vec<PickerItem> =
        workspace.buffers().map(|(key, buffer)| conversation_item(workspace, key, buffer)).collect();
    for (index, model) in models.iter().enumerate() {
        add_channels(workspace, index, model, &mut items);
        add_accounts(workspace, index, model, &mut items);
    }
    // `/edit` only says that it does not exist.
    items.extend(commands().filter(|command| command.name != "edit").map(|command| {
        let name = format!("/{}", command.name);
        let weight = use_weight(workspace.uses.score(&name, workspace.now));
        let remark = command.description.to_owned();
        // Whoever chooses to quit wants no message; drafts are kept.
        let has_arguments = !command.usage.is_empty() && command.name != "quit";
        let target = Target::Command { name: name.clone(), has_arguments };
        PickerItem { name, keywords: String::new(), remark, kind: Kind::Command, weight, target }
    }));
    items.sort_by_key(|item| std::cmp::Reverse(item.weight));
    items
}

fn conversation_item(workspace: &Workspace, key: BufferKey, buffer: &Buffer) -> PickerItem {
    let is_current = workspace.current.as_ref() == Some(&key);
    let state = match () {
        () if buffer.mentions > 0 => 64,
        () if buffer.unread > 0 && !workspace.is_silent(&key, buffer) => 48,
        () if workspace.previous.as_ref() == Some(&key) => 32,
        () => 8,
    };
    let weight = if is_current { CURRENT_WEIGHT } else { state + use_weight(workspace.use_score(&key)) };
    let remark = match buffer.unread {
        _ if is_current => "open".to_owned(),
        0 => String::new(),
        unread => format!("{unread} new"),
    };
    let kind = match &key.1 {
        Conversation::Channel(_) => Kind::Channel,
        Conversation::Direct(_) => Kind::Person,
    };
    let (name, keywords) = match &key.1 {
        Conversation::Channel(channel) => (sanitize_line(channel.as_str(), 64), String::new()),
        Conversation::Direct(nick) => person_names(workspace, key.0, nick),
    };
    PickerItem {
        name,
        keywords,
        remark: with_server(workspace, key.0, remark),
        kind,
        weight,
        target: Target::Open(key),
    }
}

/// Adds the channels that have no buffer.
fn add_channels(workspace: &Workspace, server: usize, model: &Model, items: &mut Vec<PickerItem>) {
    let Some(state) = workspace.servers.get(server) else { return };
    for channel in &state.directory.channels.items {
        let conversation = Conversation::Channel(channel.name.clone());
        if state.buffers.contains_key(&conversation) {
            continue;
        }
        let joined = if model.is_in(&channel.name) { "" } else { "not joined, " };
        let remark = with_server(workspace, server, format!("{joined}{} here", channel.members));
        let key = (server, conversation);
        let weight = use_weight(workspace.use_score(&key));
        let target = Target::Join(server, channel.name.clone());
        let (name, keywords) = (channel.label.clone(), String::new());
        items.push(PickerItem { name, keywords, remark, kind: Kind::Channel, weight, target });
    }
}

/// Adds the accounts and the members of joined channels that have no buffer.
fn add_accounts(workspace: &Workspace, server: usize, model: &Model, items: &mut Vec<PickerItem>) {
    let Some(state) = workspace.servers.get(server) else { return };
    let accounts = &state.directory.accounts;
    let mut add = |nick: &Nick, remark: String, online: bool| {
        let conversation = Conversation::Direct(nick.clone());
        if model.me() == Some(nick) || state.buffers.contains_key(&conversation) {
            return;
        }
        let key = (server, conversation);
        let weight = use_weight(workspace.use_score(&key)) + 2 * i64::from(online);
        let (name, keywords) = person_names(workspace, server, nick);
        items.push(PickerItem {
            name,
            keywords,
            remark: with_server(workspace, server, remark),
            kind: Kind::Person,
            weight,
            target: Target::Open(key),
        });
    };
    for account in &accounts.items {
        let offline = if account.online { "" } else { "offline" };
        let words = [account.realname.as_str(), offline];
        let remark = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
        add(&account.nick, remark, account.online);
    }
    // Members are known without a list of accounts, which other servers do not give.
    let members = model.channels().flat_map(|(_, channel)| channel.members.keys());
    let mut members: Vec<&Nick> = members.collect();
    members.sort_unstable();
    members.dedup();
    for nick in members {
        if accounts.items.binary_search_by(|account| account.nick.cmp(nick)).is_err() {
            add(nick, String::new(), true);
        }
    }
}

/// Returns the name of an account, the display name with the nick behind it, and its full name as the keywords.
fn person_names(workspace: &Workspace, server: usize, nick: &Nick) -> (String, String) {
    let Some(state) = workspace.servers.get(server) else { return (nick.to_string(), String::new()) };
    let accounts = &state.directory.accounts.items;
    let listed = accounts.binary_search_by(|account| account.nick.cmp(nick)).ok();
    let full_name = listed.and_then(|at| accounts.get(at)).map(|account| account.realname.clone());
    (sanitize_line(&state.display_names.full_name(nick), 128), full_name.unwrap_or_default())
}

/// Adds the server's name to a remark where there are several servers.
fn with_server(workspace: &Workspace, server: usize, remark: String) -> String {
    match workspace.servers.get(server).filter(|_| workspace.servers.len() > 1) {
        Some(state) if remark.is_empty() => state.name.clone(),
        Some(state) => format!("{remark}  {}", state.name),
        None => remark,
    }
}

/// Returns the weight of a score of uses: each doubling counts the same.
#[allow(clippy::cast_possible_truncation)] // The score is bounded.
fn use_weight(score: f64) -> i64 {
    (6.0 * (score.clamp(0.0, 63.0) + 1.0).log2()) as i64
}
