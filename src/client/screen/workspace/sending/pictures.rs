//! Pictures in messages: what can be shown, and how far it is loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::layout::Size;

use super::super::{Models, Request, Workspace};
use crate::client::keys::Action;
use crate::client::model::Model;
use crate::client::screen::text::markup::SegmentKind;
use crate::client::screen::view::pictures::{Dimensions, PictureBox, PictureKey};
use crate::client::text::file_address::FileAddress;

/// Limit of the pictures whose state is known.
const MAX_STATES: usize = 2_000;

/// Endings of the names of pictures, where the server tells no types.
const ENDINGS: [&str; 5] = [".png", ".jpg", ".jpeg", ".gif", ".webp"];

/// A picture of a message, for the viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePicture {
    /// Key by which its content is found.
    pub key: PictureKey,
    /// Address of its file.
    pub address: FileAddress,
}

/// Progress of the loading of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PictureState {
    /// It is on its way: the bytes so far, and those of the whole file, once they are known.
    Loading(u64, Option<u64>),
    /// It can be shown, and has these dimensions.
    Loaded(Dimensions),
    /// It cannot be shown, for this reason.
    Failed(String),
    /// It cannot be loaded, for this reason, as long as this connection to the server lasts.
    Unreachable(String),
}

/// Sizes of a terminal that shows pictures, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureScreen {
    /// Size of a cell.
    pub cell: Dimensions,
    /// Largest size of a picture.
    pub limit: Option<Dimensions>,
}

/// Pictures, as far as the screen knows them, and what the terminal can show.
#[derive(Debug, Default)]
pub struct PictureStates {
    /// Sizes of the terminal; `None` for one that shows no pictures.
    pub screen: Option<PictureScreen>,
    states: BTreeMap<PictureKey, PictureState>,
}

impl PictureStates {
    /// Returns the state of a picture; `None` before it was loaded.
    pub fn get(&self, key: &PictureKey) -> Option<&PictureState> {
        self.states.get(key)
    }

    /// Takes note of news of a picture, if there are any.
    pub fn take_news(&mut self, news: Option<(PictureKey, PictureState)>) {
        if let Some((key, state)) = news {
            self.set(key, state);
        }
    }

    /// Sets the state of a picture.
    pub fn set(&mut self, key: PictureKey, state: PictureState) {
        if self.states.len() >= MAX_STATES && !self.states.contains_key(&key) {
            // Which one goes does not matter: its state is known again when it is shown.
            self.states.pop_first();
        }
        self.states.insert(key, state);
    }

    /// Forgets that a picture failed, so that it is loaded again.
    pub fn retry(&mut self, key: &PictureKey) {
        if let Some(PictureState::Failed(_) | PictureState::Unreachable(_)) = self.get(key) {
            self.states.remove(key);
        }
    }

    /// Returns whether a picture is not to be loaded before there is another connection.
    pub fn is_unreachable(&self, key: &PictureKey) -> bool {
        matches!(self.get(key), Some(PictureState::Unreachable(_)))
    }

    /// Forgets which pictures of a server could not be reached, so that they are loaded again over its new connection.
    pub fn retry_unreachable(&mut self, server: usize) {
        self.states
            .retain(|key, state| key.server != server || !matches!(state, PictureState::Unreachable(_)));
    }
}

impl Workspace {
    /// Returns the sizes of the terminal, if pictures are shown.
    fn picture_screen(&self) -> Option<PictureScreen> {
        self.pictures.screen.filter(|_| self.settings().images)
    }

    /// Returns the box for a picture in a room of cells, by the dimensions that the server has told; `None` for one that
    /// cannot be shown.
    pub fn preview_box(&self, key: &PictureKey, dimensions: Dimensions, room: Size) -> Option<PictureBox> {
        match self.pictures.get(key) {
            Some(PictureState::Failed(_)) => None,
            _ => self.box_in(key, dimensions, room),
        }
    }

    /// Returns the box for a picture that is loaded in a room of cells.
    pub fn picture_box(&self, key: &PictureKey, room: Size) -> Option<PictureBox> {
        match self.pictures.get(key)? {
            PictureState::Loaded(dimensions) => self.box_in(key, *dimensions, room),
            PictureState::Loading(..) | PictureState::Failed(_) | PictureState::Unreachable(_) => None,
        }
    }

    fn box_in(&self, key: &PictureKey, dimensions: Dimensions, room: Size) -> Option<PictureBox> {
        let PictureScreen { cell, limit } = self.picture_screen()?;
        let room = limit.map_or(room, |limit| {
            Size::new(
                u16::try_from(limit.width / cell.width).unwrap_or(u16::MAX).min(room.width),
                u16::try_from(limit.height / cell.height).unwrap_or(u16::MAX).min(room.height),
            )
        });
        Some(PictureBox::new(key.clone(), dimensions, cell, room))
    }

    /// Returns the request to show the pictures of the selected message, or of the last one of another account. The error is
    /// a text for the user.
    pub fn view_pictures(&mut self, models: Models<'_, '_>) -> Result<Request, String> {
        let pictures = self.viewable_pictures(models);
        if pictures.is_empty() {
            return Err("there is no picture in this message".to_owned());
        }
        if !self.settings().images {
            return Err("pictures are off: /set images auto".to_owned());
        }
        if self.pictures.screen.is_none() {
            let saves = self.keys().clauses(&[(Action::Save, "saves them")]);
            let remedy = if saves.is_empty() { String::new() } else { format!("; {saves}") };
            return Err(format!("this terminal shows no pictures{remedy}"));
        }
        for picture in &pictures {
            self.pictures.retry(&picture.key);
        }
        Ok(Request::OpenPictures(pictures))
    }

    /// Returns whether the selected message has pictures.
    pub fn has_pictures(&self, models: &[&mut Model]) -> bool {
        !self.viewable_pictures(models).is_empty()
    }

    fn viewable_pictures(&self, models: &[&mut Model]) -> Vec<MessagePicture> {
        let Some(((server, _), _, message)) = self.selected_or_last_message() else { return Vec::new() };
        let upload_url = models.get(server).and_then(|model| model.upload_url()).unwrap_or_default();
        let mut found: Vec<MessagePicture> = Vec::new();
        for segment in &message.markup {
            let address = match &segment.kind {
                SegmentKind::File(file) => file.shared.is_picture().then(|| file.address.clone()),
                SegmentKind::Link(target) => FileAddress::parse(target)
                    .ok()
                    .filter(|file| file.is_below(upload_url) && is_named_like_a_picture(&file.name())),
                _ => None,
            };
            let picture =
                address.map(|address| MessagePicture { key: picture_key(server, &address), address });
            found.extend(picture.filter(|picture| !found.contains(picture)));
        }
        found
    }
}

/// Returns the key of the picture at an address.
pub fn picture_key(server: usize, address: &FileAddress) -> PictureKey {
    PictureKey { server, path: Arc::from(address.path.as_str()) }
}

fn is_named_like_a_picture(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}
