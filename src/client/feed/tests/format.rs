//! Tests of entries as text and as JSON.

use jiff::tz::TimeZone;

use super::*;

#[test]
fn json_fields_are_in_documented_order() {
    let head = "@time=2023-11-14T22:13:20.007Z;msgid=0a;account=bo;label=3;batch=x";
    for (line, expected) in [
        (
            format!("{head};+draft/reply=09;bot :bo!b@h PRIVMSG #c :a\u{1b}[2J\"\u{202e}b"),
            r##"{"kind":"message","time":"2023-11-14T22:13:20.007Z","target":"#c","from":"bo","account":"bo","mine":false,"msgid":"0a","text":"a\u001b[2J\"\u202eb","refers_to":"09","object":null,"tags":{"+draft/reply":"09","bot":""},"history":false}"##,
        ),
        (
            ":al!a@h NOTICE bo :hi".to_owned(),
            r#"{"kind":"notice","time":"2023-11-14T22:13:20.007Z","target":"bo","from":"al","account":null,"mine":true,"msgid":null,"text":"hi","refers_to":null,"object":null,"tags":{},"history":false}"#,
        ),
    ] {
        assert_eq!(parse_entry(&line).to_json(), expected);
    }
    let short = |line: &str| {
        let entry = parse_entry(line);
        let object = entry.object.or(entry.refers_to).unwrap_or_default();
        [entry.kind.name(), entry.target.as_str(), &entry.text, &object].join("|")
    };
    for (line, expected) in [
        (":bo!b@h PRIVMSG al :\u{1}ACTION waves\u{1}", "action|bo|waves|"),
        (":bo!b@h PRIVMSG @#c :psst", "message|#c|psst|"),
        ("@+draft/react=x;+draft/reply=0a :bo!b@h TAGMSG #c", "react|#c|x|0a"),
        ("@+draft/unreact=x;+draft/reply=0a :bo!b@h TAGMSG al", "unreact|bo|x|0a"),
        ("@+note=y :bo!b@h TAGMSG #c", "tags|#c||"),
        (":bo!b@h REDACT #c 0a :oops", "redact|#c|oops|0a"),
        (":bo!b@h JOIN #c", "join|#c||"),
        (":bo!b@h PART #c :bye now", "part|#c|bye now|"),
        (":bo!b@h KICK #c al :out", "kick|#c|out|al"),
        (":bo!b@h TOPIC #c :tea", "topic|#c|tea|"),
        (":bo!b@h MODE #c +o al", "mode|#c|+o al|"),
        (":bo!b@h RENAME #c #d :why", "rename|#c|why|#d"),
    ] {
        assert_eq!(short(line), expected, "{line}");
    }
    for line in
        ["@+typing=active :bo!b@h TAGMSG #c", ":al!a@h MODE al +B", ":srv 001 al :hi", ":srv NOTICE al :x"]
    {
        assert_eq!(live(&[line]), [], "{line}");
    }
}

#[test]
fn formats_entries_as_text() {
    let text = |entry: Entry| entry.to_text(&TimeZone::UTC);
    assert_eq!(text(parse_entry(":bo!b@h PRIVMSG #c :hi\u{1b}[2J you")), "[22:13] #c <bo> hi you");
    assert_eq!(text(parse_entry(":bo!b@h KICK #c al :out")), "[22:13] #c -- al was kicked by bo (out)");
    let long = Entry { text: "one\n\ntwo".into(), history: true, ..parse_entry(":bo!b@h NOTICE #c :x") };
    let head = "[2023-11-14T22:13] #c -bo-";
    assert_eq!(text(long), format!("{head} one\n{head} \n{head} two"));
}
