//! QR codes of links, for the terminal and for image files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use qrcode::render::{svg, unicode::Dense1x2};
use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::cli::output::note;
use crate::platform::files;

/// Width of the quiet zone around a code, in modules, which readers need (ISO/IEC 18004, 9.1). qrcode draws the same.
const QUIET_ZONE: usize = 4;

/// Size of a module in a PNG, in pixels.
const PIXELS_PER_MODULE: usize = 8;

/// Black on white, whatever the terminal's colours are: colours 16 and 231 are the same in every theme.
const ANSI_COLOURS: &str = "\x1b[38;5;16;48;5;231m";
const ANSI_RESET: &str = "\x1b[0m";

/// The QR code of a text.
pub struct QrMatrix(QrCode);

/// An image format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ImageFormat {
    Png,
    Svg,
}

/// An image file that was created and is still empty. Dropping it removes the file unless it was
/// [written](ImageFile::write).
pub struct ImageFile {
    path: PathBuf,
    format: ImageFormat,
    file: Option<File>,
}

impl QrMatrix {
    /// Encodes a text. Error correction level L has the fewest modules. It suffices for a screen or a fresh print, and
    /// a code that does not fit the window cannot be read at all.
    pub fn encode(text: &str) -> anyhow::Result<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L)
            .context("the link is too long for a QR code; set fewer addresses under `advertise`")?;
        Ok(Self(code))
    }

    /// Returns the width in columns of a terminal, which is that of the code and its quiet zone in modules.
    pub fn columns(&self) -> usize {
        self.0.width() + 2 * QUIET_ZONE
    }

    /// Draws the code with half blocks, two rows on each line. With `colours` it is black on white. Without, the blocks
    /// are the light modules, for terminals with a dark background.
    pub fn to_terminal_text(&self, colours: bool) -> String {
        let (ink, paper) =
            if colours { (Dense1x2::Dark, Dense1x2::Light) } else { (Dense1x2::Light, Dense1x2::Dark) };
        let text = Zeroizing::new(self.0.render().dark_color(ink).light_color(paper).build());
        let (start, end) = if colours { (ANSI_COLOURS, ANSI_RESET) } else { ("", "") };
        text.lines().flat_map(|line| [start, line, end, "\n"]).collect()
    }

    /// Draws the code as an SVG.
    fn to_svg(&self) -> Zeroizing<String> {
        let side = u32::try_from(PIXELS_PER_MODULE).unwrap_or(u32::MAX);
        let mut image = Zeroizing::new(self.0.render::<svg::Color>().module_dimensions(side, side).build());
        image.push('\n');
        image
    }

    /// Draws the code as an SVG element for a page. Its size is that of the style.
    pub fn to_inline_svg(&self) -> Zeroizing<String> {
        let image = Zeroizing::new(self.0.render::<svg::Color>().module_dimensions(1, 1).build());
        let element = image.find("<svg").and_then(|start| image.get(start..)).unwrap_or_default();
        Zeroizing::new(format!("{element}\n"))
    }

    /// Returns whether a module is dark, counted from the corner of the quiet zone.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = QUIET_ZONE..QUIET_ZONE + self.0.width();
        inside.contains(&x) && inside.contains(&y) && self.0[(x - QUIET_ZONE, y - QUIET_ZONE)] == Color::Dark
    }

    /// Writes the code as a PNG with one bit for each pixel, where 1 is light.
    fn write_png(&self, to: &mut dyn io::Write) -> Result<(), png::EncodingError> {
        let side = self.columns() * PIXELS_PER_MODULE;
        // PIXELS_PER_MODULE is 8, so a row of a module is one byte.
        let rows = (0..side).flat_map(|y| (0..self.columns()).map(move |x| (x, y / PIXELS_PER_MODULE)));
        let bits: Zeroizing<Vec<u8>> =
            Zeroizing::new(rows.map(|(x, y)| if self.is_dark(x, y) { 0 } else { 0xff }).collect());
        let side = u32::try_from(side).map_err(|_| png::EncodingError::LimitsExceeded)?;
        let mut encoder = png::Encoder::new(to, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&bits)?;
        writer.finish()
    }
}

impl ImageFile {
    /// Creates a file that only its owner can read. An existing file is an error.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let format = image_format(path).map_err(anyhow::Error::msg)?;
        let made = files::open_private(OpenOptions::new().write(true).create_new(true), path);
        match made {
            Ok(file) => Ok(Self { path: path.to_owned(), format, file: Some(file) }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                bail!("{} is there already; name another file, or remove it first", path.display())
            }
            Err(error) => Err(error).with_context(|| {
                format!("cannot make {}; name a file in a folder that you may write to", path.display())
            }),
        }
    }

    /// Writes the image.
    pub fn write(mut self, code: &QrMatrix) -> anyhow::Result<()> {
        let failed = || format!("cannot write {}; run this again with another file", self.path.display());
        let Some(file) = &mut self.file else { return Ok(()) };
        match self.format {
            ImageFormat::Svg => file.write_all(code.to_svg().as_bytes()).with_context(failed)?,
            ImageFormat::Png => code.write_png(file).with_context(failed)?,
        }
        file.sync_all().with_context(failed)?;
        self.file = None;
        Ok(())
    }
}

impl Drop for ImageFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            // The file is empty or incomplete; another error has been reported.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Prints a QR code on standard error. Where it is too wide, says so with the `remedy`.
pub fn show(code: &QrMatrix, remedy: &str) {
    note(&code.to_terminal_text(io::stderr().is_terminal()));
    if let Some((terminal_size::Width(width), _)) = terminal_size::terminal_size_of(io::stderr())
        && usize::from(width) < code.columns()
    {
        note!(
            "The code is {} columns wide and this window {width}: make it wider and the letters smaller, and {remedy}.",
            code.columns()
        );
    }
}

/// Parses the path of an image for clap. Its extension determines the format.
pub fn parse_image_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    image_format(&path).map(|_| path)
}

fn image_format(path: &Path) -> Result<ImageFormat, String> {
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("png") => Ok(ImageFormat::Png),
        Some("svg") => Ok(ImageFormat::Svg),
        _ => Err("the file's name ends in .png or .svg".to_owned()),
    }
}

#[cfg(test)]
mod tests;
