//! Parsing of the changes of a MODE command.

use crate::wire::Nick;

/// One change of a MODE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModeLetter<'a> {
    /// Set for `+`, or without a sign.
    pub on: bool,
    /// Letter of the mode.
    pub letter: char,
    /// Parameter of the mode, if there is one.
    pub value: Option<&'a str>,
}

/// Limit of the accounts of one MODE that are looked up.
const MAX_LOOKED_UP: usize = 4;

/// Parses the words of a change of modes, such as `+ob bob carol!*@*`.
pub fn parse_mode_changes(words: &[String]) -> Vec<ModeLetter<'_>> {
    let Some((letters, values)) = words.split_first() else { return Vec::new() };
    let mut values = values.iter().map(String::as_str);
    let (mut on, mut changes) = (true, Vec::new());
    for letter in letters.chars() {
        if letter == '+' || letter == '-' {
            on = letter == '+';
            continue;
        }
        let takes_value = if letter == 'l' { on } else { "beIkqaohv".contains(letter) };
        let value = if takes_value { values.next() } else { None };
        changes.push(ModeLetter { on, letter, value });
    }
    changes
}

/// An account that a change of modes adds to a list by its plain name, as opposed to a mask that matches several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// Account that the entry names.
    pub account: Nick,
    /// Effect of the entry.
    pub listing: Listing,
}

/// Effect of an entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Keeps the account from joining and writing.
    Ban,
    /// Keeps it from writing.
    Mute,
    /// Excepts it from a ban, or from the need of an invitation.
    Exception,
}

/// Returns the accounts that a change of modes adds to a list by their plain names.
pub(in crate::client) fn listed_accounts(words: &[String]) -> Vec<ListedAccount> {
    let changes = parse_mode_changes(words).into_iter();
    let entries = changes.filter(|change| change.on && "beI".contains(change.letter));
    let listed = |change: ModeLetter<'_>| {
        let (is_mute, account) = plain_account(change.value?)?;
        let listing = match (change.letter, is_mute) {
            ('b', true) => Listing::Mute,
            ('b', false) => Listing::Ban,
            _ => Listing::Exception,
        };
        Some(ListedAccount { account, listing })
    };
    entries.filter_map(listed).take(MAX_LOOKED_UP).collect()
}

/// Returns the account of a mask that is for one alone, `bob`, `bob!*@*` or `m:bob!*@*`, and whether it is a mute.
fn plain_account(mask: &str) -> Option<(bool, Nick)> {
    let (is_mute, mask) = match mask.get(..2) {
        Some(kind) if kind.eq_ignore_ascii_case("m:") => (true, &mask[2..]),
        _ => (false, mask),
    };
    Some((is_mute, Nick::parse(mask.strip_suffix("!*@*").unwrap_or(mask)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_those_named_alone_on_a_list() {
        for (words, expected) in [
            ("+b bob!*@*", "bob"),
            ("+b bob", "bob"),
            ("+b m:bob!*@*", "bob"),
            ("+beI a!*@* b!*@* c!*@*", "a b c"),
            ("+ob bob carol!*@*", "carol"),
            ("-o+lb dave 5 carol", "carol"),
            ("-b bob!*@*", ""),
            ("-l+b bob", "bob"),
            ("+b *!*@host", ""),
            ("+b bo*!*@*", ""),
            ("+b bob!*@elsewhere", ""),
            ("+b a:bob", ""),
            ("+o bob", ""),
            ("+b", ""),
            ("+bbbbbb a b c d e f", "a b c d"),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let found: Vec<String> =
                listed_accounts(&words).iter().map(|listed| listed.account.to_string()).collect();
            assert_eq!(found.join(" "), expected, "{words:?}");
        }
        assert_eq!(parse_mode_changes(&[]), []);
        let words = ["+bbe", "bob", "m:carol!*@*", "dave"].map(str::to_owned);
        let listings: Vec<Listing> = listed_accounts(&words).iter().map(|listed| listed.listing).collect();
        assert_eq!(listings, [Listing::Ban, Listing::Mute, Listing::Exception]);
    }
}
