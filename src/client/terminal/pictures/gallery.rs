//! Pictures in memory: loaded while they are on the screen, decoded and encoded beside the loop of the client.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::decode::{Decoded, contained, decode};
use super::detection::{Graphics, Protocol};
use super::layer::{Layer, Placed};
use super::render::{Form, render};
use crate::client::connect::connection::Endpoint;
use crate::client::screen::view::pictures::{PictureKey, Pictures, VisibleBox, WantedPicture};
use crate::client::screen::workspace::sending::pictures::PictureState;
use crate::client::transfer::download::Download;
use crate::client::transfer::{FileServer, Progress, TransferError};
use crate::wire::file_name::file_size;

/// Limit of the pictures that are loaded at one time.
const MAX_LOADING: usize = 2;

/// Limit of the pictures that are encoded at one time.
const MAX_RENDERING: usize = 2;

/// Limit of the decoded pictures that are kept, in bytes. Those on the screen are kept in any case.
const MAX_DECODED_BYTES: usize = 64 * 1024 * 1024;

/// Limit of the encoded pictures that are kept, in bytes.
const MAX_RENDERED_BYTES: usize = 16 * 1024 * 1024;

/// Interval between two events of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Limit of the events that wait for the client.
const MAX_EVENTS: usize = 16;

/// Result of work on another thread.
enum Done {
    Progress(PictureKey, u64, u64),
    Decoded(PictureKey, Result<Arc<Decoded>, PictureState>),
    Rendered(PictureKey, Form, Option<Arc<str>>),
}

/// Pictures in memory and on their way.
pub struct Gallery {
    graphics: Option<Graphics>,
    decoded: Cache<PictureKey, Arc<Decoded>>,
    rendered: Cache<Form, Arc<str>>,
    loading: HashMap<PictureKey, AbortOnDropHandle<()>>,
    rendering: HashSet<Form>,
    /// Pictures whose loading may begin.
    due: Vec<WantedPicture>,
    /// Only one picture is decoded at a time, because of the memory that it takes.
    permits: Arc<Semaphore>,
    sender: mpsc::Sender<Done>,
    events: mpsc::Receiver<Done>,
}

impl Default for Gallery {
    fn default() -> Self {
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        Self {
            graphics: None,
            decoded: Cache::new(MAX_DECODED_BYTES),
            rendered: Cache::new(MAX_RENDERED_BYTES),
            loading: HashMap::new(),
            rendering: HashSet::new(),
            due: Vec::new(),
            permits: Arc::new(Semaphore::new(1)),
            sender,
            events,
        }
    }
}

impl Gallery {
    /// Returns what the terminal can show.
    pub fn graphics(&self) -> Option<Graphics> {
        self.graphics
    }

    /// Sets what the terminal can show.
    pub fn set_graphics(&mut self, graphics: Option<Graphics>) {
        if self.graphics.map(|it| it.protocol) != graphics.map(|it| it.protocol) {
            self.rendered = Cache::new(MAX_RENDERED_BYTES);
        }
        self.graphics = graphics;
    }

    /// Fills the boxes of a frame with the pictures that are there, and has the others made. Loading what is not on the
    /// screen any more ends.
    pub fn place(&mut self, cells: &mut Buffer, pictures: &Pictures, layer: &mut Layer) {
        self.decoded.next_frame();
        self.rendered.next_frame();
        self.loading.retain(|key, _| pictures.wanted().iter().any(|wanted| wanted.key == *key));
        self.due.clear();
        // What was drawn last matters most: a window, or the latest message.
        for wanted in pictures.wanted().iter().rev() {
            let is_known = self.decoded.get(&wanted.key).is_some() || self.loading.contains_key(&wanted.key);
            if !is_known && self.loading.len() + self.due.len() < MAX_LOADING {
                self.due.push(wanted.clone());
            }
        }
        let (mut placed, mut numbered) = (Vec::new(), Vec::new());
        if let Some(graphics) = self.graphics {
            for visible in pictures.visible(cells) {
                let Some(sequences) = self.rendering_of(&visible, graphics) else { continue };
                match graphics.protocol {
                    Protocol::Kitty => numbered.push((visible.mark, sequences)),
                    Protocol::Iterm | Protocol::Sixel(_) => {
                        placed.push(Placed { area: visible.area, sequences });
                    }
                }
            }
        }
        pictures.resolve(cells, |mark| numbered.iter().any(|(shown, _)| *shown == mark));
        layer.set_next(placed, numbered);
    }

    /// Returns the sequences for a box; `None` while they are being made.
    fn rendering_of(&mut self, visible: &VisibleBox, graphics: Graphics) -> Option<Arc<str>> {
        let rows = match graphics.protocol {
            Protocol::Kitty => 0..visible.picture.size.height,
            Protocol::Iterm | Protocol::Sixel(_) => visible.rows.clone(),
        };
        let cell = (graphics.cell.width, graphics.cell.height);
        let form = Form { mark: visible.mark, size: visible.picture.size, rows, cell };
        if let Some(known) = self.rendered.get(&form) {
            return Some(known);
        }
        let key = &visible.picture.key;
        let picture = self.decoded.get(key)?;
        if self.rendering.len() < MAX_RENDERING && self.rendering.insert(form.clone()) {
            let (sender, key) = (self.sender.clone(), key.clone());
            tokio::spawn(async move {
                let work = form.clone();
                let rendered = move || contained(|| render(&picture, &work, graphics.protocol)).flatten();
                let sequences = spawn_blocking(rendered).await;
                // Without a receiver the chat is over.
                drop(sender.send(Done::Rendered(key, form, sequences.ok().flatten())).await);
            });
        }
        None
    }

    /// Takes the pictures whose loading is to begin.
    pub fn take_due(&mut self) -> Vec<WantedPicture> {
        std::mem::take(&mut self.due)
    }

    /// Begins to load a picture from its server.
    pub fn load(&mut self, wanted: WantedPicture, endpoint: &Endpoint) {
        let (server, sender, permits) =
            (FileServer::new(endpoint), self.sender.clone(), self.permits.clone());
        let key = wanted.key.clone();
        let task = tokio::spawn(async move {
            let decoded = match fetch(server, &wanted, &sender).await {
                Ok(bytes) => decode_apart(bytes, &permits).await.map_err(PictureState::Failed),
                Err(state) => Err(state),
            };
            drop(sender.send(Done::Decoded(wanted.key, decoded.map(Arc::new))).await);
        });
        self.loading.insert(key, AbortOnDropHandle::new(task));
    }

    /// Waits until something is made. Returns the news of a picture, if there are any. This is cancel-safe.
    pub async fn next(&mut self) -> Option<(PictureKey, PictureState)> {
        // The sender is in `self`, so there is always another event to wait for.
        match self.events.recv().await? {
            Done::Progress(key, bytes, size) => Some((key, PictureState::Loading(bytes, Some(size)))),
            Done::Decoded(key, decoded) => {
                self.loading.remove(&key);
                let state = match decoded {
                    Ok(picture) => {
                        let dimensions = picture.dimensions;
                        self.decoded.insert(key.clone(), picture.pixels.as_bytes().len(), picture);
                        PictureState::Loaded(dimensions)
                    }
                    Err(state) => state,
                };
                Some((key, state))
            }
            Done::Rendered(key, form, sequences) => {
                self.rendering.remove(&form);
                let Some(sequences) = sequences else {
                    return Some((key, PictureState::Failed("it cannot be encoded".to_owned())));
                };
                self.rendered.insert(form, sequences.len(), sequences);
                None
            }
        }
    }
}

/// Reads the file of a picture. The error is the state of one that cannot be read.
async fn fetch(
    server: FileServer,
    wanted: &WantedPicture,
    sender: &mpsc::Sender<Done>,
) -> Result<Vec<u8>, PictureState> {
    let state = |error: TransferError| {
        let kind = if error.is_temporary() { PictureState::Unreachable } else { PictureState::Failed };
        kind(error.to_string())
    };
    let progress = Progress::default();
    let opened = Download::open(server, &wanted.key.path, &progress).await;
    let mut download = opened.map_err(state)?;
    let size = download.size;
    if size > wanted.max_bytes {
        let why = format!("it has {}, more than {}", file_size(size), file_size(wanted.max_bytes));
        return Err(PictureState::Failed(why));
    }
    let (mut bytes, mut told) = (Vec::new(), None::<Instant>);
    while let Some(piece) = download.next_piece().await.map_err(state)? {
        bytes.extend_from_slice(&piece);
        if told.is_none_or(|told| told.elapsed() >= PROGRESS_INTERVAL) {
            told = Some(Instant::now());
            drop(sender.send(Done::Progress(wanted.key.clone(), bytes.len() as u64, size)).await);
        }
    }
    Ok(bytes)
}

async fn decode_apart(bytes: Vec<u8>, permits: &Arc<Semaphore>) -> Result<Decoded, String> {
    let permit = permits.clone().acquire_owned().await.map_err(|error| error.to_string())?;
    let decoded = spawn_blocking(move || {
        let decoded = decode(&bytes);
        // Held until here, also if nobody waits any more.
        drop(permit);
        decoded
    });
    decoded.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// Values that are kept up to a limit of bytes. Those that were not used for the longest time go first, but none that the
/// present frame has used.
struct Cache<K, V> {
    values: HashMap<K, Kept<V>>,
    frame: u64,
    max_bytes: usize,
}

struct Kept<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    fn new(max_bytes: usize) -> Self {
        Self { values: HashMap::new(), frame: 0, max_bytes }
    }

    fn next_frame(&mut self) {
        self.frame += 1;
    }

    fn get(&mut self, key: &K) -> Option<V> {
        let kept = self.values.get_mut(key)?;
        kept.used = self.frame;
        Some(kept.value.clone())
    }

    fn insert(&mut self, key: K, bytes: usize, value: V) {
        self.values.insert(key, Kept { value, bytes, used: self.frame });
        while self.values.values().map(|kept| kept.bytes).sum::<usize>() > self.max_bytes {
            let oldest = self.values.iter().filter(|(_, kept)| kept.used < self.frame);
            let oldest = oldest.min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { return };
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let mut cache = Cache::new(30);
        for name in ["a", "b", "c"] {
            cache.next_frame();
            cache.insert(name, 10, name);
        }
        cache.next_frame();
        assert_eq!(cache.get(&"a"), Some("a"));
        cache.insert("d", 10, "d");
        assert_eq!((cache.get(&"a"), cache.get(&"b"), cache.get(&"c")), (Some("a"), None, Some("c")));
        // What is on the screen stays, however much it is.
        cache.insert("e", 40, "e");
        assert!(["a", "c", "d", "e"].iter().all(|name| cache.get(name).is_some()));
        cache.next_frame();
        cache.insert("f", 10, "f");
        let bytes: usize = cache.values.values().map(|kept| kept.bytes).sum();
        assert!(bytes <= 30 && cache.get(&"f").is_some(), "{bytes} bytes");
    }
}
