//! Values of configuration files, and the errors of wrong ones.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Config {
    Config::parse(text).expect(text)
}

/// Returns the error as `LINE: WHAT`.
fn parse_error(text: &str) -> String {
    let mistake = Config::parse(text).expect_err(text);
    assert!(!mistake.message.contains('\n'), "{}", mistake.message);
    format!("{}: {}", mistake.line(text), mistake.message)
}

#[test]
fn empty_file_is_default_config() {
    assert_eq!(parse(""), Config::default());
    assert_eq!(parse("[tls]\n[passwords]\n[sessions]\n[limits]\n[history]\n"), Config::default());
}

#[test]
fn every_key_can_be_set() {
    let text = r#"
        listen = ["127.0.0.1:0", "[::1]:6697", "127.0.0.1:0"]
        name = "Бар"
        server_name = "irc.example.org"
        icon = "https://example.org/icon.svg"
        advertise = ["chat.example.org", "[2001:db8::7]:7000"]
        announce = true
        motd = """
Welcome.

Be kind."""
        [tls]
        names = ["chat.example.org", "192.0.2.7"]
        [passwords]
        memory_kib = 65_536
        iterations = 3
        parallelism = 4
        [sessions]
        grace_s = 0
        [limits]
        flood = false
        messages_per_second = 1
        burst = 2
        connections_per_address = 0
        connections_before_login = 1000
        line_bytes = 512
        send_queue_bytes = 65536
        login_timeout_s = 3
        handshake_timeout_s = 4
        channels_per_account = 5
        sessions_per_account = 6
        messages_per_day = 100
        mib_per_day = 5
        disk_reserve_mib = 8
        [history]
        replay = 6
        keep_days = 7
        keep_messages = 8
        keep_audit_days = 9
        [history.channels.'#lobby']
        keep_messages = 9
        [web]
        enabled = true
        listen = ["0.0.0.0:443"]
        certificate = "public.pem"
        key = "public.key"
        origins = ["https://gamja.example.org", "http://localhost:8000"]
        [files]
        enabled = true
        max_mib = 1
        quota_mib = 10
        max_count = 5
        [hooks]
        enabled = true
        allow = ["hooks.example"]
        [api]
        enabled = true
        [backup]
        folder = "/mnt/backups"
        every = "7d"
        keep = 3
        recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
        [log]
        format = "json"
        level = "warn"
        levels = { connections = "debug", store = "off" }
        [metrics]
        listen = "127.0.0.1:9697"
    "#;
    let config = parse(text);
    // Only one of these can be set.
    let alternatives = ["passphrase_file", "secrets"];
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.name, "Бар");
    assert_eq!(config.advertise[1].to_string(), "[2001:db8::7]:7000");
    assert_eq!(config.motd_lines(), ["Welcome.", "", "Be kind."]);
    assert_eq!(config.tls.names.len(), 2);
    assert_eq!(config.passwords, Passwords { memory_kib: 65_536, iterations: 3, parallelism: 4 });
    assert_eq!(config.sessions.grace_s, 0);
    assert_eq!(config.log.levels[&LogPart::Connections], LogLevel::Debug);
    assert_eq!(config.metrics.listen.len(), 1);
    assert_eq!(config.limits.login_timeout(), Duration::from_secs(3));
    assert_eq!(config.limits.handshake_timeout(), Duration::from_secs(4));
    let written = toml::to_string(&config).expect("text");
    assert_eq!(parse(&written), config);
    // The example changes every default, so it names every key that exists.
    let default = toml::Table::try_from(Config::default()).expect("a table");
    let set = toml::Table::try_from(&config).expect("a table");
    for (key, value) in &default {
        let same = value.as_table().is_some_and(|table| {
            let mut keys = table.iter().filter(|(inner, _)| !alternatives.contains(&inner.as_str()));
            keys.any(|(inner, v)| set[key].get(inner) == Some(v))
        });
        assert!(!same && set[key] != *value, "{key}");
    }
}

#[test]
fn backups_say_who_can_open_them() {
    let folder = "[backup]\nfolder = \"/mnt\"\n";
    for (keys, said) in [
        (
            "",
            "2: who can open the backups is missing: add `recipients`, `passphrase_file`, or `secrets = false`",
        ),
        (
            "secrets = false\npassphrase_file = \"x\"",
            "4: of `recipients`, `passphrase_file` and `secrets = false` there can be one only",
        ),
        (
            "every = \"soon\"",
            "3: `every`: `soon` is not a time such as `24h` or `7d`, from a minute to a year",
        ),
    ] {
        assert_eq!(parse_error(&format!("{folder}{keys}")), said);
    }
    let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    let error = parse_error(&format!("{folder}recipients = [\"{secret}\"]"));
    assert!(!error.contains("GFPYY"), "{error}");
    let backup = parse(&format!("{folder}passphrase_file = \"x\"\nevery = \"90m\"")).backup;
    assert_eq!((backup.is_enabled(), backup.every), (true, Duration::from_mins(90)));
    assert!(!Config::default().backup.is_enabled());
    let nowhere = parse_error("[backup]\nsecrets = false");
    assert_eq!(nowhere, "2: where the backups go is missing: add `folder`");
}

#[test]
fn metrics_are_for_this_machine_alone() {
    for listen in
        ["\"0.0.0.0:9697\"", "[\"127.0.0.1:9697\", \"192.0.2.1:9697\"]", "\"9697\"", "\"localhost:9697\""]
    {
        let error = parse_error(&format!("[metrics]\nlisten = {listen}"));
        assert!(error.contains("is not an address of this machine alone"), "{error}");
    }
    let both = parse("[metrics]\nlisten = [\"127.0.0.1:9697\", \"[::1]:9697\", \"127.0.0.1:9697\"]");
    assert_eq!(both.metrics.listen.len(), 2);
}

#[test]
fn unknown_parts_and_levels_of_the_log_are_refused() {
    for (text, what) in [
        ("levels = { connection = \"info\" }", "connections"),
        ("level = \"loud\"", "debug"),
        ("format = \"xml\"", "journald"),
    ] {
        let error = parse_error(&format!("[log]\n{text}"));
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn unknown_key_error_suggests_nearest() {
    for (text, said) in [
        ("lisen = []", "1: unknown key `lisen`, did you mean `listen`?"),
        ("name = \"x\"\n\nAdvertize = []", "3: unknown key `Advertize`, did you mean `advertise`?"),
        ("[limit]\nflood = true", "1: unknown key `limit`, did you mean `limits`?"),
        ("[limits]\n# a note\nbrust = 3", "3: unknown key `brust` in [limits], did you mean `burst`?"),
        ("limits.line_byte = 3", "1: unknown key `line_byte` in [limits], did you mean `line_bytes`?"),
        ("grace_s = 3", "1: unknown key `grace_s`, did you mean `grace_s` in [sessions]?"),
        ("[tls]\nlisten = []", "2: unknown key `listen` in [tls], did you mean `listen` above all sections?"),
        ("[sessions]\nxyzzy = 1", "2: unknown key `xyzzy` in [sessions]; there are `grace_s`"),
        (
            "[history]\nxyzzy = 1",
            "2: unknown key `xyzzy` in [history]; there are `channels`, `keep_audit_days`, `keep_days`, `keep_messages`, `replay`",
        ),
        ("[tls]\nxyzzy = 1\n[sessions]\nplugh = 1", "2: unknown key `xyzzy` in [tls]; there are `names`"),
    ] {
        assert_eq!(parse_error(text), said);
    }
    assert!(parse_error("xyzzy = 1").starts_with(
        "1: unknown key `xyzzy`; there are `advertise`, `announce`, `api`, `backup`, `files`, `history`, "
    ));
}

#[test]
fn invalid_value_error_names_valid_range() {
    for (text, said) in [
        ("name = 3", "1: `name`: invalid type: integer `3`, expected a string"),
        ("name = \"\"", "1: `name`: the network's name is empty"),
        ("name = \"a b\"", "1: `name`: the network's name must be one word, without spaces"),
        (
            "server_name = \"chat\"",
            "1: `server_name`: a server's name looks like a host name: letters, digits, hyphens and at least one dot, at most \
             63 bytes",
        ),
        (
            "icon = \"icon.svg\"",
            "1: `icon`: the icon's address is not of the form `https://HOST/PATH`, in ASCII",
        ),
        ("\nlisten = []", "2: `listen`: at least one address is needed"),
        (
            "listen = [\"::1\"]",
            "1: `listen`: `::1` is not ADDRESS:PORT, such as `0.0.0.0:6697` or `[::]:6697`",
        ),
        (
            "advertise = [\"a b\"]",
            "1: `advertise`: entry 1: this is not a host name or an IP address, perhaps with a port: host.example:6697",
        ),
        (
            &*format!("advertise = [{}]", "\"a\", ".repeat(17)),
            "1: `advertise`: these are more than the 16 addresses that an invite carries",
        ),
        ("limits = 3", "1: `limits`: invalid type: integer `3`, expected a table"),
        ("[limits]\nflood = 1", "2: `flood`: invalid type: integer `1`, expected a boolean"),
        ("[limits]\nburst = 0", "2: `burst`: 0 is not between 1 and 1000000"),
        ("limits = { flood = true, burst = 0 }", "1: `burst`: 0 is not between 1 and 1000000"),
        ("[limits]\nburst = -1", "2: `burst`: -1 is not between 1 and 1000000"),
        ("[limits]\nline_bytes = 511", "2: `line_bytes`: 511 is not between 512 and 65536"),
        ("[history.channels.'#a']\nkeep_days = 36501", "2: `keep_days`: 36501 is not between 0 and 36500"),
        ("[passwords]\nmemory_kib = 7", "2: `memory_kib`: 7 is not between 8 and 4194304"),
        (
            "[passwords]\nmemory_kib = 31\n\nparallelism = 4",
            "2: `memory_kib` is 31 and must be at least 8 times `parallelism`, 32",
        ),
        (
            "[tls]\nnames = [\n  \"good\",\n  \"*.example\",\n]",
            "2: `names`: entry 2: this is not a host name or an IP address (write names outside ASCII in their xn-- form)",
        ),
        ("name = \"a\"\nname = \"b\"", "2: duplicate key"),
        ("name = ", "1: string values must be quoted, expected literal string"),
    ] {
        assert_eq!(parse_error(text), said);
    }
    assert_eq!(
        parse_error(&format!("name = {:?}", "x".repeat(33))),
        "1: `name`: the network's name is longer than 32 bytes"
    );
    assert_eq!(
        parse_error(&format!("icon = \"https://example.org/?{}\"", "=".repeat(50))),
        "1: `icon`: the icon's address is longer than 200 bytes"
    );
}

#[test]
fn minimum_password_costs_are_valid_for_argon2() {
    assert!(argon2::Params::new(8, 1, 1, None).is_ok());
    assert!(argon2::Params::new(8 * 64, 1, 64, None).is_ok());
    assert!(argon2::Params::new(4_194_304, 100, 64, None).is_ok());
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("parlour.toml");
    assert_eq!(Config::from_optional_file(&file).expect("none"), Config::default());
    assert!(matches!(Config::from_file(&file), Err(ConfigError::Read { .. })));
    std::fs::write(&file, "\nlisen = []\n").expect("written");
    let said = Config::from_optional_file(&file).expect_err("refused").to_string();
    assert_eq!(said, format!("{}, line 2: unknown key `lisen`, did you mean `listen`?", file.display()));
}

/// Parses the sections of docs/configuration.md into tables from key to default, as the page writes them.
fn documented_defaults() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = None;
    for line in include_str!("../../../docs/configuration.md").lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let table = title.strip_prefix("`[").and_then(|title| title.strip_suffix("]`"));
            section = table.or((title == "Above all sections").then_some(""));
        } else if let (Some(section), Some(row)) = (section, line.strip_prefix("| `")) {
            let (key, rest) = row.split_once("` | ").expect(line);
            let (default, _) = rest.split_once(" | ").expect(line);
            let keys = sections.entry(section.to_owned()).or_default();
            assert_eq!(
                keys.insert(key.to_owned(), default.trim_matches('`').to_owned()),
                None,
                "{key} twice"
            );
        }
    }
    sections
}

#[test]
fn documentation_lists_every_key_with_default() {
    let mut documented = documented_defaults();
    let mut above = documented.remove("").expect("keys above all sections");
    let Ok(toml::Value::Table(keys)) = toml::Value::try_from(Config::default()) else { panic!("a table") };
    let check = |section: &mut BTreeMap<String, String>, key: &str, value: &toml::Value| {
        let default = section.remove(key).unwrap_or_else(|| panic!("{key} is missing"));
        // The page describes empty lists and texts in words.
        if default != "none" && default != "the machine's own" {
            let value = value.to_string();
            assert_eq!(default.trim_matches('"'), value.trim_matches('"'), "{key}");
        }
    };
    for (key, value) in &keys {
        let toml::Value::Table(inner) = value else {
            check(&mut above, key, value);
            continue;
        };
        let mut section = documented.remove(key).unwrap_or_else(|| panic!("[{key}] is missing"));
        // A table of tables, which the text below the section documents.
        for (key, value) in inner.iter().filter(|(key, _)| *key != "channels") {
            check(&mut section, key, value);
        }
        assert!(section.is_empty(), "[{key}] has no {section:?}");
    }
    assert!(above.is_empty() && documented.is_empty(), "there are no {above:?}, {documented:?}");
}

proptest! {
    /// Any accepted configuration can be written and reads back equal.
    #[test]
    fn serialized_config_parses_back(
        name in "\\PC{1,12}",
        texts in prop::collection::vec("[ -~]{0,4}|\\PC{0,20}|[\0-\u{1f}\"'\\\\]{0,4}", 2),
        hosts in prop::collection::vec(any::<SocketAddr>(), 1..4),
        channels in prop::collection::btree_map("#\\PC{1,12}", (prop::option::of(0..36_500_u32), prop::option::of(0..9_u32)), 0..3),
        numbers in (8..4_194_304_u32, 0..86_400_u32, 512..65_536_u32, 0..1000_u32),
    ) {
        let addresses: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let keep: BTreeMap<_, _> = channels
            .iter()
            .map(|(name, (days, messages))| (name, ChannelRetention { keep_days: *days, keep_messages: *messages }))
            .collect();
        let mut wanted = toml::Table::try_from(Config::default()).expect("a table");
        wanted.insert("name".into(), name.into());
        wanted.insert("motd".into(), texts.concat().into());
        wanted.insert("icon".into(), format!("https://{}", texts[0]).into());
        wanted.insert("listen".into(), addresses.clone().into());
        wanted.insert("advertise".into(), addresses.into());
        let section = |wanted: &mut toml::Table, section: &str, key: &str, value: toml::Value| {
            wanted[section].as_table_mut().expect("a section").insert(key.into(), value);
        };
        section(&mut wanted, "passwords", "memory_kib", numbers.0.into());
        section(&mut wanted, "sessions", "grace_s", numbers.1.into());
        section(&mut wanted, "limits", "line_bytes", numbers.2.into());
        section(&mut wanted, "history", "replay", numbers.3.into());
        section(&mut wanted, "history", "channels", toml::Table::try_from(keep).expect("a table").into());
        // What is refused in a name or an address is left at its default.
        for key in ["name", "icon", "advertise"] {
            if Config::parse(&wanted.to_string()).is_err_and(|mistake| mistake.message.contains(&format!("`{key}`"))) {
                wanted.remove(key);
            }
        }
        let config = Config::parse(&wanted.to_string());
        prop_assume!(config.is_ok());
        let config = config.expect("taken");
        let written = toml::to_string(&config).expect("text");
        prop_assert_eq!(Config::parse(&written).map_err(|mistake| mistake.message), Ok(config), "{}", written);
    }
}

/// Returns the example with the `#` taken away from its keys; texts have a blank behind it.
fn example_with_all_keys() -> String {
    let key = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).map(str::to_owned);
    EXAMPLE.lines().map(|line| key(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

#[test]
fn example_has_each_key_at_its_default() {
    let file = Path::new("parlour.toml");
    assert_eq!(Config::from_text(EXAMPLE, file).expect("right"), Config::default());
    let text = example_with_all_keys();
    assert_eq!(Config::from_text(&text, file).expect(&text), Config::default());
    let (example, default) = (
        toml::from_str::<toml::Table>(&text).expect("a table"),
        toml::Table::try_from(Config::default()).expect("a table"),
    );
    for (section, keys) in &default {
        let found = example.get(section);
        let toml::Value::Table(keys) = keys else {
            assert!(found.is_some(), "{section}");
            continue;
        };
        for key in keys.keys().filter(|key| (section.as_str(), key.as_str()) != ("history", "channels")) {
            assert!(found.is_some_and(|found| found.get(key).is_some()), "{key} of [{section}]");
        }
    }
    for line in EXAMPLE.lines() {
        assert!(line.chars().count() <= 125, "{line}");
    }
}

#[test]
fn example_of_a_channel_is_right() {
    let begin = EXAMPLE.find("# [history.channels").expect("an example");
    let lines = EXAMPLE[begin..].lines().take_while(|line| !line.is_empty());
    let text: String = lines.map(|line| line.trim_start_matches("# ").to_owned() + "\n").collect();
    let config = Config::from_text(&text, Path::new("parlour.toml")).expect(&text);
    assert_eq!(config.history.channels["#name"].keep_days, Some(7));
}
