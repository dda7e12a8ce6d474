//! Tests of the catalog of the settings.

use super::*;

#[test]
fn each_setting_has_a_value_a_purpose_and_parses_back() {
    let mut settings = Settings::default();
    for name in Settings::names() {
        let value = settings.get(&name).expect(&name);
        settings.set(&name, &value).expect(&name);
        assert!(settings.is_default(&name), "{name}");
        assert!(name.starts_with("keys.") || !Settings::about(&name).is_empty(), "{name}");
        for value in Settings::values(&name) {
            settings.set(&name, value).expect(&name);
        }
        settings.set(&name, "default").expect(&name);
    }
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.all().count(), Settings::names().len());
}

#[test]
fn values_are_shown_as_they_were_set() {
    let mut settings = Settings::default();
    for (name, text, shown) in [
        ("theme", "LIGHT", "light"),
        ("time_format", "%H.%M", "%H.%M"),
        ("bell", "off", "false"),
        ("highlights", "tea, Kaffee,, tea", "tea, Kaffee"),
        ("ignored", "home/mallory, Eve", "home/mallory, Eve"),
        ("layout.sidebar", "hidden", "hidden"),
        ("layout.sidebar_width", "30", "30"),
        ("notify.channels", "all", "all"),
        ("notify.conversations.home/#lobby", "nothing", "nothing"),
        ("colors.alert", "on #ff0000", "on #ff0000"),
        ("keys.search", "ctrl-s", "Ctrl-S"),
    ] {
        settings.set(name, text).expect(name);
        assert_eq!(settings.get(name).as_deref(), Some(shown), "{name}");
        assert!(!settings.is_default(name), "{name}");
        settings.set(name, "default").expect(name);
        assert!(settings.is_default(name), "{name}");
    }
    assert_eq!(settings, Settings::default());
}

#[test]
fn errors_name_the_remedy_and_change_nothing() {
    let mut settings = Settings::default();
    for (name, text, expected) in [
        ("theme", "pink", "choose one of auto, dark, light, high-contrast"),
        ("bell", "loud", "write true or false"),
        ("layout.sidebar_width", "3", "write auto, or a number of cells from 8 to 80"),
        ("tehme", "dark", "there is no setting tehme; did you mean theme?"),
        ("layout.sidbar", "shown", "there is no setting layout.sidbar; did you mean layout.sidebar?"),
        ("sidebar_width", "20", "there is no setting sidebar_width; did you mean layout.sidebar_width?"),
        ("keys.serch", "F5", "there is no setting keys.serch; did you mean keys.search?"),
        ("colors.alrt", "red", "there is no setting colors.alrt; did you mean colors.alert?"),
        ("frobnicate", "1", "there is no setting frobnicate; /set lists them"),
        ("notify.conversations.lobby", "all", "\"lobby\" is not SERVER/#CHANNEL or SERVER/NAME"),
    ] {
        assert_eq!(settings.set(name, text), Err(expected.to_owned()), "{name}");
    }
    let conflict = settings.set("keys.search", "Ctrl-K").expect_err("a conflict");
    assert!(conflict.contains("quick_switcher") && conflict.contains("search"), "{conflict}");
    assert_eq!(settings, Settings::default());
}
