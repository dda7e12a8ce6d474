//! Channel browser: all channels that the user may see, with members and topic.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::list::{List, ListEvent, ListSelection};
use super::window::{draw_field, draw_footer, draw_frame, list_area, window_area};
use crate::client::keys::Action;
use crate::client::keys::key::{Code, Key, MouseAction};
use crate::client::model::Model;
use crate::client::screen::components::editing::{Edit, edit_field};
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{pad_to_width, truncate_to_width, width, wrap_plain};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::lists::directory::{self, ListedChannel};
use crate::client::screen::workspace::lists::offline::offline_servers;
use crate::client::screen::workspace::{Request, Workspace};
use crate::client::text::count::counted;
use crate::wire::ChannelName;

/// Width of the column with the count of members.
const MEMBERS_WIDTH: usize = 7;

/// Width of the list, in cells, from which a topic has enough room in its row.
const WIDE: u16 = 60;

/// Rows for the topic of the selected channel below a narrow list.
const TOPIC_ROWS: u16 = 2;

/// Window with the channels of all servers.
#[derive(Debug, Default)]
pub struct ChannelBrowser {
    /// Field that filters by name and topic.
    filter: TextField,
    /// Matching channels, in order.
    matches: Vec<ChannelPosition>,
    selection: ListSelection,
    /// Server and name of the selected channel, which stays selected when a list arrives.
    selected: Option<(usize, ChannelName)>,
    order: Order,
    /// Revision of the directories that the matches were made from.
    revision: u64,
}

/// Position of a channel in the lists of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ChannelPosition {
    /// Index of the server.
    server: usize,
    /// Index of the channel in the list of the server.
    index: usize,
}

/// Order of the channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    /// Those with the most members first.
    #[default]
    Members,
    /// By name, in any case.
    Name,
}

impl ChannelBrowser {
    /// Opens the browser with a filter, and queries the lists. Those that are known stay on the screen until the new
    /// ones arrive.
    pub fn open(filter: &str, context: &mut Context<'_, '_>) -> Self {
        let mut browser = Self::default();
        browser.filter.set(filter);
        for server in 0..context.workspace.servers.len() {
            context.workspace.query_channels(server, 0, context.models);
        }
        browser.update_matches(context.workspace);
        browser
    }

    /// Filters anew if a list has arrived. The selected channel stays selected.
    pub fn follow(&mut self, workspace: &Workspace) {
        if self.revision == workspace.directory_revision {
            return;
        }
        let selected = self.selected.take();
        self.update_matches(workspace);
        if let Some((server, name)) = selected {
            let is_selected = |at: &ChannelPosition| {
                at.server == server && channel_at(workspace, *at).is_some_and(|one| one.name == name)
            };
            let at = self.matches.iter().position(is_selected).unwrap_or(0);
            self.selection.select(at, self.matches.len());
            self.remember_selected(workspace);
        }
    }

    fn update_matches(&mut self, workspace: &Workspace) {
        self.revision = workspace.directory_revision;
        self.selection = ListSelection::default();
        let filter = self.filter.text().to_lowercase();
        let words: Vec<&str> = filter.split_whitespace().collect();
        self.matches.clear();
        for (server, state) in workspace.servers.iter().enumerate() {
            let channels = state.directory.channels.items.iter().enumerate();
            let matching =
                channels.filter(|(_, channel)| words.iter().all(|word| channel.searchable.contains(word)));
            self.matches.extend(matching.map(|(index, _)| ChannelPosition { server, index }));
        }
        // The list of each server has this order already.
        if self.order == Order::Name || workspace.servers.len() > 1 {
            let key = |at: &ChannelPosition| channel_at(workspace, *at);
            self.matches.sort_by(|a, b| match (key(a), key(b), self.order) {
                (Some(a), Some(b), Order::Name) => a.name.cmp(&b.name),
                (Some(a), Some(b), Order::Members) => b.members.cmp(&a.members),
                _ => std::cmp::Ordering::Equal,
            });
        }
        self.remember_selected(workspace);
    }

    fn remember_selected(&mut self, workspace: &Workspace) {
        let selected = self.matches.get(self.selection.index());
        self.selected = selected.and_then(|&at| Some((at.server, channel_at(workspace, at)?.name.clone())));
    }

    /// Joins the selected channel, or switches to it.
    fn choose(&self, context: &mut Context<'_, '_>) -> EventResult {
        let offer = || self.offer(context.workspace);
        let Some((server, channel)) = self.selected.clone().or_else(offer) else {
            return EventResult::Consumed;
        };
        context.workspace.join_channel(server, &channel, context.models);
        EventResult::Request(Request::CloseOverlay)
    }

    /// Returns the channel that the filter names, which Enter joins or makes where nothing matches. Nothing is offered
    /// before the lists have arrived.
    fn offer(&self, workspace: &Workspace) -> Option<(usize, ChannelName)> {
        let mut listings = workspace.servers.iter().map(|server| &server.directory.channels);
        let is_loading = listings.any(|listing| listing.is_loading() || !listing.is_known());
        let server = workspace.current.as_ref().map_or(0, |(server, _)| *server);
        let channel = directory::channel_to_make(self.filter.text())?;
        (self.matches.is_empty() && !is_loading).then_some((server, channel))
    }

    fn apply(&mut self, event: ListEvent, context: &mut Context<'_, '_>) -> EventResult {
        self.remember_selected(context.workspace);
        match event {
            ListEvent::Chosen => self.choose(context),
            ListEvent::Closed => EventResult::Request(Request::CloseOverlay),
            ListEvent::Consumed | ListEvent::Ignored => EventResult::Consumed,
        }
    }

    fn list(&self, screen: Rect) -> List {
        let columns = screen.width.saturating_sub(4).clamp(30, 120);
        let window = window_area(screen, columns, screen.height.saturating_sub(2).max(5));
        let below = list_area(window);
        let area =
            Rect { y: below.y + 1, height: below.height.saturating_sub(1 + topic_rows(below)), ..below };
        List { window, area, count: self.matches.len(), rows_each: 1 }
    }

    fn footer(&self, workspace: &Workspace, models: &[&mut Model]) -> String {
        let listings = || workspace.servers.iter().map(|server| &server.directory.channels);
        let all: usize = listings().map(|listing| listing.items.len()).sum();
        let partial = if listings().any(|listing| listing.is_partial) { "+" } else { "" };
        let offline = workspace.describe_offline(&offline_servers(models));
        let loading = match offline {
            Some(offline) if all > 0 => format!("; {offline}: as it was before"),
            _ if listings().any(directory::Listing::is_loading) => ", loading …".to_owned(),
            _ => String::new(),
        };
        match self.matches.len() {
            shown if shown == all => format!("{}{loading}", counted(format!("{all}{partial}"), "channel")),
            shown => format!("{shown} of {}{loading}", counted(format!("{all}{partial}"), "channel")),
        }
    }

    fn draw_channels(&self, list: &List, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let theme = workspace.display.theme;
        let room = usize::from(list.area.width);
        let name_width = (room / 3).clamp(12, 28);
        let topic_width = room.saturating_sub(name_width + 1 + MEMBERS_WIDTH + 2);
        for (row, index) in self.selection.visible(list).enumerate() {
            let Some(&at) = self.matches.get(index) else { break };
            let Some(channel) = channel_at(workspace, at) else { break };
            let y = u16::try_from(row).unwrap_or(0);
            let style =
                if index == self.selection.index() { theme.style(Role::Selected) } else { Style::new() };
            let joined = view.models.get(at.server).is_some_and(|model| model.is_in(&channel.name));
            let name_style = if joined { theme.style(Role::Unread) } else { theme.style(Role::Text) };
            let mark = if joined { "✓" } else { " " };
            let name = truncate_to_width(&channel.label, name_width.saturating_sub(2));
            let name = pad_to_width(&format!("{mark} {name}"), name_width);
            let end = surface.draw_text(list.area, 0, y, &name, name_style.patch(style));
            let members = format!(" {:>MEMBERS_WIDTH$}  ", channel.members);
            let end = surface.draw_text(list.area, end, y, &members, style);
            let about = match workspace.servers.get(at.server).filter(|_| workspace.servers.len() > 1) {
                Some(state) => format!("[{}] {}", state.name, channel.topic),
                None => channel.topic.clone(),
            };
            let about = pad_to_width(&truncate_to_width(&about, topic_width), topic_width);
            surface.draw_text(list.area, end, y, &about, theme.style(Role::Dim).patch(style));
        }
        let selected = self.matches.get(self.selection.index()).and_then(|at| channel_at(workspace, *at));
        let below = Rect { y: list.area.bottom(), height: topic_rows(list_area(list.window)), ..list.area };
        let topic = selected.map_or("", |channel| channel.topic.as_str());
        for (y, row) in (0..below.height).zip(wrap_plain(topic, room, usize::from(TOPIC_ROWS))) {
            surface.draw_text(below, 0, y, &row, theme.style(Role::Dim));
        }
    }

    /// Draws the heads of the columns.
    fn draw_head(&self, list: &List, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let dim = view.workspace.display.theme.style(Role::Dim);
        let below = list_area(list.window);
        let head = Rect { height: below.height.min(1), ..below };
        let name_width = (usize::from(list.area.width) / 3).clamp(12, 28);
        let (name, members) = match self.order {
            Order::Members => ("Channel", "Here ▾"),
            Order::Name => ("Channel ▴", "Here"),
        };
        let pad = " ".repeat(MEMBERS_WIDTH.saturating_sub(width(members)));
        let text = format!("{} {pad}{members}  Topic", pad_to_width(&format!("  {name}"), name_width));
        surface.draw_text(head, 0, 0, &text, dim);
    }
}

/// Returns the count of rows below the list for the topic of the selected channel. A wide list has it in its row.
fn topic_rows(area: Rect) -> u16 {
    if area.width < WIDE && area.height > 3 * TOPIC_ROWS { TOPIC_ROWS } else { 0 }
}

fn channel_at(workspace: &Workspace, at: ChannelPosition) -> Option<&ListedChannel> {
    workspace.servers.get(at.server)?.directory.channels.items.get(at.index)
}

impl Component for ChannelBrowser {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        match key.key {
            Key { code: Code::Char('r'), ctrl: true, .. } => {
                for server in 0..context.workspace.servers.len() {
                    context.workspace.query_channels(server, 0, context.models);
                }
                return EventResult::Consumed;
            }
            Key { code: Code::Char('s'), ctrl: true, .. } => {
                self.order = if self.order == Order::Members { Order::Name } else { Order::Members };
                self.update_matches(context.workspace);
                return EventResult::Consumed;
            }
            _ => {}
        }
        let event = self.selection.handle_key(key, self.matches.len(), context);
        if event == ListEvent::Ignored && edit_field(&mut self.filter, key) == Edit::Changed {
            self.update_matches(context.workspace);
        }
        self.apply(event, context)
    }

    fn handle_paste(&mut self, text: &str, context: &mut Context<'_, '_>) -> EventResult {
        self.filter.insert_in_line(text);
        self.update_matches(context.workspace);
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
        let workspace = view.workspace;
        let theme = workspace.display.theme;
        let list = self.list(area);
        let other = if self.order == Order::Members { "name" } else { "members" };
        let title = workspace.keys().title("Channels", &[(Action::Enter, "joins")]);
        let title = format!("{title}, Ctrl-S sorts by {other}, Ctrl-R reloads");
        let inner = draw_frame(list.window, &title, surface, theme);
        draw_field(inner, &self.filter, surface, theme);
        draw_footer(list.window, &self.footer(workspace, view.models), surface, theme);
        self.draw_head(&list, surface, view);
        if !self.matches.is_empty() {
            return self.draw_channels(&list, surface, view);
        }
        let listings = || workspace.servers.iter().map(|server| &server.directory.channels);
        let (text, role) = match listings().find_map(|listing| listing.error.as_deref()) {
            Some(error) => (format!("the list did not arrive: {error}; Ctrl-R tries again"), Role::Error),
            None if listings().any(directory::Listing::is_loading) => ("loading …".to_owned(), Role::Dim),
            None if !listings().any(directory::Listing::is_known) => {
                ("not connected: Ctrl-R loads the list once there is a connection".to_owned(), Role::Error)
            }
            None if !offline_servers(view.models).is_empty() => {
                let text =
                    "no channel of the list from before matches; Ctrl-R loads it once there is a connection";
                (text.to_owned(), Role::Error)
            }
            None if self.filter.is_empty() => {
                ("no channels yet: /join #NAME makes one".to_owned(), Role::Dim)
            }
            None => match self.offer(workspace) {
                Some((_, channel)) => {
                    let name = sanitize_line(channel.as_str(), 64);
                    let makes = format!("joins or makes {name}");
                    let keys = workspace.keys().clauses(&[(Action::Enter, makes.as_str())]);
                    (format!("no channel matches; {keys}"), Role::Dim)
                }
                None => ("no channel matches; /join #NAME makes one".to_owned(), Role::Dim),
            },
        };
        let room = usize::from(list.area.width);
        for (y, row) in (0..list.area.height).zip(wrap_plain(&text, room, usize::from(list.area.height))) {
            surface.draw_text(list.area, 0, y, &row, theme.style(role));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    fn answer(fixture: &mut Fixture, lines: &[String]) {
        let sent = fixture.output();
        let line = sent.lines().find(|line| line.contains(" LIST")).expect("a LIST");
        let label = line.split(['=', ' ']).nth(1).expect("a label");
        fixture.lines(&[&format!("@label={label} :s BATCH +r labeled-response")]);
        fixture.lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        fixture.lines(&["@batch=r :s 323 alice :End", "BATCH -r"]);
    }

    fn line(name: &str, members: usize, topic: &str) -> String {
        format!("@batch=r :s 322 alice {name} {members} :{topic}")
    }

    fn browser(filter: &str) -> (Fixture, ChannelBrowser) {
        let mut fixture = Fixture::new();
        let mut browser = fixture.with(|context| ChannelBrowser::open(filter, context));
        assert!(fixture.render(&browser, 80, 12).iter().any(|row| row.contains("loading …")));
        answer(&mut fixture, &[line("#lobby", 3, "Tea"), line("#zoo", 12, "Animals"), line("#art", 1, "")]);
        browser.follow(&fixture.workspace);
        (fixture, browser)
    }

    fn names(fixture: &mut Fixture, browser: &ChannelBrowser) -> Vec<String> {
        let rows = fixture.render(browser, 80, 12);
        rows.iter()
            .filter_map(|row| row.split_whitespace().find(|word| word.starts_with('#')))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn lists_filters_and_sorts_channels() {
        let (mut fixture, mut browser) = browser("");
        assert_eq!(names(&mut fixture, &browser), ["#zoo", "#lobby", "#art"]);
        fixture.keys(&mut browser, "Ctrl-S");
        assert_eq!(names(&mut fixture, &browser), ["#art", "#lobby", "#zoo"]);
        fixture.type_text(&mut browser, "ANIM");
        assert_eq!(names(&mut fixture, &browser), ["#zoo"]);
        fixture.type_text(&mut browser, "x");
        assert!(fixture.render(&browser, 80, 12).iter().any(|row| row.contains("no channel matches")));
    }

    #[test]
    fn enter_joins_a_channel_or_switches_to_a_joined_one() {
        let (mut fixture, mut browser) = browser("");
        assert_eq!(fixture.keys(&mut browser, "Enter"), EventResult::Request(Request::CloseOverlay));
        assert!(fixture.output().contains("JOIN #zoo\r\n"));
        assert_eq!(fixture.workspace.current, Some(Fixture::key("#zoo")));
        fixture.keys(&mut browser, "Down Enter");
        assert!(!fixture.output().contains("JOIN"), "joined already");
        assert_eq!(fixture.workspace.current, Some(Fixture::key("#lobby")));
    }

    #[test]
    fn opening_it_again_shows_the_known_list_until_the_new_one_arrives() {
        let (mut fixture, _) = browser("");
        let mut again = fixture.with(|context| ChannelBrowser::open("", context));
        assert_eq!(names(&mut fixture, &again), ["#zoo", "#lobby", "#art"]);
        assert!(fixture.render(&again, 80, 12).iter().any(|row| row.contains("3 channels, loading …")));
        answer(&mut fixture, &[line("#zoo", 12, "Animals"), line("#made-just-now", 1, "")]);
        again.follow(&fixture.workspace);
        assert_eq!(names(&mut fixture, &again), ["#zoo", "#made-just-now"]);
        assert!(fixture.render(&again, 80, 12).iter().any(|row| row.contains("2 channels ")));
    }

    #[test]
    fn reloading_keeps_the_selected_channel() {
        let (mut fixture, mut browser) = browser("");
        fixture.keys(&mut browser, "Down Ctrl-R");
        answer(&mut fixture, &[line("#lobby", 30, "Tea"), line("#zoo", 12, "Animals")]);
        browser.follow(&fixture.workspace);
        assert_eq!(names(&mut fixture, &browser), ["#lobby", "#zoo"]);
        assert_eq!(browser.selected.map(|(_, name)| name.to_string()).as_deref(), Some("#lobby"));
    }

    #[test]
    fn ten_thousand_channels_are_drawn_by_the_screen() {
        let mut fixture = Fixture::new();
        let mut browser = fixture.with(|context| ChannelBrowser::open("", context));
        let lines: Vec<String> = (0..10_000).map(|n| line(&format!("#c{n:05}"), n, "topic")).collect();
        answer(&mut fixture, &lines);
        browser.follow(&fixture.workspace);
        assert_eq!(browser.matches.len(), 10_000);
        assert_eq!(names(&mut fixture, &browser).len(), 6);
        fixture.type_text(&mut browser, "c0777");
        assert_eq!(browser.matches.len(), 10);
    }

    #[test]
    fn enter_joins_or_makes_the_channel_that_nothing_matches() {
        let (mut fixture, mut browser) = browser("Tea Room");
        assert!(fixture.render(&browser, 80, 12).iter().any(|row| row.contains("/join #NAME makes one")));
        assert_eq!(fixture.keys(&mut browser, "Enter"), EventResult::Consumed);
        fixture.keys(&mut browser, "Ctrl-U");
        fixture.type_text(&mut browser, "Kitchen");
        assert!(
            fixture.render(&browser, 80, 12).iter().any(|row| row.contains("Enter joins or makes #Kitchen"))
        );
        assert_eq!(fixture.keys(&mut browser, "Enter"), EventResult::Request(Request::CloseOverlay));
        assert!(fixture.output().contains("JOIN #Kitchen"));
    }
}
