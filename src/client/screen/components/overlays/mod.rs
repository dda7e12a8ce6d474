//! Overlays: windows over the messages. At most one is open.

pub mod card;
pub mod channel_browser;
pub mod help;
pub mod list;
pub mod message_list;
mod message_row;
pub mod picker;
pub mod pictures;
pub mod search;
pub mod settings;
pub mod thread;
pub mod window;

use ratatui::layout::{Position, Rect};

use self::card::CardWindow;
use self::channel_browser::ChannelBrowser;
use self::help::Help;
use self::message_list::MessageList;
use self::picker::Picker;
use self::pictures::PictureViewer;
use self::search::SearchPanel;
use self::settings::SettingsList;
use self::thread::Thread;
use super::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::keys::Action;
use crate::client::keys::key::MouseAction;
use crate::client::model::Event;
use crate::client::screen::workspace::{Models, Request};

/// Window over the messages. Draws itself within the whole screen.
#[derive(Debug)]
pub enum Overlay {
    /// Key bindings and commands.
    Help(Help),
    /// Channels of the servers.
    Channels(ChannelBrowser),
    /// List to choose from.
    Picker(Picker),
    /// Search in the history.
    Search(SearchPanel),
    /// Answer of the server.
    Card(CardWindow),
    /// List of the settings.
    Settings(SettingsList),
    /// Mentions, pinned messages or bookmarks.
    Messages(MessageList),
    /// Message and its answers.
    Thread(Thread),
    /// Pictures of a message.
    Pictures(PictureViewer),
}

impl Overlay {
    /// Takes the result of a query of this window. Returns any other event.
    pub fn take_result(
        &mut self,
        server: usize,
        event: Event,
        context: &mut Context<'_, '_>,
    ) -> Option<Event> {
        match self {
            Self::Search(search) if search.takes(server, &event) => {
                search.take_result(event);
                None
            }
            Self::Messages(list) => list.take_result(server, event, context),
            Self::Thread(thread) => thread.take_result(server, event, context),
            Self::Search(_)
            | Self::Help(_)
            | Self::Picker(_)
            | Self::Channels(_)
            | Self::Card(_)
            | Self::Settings(_)
            | Self::Pictures(_) => Some(event),
        }
    }

    /// Ends the queries in flight of a server whose connection broke.
    pub fn end_queries(&mut self, server: usize, models: Models<'_, '_>) {
        match self {
            Self::Search(search) => search.end_queries(server),
            Self::Messages(list) => list.end_queries(server, models),
            Self::Thread(thread) => thread.end_queries(server),
            Self::Help(_)
            | Self::Picker(_)
            | Self::Channels(_)
            | Self::Card(_)
            | Self::Settings(_)
            | Self::Pictures(_) => {}
        }
    }

    /// Follows a change of the workspace.
    pub fn follow(&mut self, context: &mut Context<'_, '_>) {
        match self {
            Self::Picker(picker) => picker.follow(context),
            Self::Messages(list) => list.follow(context),
            Self::Thread(thread) => thread.follow(context),
            Self::Channels(browser) => browser.follow(context.workspace),
            Self::Help(_) | Self::Search(_) | Self::Card(_) | Self::Settings(_) | Self::Pictures(_) => {}
        }
    }

    fn component(&self) -> &dyn Component {
        match self {
            Self::Help(help) => help,
            Self::Channels(browser) => browser,
            Self::Picker(picker) => picker,
            Self::Search(search) => search,
            Self::Card(card) => card,
            Self::Settings(settings) => settings,
            Self::Messages(list) => list,
            Self::Thread(thread) => thread,
            Self::Pictures(viewer) => viewer,
        }
    }

    fn component_mut(&mut self) -> &mut dyn Component {
        match self {
            Self::Help(help) => help,
            Self::Channels(browser) => browser,
            Self::Picker(picker) => picker,
            Self::Search(search) => search,
            Self::Card(card) => card,
            Self::Settings(settings) => settings,
            Self::Messages(list) => list,
            Self::Thread(thread) => thread,
            Self::Pictures(viewer) => viewer,
        }
    }
}

impl Component for Overlay {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        if let Some(Action::Escape | Action::Clear) = key.action {
            return EventResult::Request(Request::CloseOverlay);
        }
        self.component_mut().handle_key(key, context)
    }

    fn handle_paste(&mut self, text: &str, context: &mut Context<'_, '_>) -> EventResult {
        self.component_mut().handle_paste(text, context)
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        self.component_mut().handle_mouse(mouse, at, area, context)
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        self.component().render(area, surface, view);
    }
}

/// Returns by how many items or rows a key moves, up if negative.
fn step(key: KeyPress, context: &Context<'_, '_>) -> Option<isize> {
    match key.action? {
        Action::Up | Action::PreviousConversation | Action::CompletePrevious => Some(-1),
        Action::Down | Action::NextConversation | Action::CompleteNext => Some(1),
        Action::PageUp => Some(-context.layout().half_page_rows()),
        Action::PageDown => Some(context.layout().half_page_rows()),
        _ => None,
    }
}
