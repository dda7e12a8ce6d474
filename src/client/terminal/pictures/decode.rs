//! Decoding of pictures from others, in bounded time and memory.

use std::cell::Cell;
use std::io::Cursor;
use std::panic::AssertUnwindSafe;

use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageReader, Limits, RgbaImage};

use crate::client::screen::view::pictures::Dimensions;

/// Limit of a picture's pixels. Cameras of phones make 12 to 50 million; those above 32 take seconds on small machines.
const MAX_PIXELS: u64 = 32 * 1024 * 1024;

/// Limit of a picture's width and height, in pixels.
const MAX_SIDE: u32 = 16_384;

/// Limit of the memory of the decoder, in bytes: four for each pixel.
const MAX_BYTES: u64 = 4 * MAX_PIXELS;

/// Dimensions to which a picture is scaled down to be kept: those of a large screen.
const KEPT: Dimensions = Dimensions { width: 2560, height: 1600 };

thread_local! {
    /// Set while this thread works on a picture.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// A picture that can be shown.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Dimensions of the picture as it was sent, upright.
    pub dimensions: Dimensions,
    /// Its pixels, scaled down where it is larger than a screen.
    pub pixels: DynamicImage,
}

/// Reason for which a picture cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It has too many pixels.
    #[error("{0}×{1} pixels are too many")]
    TooLarge(u32, u32),
    /// It needs too much memory.
    #[error("it needs too much memory")]
    Memory,
    /// It is none, is of another type, or is damaged.
    #[error("it is damaged, or no picture of a known type")]
    Damaged,
}

impl From<ImageError> for DecodeError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::Memory,
            // The texts of decoders are for programmers.
            _ => Self::Damaged,
        }
    }
}

/// Returns whether this thread decodes a picture. A panic there means that the picture cannot be shown, and nothing else.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// Decodes a picture and turns it upright (EXIF). Of an animation it is the first frame. Blocks for up to seconds.
///
/// # Errors
/// It is too large or damaged.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    contained(|| decode_bounded(bytes)).unwrap_or(Err(DecodeError::Damaged))
}

/// Returns the result of some work on a picture; `None` if it panicked.
pub fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    CONTAINED.set(true);
    // What was half done is dropped with the work.
    let done = std::panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(false);
    done.ok()
}

fn decode_bounded(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| DecodeError::Damaged)?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return Err(DecodeError::TooLarge(width, height));
    }
    if width == 0 || height == 0 || decoder.total_bytes() > MAX_BYTES {
        return Err(if width == 0 || height == 0 { DecodeError::Damaged } else { DecodeError::Memory });
    }
    // Unreadable metadata is no reason not to show a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let whole = DynamicImage::from_decoder(decoder)?;
    let sent = Dimensions { width, height };
    // Scaled down first, so that the rest is done with few pixels.
    let is_turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let turn =
        |of: Dimensions| if is_turned { Dimensions { width: of.height, height: of.width } } else { of };
    let kept = sent.fit_within(turn(KEPT));
    let mut kept = if kept == sent { whole } else { whole.thumbnail_exact(kept.width, kept.height) };
    kept.apply_orientation(orientation);
    Ok(Decoded { dimensions: turn(sent), pixels: kept.into_rgba8().into() })
}

/// Returns a picture on a transparent ground of these dimensions, in its upper left corner, scaled down to it.
pub fn place_on_ground(picture: &Decoded, ground: Dimensions) -> RgbaImage {
    let shown = picture.dimensions.fit_within(ground);
    let is_of_size = shown.width == picture.pixels.width() && shown.height == picture.pixels.height();
    let scaled =
        (!is_of_size).then(|| picture.pixels.resize_exact(shown.width, shown.height, FilterType::Triangle));
    let pixels = scaled.as_ref().unwrap_or(&picture.pixels).to_rgba8();
    if shown == ground {
        return pixels;
    }
    let mut whole = RgbaImage::new(ground.width, ground.height);
    image::imageops::replace(&mut whole, &pixels, 0, 0);
    whole
}
