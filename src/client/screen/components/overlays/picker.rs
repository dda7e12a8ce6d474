//! Pick list with fuzzy search, for conversations and emojis.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::step;
use super::window::{List, WindowClick, draw_field, draw_frame, first_visible, list_area, window_area};
use crate::client::screen::components::editing::{Edit, edit_field};
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::keys::Action;
use crate::client::screen::keys::key::MouseAction;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{pad_to_width, truncate_to_width, width};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::{BufferKey, Request, Workspace};

/// Choice of a pick list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerItem {
    /// Conversation to switch to.
    Conversation(BufferKey),
    /// Reaction to a message.
    Emoji {
        /// Emoji of the reaction.
        emoji: &'static str,
        /// Conversation of the message.
        key: BufferKey,
        /// Id of the message.
        msgid: String,
    },
}

/// Pick list with a search field.
#[derive(Debug, Default)]
pub struct Picker {
    /// Title of the window.
    title: &'static str,
    /// Field that narrows the list.
    query: TextField,
    /// Items: name, remark beside it, choice.
    items: Vec<(String, String, PickerItem)>,
    /// Indexes of the matching items, best match first.
    matches: Vec<usize>,
    /// Index of the selected match.
    selected: usize,
}

impl Picker {
    /// Limit of the matches.
    const MAX_MATCHES: usize = 200;

    /// Creates the list of all other conversations: mentions first, then unread ones, then the previous one, then the
    /// rest.
    pub fn conversation_picker(workspace: &Workspace) -> Self {
        let several = workspace.servers.len() > 1;
        let mut items: Vec<(u8, String, String, PickerItem)> = workspace
            .buffers()
            .filter(|(key, _)| workspace.current.as_ref() != Some(key))
            .map(|(key, buffer)| {
                let rank = match () {
                    () if buffer.mentions > 0 => 0,
                    () if buffer.unread > 0 && !workspace.is_silent(&key, buffer) => 1,
                    () if workspace.previous.as_ref() == Some(&key) => 2,
                    () => 3,
                };
                let mut beside = if several { workspace.servers[key.0].name.clone() } else { String::new() };
                if buffer.unread > 0 {
                    beside = format!("{} new  {beside}", buffer.unread);
                }
                (rank, sanitize_line(key.1.as_str(), 64), beside, PickerItem::Conversation(key))
            })
            .collect();
        items.sort_by_key(|(rank, ..)| *rank);
        Self::new("Go to", items.into_iter().map(|(_, name, beside, item)| (name, beside, item)).collect())
    }

    /// Creates the list of all emojis, the most usual reactions first.
    pub fn reaction_picker(key: &BufferKey, msgid: &str) -> Self {
        const USUAL: [&str; 8] = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
        let item = |emoji: &'static emojis::Emoji| {
            let codes: Vec<&str> = emoji.shortcodes().collect();
            let name = format!("{}  {}", emoji.as_str(), codes.first().copied().unwrap_or(emoji.name()));
            let item = PickerItem::Emoji { emoji: emoji.as_str(), key: key.clone(), msgid: msgid.to_owned() };
            (name, emoji.name().to_owned(), item)
        };
        let first = USUAL.iter().filter_map(|text| emojis::get(text));
        let rest = emojis::iter().filter(|emoji| !USUAL.contains(&emoji.as_str()));
        Self::new("React with", first.chain(rest).map(item).collect())
    }

    fn new(title: &'static str, items: Vec<(String, String, PickerItem)>) -> Self {
        let mut picker = Self { title, items, ..Self::default() };
        picker.update_matches();
        picker
    }

    /// Matches the items against the search field anew.
    fn update_matches(&mut self) {
        self.selected = 0;
        let query = self.query.text().trim();
        if query.is_empty() {
            self.matches = (0..self.items.len().min(Self::MAX_MATCHES)).collect();
            return;
        }
        let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut chars = Vec::new();
        let mut found: Vec<(u32, usize)> = Vec::new();
        for (index, (name, _, _)) in self.items.iter().enumerate() {
            if let Some(score) = pattern.score(Utf32Str::new(name, &mut chars), &mut matcher) {
                found.push((score, index));
            }
        }
        // Equal matches keep the order of the items, which has the most likely ones first.
        found.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
        self.matches = found.into_iter().take(Self::MAX_MATCHES).map(|(_, index)| index).collect();
    }

    /// Iterates over the matches, best first: name, and remark beside it.
    fn matching_items(&self) -> impl Iterator<Item = (&str, &str)> {
        let items = self.matches.iter().filter_map(|&index| self.items.get(index));
        items.map(|(name, beside, _)| (name.as_str(), beside.as_str()))
    }

    /// Returns the selected item.
    fn selected_item(&self) -> Option<&PickerItem> {
        self.items.get(*self.matches.get(self.selected)?).map(|(_, _, item)| item)
    }

    /// Moves the selection up or down.
    fn move_selection(&mut self, by: isize) {
        let last = self.matches.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Carries out the selected choice.
    fn choose(&self, context: &mut Context<'_, '_>) -> EventResult {
        match self.selected_item().cloned() {
            Some(PickerItem::Conversation(key)) => context.workspace.switch_to(key),
            Some(PickerItem::Emoji { emoji, key, msgid }) => {
                if let Err(why) = context.workspace.toggle_reaction(&key, &msgid, emoji, context.models) {
                    context.workspace.show_error(&why);
                }
            }
            None => {}
        }
        EventResult::Request(Request::CloseOverlay)
    }

    fn window(&self, screen: Rect) -> Rect {
        let items = u16::try_from(self.matching_items().take(20).count().max(1)).unwrap_or(1);
        window_area(screen, 60, (items + 3).min((screen.height * 2 / 3).max(6)))
    }
}

impl Component for Picker {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        if let Some(step) = step(key, context) {
            self.move_selection(step);
        } else if key.action == Some(Action::Enter) {
            return self.choose(context);
        } else if edit_field(&mut self.query, key) == Edit::Changed {
            self.update_matches();
        }
        EventResult::Consumed
    }

    fn handle_paste(&mut self, text: &str, _context: &mut Context<'_, '_>) -> EventResult {
        self.query.insert(&text.replace(['\r', '\n'], " "));
        self.update_matches();
        EventResult::Consumed
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        let count = self.matching_items().count();
        let list = List { window: self.window(area), count, selected: self.selected, rows_each: 1 };
        match mouse {
            MouseAction::WheelUp => self.move_selection(-1),
            MouseAction::WheelDown => self.move_selection(1),
            MouseAction::Click => match list.click_target(at) {
                WindowClick::Outside => return EventResult::Request(Request::CloseOverlay),
                WindowClick::Inside => {}
                WindowClick::Item(item) => {
                    self.selected = item;
                    return self.choose(context);
                }
            },
        }
        EventResult::Consumed
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let window = self.window(area);
        let inner = draw_frame(window, self.title, surface, theme);
        draw_field(inner, &self.query, surface, theme);
        let list = list_area(window);
        let skip = first_visible(self.selected, list.height);
        let room = usize::from(list.width);
        let mut some = false;
        for (index, (name, beside)) in
            self.matching_items().enumerate().skip(skip).take(usize::from(list.height))
        {
            some = true;
            let y = u16::try_from(index - skip).unwrap_or(0);
            let style = if index == self.selected { theme.style(Role::Selected) } else { Style::new() };
            let beside = truncate_to_width(beside, room.saturating_sub(width(name) + 2));
            let left = pad_to_width(name, room.saturating_sub(width(&beside)));
            let end = surface.draw_text(list, 0, y, &left, style);
            surface.draw_text(list, end, y, &beside, theme.style(Role::Dim).patch(style));
        }
        if !some {
            surface.draw_text(list, 0, 0, "no matches", theme.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    fn switcher() -> (Fixture, Picker) {
        let mut fixture = Fixture::new();
        fixture.lines(&[":bob!u@parlour PRIVMSG alice :psst", ":carol!u@parlour PRIVMSG alice :hi"]);
        let picker = Picker::conversation_picker(&fixture.workspace);
        (fixture, picker)
    }

    #[test]
    fn narrows_by_the_text_and_switches_on_enter() {
        let (mut fixture, mut picker) = switcher();
        let rows = fixture.render(&picker, 40, 10);
        assert!(rows.iter().any(|row| row.contains("bob")) && rows.iter().any(|row| row.contains("carol")));
        fixture.type_text(&mut picker, "car");
        let rows = fixture.render(&picker, 40, 10);
        assert!(!rows.iter().any(|row| row.contains("bob")), "{rows:?}");
        assert_eq!(fixture.keys(&mut picker, "Enter"), EventResult::Request(Request::CloseOverlay));
        assert_eq!(fixture.workspace.current, Some(Fixture::key("carol")));
    }

    #[test]
    fn without_a_match_enter_closes_and_switches_nowhere() {
        let (mut fixture, mut picker) = switcher();
        fixture.type_text(&mut picker, "zzz");
        assert!(fixture.render(&picker, 40, 10).iter().any(|row| row.contains("no matches")));
        assert_eq!(fixture.keys(&mut picker, "Enter"), EventResult::Request(Request::CloseOverlay));
        assert_eq!(fixture.workspace.current, Some(Fixture::key("#lobby")));
    }

    #[test]
    fn click_beside_the_window_closes_it() {
        let (mut fixture, mut picker) = switcher();
        fixture.render(&picker, 80, 24);
        assert_eq!(fixture.click(&mut picker, 0, 0), EventResult::Request(Request::CloseOverlay));
        assert_eq!(fixture.workspace.current, Some(Fixture::key("#lobby")));
    }
}
