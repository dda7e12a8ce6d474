//! Backend of ratatui that writes frames to the terminal.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::rc::Rc;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::pictures::layer::Layer;
use super::terminal_size;
use crate::client::screen::view::Links;
use crate::client::screen::view::escape::{CellPainter, TerminalFeatures};

/// Backend of ratatui that collects a frame and writes it at once.
pub struct AnsiBackend {
    out: String,
    features: TerminalFeatures,
    links: Rc<RefCell<Links>>,
    layer: Rc<RefCell<Layer>>,
    painter: CellPainter,
}

impl AnsiBackend {
    /// Creates a backend whose first frame has some sequences before it.
    pub fn new(
        start: String,
        features: TerminalFeatures,
        links: Rc<RefCell<Links>>,
        layer: Rc<RefCell<Layer>>,
    ) -> Self {
        Self { out: start, features, links, layer, painter: CellPainter::default() }
    }
}

impl Backend for AnsiBackend {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let Self { out, features, links, layer, painter } = self;
        let (links, mut layer) = (links.borrow(), layer.borrow_mut());
        layer.send_numbered(out);
        let written = painter.write_changes(content, &links, *features, out);
        layer.draw(&written, |area, out| painter.write_area(area, &links, *features, out), out);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.out.push_str("\u{1b}[?25l");
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.out.push_str("\u{1b}[?25h");
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // Only inline viewports need the position; this client uses the whole screen.
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        let _ = write!(self.out, "\u{1b}[{};{}H", y + 1, x + 1);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.out.push_str("\u{1b}[0m\u{1b}[2J");
        self.painter.clear();
        self.layer.borrow_mut().clear();
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        terminal_size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        // Terminals with synchronized output show the frame at once.
        let frame = format!("\u{1b}[?2026h{}\u{1b}[?2026l", self.out);
        self.out.clear();
        let mut out = io::stdout().lock();
        out.write_all(frame.as_bytes())?;
        out.flush()
    }
}
