//! Search for emojis by their names, their short codes and the words that people use for them.

use std::cmp::Reverse;

use emojis::{Emoji, UnicodeVersion};
use icu_properties::CodePointSetData;
use icu_properties::props::{EmojiPresentation, ExtendedPictographic};
use unicode_segmentation::UnicodeSegmentation as _;

/// Emojis that are used most in chats, the most usual first, with words that are in neither their name nor their codes.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("👍", "yes ok good like agree approve"),
    ("❤️", "love like"),
    ("😂", "laugh lol haha funny tears"),
    ("🎉", "celebrate congratulations hooray yay birthday"),
    ("😮", "wow surprise oh"),
    ("😢", "sad tear sorry"),
    ("🙏", "thanks please hope"),
    ("👀", "look see watch"),
    ("🔥", "hot great lit"),
    ("👏", "applause bravo"),
    ("✅", "yes done ok check tick"),
    ("❌", "no wrong cancel cross"),
    ("😄", "happy laugh"),
    ("😊", "happy nice blush"),
    ("🙂", "happy smile"),
    ("😉", "joke"),
    ("😅", "relief phew sweat"),
    ("🤣", "laugh lol haha rofl funny"),
    ("😍", "love"),
    ("🥰", "love"),
    ("😘", "kiss love"),
    ("🤔", "hmm wonder think"),
    ("🤷", "dunno whatever"),
    ("🤦", "oops doh"),
    ("😭", "cry sad"),
    ("😞", "sad"),
    ("😡", "angry mad"),
    ("😱", "shock fear horror"),
    ("😬", "awkward oops"),
    ("🙄", "annoyed"),
    ("😴", "tired sleep"),
    ("😎", "cool"),
    ("🤯", "wow shock"),
    ("🥳", "celebrate birthday"),
    ("💯", "perfect agree hundred"),
    ("👎", "no bad dislike disagree"),
    ("👌", "ok fine perfect"),
    ("🤝", "deal agree"),
    ("👋", "hello hi bye"),
    ("💪", "strong strength"),
    ("🙌", "hooray praise yay"),
    ("🤞", "luck hope"),
    ("🫡", "yes sir"),
    ("🚀", "ship launch fast"),
    ("💡", "idea"),
    ("⭐", "favourite favorite"),
    ("✨", "new shiny"),
    ("🐛", "insect"),
    ("🍻", "cheers drink"),
    ("🍕", "lunch"),
    ("☕", "tea break"),
    ("🎂", "birthday"),
    ("💔", "sad"),
    ("⚠️", "danger"),
    ("❓", "what"),
    ("❗", "important"),
];

/// Last version of Unicode whose emojis are offered: terminals of today can be expected to show them, while tmux 3.3 leaves
/// later ones blank.
const WIDELY_KNOWN: UnicodeVersion = UnicodeVersion::new(15, 0);

/// Returns the emoji that a text is, in the form that programs pick, or that it names by a short code, such as `:tada:`.
/// The error is a text for the user; `list` says how to open a list of all, where there is one.
pub fn find_reaction(text: &str, list: Option<&str>) -> Result<String, String> {
    let text = text.trim();
    let code = text.trim_matches(':').to_lowercase();
    if let Some(known) = emojis::get(text).or_else(|| emojis::get_by_shortcode(&code)) {
        return Ok(known.as_str().to_owned());
    }
    // One that is newer than the table.
    let is_picture = |c: char| !c.is_ascii() && CodePointSetData::new::<ExtendedPictographic>().contains(c);
    let mut clusters = text.graphemes(true);
    if clusters.next().is_some_and(|first| first.contains(is_picture)) && clusters.next().is_none() {
        return Ok(text.to_owned());
    }
    let index = EmojiIndex::new();
    let codes: Vec<String> =
        index.complete(text).filter_map(Emoji::shortcode).take(3).map(|code| format!(":{code}:")).collect();
    let similar = match &codes[..] {
        [] => String::new(),
        codes => format!("; did you mean {}?", codes.join(", ")),
    };
    let list = list.map(|list| format!("; {list}")).unwrap_or_default();
    Err(format!("{text} is neither an emoji nor a short code such as :tada:{similar}{list}"))
}

/// Emojis in the order in which they are offered: those of chats, then those that every terminal shows in colour, then
/// symbols. Those that terminals may not know are left out.
#[derive(Debug, Default)]
pub struct EmojiIndex(Vec<IndexedEmoji>);

#[derive(Debug)]
struct IndexedEmoji {
    emoji: &'static Emoji,
    /// Name, codes and further words, one a line, in lower case.
    names: String,
}

/// Manner in which a text matches an emoji, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    /// It is the name or a code.
    Whole,
    /// The name or a code begins with it.
    Start,
    /// Each of its words begins one of the emoji's.
    Words,
    /// It is within the name or a code.
    Within,
}

impl EmojiIndex {
    /// Creates the index.
    pub fn new() -> Self {
        let place = |emoji: &Emoji| WELL_KNOWN.iter().position(|(known, _)| *known == emoji.as_str());
        let is_known = |emoji: &&Emoji| emoji.unicode_version() <= WIDELY_KNOWN;
        let mut emojis: Vec<&'static Emoji> = emojis::iter().filter(is_known).collect();
        // The sort is stable, so that the rest keeps the order of Unicode.
        emojis.sort_by_key(|emoji| {
            let place = place(emoji);
            let has_colour = emoji
                .as_str()
                .chars()
                .next()
                .is_some_and(|first| CodePointSetData::new::<EmojiPresentation>().contains(first));
            (place.is_none(), place, Reverse(has_colour))
        });
        let index = |emoji: &'static Emoji| {
            let names = [emoji.name()].into_iter().chain(emoji.shortcodes());
            let known = place(emoji).and_then(|place| WELL_KNOWN.get(place));
            let words = known.into_iter().flat_map(|(_, words)| words.split(' '));
            let names: Vec<String> =
                names.chain(words).map(|name| name.to_lowercase().replace('_', " ")).collect();
            IndexedEmoji { emoji, names: names.join("\n") }
        };
        Self(emojis.into_iter().map(index).collect())
    }

    /// Iterates over the emojis.
    pub fn iter(&self) -> impl Iterator<Item = &'static Emoji> {
        self.0.iter().map(|indexed| indexed.emoji)
    }

    /// Returns the places of the emojis that a text finds, the best first: all without a text.
    pub fn search(&self, text: &str) -> Vec<usize> {
        self.find(text).into_iter().map(|(_, place)| place).collect()
    }

    /// Iterates over the emojis of which a name, a code or a word begins with a text, the best first.
    pub fn complete(&self, start: &str) -> impl Iterator<Item = &'static Emoji> {
        let found = self.find(start).into_iter().take_while(|(how, _)| *how < Match::Within);
        found.filter_map(|(_, place)| self.get(place))
    }

    fn find(&self, text: &str) -> Vec<(Match, usize)> {
        let text = text.trim().trim_matches(':').to_lowercase().replace('_', " ");
        let mut found: Vec<(Match, usize)> = Vec::new();
        for (place, indexed) in self.0.iter().enumerate() {
            found.extend(match_names(&indexed.names, &text).map(|how| (how, place)));
        }
        found.sort_unstable();
        found
    }

    /// Returns the emoji at a place.
    pub fn get(&self, place: usize) -> Option<&'static Emoji> {
        self.0.get(place).map(|indexed| indexed.emoji)
    }
}

fn match_names(names: &str, text: &str) -> Option<Match> {
    if text.is_empty() {
        return Some(Match::Within);
    }
    let begins = |word: &str| names.split([' ', '\n', '-', ':']).any(|known| known.starts_with(word));
    if names.lines().any(|name| name == text) {
        Some(Match::Whole)
    } else if names.lines().any(|name| name.starts_with(text)) {
        Some(Match::Start)
    } else if text.split_whitespace().all(begins) {
        Some(Match::Words)
    } else {
        names.contains(text).then_some(Match::Within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_people_use_find_the_emoji_that_they_mean() {
        let index = EmojiIndex::new();
        for (text, expected) in [
            ("thumb", "👍 👎"),
            ("thumbs up", "👍"),
            ("+1", "👍"),
            (":thumbsup:", "👍"),
            ("yes", "👍 ✅"),
            ("lol", "😂 🤣"),
            ("heart", "❤️ 😍"),
            ("love", "❤️ 😍"),
            ("thank", "🙏"),
            ("party", "🎉 🥳"),
            ("cry", "😢 😭"),
            ("tada", "🎉"),
            ("sad", "😢"),
            ("ROCKET", "🚀"),
            ("beer", "🍺 🍻"),
            ("germ", "🇩🇪"),
        ] {
            let found: Vec<&str> =
                index.search(text).into_iter().filter_map(|at| index.get(at)).map(Emoji::as_str).collect();
            let expected: Vec<&str> = expected.split(' ').collect();
            let first: Vec<&str> = found.iter().copied().filter(|one| expected.contains(one)).collect();
            assert_eq!(found.first(), expected.first(), "{text}: {found:?}");
            assert_eq!(first, expected, "{text}: {found:?}");
        }
        assert_eq!(index.search("no such emoji"), [0; 0]);
    }

    #[test]
    fn a_reaction_is_an_emoji_or_a_short_code() {
        for (text, expected) in [
            ("👍", "👍"),
            ("❤", "❤️"),
            ("❤️", "❤️"),
            ("👍🏽", "👍🏽"),
            ("🇩🇪", "🇩🇪"),
            ("tada", "🎉"),
            (":tada:", "🎉"),
            ("+1", "👍"),
            ("THUMBSUP", "👍"),
            // Of Unicode 17.
            ("\u{1fac8}", "\u{1fac8}"),
        ] {
            assert_eq!(find_reaction(text, None).as_deref(), Ok(expected), "{text}");
        }
        for text in ["nonsense", "ok!", "1", "#", "😀😀", "party", "tada!", "é", "日"] {
            let error = find_reaction(text, Some("Alt-Up, then e, lists all")).expect_err(text);
            assert!(error.starts_with(text) && error.ends_with("; Alt-Up, then e, lists all"), "{error}");
        }
        let error = find_reaction("party", None).expect_err("no code");
        assert!(error.contains("did you mean :") && error.ends_with('?'), "{error}");
    }

    #[test]
    fn symbols_come_last_and_what_a_terminal_may_not_show_is_not_offered() {
        let index = EmojiIndex::new();
        let all: Vec<&Emoji> = index.iter().collect();
        assert_eq!(index.search("").len(), all.len());
        for (at, (known, _)) in WELL_KNOWN.iter().enumerate() {
            assert_eq!(all.get(at).map(|emoji| emoji.as_str()), Some(*known));
        }
        let place = |text: &str| all.iter().position(|emoji| emoji.as_str() == text).expect(text);
        assert!(place("🍇") < place("☺️"));
        assert!(all.len() > 1800 && all.iter().all(|emoji| emoji.unicode_version() <= WIDELY_KNOWN));
        let thumbs: Vec<&str> =
            index.search("thumb").into_iter().filter_map(|at| index.get(at)).map(Emoji::as_str).collect();
        assert_eq!(thumbs, ["👍", "👎", "🫰"], "without the thumb signs of Unicode 17");
    }
}
