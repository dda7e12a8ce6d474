//! Pick list with fuzzy search: the quick switcher, and the list of reactions.

pub mod item;
mod switcher;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use self::item::{Kind, PickerItem, Target};
use super::list::{List, ListEvent, ListSelection};
use super::window::{draw_field, draw_frame, list_area, window_area};
use crate::client::input;
use crate::client::keys::Action;
use crate::client::keys::key::MouseAction;
use crate::client::model::Conversation;
use crate::client::screen::components::editing::{Edit, edit_field};
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{pad_to_width, truncate_to_width, width};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::lists::directory::{self, channel_to_make};
use crate::client::screen::workspace::lists::offline::offline_servers;
use crate::client::screen::workspace::{BufferKey, Request};
use crate::client::text::emoji::EmojiIndex;

/// Pick list with a search field.
#[derive(Debug, Default)]
pub struct Picker {
    /// Title of the window.
    title: &'static str,
    /// Effect of Enter, for the title.
    enter: &'static str,
    /// Field that narrows the list.
    query: TextField,
    /// Items, the most likely first.
    items: Vec<PickerItem>,
    /// Indexes of the matching items, best match first.
    matches: Vec<usize>,
    selection: ListSelection,
    /// Revision of the directories that the items were made from; `None` for items that do not change.
    revision: Option<u64>,
    /// Index of the emojis, in the order of the items, in the list of reactions.
    emojis: Option<EmojiIndex>,
    /// Server on which a channel with the name in the search field can be joined.
    server: usize,
    /// Last choice: to join or make the channel with the name in the search field, where none in the list has it.
    offer: Option<PickerItem>,
}

/// Age in milliseconds from which the lists are queried anew when they have nothing that matches.
const RETRY_AGE: u64 = 2_000;

impl Picker {
    /// Limit of the matches.
    const MAX_MATCHES: usize = 200;

    /// Creates the quick switcher, and queries the lists of the servers.
    pub fn quick_switcher(context: &mut Context<'_, '_>) -> Self {
        for server in 0..context.workspace.servers.len() {
            // Channels come and go; what is known of them is shown until the new list arrives.
            context.workspace.query_channels(server, RETRY_AGE, context.models);
            context.workspace.query_accounts(server, directory::MAX_AGE, context.models);
        }
        let items = switcher::items(context.workspace, context.models);
        let revision = Some(context.workspace.directory_revision);
        let server = context.workspace.current.as_ref().map_or(0, |(server, _)| *server);
        Self { revision, server, ..Self::new("Go to", items) }
    }

    /// Creates the list of all emojis, the most usual reactions first.
    pub fn reaction_picker(key: &BufferKey, msgid: &str) -> Self {
        let index = EmojiIndex::new();
        let item = |emoji: &'static emojis::Emoji| {
            let codes: Vec<&str> = emoji.shortcodes().collect();
            let target = Target::React { emoji: emoji.as_str(), key: key.clone(), msgid: msgid.to_owned() };
            PickerItem {
                name: format!("{}  {}", emoji.as_str(), codes.first().copied().unwrap_or(emoji.name())),
                keywords: String::new(),
                remark: emoji.name().to_owned(),
                kind: Kind::Emoji,
                weight: 0,
                target,
            }
        };
        let items = index.iter().map(item).collect();
        let mut picker =
            Self { title: "React with", enter: "reacts", items, emojis: Some(index), ..Self::default() };
        picker.update_matches();
        picker
    }

    fn new(title: &'static str, items: Vec<PickerItem>) -> Self {
        let mut picker = Self { title, enter: "goes there", items, ..Self::default() };
        picker.update_matches();
        picker
    }

    /// Makes the items anew if a list of a server has arrived.
    pub fn follow(&mut self, context: &Context<'_, '_>) {
        let revision = context.workspace.directory_revision;
        if self.revision.is_some_and(|known| known != revision) {
            self.revision = Some(revision);
            let selected = self.selected_item().map(|item| item.target.clone());
            self.items = switcher::items(context.workspace, context.models);
            self.update_matches();
            let target = |index: &usize| self.items.get(*index).map(|item| &item.target);
            let at = self.matches.iter().position(|index| target(index) == selected.as_ref());
            self.selection.select(at.unwrap_or(0), self.count());
        }
    }

    /// Matches the items against the search field anew.
    fn update_matches(&mut self) {
        self.selection = ListSelection::default();
        self.match_items();
        self.offer = self.revision.is_some().then(|| self.make_offer()).flatten();
    }

    /// Returns the offer of a channel with the name in the search field: as the last choice for a text that begins as
    /// the name of a channel does, and for others where nothing matches.
    fn make_offer(&self) -> Option<PickerItem> {
        let text = self.query.text().trim();
        let is_other = text.starts_with(['/', '@']) || !text.starts_with('#') && !self.matches.is_empty();
        let channel = channel_to_make(text).filter(|_| !is_other)?;
        let is_listed = |item: &PickerItem| match &item.target {
            Target::Open((_, Conversation::Channel(name))) | Target::Join(_, name) => *name == channel,
            _ => false,
        };
        if self.items.iter().any(is_listed) {
            return None;
        }
        Some(PickerItem {
            name: sanitize_line(channel.as_str(), 64),
            keywords: String::new(),
            remark: "join it, or make it".to_owned(),
            kind: Kind::Channel,
            weight: 0,
            target: Target::Join(self.server, channel),
        })
    }

    /// Returns the count of the rows.
    fn count(&self) -> usize {
        self.matches.len() + usize::from(self.offer.is_some())
    }

    /// Returns the item in a row.
    fn item(&self, row: usize) -> Option<&PickerItem> {
        match self.matches.get(row) {
            Some(&index) => self.items.get(index),
            None => self.offer.as_ref().filter(|_| row == self.matches.len()),
        }
    }

    fn match_items(&mut self) {
        let query = self.query.text().trim();
        if let Some(index) = &self.emojis {
            self.matches = index.search(query);
            self.matches.truncate(Self::MAX_MATCHES);
            return;
        }
        let (kind, query) = match query.chars().next().filter(|_| self.revision.is_some()) {
            Some('#') => (Some(Kind::Channel), query),
            Some('/') => (Some(Kind::Command), query),
            Some('@') => (Some(Kind::Person), &query[1..]),
            _ => (None, query),
        };
        let of_kind = |item: &PickerItem| kind.is_none_or(|kind| item.kind == kind);
        if query.is_empty() {
            let items = self.items.iter().enumerate().filter(|(_, item)| of_kind(item));
            self.matches = items.take(Self::MAX_MATCHES).map(|(index, _)| index).collect();
            return;
        }
        let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut chars = Vec::new();
        let mut found: Vec<(i64, usize)> = Vec::new();
        for (index, item) in self.items.iter().enumerate().filter(|(_, item)| of_kind(item)) {
            let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut chars), &mut matcher);
            let best = match score(&item.name) {
                None if !item.keywords.is_empty() => score(&format!("{} {}", item.name, item.keywords)),
                best => best,
            };
            if let Some(score) = best {
                found.push((i64::from(score) + item.weight, index));
            }
        }
        // Equal matches keep the order of the items, which has the most likely ones first.
        found.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
        self.matches = found.into_iter().take(Self::MAX_MATCHES).map(|(_, index)| index).collect();
    }

    /// Handles a change of the search field.
    fn handle_query_change(&mut self, context: &mut Context<'_, '_>) {
        self.update_matches();
        if self.revision.is_some() {
            let text = self.query.text().trim().trim_start_matches('@').to_owned();
            for server in 0..context.workspace.servers.len() {
                context.workspace.find_accounts(server, &text, context.models);
                if self.matches.is_empty() && !text.is_empty() {
                    context.workspace.query_channels(server, RETRY_AGE, context.models);
                    context.workspace.query_accounts(server, RETRY_AGE, context.models);
                }
            }
        }
    }

    /// Returns the selected item.
    fn selected_item(&self) -> Option<&PickerItem> {
        self.item(self.selection.index())
    }

    /// Carries out the selected choice.
    fn choose(&self, context: &mut Context<'_, '_>) -> EventResult {
        let Some(item) = self.selected_item() else { return EventResult::Request(Request::CloseOverlay) };
        match item.target.clone() {
            Target::Open(key) => context.workspace.switch_to(key),
            Target::Join(server, channel) => {
                context.workspace.join_channel(server, &channel, context.models);
            }
            Target::Command { name, has_arguments } => return run_command(&name, has_arguments, context),
            Target::React { emoji, key, msgid } => {
                if let Err(why) = context.workspace.toggle_reaction(&key, &msgid, emoji, context.models) {
                    context.workspace.show_error(&why);
                }
            }
        }
        EventResult::Request(Request::CloseOverlay)
    }

    fn list(&self, screen: Rect) -> List {
        let items = u16::try_from(self.count().clamp(1, 20)).unwrap_or(1);
        let window = window_area(screen, 72, (items + 3).min((screen.height * 2 / 3).max(6)));
        List { window, area: list_area(window), count: self.count(), rows_each: 1 }
    }

    fn apply(&self, event: ListEvent, context: &mut Context<'_, '_>) -> EventResult {
        match event {
            ListEvent::Chosen => self.choose(context),
            ListEvent::Closed => EventResult::Request(Request::CloseOverlay),
            ListEvent::Consumed | ListEvent::Ignored => EventResult::Consumed,
        }
    }
}

/// Runs a command, or begins it in the composer if it has arguments. A draft comes back after it.
fn run_command(name: &str, has_arguments: bool, context: &mut Context<'_, '_>) -> EventResult {
    let workspace = &mut *context.workspace;
    workspace.uses.record(name, workspace.now);
    let close = EventResult::Request(Request::CloseOverlay);
    if has_arguments {
        workspace.begin_command(format!("{name} "));
        return close;
    }
    match input::parse_line(name).and_then(|input| workspace.execute(input, context.models)) {
        Ok(Some(request)) => EventResult::Request(request),
        Ok(None) => close,
        Err(error) => {
            workspace.show_error(&error);
            close
        }
    }
}

/// Texts of the row of an item, together as wide as the room.
struct RowTexts {
    name: String,
    /// Remark, followed by the kind in the quick switcher.
    remark: String,
}

/// Returns the texts of a row. In the quick switcher the remarks stand below each other, and where it is narrow a remark stands instead of the kind.
fn row_texts(item: &PickerItem, room: usize) -> RowTexts {
    /// Least width of the column of names.
    const NAME_WIDTH: usize = 18;
    /// Least width of a remark; a narrower one is left out.
    const REMARK_WIDTH: usize = 8;
    /// Least room for remark and kind.
    const BOTH_WIDTH: usize = 48;
    if item.kind == Kind::Emoji {
        let remark = truncate_to_width(&item.remark, room.saturating_sub(width(&item.name) + 2));
        return RowTexts { name: pad_to_width(&item.name, room.saturating_sub(width(&remark))), remark };
    }
    let mut kind = format!("  {:>7}", item.kind.label());
    if room < BOTH_WIDTH && !item.remark.is_empty() {
        kind.clear();
    }
    let room = room.saturating_sub(width(&kind));
    let name_width = (width(&item.name) + 2).max(NAME_WIDTH);
    if name_width + REMARK_WIDTH > room {
        return RowTexts { name: pad_to_width(&truncate_to_width(&item.name, room), room), remark: kind };
    }
    let remark_width = room - name_width;
    let remark = pad_to_width(&truncate_to_width(&item.remark, remark_width), remark_width);
    RowTexts { name: pad_to_width(&item.name, name_width), remark: format!("{remark}{kind}") }
}

impl Component for Picker {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        let event = self.selection.handle_key(key, self.count(), context);
        if event == ListEvent::Ignored && edit_field(&mut self.query, key) == Edit::Changed {
            self.handle_query_change(context);
        }
        self.apply(event, context)
    }

    fn handle_paste(&mut self, text: &str, context: &mut Context<'_, '_>) -> EventResult {
        self.query.insert_in_line(text);
        self.handle_query_change(context);
        EventResult::Consumed
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        let event = self.selection.handle_mouse(mouse, at, &self.list(area));
        self.apply(event, context)
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let list = self.list(area);
        let title = view.workspace.keys().title(self.title, &[(Action::Enter, self.enter)]);
        let inner = draw_frame(list.window, &title, surface, theme);
        draw_field(inner, &self.query, surface, theme);
        let room = usize::from(list.area.width);
        for (row, index) in self.selection.visible(&list).enumerate() {
            let Some(item) = self.item(index) else { break };
            let is_offer = index == self.matches.len();
            let waits = is_offer && offline_servers(view.models).contains(&self.server);
            let later =
                waits.then(|| PickerItem { remark: "once there is a connection".to_owned(), ..item.clone() });
            let item = later.as_ref().unwrap_or(item);
            let y = u16::try_from(row).unwrap_or(0);
            let selected = index == self.selection.index();
            let style = if selected { theme.style(Role::Selected) } else { Style::new() };
            let dim = theme.style(Role::Dim).patch(style);
            let RowTexts { name, remark } = row_texts(item, room);
            let end = surface.draw_text(list.area, 0, y, &name, style);
            surface.draw_text(list.area, end, y, &remark, dim);
        }
        if self.count() == 0 {
            let asks = self.revision.is_some();
            let offline = view.workspace.describe_offline(&offline_servers(view.models)).filter(|_| asks);
            let text = match offline {
                Some(offline) => format!("no matches in what is known here; {offline}"),
                None => "no matches".to_owned(),
            };
            surface.draw_text(list.area, 0, 0, &truncate_to_width(&text, room), theme.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests;
