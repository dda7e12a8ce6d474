//! Pictures as escape sequences.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use icy_sixel::{BackgroundMode, EncodeOptions, SixelImage};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _, RgbaImage};
use ratatui::layout::Size;

use super::decode::{Decoded, place_on_ground};
use super::detection::Protocol;
use crate::client::screen::view::pictures::Dimensions;

/// Limit of the base64 in one command of the kitty protocol, in bytes.
const KITTY_CHUNK: usize = 4096;

/// Form in which a picture is shown: its size in cells, the size of a cell, and the rows that are shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// Number of the picture for the terminal.
    pub mark: u32,
    /// Size of the whole, in cells.
    pub size: Size,
    /// Rows that are shown. The kitty protocol has all of them.
    pub rows: Range<u16>,
    /// Size of a cell, in pixels.
    pub cell: (u32, u32),
}

/// Returns the sequences that draw a picture at the cursor, or for the kitty protocol those that send it; `None` for one that
/// cannot be encoded. Blocks for tens of milliseconds.
pub fn render(picture: &Decoded, form: &Form, protocol: Protocol) -> Option<Arc<str>> {
    let cell = Dimensions { width: form.cell.0, height: form.cell.1 };
    let ground = cell.of_cells(form.size);
    let ground = match protocol {
        Protocol::Sixel(_) => picture.dimensions.fit_within(ground),
        Protocol::Kitty | Protocol::Iterm => ground,
    };
    let whole = place_on_ground(picture, ground);
    let [from, to] =
        [form.rows.start, form.rows.end].map(|row| (u32::from(row) * cell.height).min(whole.height()));
    let shown = match protocol {
        Protocol::Kitty => whole,
        _ if from == 0 && to == whole.height() => whole,
        // A picture that was turned upright may be smaller than its box.
        _ if from >= to => return Some(Arc::from("")),
        _ => image::imageops::crop_imm(&whole, 0, from, whole.width(), to - from).to_image(),
    };
    let sequences = match protocol {
        Protocol::Kitty => kitty(&png(&shown)?, form),
        Protocol::Iterm => iterm(&png(&shown)?, form),
        Protocol::Sixel(colours) => sixel(shown, colours)?,
    };
    Some(sequences.into())
}

/// Sends a picture in chunks, and makes a virtual placement for the placeholders. The terminal is to answer nothing.
fn kitty(png: &[u8], form: &Form) -> String {
    let data = STANDARD.encode(png);
    let mut out = String::with_capacity(data.len() + data.len() / 64 + 128);
    let mut first =
        format!("a=T,U=1,q=2,f=100,t=d,i={},c={},r={},", form.mark, form.size.width, form.size.height);
    let mut rest = data.as_str();
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(rest.len().min(KITTY_CHUNK));
        let more = u8::from(!behind.is_empty());
        let keys = if first.is_empty() { "q=2," } else { &first };
        let _ = write!(out, "\u{1b}_G{keys}m={more};{chunk}\u{1b}\\");
        first.clear();
        rest = behind;
    }
    out
}

/// Returns the sequence that removes a picture of the kitty protocol with its data.
pub fn kitty_removal(mark: u32) -> String {
    format!("\u{1b}_Ga=d,d=I,q=2,i={mark}\u{1b}\\")
}

fn iterm(png: &[u8], form: &Form) -> String {
    let (width, height) = (form.size.width, form.rows.len());
    let keys = format!(
        "inline=1;size={};width={width};height={height};preserveAspectRatio=0;doNotMoveCursor=1",
        png.len()
    );
    format!("\u{1b}]1337;File={keys}:{}\u{7}", STANDARD.encode(png))
}

fn sixel(pixels: RgbaImage, colours: u32) -> Option<String> {
    let (width, height) = (usize::try_from(pixels.width()).ok()?, usize::try_from(pixels.height()).ok()?);
    let image = SixelImage::try_from_rgba(pixels.into_raw(), width, height).ok()?;
    let options =
        EncodeOptions { max_colors: u16::try_from(colours).unwrap_or(256), ..EncodeOptions::default() };
    image.with_background_mode(BackgroundMode::Transparent).encode_with(&options).ok()
}

fn png(pixels: &RgbaImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    encoder.write_image(pixels.as_raw(), pixels.width(), pixels.height(), ExtendedColorType::Rgba8).ok()?;
    Some(bytes)
}
