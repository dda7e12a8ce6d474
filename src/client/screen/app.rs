//! Screen as a whole: routing of events to its parts, and drawing.

use jiff::tz::TimeZone;
use ratatui::layout::{Position, Rect};
use ratatui::terminal::Frame;

use super::components::composer::Composer;
use super::components::hint_line::HintLine;
use super::components::layout::{Layout, Panels};
use super::components::member_list::MemberList;
use super::components::overlays::Overlay;
use super::components::overlays::card::CardWindow;
use super::components::overlays::channel_browser::ChannelBrowser;
use super::components::overlays::help::Help;
use super::components::overlays::message_list::{Listed, MessageList};
use super::components::overlays::picker::Picker;
use super::components::overlays::pictures::PictureViewer;
use super::components::overlays::search::SearchPanel;
use super::components::overlays::settings::SettingsList;
use super::components::overlays::thread::Thread;
use super::components::sidebar::Sidebar;
use super::components::status_line::StatusLine;
use super::components::timeline::Timeline;
use super::components::topic_bar::TopicBar;
use super::components::{Component, Context, EventResult, KeyPress, Surface, View};
use super::view::Drawn;
use super::view::theme::Theme;
use super::workspace::consent::QuestionKey;
use super::workspace::{Models, Request, ScreenEffect, Workspace};
use crate::client::keys::key::{Code, Key, MouseAction, TerminalEvent};
use crate::client::keys::{Action, KeyMode};
use crate::client::model::{Event, Model};
use crate::client::settings::state::State;
use crate::client::settings::{LayoutSettings, Settings};
use crate::wire::Timestamp;

/// Full-screen client: the servers with their conversations, and the components that show them.
///
/// Terminal events go to the open window if there is one. Otherwise keys go to the timeline, then to the composer, then
/// here, until one of them has a use for the key; mouse events go to the component below the mouse.
#[derive(Debug)]
pub struct App {
    /// Servers, conversations, and what the components share.
    pub workspace: Workspace,
    /// Field that messages and commands are written in.
    pub composer: Composer,
    /// Messages of the conversation on the screen.
    pub timeline: Timeline,
    /// List of the conversations.
    pub sidebar: Sidebar,
    /// List of the members.
    pub members: MemberList,
    /// Window over the messages.
    pub overlay: Option<Overlay>,
    /// Settings of the panels that the components follow.
    layout_settings: LayoutSettings,
}

impl App {
    /// Creates the client for these servers.
    pub fn new(
        names: impl IntoIterator<Item = String>,
        theme: Theme,
        zone: TimeZone,
        now: Timestamp,
    ) -> Self {
        Self {
            workspace: Workspace::new(names, theme, zone, now),
            composer: Composer::default(),
            timeline: Timeline::default(),
            sidebar: Sidebar::default(),
            members: MemberList::default(),
            overlay: None,
            layout_settings: LayoutSettings::default(),
        }
    }

    /// Takes over settings.
    pub fn apply_settings(&mut self, settings: Settings) {
        self.workspace.apply_settings(settings);
        self.follow_workspace();
    }

    /// Takes over the state of the last run. Panels that the settings show or hide are as these say.
    pub fn restore(&mut self, state: State) {
        let layout = self.workspace.settings().layout;
        self.sidebar.shown = state.sidebar.filter(|_| layout.sidebar.is_none());
        self.members.shown = state.members.filter(|_| layout.members.is_none());
        self.workspace.restore(state);
    }

    /// Returns the state for the next run.
    pub fn state(&self) -> State {
        State { sidebar: self.sidebar.shown, members: self.members.shown, ..self.workspace.state() }
    }

    /// Handles an event of a server's model.
    pub fn handle_event(&mut self, server: usize, event: Event, models: Models<'_, '_>) {
        if let Event::Answered { request, replies } = &event {
            let Some(model) = models.get_mut(server) else { return };
            if let Some(card) = self.workspace.take_answer(server, request, replies, model) {
                self.overlay = Some(Overlay::Card(CardWindow::new(card)));
            }
            return;
        }
        let panels = self.panels();
        let event = match &mut self.overlay {
            Some(overlay) => {
                let mut context = Context { workspace: &mut self.workspace, models: &mut *models, panels };
                overlay.take_result(server, event, &mut context)
            }
            None => Some(event),
        };
        let Some(event) = event else { return };
        self.workspace.handle_event(server, event, &mut *models, self.overlay.is_none());
        self.follow_workspace();
        let panels = self.panels();
        if let Some(overlay) = &mut self.overlay {
            overlay.follow(&mut Context { workspace: &mut self.workspace, models, panels });
        }
    }

    /// Handles a broken connection, with `retry_delay` milliseconds until the next attempt.
    pub fn handle_disconnected(
        &mut self,
        server: usize,
        reason: &str,
        retry_delay: u64,
        models: Models<'_, '_>,
    ) {
        self.workspace.handle_disconnected(server, reason, retry_delay);
        if let Some(overlay) = &mut self.overlay {
            overlay.end_queries(server, models);
        }
    }

    /// Brings everything up to date after an event; see [`Workspace::update`].
    pub fn update(&mut self, models: Models<'_, '_>) {
        self.workspace.update(models, self.overlay.is_none());
        self.follow_workspace();
    }

    /// Handles an event of the terminal.
    pub fn handle_terminal_event(&mut self, happening: TerminalEvent, models: Models<'_, '_>) {
        match happening {
            TerminalEvent::Key(key) => {
                self.workspace.hint = None;
                self.workspace.forget_last_conversation();
                self.workspace.measure_lag(models);
                self.handle_key(key, models);
            }
            TerminalEvent::Paste(text) => {
                if let Some(c) = self.workspace.cancel_question() {
                    self.handle_key(Key::from_code(Code::Char(c)), models);
                }
                let panels = self.panels();
                let mut context = Context { workspace: &mut self.workspace, models: &mut *models, panels };
                let result = match &mut self.overlay {
                    Some(overlay) => overlay.handle_paste(&text, &mut context),
                    None => self.composer.handle_paste(&text, &mut context),
                };
                self.carry_out(result, models);
            }
            TerminalEvent::Mouse { action, at } => self.handle_mouse(action, at, models),
            TerminalEvent::Resize(size) => self.workspace.display.size = size,
            TerminalEvent::Focus(focused) => self.workspace.set_focused(focused),
        }
        self.follow_workspace();
    }

    /// Brings the components up to date with the conversation on the screen and the settings.
    fn follow_workspace(&mut self) {
        for text in std::mem::take(&mut self.workspace.returned_texts) {
            self.composer.keep_sent_line(text, false);
        }
        self.composer.follow(&self.workspace);
        self.timeline.follow(&self.workspace);
        // A changed setting counts more than an earlier key.
        let layout = self.workspace.settings().layout;
        if std::mem::replace(&mut self.layout_settings, layout) != layout {
            (self.sidebar.shown, self.members.shown) = (None, None);
        }
    }

    fn handle_key(&mut self, key: Key, models: Models<'_, '_>) {
        if self.workspace.question.is_some() {
            let effect = self.workspace.answer_question(key, self.overlay.is_some(), models);
            let QuestionKey::Passed(typed) = effect else { return };
            let prints = matches!(key, Key { code: Code::Char(_), ctrl: false, alt: false, .. });
            if typed.is_some() || prints {
                self.workspace.deselect();
            }
            if let Some(c) = typed {
                self.handle_key(Key::from_code(Code::Char(c)), models);
            }
            return self.handle_key(key, models);
        }
        let ctrl_c_warned = std::mem::take(&mut self.workspace.quit.ctrl_c_warned);
        if self.overlay.is_some() {
            let press = KeyPress::new(key, KeyMode::Composing, self.workspace.keys());
            return self.handle_overlay_key(press, models);
        }
        let mode = if self.workspace.selection().is_some() { KeyMode::Selecting } else { KeyMode::Composing };
        let press = KeyPress::new(key, mode, self.workspace.keys());
        if !matches!(press.action, Some(Action::CompleteNext | Action::CompletePrevious)) {
            self.composer.end_completion();
        }
        let panels = self.panels();
        let mut context = Context { workspace: &mut self.workspace, models: &mut *models, panels };
        if let Some(result) = self.composer.answer_drop(press, &mut context) {
            return self.carry_out(result, models);
        }
        let mut result = self.timeline.handle_key(press, &mut context);
        if result == EventResult::Ignored {
            result = self.composer.handle_key(press, &mut context);
        }
        match (result, press.action) {
            (EventResult::Ignored, Some(Action::Clear)) => self.ctrl_c(ctrl_c_warned),
            (EventResult::Ignored, Some(action)) => self.perform(action, models),
            (result, _) => self.carry_out(result, models),
        }
    }

    fn handle_overlay_key(&mut self, press: KeyPress, models: Models<'_, '_>) {
        if let Some(action @ (Action::Suspend | Action::Redraw)) = press.action {
            return self.perform(action, models);
        }
        let panels = self.panels();
        let mut context = Context { workspace: &mut self.workspace, models: &mut *models, panels };
        if let Some(overlay) = &mut self.overlay {
            let result = overlay.handle_key(press, &mut context);
            if result == EventResult::Ignored && matches!(self.overlay, Some(Overlay::Card(_))) {
                // Whoever types on has read the card.
                self.overlay = None;
                return self.handle_key(press.key, models);
            }
            self.carry_out(result, models);
        }
    }

    /// Handles Ctrl-C where there is nothing to clear: warns, and quits if it was the last key already.
    fn ctrl_c(&mut self, warned: bool) {
        if warned {
            return self.workspace.request_quit_by_key();
        }
        let key = self.workspace.keys().key_name(Action::Clear).unwrap_or_else(|| "the key".to_owned());
        self.workspace.show_hint(&format!("press {key} again to quit"));
        self.workspace.quit.ctrl_c_warned = true;
    }

    /// Executes an action that no component has a use for.
    fn perform(&mut self, action: Action, models: Models<'_, '_>) {
        let workspace = &mut self.workspace;
        match action {
            Action::Help => self.carry_out(Request::OpenHelp(None).into(), models),
            Action::QuickSwitcher => self.carry_out(Request::OpenSwitcher.into(), models),
            Action::Channels => self.carry_out(Request::OpenChannels(String::new()).into(), models),
            Action::Search => self.carry_out(Request::OpenSearch(String::new()).into(), models),
            Action::Mentions => self.carry_out(Request::OpenMentions.into(), models),
            Action::NextConversation => workspace.switch_by(1),
            Action::PreviousConversation => workspace.switch_by(-1),
            Action::NextUnread => match workspace.next_unread() {
                Some(key) => workspace.switch_to(key),
                None => workspace.show_hint("no unread messages elsewhere"),
            },
            Action::LastShown => {
                if let Some(key) = workspace.previous.clone() {
                    workspace.switch_to(key);
                }
            }
            Action::Conversation(number) => {
                let key = workspace.buffers().nth(usize::from(number) - 1).map(|(key, _)| key);
                if let Some(key) = key {
                    workspace.switch_to(key);
                }
            }
            Action::ToggleConversations => self.sidebar.shown = Some(self.layout().sidebar.is_none()),
            Action::ToggleMembers => self.carry_out(Request::ToggleMembers.into(), models),
            Action::Redraw => workspace.effects.push(ScreenEffect::Redraw),
            Action::Suspend => workspace.effects.push(ScreenEffect::Suspend),
            Action::Quit => workspace.request_quit_by_key(),
            Action::Escape => workspace.scroll_to_latest(),
            _ => debug_assert!(false, "{action:?} has no component"),
        }
    }

    fn handle_mouse(&mut self, mouse: MouseAction, at: Position, models: Models<'_, '_>) {
        let layout = self.layout();
        let panels = self.panels();
        let screen = Rect::from((Position::ORIGIN, self.workspace.display.size));
        let mut context = Context { workspace: &mut self.workspace, models: &mut *models, panels };
        if let Some(overlay) = &mut self.overlay {
            let result = overlay.handle_mouse(mouse, at, screen, &mut context);
            return self.carry_out(result, models);
        }
        let within = |area: Option<Rect>| area.filter(|area| area.contains(at));
        let result = if mouse != MouseAction::Click {
            self.timeline.handle_mouse(mouse, at, layout.timeline, &mut context)
        } else if let Some(area) = within(layout.sidebar) {
            self.sidebar.handle_mouse(mouse, at, area, &mut context)
        } else if let Some(area) = within(layout.members) {
            self.members.handle_mouse(mouse, at, area, &mut context)
        } else if let Some(area) = within(Some(layout.timeline)) {
            self.timeline.handle_mouse(mouse, at, area, &mut context)
        } else {
            EventResult::Ignored
        };
        if result == EventResult::Ignored {
            self.workspace.deselect();
        }
        self.carry_out(result, models);
    }

    fn carry_out(&mut self, result: EventResult, models: Models<'_, '_>) {
        let EventResult::Request(request) = result else { return };
        let panels = self.panels();
        match request {
            Request::CloseOverlay => {
                if let Some(Overlay::Thread(thread)) = self.overlay.take()
                    && let Some(note) = thread.closing_note()
                {
                    self.workspace.show_hint(&note);
                }
            }
            Request::OpenHelp(command) => self.overlay = Some(Overlay::Help(Help::new(command))),
            Request::OpenSearch(terms) => {
                let mut context = Context { workspace: &mut self.workspace, models, panels };
                self.overlay = Some(Overlay::Search(SearchPanel::open(&terms, &mut context)));
            }
            Request::OpenSwitcher => {
                let mut context = Context { workspace: &mut self.workspace, models, panels };
                self.overlay = Some(Overlay::Picker(Picker::quick_switcher(&mut context)));
            }
            Request::OpenChannels(filter) => {
                let mut context = Context { workspace: &mut self.workspace, models, panels };
                self.overlay = Some(Overlay::Channels(ChannelBrowser::open(&filter, &mut context)));
            }
            Request::OpenMentions => self.open_messages(Listed::Mentions, models),
            Request::OpenPins(key) => self.open_messages(Listed::Pins(key), models),
            Request::OpenBookmarks => self.open_messages(Listed::Bookmarks, models),
            Request::OpenThread { key, msgid } => {
                let mut context = Context { workspace: &mut self.workspace, models, panels };
                self.overlay = Some(Overlay::Thread(Thread::open(key, &msgid, &mut context)));
            }
            Request::OpenReactions { key, msgid } => {
                self.overlay = Some(Overlay::Picker(Picker::reaction_picker(&key, &msgid)));
            }
            Request::OpenPictures(pictures) => {
                self.overlay = Some(Overlay::Pictures(PictureViewer::open(pictures)));
            }
            Request::OpenSettings => {
                self.overlay = Some(Overlay::Settings(SettingsList::open(&self.workspace)));
            }
            Request::ToggleMembers => {
                // The quick switcher may have been the door to it.
                self.overlay = None;
                self.members.shown = Some(self.layout().members.is_none());
            }
            Request::ShowMembers => {
                self.overlay = None;
                self.members.shown = Some(true);
                if self.layout().members.is_none() {
                    self.workspace
                        .show_hint("the screen has no room for the members; /who #CHANNEL lists them");
                }
            }
        }
    }

    fn open_messages(&mut self, listed: Listed, models: Models<'_, '_>) {
        let panels = self.panels();
        let mut context = Context { workspace: &mut self.workspace, models, panels };
        self.overlay = Some(Overlay::Messages(MessageList::open(listed, &mut context)));
    }

    fn panels(&self) -> Panels {
        Panels {
            sidebar: self.sidebar.shown.or(self.workspace.settings().layout.sidebar),
            members: self.members.shown.or(self.workspace.settings().layout.members),
            messages_only: self.timeline.messages_only,
            completing: self.composer.candidates().is_some(),
        }
    }

    fn layout(&self) -> Layout {
        Layout::from_app(&self.workspace, self.panels())
    }

    /// Draws the screen, without any change to the state. Returns the targets of its links, and its pictures.
    pub fn draw(&self, models: &[&mut Model], frame: &mut Frame<'_>) -> Drawn {
        let area = frame.area();
        let layout = Layout::for_screen(&self.workspace, self.panels(), area);
        let view = View { workspace: &self.workspace, models, completion: self.composer.candidates() };
        let mut surface = Surface::new(frame.buffer_mut());
        let parts: [(&dyn Component, Option<Rect>); 7] = [
            (&self.sidebar, layout.sidebar),
            (&self.members, layout.members),
            (&TopicBar, layout.topic),
            (&self.timeline, Some(layout.timeline)),
            (&HintLine, layout.hint),
            (&StatusLine, layout.status),
            (&self.composer, Some(layout.composer)),
        ];
        // The viewer takes the whole screen, and needs no pictures below it.
        let is_covered = matches!(self.overlay, Some(Overlay::Pictures(_)));
        for (part, area) in parts {
            if let Some(area) = area.filter(|_| !is_covered) {
                part.render(area, &mut surface, &view);
            }
        }
        if let Some(overlay) = &self.overlay {
            overlay.render(area, &mut surface, &view);
        }
        let Surface { links, pictures, cursor, .. } = surface;
        if let Some(cursor) = cursor.filter(|_| self.workspace.selection().is_none()) {
            frame.set_cursor_position(cursor);
        }
        Drawn { links, pictures }
    }
}
