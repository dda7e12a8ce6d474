//! Tests of storing known servers, and of refused files.

use proptest::prelude::*;

use super::*;

fn address(text: &str) -> Address {
    text.parse().expect(text)
}

fn nick(text: &str) -> Nick {
    Nick::parse(text).expect(text)
}

fn store_server(path: &Path, addresses: &[&str], pin: u8, account: &str) -> String {
    let addresses: Vec<_> = addresses.iter().map(|text| address(text)).collect();
    Servers::store_server(path, &addresses, Pin::new([pin; 32]), &nick(account)).expect("remembered")
}

#[test]
fn stored_server_is_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new/parlour/servers.toml");
    assert!(matches!(Servers::load(&path).expect("empty").find(None), Err(ServersError::NoServers)));
    assert_eq!(store_server(&path, &["10.0.0.5:6697"], 1, "alice"), "10.0.0.5");
    assert_eq!(store_server(&path, &["10.0.0.5:6697"], 1, "bob"), "bob@10.0.0.5");
    assert_eq!(store_server(&path, &["10.0.0.5:6697"], 2, "bob"), "bob@10.0.0.5-2");
    assert_eq!(store_server(&path, &["chat.example"], 3, "alice"), "chat.example");
    assert_eq!(store_server(&path, &["chat.example:7000"], 4, "alice"), "chat.example:7000");
    // The server is known by pin and account, now with another address.
    assert_eq!(store_server(&path, &["10.0.0.6:7000"], 1, "ALICE"), "10.0.0.5");

    let servers = Servers::load(&path).expect("it loads");
    assert_eq!(servers.iter().count(), 5);
    let last = servers.find(None).expect("the last");
    assert_eq!(last.name, "10.0.0.5");
    assert_eq!(last.addresses, [address("10.0.0.6:7000"), address("10.0.0.5:6697")]);
    let name = |wanted: &str| servers.find(Some(wanted)).map(|server| server.name.clone());
    assert_eq!(name("chat.example:6697").expect("by address"), "chat.example");
    assert_eq!(name("alice@10.0.0.5").expect("by account and name"), "10.0.0.5");
    assert_eq!(name("10.0.0.6").expect("by host"), "10.0.0.5");
    assert!(matches!(name("10.0.0.5:6697"), Err(ServersError::Ambiguous(..))));
    let error = name("nowhere").expect_err("unknown").to_string();
    assert_eq!(
        error,
        "no server of that name, or of that address and port, is known, but 10.0.0.5, bob@10.0.0.5, bob@10.0.0.5-2, chat.example, chat.example:7000; join it with an invite, or give its --pin"
    );
}

#[test]
fn renames_and_removes_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("servers.toml");
    store_server(&path, &["chat.example"], 1, "bob");
    store_server(&path, &["10.0.0.5"], 2, "alice");
    let key = DeviceFile::for_account(&path, Pin::new([2; 32]), &nick("alice"));
    key.load_or_generate().expect("made");
    let names = || {
        let servers = Servers::load(&path).expect("it loads");
        let last = servers.find(None).map(|server| server.name.clone()).ok();
        (servers.iter().map(|server| server.name.clone()).collect::<Vec<_>>(), last)
    };

    assert_eq!(Servers::rename(&path, "10.0.0.5:6697", "work").expect("renamed"), "10.0.0.5");
    assert_eq!(names(), (vec!["chat.example".to_owned(), "work".to_owned()], Some("work".to_owned())));
    assert!(matches!(Servers::rename(&path, "work", "chat.example"), Err(ServersError::NameTaken(_))));
    Servers::rename(&path, "work", "work").expect("it is called so");
    assert_eq!(store_server(&path, &["10.0.0.5"], 2, "alice"), "work");

    assert!(matches!(Servers::remove(&path, "10.0.0.6"), Err(ServersError::Unknown(..))));
    assert_eq!(Servers::remove(&path, "work").expect("forgotten").account, nick("alice"));
    assert!(key.load().expect("reads").is_none());
    assert_eq!(names(), (vec!["chat.example".to_owned()], Some("chat.example".to_owned())));
    Servers::remove(&path, "chat.example").expect("forgotten without a key");
    assert_eq!(names(), (Vec::new(), None));
}

#[test]
fn new_pin_replaces_old_pin() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("servers.toml");
    let [a, b, c] = [1, 2, 3].map(|n| Pin::new([n; 32]));
    let pins = |pin, next| Pins { current: pin, next };
    let known =
        || Servers::load(&path).expect("it loads").known.into_iter().map(|it| it.pins).collect::<Vec<_>>();
    let alice = nick("alice");
    store_server(&path, &["a:1"], 1, "alice");
    let (old, new) = (DeviceFile::for_account(&path, a, &alice), DeviceFile::for_account(&path, b, &alice));
    let device = old.load_or_generate().expect("made").certificate_hash();

    Servers::store_pins(&path, &alice, a.into(), pins(a, Some(b))).expect("learned");
    assert_eq!(known(), [pins(a, Some(b))]);
    assert!(old.load().expect("reads").is_some());
    Servers::store_pins(&path, &alice, pins(a, Some(b)), b.into()).expect("learned");
    assert_eq!(known(), [pins(b, None)]);
    // The key was renamed, and its old name is gone.
    assert_eq!(new.load().expect("reads").expect("is there").certificate_hash(), device);
    assert!(old.load().expect("reads").is_none());
    // Another program with older pins reverts nothing, and makes no second entry.
    Servers::store_pins(&path, &alice, a.into(), pins(a, Some(b))).expect("learned");
    Servers::store_server(&path, &[address("a:1")], pins(a, Some(b)), &alice).expect("remembered");
    assert_eq!(known(), [pins(b, None)]);
    assert_eq!(Servers::current_pins(&path, &alice, a.into()), b.into(), "for who runs since then");
    assert_eq!(Servers::current_pins(&path, &alice, c.into()), c.into());
    // Other accounts are not changed, and an unknown one is not stored by this.
    store_server(&path, &["a:1"], 1, "bob");
    Servers::store_pins(&path, &alice, b.into(), pins(b, Some(c))).expect("learned");
    Servers::store_pins(&path, &nick("carol"), a.into(), pins(a, Some(b))).expect("nothing to do");
    assert_eq!(known(), [pins(b, Some(c)), pins(a, None)]);
    // A retired pin reverts nothing, even if it worked: the holder of its key is another server.
    assert_eq!(store_server(&path, &["evil:1"], 1, "alice"), "evil");
    assert_eq!(known(), [pins(b, Some(c)), pins(a, None), pins(a, None)]);
    let servers = Servers::load(&path).expect("it loads");
    assert_eq!(servers.find(Some("a")).expect("known").addresses, [address("a:1")]);
    assert_eq!(Servers::current_pins(&path, &alice, a.into()), a.into());
    // A new invite to a server whose new pin is known already.
    Servers::store_server(&path, &[address("a:1")], c, &alice).expect("remembered");
    assert_eq!(known(), [pins(c, None), pins(a, None), pins(a, None)]);
}

#[test]
fn reads_version_1_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("servers.toml");
    store_server(&path, &["a:1"], 1, "alice");
    let text = fs::read_to_string(&path).expect("text").replace("version = 2", "version = 1");
    fs::write(&path, text).expect("written");
    assert_eq!(
        Servers::load(&path).expect("it loads").find(None).expect("one").pins,
        Pin::new([1; 32]).into()
    );
    store_server(&path, &["b:1"], 2, "alice");
    assert!(fs::read_to_string(&path).expect("text").contains("version = 2"));
}

#[test]
fn file_is_readable_by_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("parlour/servers.toml");
    store_server(&path, &["a:1"], 1, "alice");
    for path in [path.as_path(), path.parent().expect("folder")] {
        assert!(!files::others_access(path).expect("there").any, "{}", path.display());
    }
    let folder = fs::read_dir(path.parent().expect("folder")).expect("reads");
    let mut names: Vec<_> = folder.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["servers.lock", "servers.toml"], "no draft stays");
    files::give_to_others(&path, true);
    assert!(matches!(Servers::load(&path), Err(ServersError::WritableByOthers(_))));
}

#[test]
fn rejects_damaged_or_newer_file_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("servers.toml");
    store_server(&path, &["a:1"], 1, "alice");
    let good = fs::read_to_string(&path).expect("text");
    for (text, expected) in [
        (good.replace("version = 2", "version = 9"), "newer parlour (format 9, this one knows 2)"),
        (good.replace("version = 2", "version = 9\nfuture = true"), "newer"),
        (good.replace("version = 2\n", ""), "missing field `version`"),
        (good.replace("[[server]]", "[server]"), "line"),
        ("\0\u{1}rubbish".to_owned(), "line 1"),
    ] {
        fs::write(&path, &text).expect("written");
        let error = Servers::load(&path).expect_err(expected).to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        assert!(Servers::store_server(&path, &[address("b:1")], Pin::new([2; 32]), &nick("bob")).is_err());
        assert_eq!(fs::read_to_string(&path).expect("text"), text);
    }
}

#[test]
fn damaged_entry_is_reported_and_preserved() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("servers.toml");
    store_server(&path, &["a:1"], 1, "alice");
    store_server(&path, &["b:1"], 2, "bob");
    let good = fs::read_to_string(&path).expect("text");
    for (from, to, expected) in [
        ("a:1", "a:x", "the port is not a number"),
        ("[\"a:1\"]", "[]", "it has no address"),
        ("account = \"alice\"", "account = \"1badnick\"", "server 1 (a): account: it may not start with '1'"),
        ("account = \"alice\"", "account = \"x/../../escaped\"", "account: it may not contain '/'"),
        ("name = \"a\"", "name = \"\\u001b\"", "its name cannot be shown"),
        ("pin = \"", "pin = \"x", "a pin is 43"),
        ("pin = ", "pni = ", "unknown field `pni`"),
        ("name = \"a\"\n", "", "missing field `name`"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        fs::write(&path, &text).expect("written");
        let servers = Servers::load(&path).expect("it loads");
        let [damaged] = servers.damaged() else { panic!("one: {:?}", servers.damaged()) };
        assert!(damaged.to_string().contains(expected), "{damaged}");
        assert_eq!(servers.find(None).expect("the other").account, nick("bob"));
        store_server(&path, &["c:1"], 3, "carol");
        Servers::remove(&path, "c").expect("forgotten");
        let again = Servers::load(&path).expect("it loads");
        assert_eq!((again.damaged()[0].problem.clone(), again.iter().count()), (damaged.problem.clone(), 1));
        let kept = fs::read_to_string(&path).expect("text");
        // The text of the damaged entry is still in the file.
        assert!(to.is_empty() || to.contains("u001b") || kept.contains(to.trim_end()), "{kept}");
    }
}

#[test]
fn rejects_values_that_cannot_be_parsed_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("servers.toml");
    store_server(&path, &["a:1"], 1, "alice");
    let before = fs::read_to_string(&path).expect("text");
    for heard in ["x/../../escaped", "1badnick", "zo\u{eb}"] {
        let account = Nick::parse_foreign(heard).expect(heard);
        let remembered = Servers::store_server(&path, &[address("b:1")], Pin::new([2; 32]), &account);
        assert!(matches!(remembered, Err(ServersError::NotRepresentable(..))), "{heard}");
        assert_eq!(fs::read_to_string(&path).expect("text"), before);
    }
}

#[test]
fn symlink_to_file_is_preserved() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dots, config) = (folder.path().join("dotfiles"), folder.path().join("config"));
    fs::create_dir(&dots).expect("made");
    fs::create_dir(&config).expect("made");
    let path = config.join("servers.toml");
    if !files::link(Path::new("../dotfiles/link.toml"), &path) {
        return;
    }
    files::link(Path::new("parlour.toml"), &dots.join("link.toml"));
    for (n, name) in ["a", "b"].into_iter().enumerate() {
        store_server(&path, &[name], u8::try_from(n).expect("small"), "alice");
        assert!(fs::symlink_metadata(&path).expect("there").is_symlink());
        assert!(fs::symlink_metadata(dots.join("link.toml")).expect("there").is_symlink());
        assert!(fs::read_to_string(dots.join("parlour.toml")).expect("text").contains(name));
        assert_eq!(Servers::load(&path).expect("it loads").iter().count(), n + 1);
    }
    files::link(Path::new("circle"), &dots.join("circle"));
    fs::remove_file(&path).expect("removed");
    files::link(Path::new("../dotfiles/circle"), &path);
    assert!(Servers::store_server(&path, &[address("c")], Pin::new([9; 32]), &nick("alice")).is_err());
}

proptest! {
    #[test]
    fn written_file_parses_back(
        entries in prop::collection::vec((any::<std::net::IpAddr>(), 1..=u16::MAX, 0..4_u8, "\\PC{1,70}"), 1..6),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("servers.toml");
        let mut known = Vec::new();
        for (ip, port, pin, account) in entries {
            let address = Address::new(&ip.to_string(), port).expect("an IP address");
            let account = Nick::parse_foreign(&account).or_else(|_| Nick::parse("alice")).expect("a nick");
            match Servers::store_server(&path, &[address], Pin::new([pin; 32]), &account) {
                Ok(name) => known.push((name, account)),
                Err(error) => {
                    prop_assert!(matches!(error, ServersError::NotRepresentable(..)), "{error}");
                    prop_assert!(Nick::parse(account.as_str()).is_err());
                }
            }
            let servers = Servers::load(&path).expect("it loads");
            prop_assert!(servers.damaged().is_empty());
            for (name, account) in &known {
                prop_assert_eq!(&servers.find(Some(name)).expect("known").account, account);
            }
        }
    }
}
