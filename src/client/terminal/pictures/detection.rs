//! Detection of the graphics that a terminal can show, by its answers to queries. Nothing waits for the answers: until they
//! come there are no pictures.
//!
//! The first query asks for the name (XTVERSION), the size of a cell and the attributes (DA1), which every terminal
//! ignores or answers. The second depends on the answers and goes to terminals that know what it is: tmux would take the
//! query of the kitty protocol for a title, and others would print it.

use std::time::{Duration, Instant};

use ratatui::layout::Size;

use crate::client::screen::view::pictures::Dimensions;
use crate::client::terminal::sequences::reports::Report;
use crate::platform::terminal as platform;

/// Time after a query from which an answer is ignored.
const TIMEOUT: Duration = Duration::from_secs(5);

/// XTVERSION, the sizes of a cell and of the text area in pixels, DA1.
const FIRST_QUERY: &str = "\u{1b}[>q\u{1b}[16t\u{1b}[14t\u{1b}[c";

/// Query of the kitty graphics protocol with a picture of one pixel, DA1.
const KITTY_QUERY: &str = "\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1b}\\\u{1b}[c";

/// Count of colours and largest size of sixel pictures (XTSMGRAPHICS), DA1.
const SIXEL_QUERY: &str = "\u{1b}[?1;1;0S\u{1b}[?2;1;0S\u{1b}[c";

/// The sizes of a cell and of the text area again.
const SIZE_QUERY: &str = "\u{1b}[16t\u{1b}[14t";

/// Attribute that stands for sixel.
const SIXEL: u32 = 4;

/// Colours of a sixel picture where the terminal does not say how many it has.
const DEFAULT_COLOURS: u32 = 256;

/// Size of a cell where the terminal does not say it, for protocols that count in cells. Only the proportions matter.
const DEFAULT_CELL: Dimensions = Dimensions { width: 10, height: 20 };

/// First version of kitty with placeholders, 0.28.
const KITTY_PLACEHOLDERS: u32 = 28;

/// Way in which a terminal shows pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The [kitty graphics protocol](https://sw.kovidgoyal.net/kitty/graphics-protocol/) with placeholders.
    Kitty,
    /// The [inline images of iTerm2](https://iterm2.com/documentation-images.html).
    Iterm,
    /// [Sixel](https://vt100.net/docs/vt3xx-gp/chapter14.html) with so many colours.
    Sixel(u32),
}

/// Graphics that a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graphics {
    /// The way in which it does.
    pub protocol: Protocol,
    /// Size of a cell, in pixels.
    pub cell: Dimensions,
    /// Largest size of one picture, in pixels.
    pub limit: Option<Dimensions>,
}

/// Facts about the terminal from the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Set if the terminal may be queried.
    pub takes_queries: bool,
    /// Set if tmux or screen is in between.
    pub is_multiplexed: bool,
    /// Set if it is iTerm2.
    pub is_iterm: bool,
}

/// Progress of the queries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing is known, and nothing was asked.
    #[default]
    Idle,
    /// The first query was sent.
    First,
    /// The second query was sent.
    Second,
    /// No further answer is expected.
    Done,
}

/// Detection of what the terminal can show.
#[derive(Debug)]
pub struct Detection {
    surroundings: Surroundings,
    stage: Stage,
    asked: Instant,
    name: String,
    attributes: Vec<u32>,
    cell: Option<Dimensions>,
    text_area: Option<Dimensions>,
    colours: Option<u32>,
    limit: Option<Dimensions>,
    has_kitty: bool,
}

impl Surroundings {
    /// Reads the environment.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| env(name).unwrap_or_default();
        let term = var("TERM");
        Self {
            takes_queries: platform::ANSWERS_QUERIES && !["", "linux", "dumb"].contains(&&*term),
            is_multiplexed: !var("TMUX").is_empty()
                || !var("STY").is_empty()
                || ["tmux", "screen"].iter().any(|name| term.starts_with(name)),
            // ssh passes on the second one.
            is_iterm: var("TERM_PROGRAM") == "iTerm.app" || var("LC_TERMINAL") == "iTerm2",
        }
    }
}

impl Detection {
    /// Creates the detection for a terminal of which nothing else is known.
    pub fn new(surroundings: Surroundings) -> Self {
        Self {
            surroundings,
            stage: Stage::Idle,
            asked: Instant::now(),
            name: String::new(),
            attributes: Vec::new(),
            cell: None,
            text_area: None,
            colours: None,
            limit: None,
            has_kitty: false,
        }
    }

    /// Begins anew. Returns the query to send; `None` for a terminal that takes none.
    pub fn begin(&mut self) -> Option<&'static str> {
        *self = Self::new(self.surroundings);
        self.surroundings.takes_queries.then(|| {
            self.stage = Stage::First;
            FIRST_QUERY
        })
    }

    /// Takes an answer. Returns the next query to send.
    pub fn take(&mut self, report: Report) -> Option<&'static str> {
        match report {
            Report::Cell(size) => self.cell = Some(size),
            Report::TextArea(size) => self.text_area = Some(size),
            // Late answers change nothing any more.
            _ if !self.is_waiting() => {}
            Report::Name(name) => self.name = name,
            Report::SixelColours(count) => self.colours = Some(count),
            Report::SixelLimit(size) => self.limit = Some(size),
            Report::KittyGraphics(works) => self.has_kitty = works,
            Report::Attributes(attributes) => {
                // It is the last answer to each query.
                if self.stage == Stage::First {
                    self.attributes = attributes;
                    let query = self.second_query();
                    self.stage = if query.is_some() { Stage::Second } else { Stage::Done };
                    return query;
                }
                self.stage = Stage::Done;
            }
        }
        None
    }

    /// Returns whether an answer is still to come.
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::First | Stage::Second) && self.asked.elapsed() < TIMEOUT
    }

    /// Returns the query for a terminal whose size has changed.
    pub fn ask_size(&mut self) -> Option<&'static str> {
        (self.stage == Stage::Done && self.protocol().is_some()).then(|| {
            (self.cell, self.text_area) = (None, None);
            SIZE_QUERY
        })
    }

    /// Returns what a terminal with so many cells can show, which has so many pixels by what the system says.
    pub fn graphics(&self, cells: Size, pixels: Option<(u16, u16)>) -> Option<Graphics> {
        let protocol = self.protocol().filter(|_| self.stage == Stage::Done)?;
        let pixels = pixels.map(|(width, height)| Dimensions { width: width.into(), height: height.into() });
        let shared = self.text_area.or(pixels).map(|area| Dimensions {
            width: (area.width / u32::from(cells.width.max(1))).max(1),
            height: (area.height / u32::from(cells.height.max(1))).max(1),
        });
        let cell = match (self.cell.or(shared), protocol) {
            (None, Protocol::Sixel(_)) => return None,
            (cell, _) => cell.unwrap_or(DEFAULT_CELL),
        };
        Some(Graphics { protocol, cell, limit: self.limit })
    }

    fn second_query(&self) -> Option<&'static str> {
        match self.protocol() {
            _ if self.has_placeholders() => Some(KITTY_QUERY),
            Some(Protocol::Sixel(_)) => Some(SIXEL_QUERY),
            _ => None,
        }
    }

    fn protocol(&self) -> Option<Protocol> {
        if self.has_kitty && self.has_placeholders() {
            return Some(Protocol::Kitty);
        }
        // Others answer to the kitty protocol too, but know no placeholders.
        let is_iterm = if self.name.is_empty() {
            self.surroundings.is_iterm && !self.is_multiplexed()
        } else {
            self.name.starts_with("iTerm2") || self.name.starts_with("WezTerm")
        };
        if is_iterm {
            return Some(Protocol::Iterm);
        }
        let colours = self.colours.unwrap_or(DEFAULT_COLOURS).clamp(2, DEFAULT_COLOURS);
        self.attributes.contains(&SIXEL).then_some(Protocol::Sixel(colours))
    }

    fn has_placeholders(&self) -> bool {
        let kitty = self.name.strip_prefix("kitty(0.").map(|version| {
            let digits = version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            digits.parse().is_ok_and(|minor: u32| minor >= KITTY_PLACEHOLDERS)
        });
        let knows = kitty.unwrap_or(self.name.starts_with("kitty(") || self.name.starts_with("ghostty "));
        knows && !self.is_multiplexed()
    }

    fn is_multiplexed(&self) -> bool {
        self.surroundings.is_multiplexed || ["tmux", "screen"].iter().any(|name| self.name.starts_with(name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::client::keys::key::TerminalEvent;
    use crate::client::terminal::sequences::{Received, SequenceParser};

    const CELLS: Size = Size { width: 80, height: 24 };
    const DIRECT: Surroundings = Surroundings { takes_queries: true, is_multiplexed: false, is_iterm: false };

    /// Answers of a terminal to the first and the second query, and what it can show by them.
    fn detect(
        surroundings: Surroundings,
        first: &str,
        second: &str,
    ) -> (Option<&'static str>, Option<Graphics>) {
        let mut detection = Detection::new(surroundings);
        assert_eq!(detection.begin(), surroundings.takes_queries.then_some(FIRST_QUERY));
        let (asked, typed) = answer(&mut detection, first.as_bytes(), usize::MAX);
        assert_eq!(typed, "");
        if asked.is_some() {
            assert_eq!(detection.graphics(CELLS, None), None, "before all answers");
            assert_eq!(answer(&mut detection, second.as_bytes(), usize::MAX).0, None);
        }
        (asked, detection.graphics(CELLS, None))
    }

    /// Passes bytes in parts of this size. Returns the next query, and what was typed.
    fn answer(detection: &mut Detection, bytes: &[u8], size: usize) -> (Option<&'static str>, String) {
        let (mut parser, mut received) = (SequenceParser::default(), VecDeque::new());
        bytes.chunks(size).for_each(|part| parser.feed(part, &mut received));
        let (mut query, mut typed) = (None, String::new());
        for one in received {
            match one {
                Received::Report(report) => query = query.or(detection.take(report)),
                Received::Event(TerminalEvent::Key(key)) => typed += &key.to_string(),
                Received::Event(other) => panic!("{other:?}"),
            }
        }
        (query, typed)
    }

    #[test]
    fn terminals_are_told_by_their_answers() {
        let cell = Dimensions { width: 9, height: 18 };
        let shows = |protocol| Some(Graphics { protocol, cell, limit: None });
        let (kitty, sixel) = (Some(KITTY_QUERY), Some(SIXEL_QUERY));
        for (first, second, query, expected) in [
            (
                "\u{1b}P>|kitty(0.35.2)\u{1b}\\\u{1b}[6;18;9t\u{1b}[?62;c",
                "\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;c",
                kitty,
                shows(Protocol::Kitty),
            ),
            (
                "\u{1b}P>|ghostty 1.1.3\u{1b}\\\u{1b}[6;18;9t\u{1b}[?62;22c",
                "\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;22c",
                kitty,
                shows(Protocol::Kitty),
            ),
            (
                "\u{1b}P>|kitty(0.35.2)\u{1b}\\\u{1b}[6;18;9t\u{1b}[?62;c",
                "\u{1b}_Gi=31;ENOTSUPPORTED\u{1b}\\\u{1b}[?62;c",
                kitty,
                None,
            ),
            ("\u{1b}P>|kitty(0.35.2)\u{1b}\\\u{1b}[6;18;9t\u{1b}[?62;c", "\u{1b}[?62;c", kitty, None),
            ("\u{1b}P>|kitty(0.27.1)\u{1b}\\\u{1b}[6;18;9t\u{1b}[?62;c", "", None, None),
            (
                "\u{1b}P>|foot(1.16.2)\u{1b}\\\u{1b}[6;18;9t\u{1b}[?62;4;22c",
                "\u{1b}[?1;0;1024S\u{1b}[?2;0;10000;10000S\u{1b}[?62;4;22c",
                sixel,
                Some(Graphics {
                    protocol: Protocol::Sixel(256),
                    cell,
                    limit: Some(Dimensions { width: 10_000, height: 10_000 }),
                }),
            ),
            (
                "\u{1b}P>|XTerm(379)\u{1b}\\\u{1b}[4;432;720t\u{1b}[?63;1;2;4;9c",
                "\u{1b}[?1;0;16S\u{1b}[?2;3;0S\u{1b}[?63;4c",
                sixel,
                shows(Protocol::Sixel(16)),
            ),
            (
                "\u{1b}P>|WezTerm 20240203\u{1b}\\\u{1b}[6;18;9t\u{1b}[?65;4;6;18;22c",
                "",
                None,
                shows(Protocol::Iterm),
            ),
            (
                "\u{1b}P>|iTerm2 3.5.4\u{1b}\\\u{1b}[6;18;9t\u{1b}[?64;1;2;4c",
                "",
                None,
                shows(Protocol::Iterm),
            ),
            // tmux says whether the terminal behind it has sixel; one that has none says 62 alone.
            ("\u{1b}P>|tmux 3.3a\u{1b}\\\u{1b}[?1;2c", "", None, None),
            (
                "\u{1b}P>|tmux 3.4\u{1b}\\\u{1b}[6;18;9t\u{1b}[?1;2;4c",
                "\u{1b}[?1;2;4c",
                sixel,
                shows(Protocol::Sixel(256)),
            ),
            ("\u{1b}[?6c", "", None, None),
            // Without the size of a cell, sixel pictures would have no place.
            ("\u{1b}[?62;4c", "\u{1b}[?62;4c", sixel, None),
        ] {
            assert_eq!(detect(DIRECT, first, second), (query, expected), "{first:?}");
        }
    }

    #[test]
    fn the_environment_counts_where_the_terminal_says_nothing() {
        let of = |vars: &[(&str, &str)]| {
            let vars: Vec<(String, String)> = vars.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            Surroundings::from_env(move |name| {
                vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
            })
        };
        let iterm = of(&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")]);
        assert_eq!(iterm.takes_queries, platform::ANSWERS_QUERIES);
        let asked = Surroundings { takes_queries: true, ..iterm };
        let shown = detect(asked, "\u{1b}[?62;c", "").1.map(|graphics| graphics.protocol);
        assert_eq!(shown, Some(Protocol::Iterm));
        for (term, name) in
            [("tmux-256color", ""), ("screen.xterm", ""), ("xterm-256color", "\u{1b}P>|tmux 3.3a\u{1b}\\")]
        {
            let within =
                Surroundings { takes_queries: true, ..of(&[("TERM", term), ("TERM_PROGRAM", "iTerm.app")]) };
            assert_eq!(detect(within, &format!("{name}\u{1b}[?1;2c"), ""), (None, None), "{term}");
        }
        // The kitty query would become the title of tmux's pane.
        let within = Surroundings { is_multiplexed: true, ..DIRECT };
        assert_eq!(detect(within, "\u{1b}P>|kitty(0.35.2)\u{1b}\\\u{1b}[?62;c", ""), (None, None));
        for term in ["", "linux", "dumb"] {
            assert!(!of(&[("TERM", term)]).takes_queries, "{term}");
        }
        assert_eq!(Detection::new(of(&[("TERM", "linux")])).begin(), None);
    }

    #[test]
    fn a_new_size_is_asked_for() {
        let mut detection = Detection::new(DIRECT);
        detection.begin();
        assert_eq!(detection.ask_size(), None, "nothing is known yet");
        answer(&mut detection, b"\x1bP>|iTerm2 3.5\x1b\\\x1b[6;18;9t\x1b[?62c", usize::MAX);
        assert_eq!(detection.ask_size(), Some(SIZE_QUERY));
        answer(&mut detection, b"\x1b[6;36;18t", usize::MAX);
        let cell = detection.graphics(CELLS, None).map(|graphics| graphics.cell);
        assert_eq!(cell, Some(Dimensions { width: 18, height: 36 }));
    }

    proptest! {
        /// Keys among the answers arrive, and the answers too, in whichever parts they come.
        #[test]
        fn answers_may_be_split_and_mixed_with_keys(
            size in 1usize..40,
            typed in proptest::collection::vec("[a-z]{0,3}", 4),
        ) {
            let answers = ["\u{1b}P>|foot(1.16)\u{1b}\\", "\u{1b}[6;18;9t", "\u{1b}[4;432;720t", "\u{1b}[?62;4;22c"];
            let parts: Vec<&str> = answers.iter().zip(&typed).flat_map(|(answer, keys)| [keys.as_str(), answer]).collect();
            let bytes = parts.concat();
            let mut detection = Detection::new(DIRECT);
            detection.begin();
            let (query, keys) = answer(&mut detection, bytes.as_bytes(), size);
            prop_assert_eq!((query, keys), (Some(SIXEL_QUERY), typed.concat()));
            answer(&mut detection, b"\x1b[?1;0;64S\x1b[?62;4;22c", size);
            let graphics = detection.graphics(CELLS, None).expect("sixel");
            prop_assert_eq!(graphics.protocol, Protocol::Sixel(64));
            prop_assert_eq!(graphics.cell, Dimensions { width: 9, height: 18 });
        }
    }
}
