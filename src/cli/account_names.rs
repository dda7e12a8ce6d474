//! Account names made of the names of people.

use deunicode::deunicode_char;

use crate::wire::Nick;

/// The name of an account, in the file or to be made.
#[derive(Debug, PartialEq, Eq)]
pub enum PersonName {
    /// The file has it.
    Given(Nick),
    /// It is made of the person's name: this one, or with a number if that is taken.
    Derived(String),
}

/// Returns what the name of a person makes of an account name, in lower case: `Jürgen Müller` makes `juergen-mueller`.
pub fn base_of(person: &str) -> String {
    let ascii = transliterate(person).to_ascii_lowercase();
    let words: Vec<&str> =
        ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let all = words.join("-");
    let base = match &words[..] {
        [] => "user".to_owned(),
        // The first and the last name are what people are called by.
        [first, .., last] if all.len() > Nick::MAX => format!("{first}-{last}"),
        _ => all,
    };
    let base = if base.starts_with(|c: char| c.is_ascii_digit()) { format!("_{base}") } else { base };
    cut(&base, Nick::MAX)
}

/// Writes a text in ASCII. German umlauts become two letters, as in passports.
pub fn transliterate(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ä' => ascii.push_str("ae"),
            'ö' => ascii.push_str("oe"),
            'ü' => ascii.push_str("ue"),
            'Ä' => ascii.push_str("Ae"),
            'Ö' => ascii.push_str("Oe"),
            'Ü' => ascii.push_str("Ue"),
            // Words are joined by them, as in O’Brien.
            '\'' | '’' | '`' | '´' => {}
            // Syllables of scripts without blanks end with one.
            c => ascii.push_str(deunicode_char(c).unwrap_or_default()),
        }
    }
    ascii
}

/// Returns a base with a number from 2 on, as long as a name may be.
pub fn numbered(base: &str, number: u32) -> Option<Nick> {
    let ending = if number == 1 { String::new() } else { format!("-{number}") };
    Nick::parse(&(cut(base, Nick::MAX - ending.len()) + &ending)).ok()
}

/// Returns the number of a name that a base made; `None` if it made another.
pub fn number_of(base: &str, name: &Nick) -> Option<u32> {
    let behind = || name.as_str().rsplit_once('-')?.1.parse().ok();
    [Some(1), behind()].into_iter().flatten().find(|&number| numbered(base, number).as_ref() == Some(name))
}

fn cut(base: &str, most: usize) -> String {
    base.get(..most).unwrap_or(base).trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_people_make_names_of_accounts() {
        for (person, base) in [
            ("Jürgen Müller", "juergen-mueller"),
            ("Großmann, Ägidius", "grossmann-aegidius"),
            ("Seán O’Brien", "sean-obrien"),
            ("Anne-Marie d'Épée", "anne-marie-depee"),
            ("Łukasz Żółć", "lukasz-zolc"),
            ("Søren Ångström", "soren-angstroem"),
            ("Юлия Иванова", "iuliia-ivanova"),
            ("王小明", "wang-xiao-ming"),
            ("Maximilian Alexander von Hohenstein", "maximilian-hohenstein"),
            ("Karl-Theodor Maria Nikolaus Johann", "karl-johann"),
            ("3PO", "_3po"),
            ("😀", "grinning"),
            ("", "user"),
        ] {
            assert_eq!(base_of(person), base, "{person}");
        }
    }

    proptest! {
        #[test]
        fn every_name_makes_a_valid_one(person: String, number in 1..100_000u32) {
            prop_assert!(numbered(&base_of(&person), number).is_some(), "{}", base_of(&person));
        }
    }
}
