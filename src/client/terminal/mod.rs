//! Terminal in full-screen mode, restored on exit, on a panic and on a signal.

mod backend;
pub mod fullscreen;
mod input;
mod notify;
mod pictures;
mod sequences;
mod state_saver;

use std::cell::RefCell;
use std::io::{self, Write as _};
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use ratatui::terminal::Terminal;

use self::backend::AnsiBackend;
use self::pictures::decode::is_contained;
use self::pictures::detection::{Detection, Graphics, Surroundings};
use self::pictures::gallery::Gallery;
use self::pictures::layer::{Layer, removal_of_sent};
use self::sequences::reports::Report;
use crate::client::screen::view::escape::TerminalFeatures;
use crate::client::screen::view::theme::{Background, Depth, Theme};
use crate::client::screen::view::{Drawn, Links};
use crate::platform::desktop;
use crate::platform::terminal::{
    self as platform, REPORTS_OFF, REPORTS_ON, disable_raw_mode, enable_raw_mode,
};

/// Appearance of the client, and capabilities of the terminal.
#[derive(Clone, Debug)]
pub struct TerminalSetup {
    /// Colour theme of the client.
    pub theme: Theme,
    /// Time zone of the displayed times.
    pub zone: TimeZone,
    /// Set if the terminal takes links (OSC 8).
    pub links: bool,
    /// Escape sequence for notifications.
    pub notifications: NotificationFormat,
    /// Set if the terminal runs on a desktop that takes notifications.
    pub desktop: bool,
    /// Facts about the terminal from the environment, for pictures.
    pub surroundings: Surroundings,
}

/// Form of the escape sequences for notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationFormat {
    /// OSC 9, which has one text, instead of OSC 777, which has a title as well.
    osc9: bool,
    /// Passthrough for tmux, which otherwise drops sequences that it does not know.
    tmux: bool,
}

/// Derives the appearance and the terminal's capabilities from environment variables.
pub fn detect_setup(env: impl Fn(&str) -> Option<String>, zone: TimeZone) -> TerminalSetup {
    let var = |name: &str| env(name).filter(|value| !value.is_empty()).unwrap_or_default();
    let (term, program) = (var("TERM"), var("TERM_PROGRAM"));
    let known = ["kitty", "alacritty", "foot", "ghostty", "wezterm", "contour", "direct"];
    let depth = match () {
        // <https://no-color.org>
        () if !var("NO_COLOR").is_empty() => Depth::NoColour,
        () if ["truecolor", "24bit"].contains(&&*var("COLORTERM")) || !var("WT_SESSION").is_empty() => {
            Depth::True
        }
        () if known.iter().any(|name| term.contains(name)) => Depth::True,
        () if term.contains("256") => Depth::Palette,
        () => Depth::Sixteen,
    };
    // `foreground;background`, as indexes of the 16 colours.
    let light = var("COLORFGBG")
        .rsplit(';')
        .next()
        .and_then(|n| n.parse::<u8>().ok())
        .is_some_and(|n| n == 7 || n > 8);
    let ground = if light { Background::Light } else { Background::Dark };
    let nine = ["iTerm.app", "WezTerm"].contains(&&*program) || term.contains("kitty");
    TerminalSetup {
        theme: Theme::new(depth, ground),
        zone,
        links: !["linux", "dumb"].contains(&&*term),
        notifications: NotificationFormat { osc9: nine, tmux: !var("TMUX").is_empty() },
        desktop: desktop::is_available(&env),
        surroundings: Surroundings::from_env(&env),
    }
}

/// Alternate screen, hidden cursor, explicit BDSM (text in the order in which it is sent, for terminals that would reorder
/// it), and the reports of keys.
fn enter_sequence() -> String {
    format!("\u{1b}[?1049h\u{1b}[2J\u{1b}[?25l\u{1b}[8l{REPORTS_ON}")
}

fn leave_sequence() -> String {
    format!("\u{1b}]8;;\u{1b}\\{REPORTS_OFF}\u{1b}[8h\u{1b}[?1000l\u{1b}[?1006l\u{1b}[?25h\u{1b}[?1049l")
}

const MOUSE_ON: &str = "\u{1b}[?1000h\u{1b}[?1006h";
const MOUSE_OFF: &str = "\u{1b}[?1006l\u{1b}[?1000l";

/// Set while the terminal is in full-screen mode.
static FULL_SCREEN: AtomicBool = AtomicBool::new(false);

/// Returns the size of the terminal, in cells.
fn terminal_size() -> io::Result<Size> {
    let (columns, rows) = platform::size()?;
    Ok(Size::new(columns, rows))
}

/// Restores the terminal. Does nothing if it is restored already.
fn restore_terminal() {
    if FULL_SCREEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        // Errors are ignored: there is no way left to report them.
        let _ = out.write_all(removal_of_sent().as_bytes());
        let _ = out.write_all(leave_sequence().as_bytes());
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

/// Terminal in full-screen mode, restored on drop.
pub struct TerminalScreen {
    terminal: Terminal<AnsiBackend>,
    links: Rc<RefCell<Links>>,
    layer: Rc<RefCell<Layer>>,
    setup: TerminalSetup,
    mouse: bool,
    detection: Box<Detection>,
    /// Pictures in memory and on their way.
    pub gallery: Box<Gallery>,
}

impl TerminalScreen {
    /// Puts the terminal into full-screen mode, and installs a panic hook that restores it.
    pub fn enter(look: TerminalSetup) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let previous_hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if is_contained() {
                    return;
                }
                restore_terminal();
                previous_hook(panic);
            }));
        });
        enable_raw_mode()?;
        FULL_SCREEN.store(true, Ordering::SeqCst);
        let links = Rc::new(RefCell::new(Links::default()));
        let able = TerminalFeatures { depth: look.theme.depth, links: look.links };
        let layer = Rc::new(RefCell::new(Layer::default()));
        let mut detection = Box::new(Detection::new(look.surroundings));
        let start = enter_sequence() + detection.begin().unwrap_or_default();
        let backend = AnsiBackend::new(start, able, links.clone(), layer.clone());
        match Terminal::new(backend) {
            Ok(terminal) => {
                let gallery = Box::default();
                Ok(Self { terminal, links, layer, setup: look, mouse: false, detection, gallery })
            }
            Err(error) => {
                restore_terminal();
                Err(error)
            }
        }
    }

    /// Returns the size, in cells.
    pub fn size(&self) -> io::Result<Size> {
        terminal_size()
    }

    /// Draws a frame.
    pub fn draw(&mut self, view: impl FnOnce(&mut ratatui::terminal::Frame<'_>) -> Drawn) -> io::Result<()> {
        let Self { terminal, links, layer, gallery, .. } = self;
        let draw = |frame: &mut ratatui::terminal::Frame<'_>| {
            let Drawn { links: targets, pictures } = view(frame);
            *links.borrow_mut() = targets;
            gallery.place(frame.buffer_mut(), &pictures, &mut layer.borrow_mut());
        };
        terminal.draw(draw).map(drop)
    }

    /// Forces a full redraw with the next frame.
    pub fn redraw(&mut self) -> io::Result<()> {
        self.layer.borrow_mut().forget_sent();
        self.terminal.clear()
    }

    /// Takes an answer of the terminal to a query. Returns what it can show, as far as it is known.
    pub fn take_report(&mut self, report: Report) -> io::Result<Option<Graphics>> {
        if let Some(query) = self.detection.take(report) {
            write_stdout(query)?;
        }
        // Until all is known again it stays as it was.
        if !self.detection.is_waiting() {
            self.gallery.set_graphics(self.detection.graphics(self.size()?, platform::pixels()));
        }
        Ok(self.gallery.graphics())
    }

    /// Asks for the size of a cell again, which may have changed with that of the terminal.
    pub fn ask_cell_size(&mut self) -> io::Result<()> {
        self.detection.ask_size().map_or(Ok(()), write_stdout)
    }

    /// Returns whether an answer of the terminal is still to come, which must not go to whoever reads the terminal next.
    pub fn is_answering(&self) -> bool {
        self.detection.is_waiting()
    }

    /// Switches mouse reports on, or off to leave the mouse to the terminal for selecting text.
    pub fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        if self.mouse == on {
            return Ok(());
        }
        self.mouse = on;
        platform::set_mouse(on)?;
        write_stdout(if on { MOUSE_ON } else { MOUSE_OFF })
    }

    /// Rings the bell.
    pub fn ring_bell(&mut self) -> io::Result<()> {
        write_stdout("\u{7}")
    }

    /// Copies text to the clipboard (OSC 52).
    pub fn copy_to_clipboard(&mut self, text: &str) -> io::Result<()> {
        let text = format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text));
        if self.setup.notifications.tmux {
            // A tmux that may set the clipboard takes the sequence itself, and keeps the text as a buffer.
            write_stdout(&text)?;
        }
        self.write_through_tmux(&text)
    }

    /// Restores the terminal until [`TerminalScreen::reenter`].
    pub fn restore(&mut self) {
        restore_terminal();
    }

    /// Puts the terminal into full-screen mode again, whatever its state is. Returns its size, which may have changed.
    pub fn reenter(&mut self) -> io::Result<Size> {
        restore_terminal();
        enable_raw_mode()?;
        FULL_SCREEN.store(true, Ordering::SeqCst);
        let query = self.detection.begin().unwrap_or_default();
        write_stdout(&(enter_sequence() + query))?;
        if self.mouse {
            platform::set_mouse(true)?;
            write_stdout(MOUSE_ON)?;
        }
        self.redraw()?;
        self.size()
    }

    /// Shows a notification through the terminal. Both texts must be safe to write to it.
    pub fn notify(&mut self, title: &str, body: &str) -> io::Result<()> {
        let text = if self.setup.notifications.osc9 {
            format!("\u{1b}]9;{title}: {body}\u{1b}\\")
        } else {
            // A semicolon would end the title.
            format!("\u{1b}]777;notify;{};{body}\u{1b}\\", title.replace(';', ","))
        };
        self.write_through_tmux(&text)
    }

    /// Writes a sequence for the outer terminal, through tmux where it is in between.
    fn write_through_tmux(&mut self, text: &str) -> io::Result<()> {
        if self.setup.notifications.tmux {
            let text = text.replace('\u{1b}', "\u{1b}\u{1b}");
            write_stdout(&format!("\u{1b}Ptmux;{text}\u{1b}\\"))
        } else {
            write_stdout(text)
        }
    }
}

impl Drop for TerminalScreen {
    fn drop(&mut self) {
        restore_terminal();
    }
}

fn write_stdout(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_setup_from_environment() {
        let of = |vars: &[(&str, &str)]| {
            let vars: Vec<(String, String)> =
                vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            detect_setup(
                move |name| vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()),
                TimeZone::UTC,
            )
        };
        assert_eq!(of(&[("TERM", "xterm")]).theme, Theme::new(Depth::Sixteen, Background::Dark));
        assert_eq!(of(&[("TERM", "tmux-256color")]).theme.depth, Depth::Palette);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]).theme.depth, Depth::True);
        assert_eq!(of(&[("TERM", "foot"), ("NO_COLOR", "1")]).theme.depth, Depth::NoColour);
        assert_eq!(of(&[("TERM", "foot"), ("NO_COLOR", "")]).theme.depth, Depth::True);
        assert_eq!(of(&[("COLORFGBG", "0;15")]).theme.background, Background::Light);
        assert_eq!(of(&[("COLORFGBG", "15;default;0")]).theme.background, Background::Dark);
        assert!(!of(&[("TERM", "linux")]).links && of(&[("TERM", "foot")]).links);
    }
}
