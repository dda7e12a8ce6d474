//! Grapheme clusters that terminals measure differently, and what stands for them on the screen.
//!
//! # The rule
//!
//! A cluster goes to the terminal as it is if two measures of it agree: the sum of the widths of its characters
//! (`wcwidth`, by which xterm, tmux up to 3.5, Alacritty and the Linux console reckon) and the width of the cluster as a
//! whole (by which kitty, foot and `WezTerm` reckon). Of an emoji for which they differ, the first
//! character stands for the whole:
//!
//! | cluster | sum | whole | shown as |
//! | --- | --- | --- | --- |
//! | 👍🏽 skin tone | 4 | 2 | 👍 |
//! | 👩‍👩‍👧 emojis with joiners | 6 | 2 | 👩 |
//! | ❤️ selector of the coloured form | 1 | 2 | ❤ |
//! | 1️⃣ keycap | 1 | 2 | 1 |
//! | 🇩🇪 flag | 2 | 2 | DE |
//! | 🏴󠁧󠁢󠁥󠁮󠁧󠁿 flag of a region | 2 | 2 | 🏴 |
//!
//! Flags are replaced although the measures agree, because terminals show them as one, two or four cells, and so are all
//! emojis with joiners, because not every terminal knows every one. Clusters of letters stay as they are, because a letter less would be another word.
//!
//! Copying gives the text as it was sent. Of a single emoji too, a terminal with older tables may know another width than
//! this program; [`is_uncertain`] tells which cells are drawn with care.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use icu_properties::CodePointSetData;
use icu_properties::props::{Emoji, ExtendedPictographic};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Letters of flags.
const INDICATORS: RangeInclusive<char> = '\u{1f1e6}'..='\u{1f1ff}';

/// Returns the width of a cluster on the screen, in cells.
pub fn cluster_width(cluster: &str) -> usize {
    if cluster.len() == 1 { 1 } else { trusted_form(cluster).width() }
}

/// Replaces the clusters of a text that a terminal cannot be trusted with.
pub fn replace_untrusted(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(is_doubtful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.graphemes(true).map(trusted_form).collect())
}

/// Returns what stands for a cluster on the screen: the cluster itself where it can be trusted.
fn trusted_form(cluster: &str) -> Cow<'_, str> {
    let mut chars = cluster.chars();
    let Some(first) = chars.next().filter(|_| cluster.contains(is_doubtful)) else {
        return Cow::Borrowed(cluster);
    };
    if INDICATORS.contains(&first) {
        return Cow::Owned(cluster.chars().map(indicator_letter).collect());
    }
    let single = chars.as_str().is_empty();
    if single
        || !is_emoji_sequence(first, chars.as_str())
        || measures_agree(cluster) && !cluster.contains('\u{200d}') && !has_tags(cluster)
    {
        return Cow::Borrowed(cluster);
    }
    Cow::Owned(first.to_string())
}

/// Returns whether a cluster with this character may have two widths: a joiner, a selector, the frame of a keycap, a
/// letter of a flag, a skin tone or a tag. Other clusters need no closer look.
fn is_doubtful(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
        || INDICATORS.contains(&c)
}

/// Returns whether terminals may differ in the width of what is in a cell, or in the cells that it covers: an emoji,
/// also a single one, which may be younger than the terminal, or a cluster whose measures differ.
pub fn is_uncertain(symbol: &str) -> bool {
    symbol.len() > 1
        && (symbol.chars().any(|c| !c.is_ascii() && CodePointSetData::new::<Emoji>().contains(c))
            || !measures_agree(symbol))
}

/// Returns whether the sum of the widths of the characters is the width of the whole.
fn measures_agree(cluster: &str) -> bool {
    cluster.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() == cluster.width()
}

/// Returns whether a cluster of these characters is an emoji: a picture, or the base of a keycap.
fn is_emoji_sequence(first: char, rest: &str) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(first)
        || CodePointSetData::new::<Emoji>().contains(first)
            && rest.contains(['\u{20e3}', '\u{fe0f}', '\u{fe0e}'])
}

/// Returns whether a cluster has tag characters, which name the region of a flag.
fn has_tags(cluster: &str) -> bool {
    cluster.contains(|c| ('\u{e0020}'..='\u{e007f}').contains(&c))
}

/// Returns the letter of a regional indicator, and any other character unchanged.
fn indicator_letter(c: char) -> char {
    match u8::try_from(u32::from(c).wrapping_sub(u32::from(*INDICATORS.start()))) {
        Ok(index @ 0..26) => char::from(b'A' + index),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_clusters_are_replaced() {
        for (text, shown, width) in [
            ("👍🏽", "👍", 2),
            ("👩\u{200d}👩\u{200d}👧", "👩", 2),
            ("🏳\u{fe0f}\u{200d}🌈", "🏳", 1),
            ("❤\u{fe0f}", "❤", 1),
            ("1\u{fe0f}\u{20e3}", "1", 1),
            ("🇩🇪🇫🇷", "DEFR", 4),
            ("🇩", "D", 1),
            ("🏴\u{e0067}\u{e0062}\u{e007f}", "🏴", 2),
            ("👍 e\u{301} 日本 が", "👍 e\u{301} 日本 が", 12),
            ("plain", "plain", 5),
        ] {
            assert_eq!(replace_untrusted(text), shown, "{text}");
            let reckoned: usize = text.graphemes(true).map(cluster_width).sum();
            assert_eq!(reckoned, width, "{text}");
        }
    }

    /// Every emoji of Unicode, in each skin tone, and with each selector of its form.
    fn all_emojis() -> impl Iterator<Item = String> {
        let tones = emojis::iter().flat_map(|emoji| emoji.skin_tones().into_iter().flatten().chain([emoji]));
        tones.flat_map(|emoji| {
            let plain = emoji.as_str().replace(['\u{fe0e}', '\u{fe0f}'], "");
            let forms = ["", "\u{fe0e}", "\u{fe0f}"].map(|selector| format!("{plain}{selector}"));
            forms.into_iter().chain([emoji.as_str().to_owned()])
        })
    }

    #[test]
    fn both_measures_agree_on_what_stands_for_each_emoji() {
        let mut count = 0;
        for emoji in all_emojis() {
            count += 1;
            let shown = replace_untrusted(&emoji);
            let reckoned: usize = emoji.graphemes(true).map(cluster_width).sum();
            let sum: usize = shown.chars().map(|c| c.width().unwrap_or(0)).sum();
            assert_eq!((sum, shown.width()), (reckoned, reckoned), "{emoji:?} as {shown:?}");
            assert!((1..=2).contains(&reckoned), "{emoji:?} as {shown:?}");
            assert_eq!(replace_untrusted(&shown), shown, "{emoji:?}");
        }
        assert!(count > 10_000, "{count}");
    }
}
