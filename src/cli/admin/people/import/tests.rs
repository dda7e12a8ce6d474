//! Parsing of files as spreadsheets write them.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use proptest::prelude::*;

use super::*;
use crate::core::record::Role;
use crate::server::admin::User;
use crate::wire::Timestamp;

fn parse(bytes: &[u8]) -> anyhow::Result<Rows> {
    parse_rows(&Table::new(bytes, None)?)
}

fn describe(entry: &Entry) -> String {
    let name = match &entry.name {
        PersonName::Given(name) => name.to_string(),
        PersonName::Derived(base) => format!("({base})"),
    };
    format!("{} {name} {}", entry.line, entry.role)
}

fn parse_text(text: &[u8]) -> (Vec<String>, Vec<RefusedRow>) {
    let Rows { entries, refused, .. } = parse(text).expect("reads");
    (entries.iter().map(describe).collect(), refused)
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    let units = mark.into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn rows_are_parsed_as_spreadsheets_write_them() {
    let text = "\u{feff}Name,Password,Role\r\nalice,secret12\r\n\r\n bob ,\"with, \"\"quotes\"\"\", Admin \r\ncarol,secret12,\n";
    let (lines, refused) = parse_text(text.as_bytes());
    assert_eq!(
        (lines, refused),
        (vec!["2 alice member".to_owned(), "4 bob admin".to_owned(), "5 carol member".to_owned()], vec![])
    );
}

#[test]
fn every_separator_and_encoding_is_parsed() {
    let rows = "alice;\"se;cr,et 12\";admin\nbob;geheim=äöü€\n";
    let table = format!("name;password;role\n{rows}");
    for text in [rows, &table, &format!("sep=;\r\n{rows}")] {
        for separator in [";", ",", "\t"] {
            let text =
                text.replace(";\"", &format!("{separator}\"")).replace("\";", &format!("\"{separator}"));
            let text = text
                .replace("bob;", &format!("bob{separator}"))
                .replace("sep=;", &format!("sep={separator}"));
            let text = text.replace("name;password;role", &["name", "password", "role"].join(separator));
            let expected = |(lines, refused): (Vec<String>, Vec<RefusedRow>)| {
                assert_eq!(refused, [], "{text}");
                assert!(
                    lines.len() == 2 && lines[0].ends_with("alice admin") && lines[1].ends_with("bob member"),
                    "{lines:?}"
                );
            };
            expected(parse_text(text.as_bytes()));
            expected(parse_text(format!("\u{feff}{text}").as_bytes()));
            for (big, encoding) in [(true, UTF_16BE), (false, UTF_16LE)] {
                expected(parse_text(&utf16(&text, big, true)));
                expected(parse_text(&utf16(&text, big, false)));
                let mut cut = utf16(&text, big, true);
                cut.pop();
                let error = parse(&cut).err().expect("cut off").to_string();
                assert!(error.contains(encoding.name()) && !error.contains("geheim"), "{error}");
            }
        }
    }
}

#[test]
fn excels_plain_csv_is_read_and_said_to_be_a_guess() {
    let text = "Name;Klasse\r\nJürgen Groß;3b\r\nZoë Dœuff–Łuk;3b\r\n".replace('Ł', "L");
    let (bytes, _, _) = WINDOWS_1252.encode(&text);
    let table = Table::new(&bytes, None).expect("reads");
    assert_eq!(table.guessed_encoding(), Some("windows-1252"));
    let Rows { entries, refused, .. } = parse_rows(&table).expect("reads");
    assert_eq!(refused, []);
    assert_eq!(
        entries.iter().map(|entry| &*entry.listed_name).collect::<Vec<_>>(),
        ["Jürgen Groß", "Zoë Dœuff–Luk"]
    );
    // What is UTF-8 in part, or has bytes without a meaning, is damaged.
    for damaged in ["é\u{ff}".as_bytes(), b"\x81\xfc"] {
        let damaged = [b"Name\n", damaged, b"\xfc\n"].concat();
        let table = Table::new(&damaged, None).expect("reads");
        assert_eq!(table.guessed_encoding(), None);
        assert_eq!(parse_rows(&table).expect("reads").refused.len(), 1);
    }
    // Whoever says the encoding is believed.
    let table = Table::new(b"Name\n\xa3ukasz \xaf\n", Encoding::for_label(b"windows-1250")).expect("reads");
    assert_eq!(table.guessed_encoding(), None);
    assert_eq!(parse_rows(&table).expect("reads").entries[0].listed_name, "Łukasz Ż");
}

#[test]
fn header_names_the_columns() {
    let (lines, refused) = parse_text(b"Role\tPassword\tNAME\nadmin\tsecret12\talice\n\tshort\tbob\n");
    assert_eq!(lines, ["2 alice admin"]);
    assert_eq!((refused[0].line, refused[0].column), (3, Some(2)));
}

#[test]
fn refused_rows_report_position_and_reason_without_quoting() {
    let text =
        b"alice,secret12\nALICE,secret12\nbob,tiny7\n1st,secret12\necho,secret12\ndave,pass,word1234\nonly\n\
        a,b,c,d\nerin,\xc3\xa9\xff\xff\xff\xff\xff\xff\xff\xff\numa;secret12345;member\nfrank,secret12\n";
    let (lines, refused) = parse_text(text);
    assert_eq!(lines, ["1 alice member", "11 frank member"]);
    let positions: Vec<_> = refused.iter().map(|row| (row.line, row.column)).collect();
    assert_eq!(
        positions,
        [
            (2, Some(1)),
            (3, Some(2)),
            (4, Some(1)),
            (5, Some(1)),
            (6, Some(2)),
            (7, None),
            (8, None),
            (9, Some(2)),
            (10, None)
        ]
    );
    for RefusedRow { line, why, .. } in &refused {
        for cell in ["secret", "word1", "tiny7", "uma", "dave", "1st", "only"] {
            assert!(!why.split("one column only").next().unwrap_or_default().contains(cell), "{line}: {why}");
        }
    }
    assert!(refused[0].why.contains("line 1"), "{}", refused[0].why);
}

#[test]
fn titles_in_several_languages_name_the_columns() {
    let german = "Nachname;Vorname;Klasse;E-Mail;Kanäle\r\nMüller;Jürgen;3b, Chor;jm@example.org;#klasse-3b|chor\r\n;;;;\r\nWeiß;Ägidius;3b\r\n";
    let Rows { entries, refused, notes, .. } = parse(german.as_bytes()).expect("reads");
    assert_eq!(refused.len(), 1, "a row without a name: {refused:?}");
    assert_eq!(
        entries.iter().map(describe).collect::<Vec<_>>(),
        ["2 (juergen-mueller) member", "4 (aegidius-weiss) member"]
    );
    let first = &entries[0];
    assert_eq!(
        (first.display_name.as_deref(), &*first.listed_name),
        (Some("Jürgen Müller"), "Jürgen Müller")
    );
    assert_eq!(first.groups.iter().map(GroupName::as_str).collect::<Vec<_>>(), ["3b", "Chor"]);
    assert_eq!(first.channels.iter().map(ChannelName::as_str).collect::<Vec<_>>(), ["#klasse-3b", "#chor"]);
    assert_eq!(notes, ["column 4 has no title that is known, and is not read"]);

    for text in [
        "Name,Passwort,Rolle\njuergen,geheim123,Administrator\n",
        "nom,mot de passe,rôle\njuergen,geheim123,admin\n",
        "Nombre;Contraseña;Rol\njuergen;geheim123;administrador\n",
    ] {
        assert_eq!(parse_text(text.as_bytes()), (vec!["2 juergen admin".to_owned()], vec![]), "{text}");
    }
    // Beside first names, a name is the family's.
    let Rows { entries, .. } = parse("Name;Vorname\nMüller;Jürgen\n".as_bytes()).expect("reads");
    assert_eq!(entries[0].display_name.as_deref(), Some("Jürgen Müller"));
}

#[test]
fn name_that_no_account_can_have_is_the_persons() {
    let text = "name,password\nJürgen Müller,geheim123\njm,geheim123\n";
    let Rows { entries, refused, .. } = parse(text.as_bytes()).expect("reads");
    assert_eq!(refused, []);
    assert_eq!(
        entries.iter().map(describe).collect::<Vec<_>>(),
        ["2 (juergen-mueller) member", "3 jm member"]
    );
    assert_eq!(entries[0].display_name.as_deref(), Some("Jürgen Müller"));
    assert_eq!(entries[1].display_name, None);
    // Without titles it may be a password.
    assert_eq!(parse_text("Jürgen Müller,geheim123\n".as_bytes()).1[0].column, Some(1));
}

fn user(name: &str, listed_name: Option<&str>) -> User {
    User {
        name: Nick::parse(name).expect("a name"),
        role: Role::Member,
        disabled: false,
        created: Timestamp(0),
        replay: None,
        bot: false,
        display_name: None,
        listed_name: listed_name.map(ToOwned::to_owned),
        groups: Vec::new(),
        files: 0,
        file_bytes: 0,
    }
}

fn describe_target(target: &Target) -> String {
    match target {
        Target::New(name) => format!("+{name}"),
        Target::Known { name, is_doubtful: false } => name.to_string(),
        Target::Known { name, is_doubtful: true } => format!("{name}?"),
        Target::Taken | Target::Removed => "refused".to_owned(),
    }
}

#[test]
fn people_of_one_name_keep_their_accounts_and_are_told_apart_by_groups() {
    let entries = |text: &str| parse(text.as_bytes()).expect("reads").entries;
    let targets = |entries: &[Entry], users: &[User]| -> Vec<String> {
        resolve(entries, users, &HashSet::new()).iter().map(describe_target).collect()
    };
    // The number stands within the name where that is long, so that the names are in another order.
    let long = "Anzeigename;Klasse\nAegidius von der Heydte;3a\nAegidius von der Heydte;3b\n";
    let first = targets(&entries(long), &[]);
    assert_eq!(first, ["+aegidius-von-der-heydte", "+aegidius-von-der-heydt-2"]);
    let mut users: Vec<User> =
        first.iter().map(|name| user(&name[1..], Some("Aegidius von der Heydte"))).collect();
    for order in [[0, 1], [1, 0]] {
        let users: Vec<User> = order.iter().map(|&at| users[at].clone()).collect();
        assert_eq!(targets(&entries(long), &users), ["aegidius-von-der-heydte", "aegidius-von-der-heydt-2"]);
    }
    // A class of its own in the file.
    for (user, group) in users.iter_mut().zip(["3a", "3b"]) {
        user.groups = vec![GroupName::parse(group).expect("a name")];
    }
    let one = |group| entries(&format!("Anzeigename;Klasse\nAegidius von der Heydte;{group}\n"));
    assert_eq!(targets(&one("3b"), &users), ["aegidius-von-der-heydt-2"]);
    assert_eq!(targets(&one("4c"), &users), ["aegidius-von-der-heydte?"]);
}

#[test]
fn same_person_has_the_same_account_at_each_import() {
    let text = "Anzeigename\nJürgen Müller\nJuergen Mueller\nJürgen Müller\nSystem\nAda\n";
    let Rows { entries, .. } = parse(text.as_bytes()).expect("reads");
    let removed = HashSet::from([Nick::parse("ada").expect("a name")]);
    let first: Vec<String> = resolve(&entries, &[], &removed).iter().map(describe_target).collect();
    assert_eq!(
        first,
        ["+juergen-mueller", "+juergen-mueller-2", "+juergen-mueller-3", "+system-2", "+ada-2"]
    );

    let mut users = vec![user("bob", None)];
    for (entry, name) in entries.iter().zip(&first) {
        users.push(user(&name[1..], Some(&entry.listed_name)));
    }
    let again: Vec<String> = resolve(&entries, &users, &removed).iter().map(describe_target).collect();
    assert!(again.iter().zip(&first).all(|(again, first)| *again == first[1..]), "{again:?}");
    // An account that no import made is another person's, and so is one of another name.
    let text = "name,display name\nbob,Bob\njuergen-mueller,Jürgen\njuergen-mueller-2,Juergen Mueller\n";
    let Rows { entries, .. } = parse(text.as_bytes()).expect("reads");
    let given: Vec<String> = resolve(&entries, &users, &removed).iter().map(describe_target).collect();
    assert_eq!(given, ["refused", "refused", "juergen-mueller-2"]);
}

proptest! {
    #[test]
    fn any_file_is_handled_and_errors_quote_nothing(bytes: Vec<u8>, secret in "[A-Z]{12}") {
        let _ = parse(&bytes);
        let text = [&bytes[..], secret.as_bytes(), b"\n", &bytes[..]].concat();
        match parse(&text) {
            Ok(Rows { refused, notes, .. }) => {
                prop_assert!(refused.iter().all(|row| !row.why.contains(&secret)));
                prop_assert!(notes.iter().all(|note| !note.contains(&secret)));
            }
            Err(error) => {
                let text = format!("{error:#}");
                prop_assert!(!text.contains(&secret));
            }
        }
    }
}
