//! Display names: the names that accounts choose for themselves, shown in place of their nicks or beside them.
//!
//! # The rule
//!
//! A display name is decoration, the nick is the identity. The display name stands alone only where it cannot be taken
//! for somebody else. The nick stands beside it, or in its place where there is no room for both,
//!
//! - if two accounts have display names that look the same
//!   ([UTS #39](https://www.unicode.org/reports/tr39/#Confusable_Detection), in any case);
//! - if it looks like a nick, and not like the account's own one: `bob`, also with a Cyrillic `о`, of an account `mallory`;
//! - if it has brackets or another sign that the screen puts beside names.
//!
//! A display name that is too long for its place is not cut: what is left of two names may be the same. The nick stands
//! there instead.
//!
//! Names are sanitized and bounded when they arrive.

use std::collections::HashMap;

use unicode_security::skeleton;
use unicode_segmentation::UnicodeSegmentation as _;

use super::Workspace;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::width;
use crate::wire::Nick;

/// Limit of a display name, in bytes.
const MAX_NAME_BYTES: usize = 96;

/// Limit of the width of a display name, in cells; what exceeds it is left out.
const MAX_NAME_CELLS: usize = 32;

/// Limit of the display names of one server. Only a hostile one names more.
const MAX_NAMES: usize = 50_000;

/// Display names of the accounts of one server.
#[derive(Debug, Default)]
pub struct DisplayNames {
    names: HashMap<Nick, DisplayName>,
    /// Count of the accounts whose display name has this skeleton.
    by_skeleton: HashMap<Box<str>, usize>,
}

#[derive(Debug)]
struct DisplayName {
    text: Box<str>,
    skeleton: Box<str>,
    /// Set if the name may pose as another account by itself.
    poses: bool,
}

impl DisplayNames {
    /// Sets the display name of an account, or removes it.
    pub fn set(&mut self, nick: &Nick, value: Option<&str>) {
        if let Some(old) = self.names.remove(nick)
            && let Some(count) = self.by_skeleton.get_mut(&old.skeleton)
        {
            *count -= 1;
            if *count == 0 {
                self.by_skeleton.remove(&old.skeleton);
            }
        }
        let Some(name) = value.and_then(|value| DisplayName::new(nick, value)) else { return };
        if self.names.len() < MAX_NAMES {
            *self.by_skeleton.entry(name.skeleton.clone()).or_default() += 1;
            self.names.insert(nick.clone(), name);
        }
    }

    /// Returns the display name of an account, if it has one, sanitized.
    pub fn display_name(&self, nick: &Nick) -> Option<&str> {
        self.names.get(nick).map(|name| &*name.text)
    }

    /// Returns the display name where it can stand alone, otherwise the nick.
    pub fn short_name<'a>(&'a self, nick: &'a Nick) -> &'a str {
        match self.names.get(nick) {
            Some(name) if self.stands_alone(name) => &name.text,
            _ => nick.as_str(),
        }
    }

    /// Returns the short name if it fits in `cells`, otherwise the nick.
    pub fn name_for_width<'a>(&'a self, nick: &'a Nick, cells: usize) -> &'a str {
        Some(self.short_name(nick)).filter(|name| width(name) <= cells).unwrap_or(nick.as_str())
    }

    /// Returns the display name with the nick behind it, where it has one that is not the nick.
    pub fn full_name(&self, nick: &Nick) -> String {
        match self.name_beside_nick(nick) {
            Some(name) => format!("{name} ({nick})"),
            None => self.short_name(nick).to_owned(),
        }
    }

    /// Returns the display name of an account if it differs from the nick in more than its case.
    pub fn name_beside_nick(&self, nick: &Nick) -> Option<&str> {
        self.display_name(nick).filter(|name| !name.eq_ignore_ascii_case(nick.as_str()))
    }

    /// Returns the display name of an account if it differs from the nick and cannot be taken for somebody else's.
    pub fn trusted_name_beside_nick(&self, nick: &Nick) -> Option<&str> {
        self.name_beside_nick(nick)
            .filter(|_| self.names.get(nick).is_some_and(|name| self.stands_alone(name)))
    }

    /// Returns the initials of an account for its avatar: two cells.
    pub fn initials(&self, nick: &Nick) -> String {
        initials(self.short_name(nick))
    }

    fn stands_alone(&self, name: &DisplayName) -> bool {
        !name.poses && self.by_skeleton.get(&name.skeleton).is_none_or(|count| *count == 1)
    }
}

impl Workspace {
    /// Returns the name of an account of the server on the screen, where there is no room for two; see
    /// [`DisplayNames::short_name`].
    pub fn short_name<'a>(&'a self, nick: &'a Nick) -> &'a str {
        self.display_names().map_or(nick.as_str(), |names| names.short_name(nick))
    }

    /// Returns the name of an account of the server on the screen for a place of so many cells; see
    /// [`DisplayNames::name_for_width`].
    pub fn name_for_width<'a>(&'a self, nick: &'a Nick, cells: usize) -> &'a str {
        self.display_names().map_or(nick.as_str(), |names| names.name_for_width(nick, cells))
    }

    /// Returns the display names of the server on the screen.
    pub fn display_names(&self) -> Option<&DisplayNames> {
        let (server, _) = self.current.as_ref()?;
        self.servers.get(*server).map(|server| &server.display_names)
    }
}

impl DisplayName {
    /// Creates a name of an account; `None` for one without anything to see.
    fn new(nick: &Nick, value: &str) -> Option<Self> {
        let clean = sanitize_line(value, MAX_NAME_BYTES);
        let mut text = String::new();
        // A mark alone, without a letter to stand on, would join the blank before it.
        for word in clean.split_whitespace().filter(|word| width(word) > 0) {
            if !text.is_empty() {
                text.push(' ');
            }
            for cluster in word.graphemes(true) {
                if width(&text) + width(cluster) > MAX_NAME_CELLS {
                    break;
                }
                text.push_str(cluster);
            }
        }
        let text = text.trim_end();
        let form = |name: &str| skeleton(&name.to_lowercase()).collect::<String>().into_boxed_str();
        let (own, skeleton) = (form(nick.as_str()), form(text));
        let is_framed = text.contains(|c: char| "()<>[]{}|·↪*".contains(c));
        let poses = is_framed || skeleton != own && Nick::parse(&skeleton).is_ok();
        (width(text) > 0).then(|| Self { text: text.into(), skeleton, poses })
    }
}

/// Returns the initials of a name in two cells: of the first and the last word, or the first two letters of a single
/// one; of a wide letter, that one.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter(|word| letters(word).next().is_some());
    let (first, second) = match (words.next(), words.next_back()) {
        (None, _) => return "  ".to_owned(),
        (Some(word), None) => (letters(word).next(), letters(word).nth(1)),
        (Some(first), Some(last)) => (letters(first).next(), letters(last).next()),
    };
    let mut text = String::new();
    for letter in [first, second].into_iter().flatten() {
        if width(&letter) > 0 && width(&text) + width(&letter) <= 2 {
            text.push_str(&letter);
        }
    }
    let gap = 2 - width(&text);
    text + &" ".repeat(gap)
}

/// Iterates over the letters and digits of a word, in upper case and without their marks.
fn letters(word: &str) -> impl Iterator<Item = String> {
    let clusters = word.graphemes(true).filter(|cluster| cluster.chars().any(char::is_alphanumeric));
    clusters.map(|cluster| cluster.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nick(name: &str) -> Nick {
        Nick::parse(name).expect(name)
    }

    fn names(all: &[(&str, &str)]) -> DisplayNames {
        let mut names = DisplayNames::default();
        for (name, value) in all {
            names.set(&nick(name), Some(value));
        }
        names
    }

    #[test]
    fn unmistakable_name_stands_for_the_nick() {
        let mut known = names(&[("ann", "Ann Lee"), ("bob", "BOB"), ("zoe", "Zoë 花子")]);
        let short = |known: &DisplayNames, name: &str| known.short_name(&nick(name)).to_owned();
        assert_eq!(short(&known, "ann"), "Ann Lee");
        assert_eq!((short(&known, "bob"), short(&known, "zoe")), ("BOB".to_owned(), "Zoë 花子".to_owned()));
        assert_eq!(short(&known, "carol"), "carol");
        assert_eq!(known.full_name(&nick("ann")), "Ann Lee (ann)");
        assert_eq!(
            (known.full_name(&nick("carol")), known.full_name(&nick("bob"))),
            ("carol".into(), "BOB".into())
        );
        known.set(&nick("ann"), None);
        assert_eq!((short(&known, "ann"), known.display_name(&nick("ann"))), ("ann".to_owned(), None));
        assert!(known.by_skeleton.len() == 2);
    }

    #[test]
    fn names_that_may_pose_have_the_nick() {
        for pose in ["bob", "Bob", "bоb", "NickServ", "Ann (ann)", "<ann>", "ann|", "b\u{200b}ob", "ｂｏｂ"]
        {
            let known = names(&[("mallory", pose)]);
            assert_eq!(known.short_name(&nick("mallory")), "mallory", "{pose:?}");
            assert_eq!(known.trusted_name_beside_nick(&nick("mallory")), None, "{pose:?}");
            assert!(known.full_name(&nick("mallory")).ends_with(" (mallory)"), "{pose:?}");
        }
    }

    #[test]
    fn long_name_is_not_cut_to_that_of_another() {
        let known = names(&[("ann", "Bob Example Senior"), ("mallory", "Bob Example Second")]);
        for name in ["ann", "mallory"] {
            assert_eq!(known.name_for_width(&nick(name), 12), name);
            assert!(known.name_for_width(&nick(name), 18).starts_with("Bob Example Se"));
        }
    }

    #[test]
    fn two_of_one_name_have_their_nicks() {
        let mut known = names(&[("ann", "Ann Lee"), ("mallory", "Ann Lее")]);
        for name in ["ann", "mallory"] {
            assert_eq!(known.short_name(&nick(name)), name);
        }
        known.set(&nick("mallory"), Some("Somebody else"));
        assert_eq!(known.short_name(&nick("ann")), "Ann Lee");
    }

    #[test]
    fn names_are_bounded_and_sanitized() {
        let known = names(&[
            ("a", "  x\u{1b}[31m \t y\u{202e}z  "),
            ("b", "\u{200b}\u{3164}"),
            ("c", &"w".repeat(300)),
            ("d", " \u{301}"),
        ]);
        assert_eq!(known.display_name(&nick("a")), Some("x yz"));
        assert_eq!(known.display_name(&nick("b")), None);
        assert_eq!(known.display_name(&nick("d")), None);
        assert_eq!(known.display_name(&nick("c")).map(width), Some(MAX_NAME_CELLS));
    }

    #[test]
    fn initials_take_two_cells() {
        for (name, expected) in [
            ("Ann Lee", "AL"),
            ("ann", "AN"),
            ("Ann Mary van Lee", "AL"),
            ("x", "X "),
            ("花子", "花"),
            ("[bot]", "BO"),
            ("👍 👍", "  "),
            ("_-_", "  "),
            ("straße ßeta", "S "),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_bounded(value in any::<String>(), odd in "[a-z éß日👍🏽\u{200d}\u{301}क्षि|() ]{0,60}") {
            for value in [value, odd] {
                let known = names(&[("a", &value)]);
                prop_assert_eq!(width(&known.initials(&nick("a"))), 2);
                prop_assert!(known.display_name(&nick("a")).is_none_or(|name| (1..=MAX_NAME_CELLS).contains(&width(name))));
            }
        }
    }
}
